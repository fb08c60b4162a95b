import numpy as np
import pandas as pd
import polars as pl
import pytest

from polytask.data.splits import column_strata, target_strata
from polytask.exceptions import DataError, OptionError
from polytask.tasks import Binary, Multilabel, Regression


@pytest.mark.parametrize(
    "values",
    [
        ["a", None, "b"],
        np.array([1.0, np.nan, 0.0]),
        np.append(np.arange(50.0), np.nan),
        [True, False, None],
        pd.to_datetime(pd.Series(["2020-01-01", None, "2021-01-01"])),
        pd.Series(["a", None, "b"], dtype="category"),
        pd.array([1, None, 2], dtype="Int64"),
        [["x"], None, []],
    ],
)
def test_every_row_has_one_stratum_and_missing_is_the_last(values):
    strata = column_strata(values)
    assert (strata.sum(axis=1) == 1).all()
    assert np.array_equal(strata[:, -1], pd.isna(pd.Series(values)))


def test_few_values_are_classes_and_many_are_quantile_bins():
    assert column_strata(np.arange(20).repeat(10)).shape[1] == 21
    assert column_strata(np.arange(200.0), n_bins=4).sum(axis=0).tolist() == [50, 50, 50, 50, 0]


def test_dates_are_cut_into_bins():
    days = pd.Series(pd.date_range("2020-01-01", periods=100))
    assert column_strata(days, 5).sum(axis=0).tolist() == [20, 20, 20, 20, 20, 0]


def test_bins_have_at_least_five_values():
    assert column_strata(np.arange(23.0), n_bins=10).sum(axis=0)[:-1].min() >= 5


def test_many_equal_values_share_a_bin_and_infinities_are_accepted():
    values = np.concatenate([np.zeros(80), np.arange(1.0, 39.0), [np.inf, -np.inf]])
    counts = column_strata(values, n_bins=5).sum(axis=0)
    assert counts.sum() == 120
    assert counts[:-1].min() > 0


def test_one_and_one_point_nought_and_the_text_one_are_the_same_class():
    assert column_strata([1, 1.0, "1", "a"]).shape == (4, 3)


def test_a_wholly_missing_column_is_only_missing():
    assert column_strata([None, None]).tolist() == [[True], [True]]


def test_too_few_bins_are_refused():
    with pytest.raises(OptionError, match="`n_bins` must be at least 2; got 1"):
        column_strata([1.0], 1)


def test_frames_arrays_lists_and_polars_give_the_same_strata():
    frame = pd.DataFrame({"a": [1.0, np.nan, 0.0], "b": [0.0, 1.0, 1.0]})
    expected = target_strata(frame)
    for same in (frame.to_numpy(), frame.to_numpy().tolist(), frame.to_dict("list"), pl.from_pandas(frame).fill_nan(None)):
        assert np.array_equal(target_strata(same), expected)
    assert np.array_equal(target_strata(frame["a"]), target_strata(frame[["a"]]))


def test_object_arrays_with_strings_and_none():
    assert target_strata(np.array([["a", 1.5], [None, 2.5], ["b", None]], dtype=object)).shape == (3, 6)


def test_three_axes_are_refused():
    with pytest.raises(DataError, match=r"shape \(2, 2, 2\)"):
        target_strata(np.zeros((2, 2, 2)))


def test_fitted_tasks_give_their_own_strata():
    frame = pd.DataFrame({"price": np.arange(40.0), "sold": [0, 1] * 20, "t1": [0, 1] * 20, "t2": [0, 0, 1, 1] * 10})
    tasks = [task.fit(frame) for task in (Regression("price"), Binary("sold"), Multilabel("tags", ("t1", "t2")))]
    strata = target_strata(frame, tasks=tasks, n_bins=4)
    expected = np.column_stack([task.strata(task.encode(frame), n_bins=4) for task in tasks])
    assert strata.dtype == bool
    assert np.array_equal(strata, expected)
    assert np.array_equal(target_strata(frame.to_numpy(), tasks=tasks, n_bins=4), expected)
