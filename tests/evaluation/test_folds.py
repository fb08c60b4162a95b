import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, PredefinedSplit, RepeatedKFold, ShuffleSplit, TimeSeriesSplit

from polytask.data.splits import ColumnSplit, LeaveOneGroupOut, TimeSplit
from polytask.estimators import read_labels
from polytask.evaluation import plan_folds
from polytask.exceptions import OptionError, PolytaskError, PolytaskWarning
from tests.evaluation._tables import TASKS, table


@pytest.fixture
def labels():
    return read_labels(table()[1], TASKS)


def test_every_row_is_held_out_once_in_every_repeat(labels):
    plan = plan_folds(labels, folds=4, repeats=3).held
    assert plan.shape == (3, 80)
    assert all(np.bincount(own).tolist() == [20] * 4 for own in plan)


def test_repeats_differ_and_the_seed_repeats_them(labels):
    plan = plan_folds(labels, folds=4, repeats=2, seed=5).held
    assert (plan[0] != plan[1]).any()
    np.testing.assert_array_equal(plan, plan_folds(labels, folds=4, repeats=2, seed=5).held)
    assert (plan != plan_folds(labels, folds=4, repeats=2, seed=6).held).any()


def test_every_fold_has_its_share_of_labels_of_every_task(labels):
    plan = plan_folds(labels, folds=4, repeats=1).held[0]
    for column in labels.target.T:
        counts = [np.isfinite(column[plan == fold]).sum() for fold in range(4)]
        assert max(counts) - min(counts) <= 2


def test_groups_are_never_cut(labels, rng):
    groups = rng.integers(0, 15, 80)
    for own in plan_folds(labels, folds=3, repeats=2, groups=groups).held:
        assert all(len(np.unique(own[groups == g])) == 1 for g in range(15))


@pytest.mark.parametrize("splitter", [KFold(4), KFold(4, shuffle=True)])
def test_splitters_of_scikit_learn_are_taken(labels, splitter):
    plan = plan_folds(labels, folds=splitter, repeats=2).held
    assert sorted(np.unique(plan)) == [0, 1, 2, 3]
    assert (plan[0] == plan[1]).all() == (not splitter.shuffle)


def test_the_splitter_given_is_not_changed(labels):
    splitter = KFold(4, shuffle=True, random_state=3)
    plan_folds(labels, folds=splitter)
    assert splitter.random_state == 3


def test_a_column_of_words_gives_one_fold_of_test_rows(labels):
    words = np.where(np.arange(80) < 60, "train", "test")
    plan = plan_folds(labels, folds=ColumnSplit(words), repeats=2).held
    assert plan.tolist() == [[-1] * 60 + [0] * 20] * 2


def test_rows_always_in_training_are_never_held_out(labels):
    fold = np.r_[np.full(20, -1), np.arange(60) % 3]
    np.testing.assert_array_equal(plan_folds(labels, folds=PredefinedSplit(fold), repeats=1).held[0], fold)


@pytest.mark.parametrize("splitter", [ShuffleSplit(5), RepeatedKFold(n_splits=2, n_repeats=2)])
def test_a_row_held_out_twice_is_refused(labels, splitter):
    with pytest.raises(OptionError, match="once at most"):
        plan_folds(labels, folds=splitter)


class Gap:
    """Holds 20 rows out, and leaves rows near them out of training, an embargo."""

    def split(self, X, y=None, groups=None):
        yield np.arange(50), np.arange(60, 80)


@pytest.mark.parametrize(
    "splitter", [ShuffleSplit(1, train_size=0.3, test_size=0.3, random_state=0), Gap(), TimeSeriesSplit(3, gap=2)]
)
def test_training_rows_that_are_left_out_on_purpose_are_not_learned_from(labels, splitter):
    plan = plan_folds(labels, folds=splitter, repeats=2)
    assert plan.trained is not None
    for repeat, fold in plan.folds():
        train, held = plan.train_rows(repeat, fold), plan.held_rows(repeat, fold)
        assert len(train)
        assert not np.isin(train, held).any()
    if not isinstance(splitter, ShuffleSplit):
        for fold, (train, held) in enumerate(splitter.split(np.zeros((80, 1)))):
            np.testing.assert_array_equal(plan.train_rows(1, fold), train)
            np.testing.assert_array_equal(plan.held_rows(1, fold), held)


def test_folds_that_learn_from_all_others_are_told_apart(labels):
    assert plan_folds(labels, folds=4).trained is None
    assert plan_folds(labels, folds=KFold(4)).trained is None
    words = np.array(["train", "train", "validation", "test"])[np.arange(80) % 4]
    assert plan_folds(labels, folds=ColumnSplit(words)).trained is None  # rows for stopping are learned from by other models


def test_some_repeats_of_a_plan_keep_their_folds(labels):
    plan = plan_folds(labels, folds=TimeSplit(2, times=np.arange(80)[::-1]), repeats=3)
    assert plan.first(2).folds() == [(0, 0), (0, 1), (1, 0), (1, 1)]
    np.testing.assert_array_equal(plan.first(1).train_rows(0, 1), plan.train_rows(0, 1))


class Empty:
    """Gives no fold at all, or one without rows."""

    def __init__(self, pairs):
        self.pairs = pairs

    def split(self, X, y=None, groups=None):
        yield from self.pairs


@pytest.mark.parametrize("pairs, words", [([], "gives no fold"), ([(np.arange(80), np.arange(0))], "rows on both sides")])
def test_a_splitter_without_rows_is_refused(labels, pairs, words):
    with pytest.raises(OptionError, match=words):
        plan_folds(labels, folds=Empty(pairs))


def test_groups_without_labels_are_told_once_and_never_held_out(labels):
    groups = np.repeat(np.arange(8), 10)
    labels.target[groups == 3] = np.nan
    with pytest.warns(PolytaskWarning, match="Group '3'") as told:
        plan = plan_folds(labels, folds=LeaveOneGroupOut(), groups=groups, repeats=3)
    assert len(told) == 1
    assert plan.n_folds == 7
    assert (plan.held[:, groups == 3] == -1).all()


class Leak:
    """Trains on rows that it holds out."""

    def split(self, X, y=None, groups=None):
        yield np.arange(80), np.arange(60, 80)


def test_a_splitter_that_trains_on_what_it_holds_out_is_refused(labels):
    with pytest.raises(OptionError, match="trains on 20 rows that it holds out"):
        plan_folds(labels, folds=Leak())


def test_validation_rows_of_a_column_and_reserved_rows_are_for_stopping(labels):
    words = np.array(["train", "train", "validation", "test"])[np.arange(80) % 4]
    assert (plan_folds(labels, folds=ColumnSplit(words)).held == np.where(words == "test", 0, -1)).all()
    reserved = (np.arange(80) >= 50) & (np.arange(80) < 60)
    assert (plan_folds(labels, folds=Gap(), reserved=reserved).held >= 0).sum(axis=1).tolist() == [20] * 5


def test_a_splitter_that_cuts_a_group_is_refused_by_name(labels):
    groups = np.repeat([f"school {k}" for k in range(10)], 8)
    with pytest.warns(UserWarning, match="ignored by KFold"), pytest.raises(OptionError, match="'school"):
        plan_folds(labels, folds=KFold(4, shuffle=True), groups=groups)
    assert plan_folds(labels, folds=GroupKFold(5), groups=groups).n_folds == 5


@pytest.mark.parametrize("folds", [1, 0, 81, True, 2.5, "5", None])
def test_folds_that_cannot_be_are_refused(labels, folds):
    with pytest.raises(PolytaskError, match=r"folds|n_splits|81"):
        plan_folds(labels, folds=folds)


@pytest.mark.parametrize("repeats", [0, -1, 1.5, True])
def test_repeats_that_cannot_be_are_refused(labels, repeats):
    with pytest.raises(OptionError, match="repeats"):
        plan_folds(labels, repeats=repeats)
