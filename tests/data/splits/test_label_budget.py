import numpy as np
import pandas as pd
import pytest

from polytask.data.splits import LabelBudget
from polytask.exceptions import DataError, OptionError, TargetError
from polytask.tasks import Binary, Multilabel, Regression


def frame_of(n=400, seed=0):
    rng = np.random.default_rng(seed)
    y = pd.DataFrame({"price": rng.normal(size=n), "sold": np.where(rng.random(n) < 0.1, "yes", "no"), "t1": 1.0, "t2": 0.0})
    return y.mask(rng.random(y.shape) < 0.25)


@pytest.mark.parametrize("pattern", ["random", "rows", "groups", "disjoint"])
def test_only_labels_are_kept_larger_budgets_hold_smaller_ones_and_the_seed_repeats(pattern):
    y, groups = frame_of(), np.arange(400) // 4
    keeps = [LabelBudget(share=s, pattern=pattern, random_state=3).keep(y, groups=groups) for s in (0.1, 0.3, 0.3, 1.0)]
    assert not (keeps[3] & y.isna().to_numpy()).any()
    assert (keeps[0] <= keeps[1]).all()
    assert (keeps[1] <= keeps[3]).all()
    np.testing.assert_array_equal(keeps[1], keeps[2])
    other = LabelBudget(share=0.3, pattern=pattern, random_state=4).keep(y, groups=groups)
    assert (other != keeps[1]).any()
    if pattern != "disjoint":
        np.testing.assert_array_equal(keeps[3], y.notna())


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5])
def test_every_class_keeps_its_share(share):
    y = frame_of(2000)
    kept = LabelBudget(["sold"], share=share, random_state=0).keep(y)[:, 1]
    assert kept.sum() == np.ceil(share * y["sold"].notna().sum())
    for label in ("yes", "no"):
        assert abs((kept & (y["sold"] == label)).sum() - share * (y["sold"] == label).sum()) <= 1.5


def test_other_tasks_keep_everything():
    y = frame_of()
    keep = LabelBudget("price", n=7, random_state=0).keep(y)
    assert keep.sum(axis=0).tolist() == [7, *y.iloc[:, 1:].notna().sum()]


def test_one_task_more_does_not_change_what_another_keeps():
    y = frame_of()
    alone, both = (LabelBudget(names, n=50, random_state=0).keep(y) for names in (["price"], ["price", "sold"]))
    np.testing.assert_array_equal(alone[:, 0], both[:, 0])


def test_a_task_with_fewer_labels_keeps_all():
    y = pd.DataFrame({"a": [1.0, None, None], "b": [1.0, 2.0, 3.0]})
    assert LabelBudget(n=2, random_state=0).keep(y).sum(axis=0).tolist() == [1, 2]


def test_the_smallest_share_keeps_a_label():
    assert LabelBudget(share=1e-9, random_state=0).keep(frame_of()).sum(axis=0).tolist() == [1] * 4


def test_rows_and_groups_lose_all_limited_labels_at_once():
    y, groups = frame_of(), np.arange(400) // 4
    keep = LabelBudget(n=30, pattern="rows", random_state=0).keep(y)
    assert keep.any(axis=1).sum() == 30
    assert (keep[keep.any(axis=1)] == y.notna().to_numpy()[keep.any(axis=1)]).all()
    by_group = LabelBudget(n=10, pattern="groups", random_state=0).keep(y, groups=groups)
    assert len(set(groups[by_group.any(axis=1)])) == 10
    whole = np.isin(groups, groups[by_group.any(axis=1)])
    np.testing.assert_array_equal(by_group[whole], y.notna().to_numpy()[whole])


def test_disjoint_labels_are_one_per_row_and_of_all_tasks():
    y = frame_of()
    keep = LabelBudget(share=1.0, pattern="disjoint", random_state=0).keep(y)
    assert (keep.sum(axis=1) == y.notna().any(axis=1)).all()
    assert keep.sum(axis=0).min() > 50


def test_fitted_tasks_are_limited_as_tasks_and_masked_in_all_their_columns():
    y = frame_of()
    tasks = [task.fit(y) for task in (Regression("price"), Binary("sold"), Multilabel("tags", ("t1", "t2")))]
    budget = LabelBudget(["tags"], n=20, random_state=0)
    keep = budget.keep(y, tasks=tasks)
    assert keep.shape == (400, 3)
    masked = budget.mask(y, tasks=tasks)
    assert masked[["t1", "t2"]].notna().any(axis=1).sum() == 20
    pd.testing.assert_frame_equal(masked[["price", "sold"]], y[["price", "sold"]])


def test_the_masked_frame_has_the_kept_labels():
    y = frame_of()
    budget = LabelBudget(share=0.2, random_state=0)
    np.testing.assert_array_equal(budget.mask(y).notna(), budget.keep(y))


def test_the_order_of_rows_is_irrelevant_to_the_balance():
    y = frame_of(1000)
    for order in (np.argsort(y["sold"].fillna("?"), kind="stable"), np.random.default_rng(0).permutation(1000)):
        own = y.iloc[order]
        kept = LabelBudget(share=0.3, random_state=0).keep(own)[:, 1]
        assert abs((kept & (own["sold"] == "yes")).sum() - 0.3 * (y["sold"] == "yes").sum()) <= 1.5


@pytest.mark.parametrize(
    "settings, error, message",
    [
        ({}, OptionError, "needs `share` or `n`"),
        ({"share": 0.5, "n": 3}, OptionError, "one of them"),
        ({"share": 0}, OptionError, r"in \(0, 1\]; got 0"),
        ({"share": 1.5}, OptionError, "got 1.5"),
        ({"n": 0}, OptionError, "at least 1; got 0"),
        ({"n": 2.0}, OptionError, "got 2.0"),
        ({"n": 2, "pattern": "late"}, OptionError, "'random', 'rows', 'groups', 'disjoint'; got 'late'"),
        ({"n": 2, "tasks": ["prize"]}, TargetError, "names 'prize', which is no task"),
        ({"n": 2, "pattern": "groups"}, DataError, "needs `groups`"),
    ],
)
def test_settings_that_cannot_be_are_explained(settings, error, message):
    with pytest.raises(error, match=message):
        LabelBudget(**settings).keep(frame_of())
