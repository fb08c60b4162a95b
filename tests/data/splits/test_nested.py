import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold, TimeSeriesSplit

from polytask.data.splits import HashHoldout, LeaveOneGroupOut, NestedSplit, TimeSplit
from polytask.exceptions import OptionError
from tests.data.splits._laws import assert_groups_are_whole, assert_pairs_are_disjoint, assert_time_never_leaks

TIMES = np.random.default_rng(0).integers(0, 50, 90)
GROUPS = np.arange(90) // 3


def folds(splitter, groups=None):
    y = np.arange(180.0).reshape(90, 2)
    return list(splitter.nested(pd.DataFrame(y), y, groups))


@pytest.mark.parametrize("splitter", [NestedSplit(3, 4, random_state=0), NestedSplit(LeaveOneGroupOut(), 2, random_state=0)])
def test_inner_splits_divide_the_training_part_and_keep_groups_whole(splitter):
    for fold in folds(splitter, GROUPS):
        assert_pairs_are_disjoint([(fold.train, fold.test), *fold.inner])
        assert_groups_are_whole([(fold.train, fold.test), *fold.inner], GROUPS)
        for rest, held in fold.inner:
            np.testing.assert_array_equal(np.sort(np.concatenate([rest, held])), fold.train)


def test_inner_splits_follow_time_and_inherit_gap_and_window():
    found = folds(NestedSplit(TimeSplit(2, times=TIMES.astype(float), gap=2.0, window="sliding"), 2))
    assert len(found) == 2
    for fold in found:
        assert_time_never_leaks([(fold.train, fold.test), *fold.inner], TIMES, gap=2)
        assert all(set(np.concatenate(pair)) <= set(fold.train) for pair in fold.inner)


def test_as_a_splitter_it_is_its_outer_split():
    splitter = NestedSplit(KFold(3), 2)
    assert splitter.get_n_splits(np.zeros((9, 1))) == 3
    assert [test.tolist() for _, test in splitter.split(np.zeros((9, 1)))] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_a_splitter_with_values_per_row_is_cut_to_the_training_part():
    [fold, *_] = folds(NestedSplit(3, HashHoldout(np.arange(90), 0.4), random_state=0))
    [(rest, held)] = fold.inner
    [(_, whole)] = HashHoldout(np.arange(90), 0.4).split()
    assert set(held) == set(whole) & set(fold.train)
    assert set(rest) == set(fold.train) - set(held)


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored")
@pytest.mark.parametrize(
    "splitter, groups, message",
    [
        (NestedSplit(TimeSplit(2, times=TIMES), KFold(3)), None, "must learn from earlier rows only"),
        (NestedSplit(3, KFold(3, shuffle=True, random_state=0), random_state=0), GROUPS, "must keep every group whole"),
        (NestedSplit(0), None, "`outer` of NestedSplit must be"),
        (NestedSplit(3, "five"), None, "`inner` of NestedSplit must be"),
        (NestedSplit(True), None, "got True"),
    ],
)
def test_inner_splits_that_break_the_rule_are_refused(splitter, groups, message):
    with pytest.raises(OptionError, match=message):
        folds(splitter, groups)


def test_rows_in_order_may_be_split_in_order_inside():
    for fold in folds(NestedSplit(TimeSplit(2, times=np.arange(90)), TimeSeriesSplit(2))):
        assert_time_never_leaks(fold.inner, np.arange(90))
