import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate

from polytask.data.splits import RepeatedStratifiedTaskKFold, StratifiedTaskKFold
from polytask.exceptions import DataError, OptionError
from polytask.tasks import Binary
from tests.data.splits._laws import assert_groups_are_whole, assert_is_partition, assert_pairs_are_disjoint_and_complete


def mixed_frame(n=300, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"price": rng.lognormal(size=n), "grade": rng.choice(["A", "B", "C"], n), "sold": rng.random(n) < 0.1})
    frame = frame.astype({"grade": object, "sold": object})
    for column, share in (("price", 0.2), ("grade", 0.5), ("sold", 0.1)):
        frame.loc[rng.random(n) < share, column] = None
    return frame.assign(nothing=None)


def test_folds_are_a_partition_and_pairs_are_disjoint_and_complete():
    y = mixed_frame()
    pairs = list(StratifiedTaskKFold(4, random_state=0).split(y, y))
    assert_pairs_are_disjoint_and_complete(pairs, 300)
    assert_is_partition([test for _, test in pairs], 300)


def test_every_class_and_every_missing_share_of_a_mixed_frame_is_even():
    y = mixed_frame()
    for _, test in StratifiedTaskKFold(5, random_state=0).split(y, y):
        for column in ("grade", "sold"):
            whole, part = y[column].value_counts(dropna=False), y[column].iloc[test].value_counts(dropna=False)
            assert (part.reindex(whole.index, fill_value=0) - whole / 5).abs().max() < 2
        assert abs(y["price"].iloc[test].isna().sum() - y["price"].isna().sum() / 5) < 2
        assert abs(y["price"].iloc[test].median() - y["price"].median()) < 0.2 * y["price"].std()


def test_the_means_of_a_regression_target_are_nearer_than_in_plain_folds():
    y = np.random.default_rng(0).lognormal(size=(500, 3))
    ours = StratifiedTaskKFold(5, random_state=0).fold_of_rows(y=y)
    plain = np.random.default_rng(1).permutation(500) % 5
    spread = [np.ptp([np.log(y[folds == fold]).mean(axis=0) for fold in range(5)], axis=0).max() for folds in (ours, plain)]
    assert spread[0] < 0.5 * spread[1]


@pytest.mark.parametrize("y", [np.arange(103) % 3, np.repeat(["a", "b", "c"], [50, 30, 7]), np.repeat([0.0, 1.0], [95, 6])])
def test_one_target_is_as_even_as_in_scikit_learn(y):
    def counts(splitter):
        return np.array([[(y[test] == label).sum() for label in np.unique(y)] for _, test in splitter.split(y, y)])

    ours = counts(StratifiedTaskKFold(5, random_state=0))
    assert (np.ptp(ours, axis=0) <= np.maximum(np.ptp(counts(StratifiedKFold(5)), axis=0), 1)).all()
    assert np.abs(np.sort(ours, axis=0) - np.sort(counts(StratifiedKFold(5)), axis=0)).max() <= 1


def test_groups_are_never_cut():
    y, groups = mixed_frame(), np.random.default_rng(0).choice(list("abcdefghijklmnopqrst"), 300)
    pairs = list(StratifiedTaskKFold(4, random_state=0).split(y, y, groups))
    assert_groups_are_whole(pairs, groups)
    assert_is_partition([test for _, test in pairs], 300)


def test_an_int_seed_repeats_and_another_seed_differs():
    y = mixed_frame()
    first, again, other = (StratifiedTaskKFold(random_state=seed).fold_of_rows(y=y) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_given_strata_are_used_instead_of_y():
    strata = np.arange(40)[:, None] < 10
    splitter = StratifiedTaskKFold(5, strata=strata, random_state=0)
    assert [int(strata[test].sum()) for _, test in splitter.split(np.zeros(40))] == [2] * 5


def test_fitted_tasks_tell_what_to_balance():
    frame = pd.DataFrame({"sold": ["yes"] * 10 + ["no"] * 40, "other": range(50)})
    folds = StratifiedTaskKFold(5, tasks=[Binary("sold").fit(frame)], random_state=0).fold_of_rows(y=frame)
    assert [int((frame["sold"][folds == fold] == "yes").sum()) for fold in range(5)] == [2] * 5


def test_without_y_it_is_a_shuffled_k_fold():
    assert sorted(len(test) for _, test in StratifiedTaskKFold(3, random_state=0).split(np.zeros((11, 2)))) == [3, 4, 4]


def test_a_class_with_fewer_rows_than_folds_is_spread():
    y = np.array(["rare"] * 2 + ["often"] * 28)
    assert sorted((y[test] == "rare").sum() for _, test in StratifiedTaskKFold(5, random_state=0).split(y, y)) == [0, 0, 0, 1, 1]


def test_works_in_cross_validate_and_searches_and_clones():
    rng = np.random.default_rng(0)
    X, y, groups = rng.normal(size=(60, 3)), rng.normal(size=(60, 2)), np.arange(60) // 3
    splitter = clone(StratifiedTaskKFold(3, random_state=0))
    assert splitter.get_params()["n_splits"] == 3
    assert "n_splits=3" in repr(splitter)
    assert len(cross_validate(Ridge(), X, y, cv=splitter, groups=groups)["test_score"]) == 3
    assert GridSearchCV(Ridge(), {"alpha": [1, 2]}, cv=splitter).fit(X, y).n_splits_ == 3
    with config_context(enable_metadata_routing=True):
        assert len(cross_validate(Ridge(), X, y, cv=splitter, params={"groups": groups})["test_score"]) == 3


def test_repeats_are_partitions_that_differ_and_follow_the_seed():
    y = mixed_frame(100)
    splitter = RepeatedStratifiedTaskKFold(4, n_repeats=3, random_state=0)
    tests = [test for _, test in splitter.split(y, y)]
    assert len(tests) == splitter.get_n_splits() == 12
    for repeat in range(3):
        assert_is_partition(tests[4 * repeat : 4 * repeat + 4], 100)
    assert not np.array_equal(tests[0], tests[4])
    assert all(np.array_equal(a, b) for a, (_, b) in zip(tests, splitter.split(y, y), strict=True))


@pytest.mark.parametrize(
    "settings, data, error, message",
    [
        ({"n_splits": 1}, {"X": np.zeros(5)}, OptionError, "at least 2; got 1"),
        ({"n_splits": 2.5}, {"X": np.zeros(5)}, OptionError, "whole number"),
        ({"n_splits": 6}, {"X": np.zeros(5)}, OptionError, "6 folds need at least 6 rows; got 5"),
        ({"n_splits": 3}, {"X": np.zeros(5), "groups": [1, 1, 2, 2, 2]}, OptionError, "3 folds need at least 3 groups; got 2"),
        ({}, {"X": np.zeros(5), "y": np.zeros(4)}, DataError, "`y` must have one value per row; got 4 values for 5 rows"),
        ({"strata": np.ones((3, 1))}, {"X": np.zeros(5)}, DataError, "`strata` must have one value per row"),
        ({}, {}, DataError, "needs `X`, `y` or `strata`"),
    ],
)
def test_errors_say_what_was_given(settings, data, error, message):
    with pytest.raises(error, match=message):
        next(StratifiedTaskKFold(**settings).split(**data))
