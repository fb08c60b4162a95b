import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, PredefinedSplit, RepeatedKFold, ShuffleSplit, TimeSeriesSplit

from polytask.data.splits import ColumnSplit
from polytask.estimators import read_labels
from polytask.evaluation import plan_folds
from polytask.exceptions import OptionError, PolytaskError
from tests.evaluation._tables import TASKS, table


@pytest.fixture
def labels():
    return read_labels(table()[1], TASKS)


def test_every_row_is_held_out_once_in_every_repeat(labels):
    plan = plan_folds(labels, folds=4, repeats=3)
    assert plan.shape == (3, 80)
    assert all(np.bincount(own).tolist() == [20] * 4 for own in plan)


def test_repeats_differ_and_the_seed_repeats_them(labels):
    plan = plan_folds(labels, folds=4, repeats=2, seed=5)
    assert (plan[0] != plan[1]).any()
    np.testing.assert_array_equal(plan, plan_folds(labels, folds=4, repeats=2, seed=5))
    assert (plan != plan_folds(labels, folds=4, repeats=2, seed=6)).any()


def test_every_fold_has_its_share_of_labels_of_every_task(labels):
    plan = plan_folds(labels, folds=4, repeats=1)[0]
    for column in labels.target.T:
        counts = [np.isfinite(column[plan == fold]).sum() for fold in range(4)]
        assert max(counts) - min(counts) <= 2


def test_groups_are_never_cut(labels, rng):
    groups = rng.integers(0, 15, 80)
    for own in plan_folds(labels, folds=3, repeats=2, groups=groups):
        assert all(len(np.unique(own[groups == g])) == 1 for g in range(15))


@pytest.mark.parametrize("splitter", [KFold(4), KFold(4, shuffle=True)])
def test_splitters_of_scikit_learn_are_taken(labels, splitter):
    plan = plan_folds(labels, folds=splitter, repeats=2)
    assert sorted(np.unique(plan)) == [0, 1, 2, 3]
    assert (plan[0] == plan[1]).all() == (not splitter.shuffle)


def test_the_splitter_given_is_not_changed(labels):
    splitter = KFold(4, shuffle=True, random_state=3)
    plan_folds(labels, folds=splitter)
    assert splitter.random_state == 3


def test_a_column_of_words_gives_one_fold_of_test_rows(labels):
    words = np.where(np.arange(80) < 60, "train", "test")
    plan = plan_folds(labels, folds=ColumnSplit(words), repeats=2)
    assert plan.tolist() == [[-1] * 60 + [0] * 20] * 2


def test_rows_always_in_training_are_never_held_out(labels):
    fold = np.r_[np.full(20, -1), np.arange(60) % 3]
    np.testing.assert_array_equal(plan_folds(labels, folds=PredefinedSplit(fold), repeats=1)[0], fold)


@pytest.mark.parametrize("splitter", [ShuffleSplit(5), RepeatedKFold(n_splits=2, n_repeats=2)])
def test_a_row_held_out_twice_is_refused(labels, splitter):
    with pytest.raises(OptionError, match="once at most"):
        plan_folds(labels, folds=splitter)


class Gap:
    """Holds 20 rows out, and leaves rows near them out of training, an embargo."""

    def split(self, X, y=None, groups=None):
        yield np.arange(50), np.arange(60, 80)


@pytest.mark.parametrize("splitter", [ShuffleSplit(1, train_size=0.3, test_size=0.3), Gap()])
def test_training_rows_that_are_left_out_on_purpose_are_refused_rather_than_learned_from(labels, splitter):
    with pytest.raises(OptionError, match=r"all rows that a fold does not hold out.* leaves out"):
        plan_folds(labels, folds=splitter)


class Leak:
    """Trains on rows that it holds out."""

    def split(self, X, y=None, groups=None):
        yield np.arange(80), np.arange(60, 80)


def test_a_splitter_that_trains_on_what_it_holds_out_is_refused(labels):
    with pytest.raises(OptionError, match="trains on 20 rows that it holds out"):
        plan_folds(labels, folds=Leak())


def test_validation_rows_of_a_column_and_reserved_rows_are_for_stopping(labels):
    words = np.array(["train", "train", "validation", "test"])[np.arange(80) % 4]
    assert (plan_folds(labels, folds=ColumnSplit(words)) == np.where(words == "test", 0, -1)).all()
    reserved = (np.arange(80) >= 50) & (np.arange(80) < 60)
    assert (plan_folds(labels, folds=Gap(), reserved=reserved) >= 0).sum(axis=1).tolist() == [20] * 5


def test_folds_in_order_of_time_are_refused_rather_than_trained_on_the_future(labels):
    with pytest.raises(OptionError, match="order of time"):
        plan_folds(labels, folds=TimeSeriesSplit(3))


def test_a_splitter_that_cuts_a_group_is_refused_by_name(labels):
    groups = np.repeat([f"school {k}" for k in range(10)], 8)
    with pytest.warns(UserWarning, match="ignored by KFold"), pytest.raises(OptionError, match="'school"):
        plan_folds(labels, folds=KFold(4, shuffle=True), groups=groups)
    assert plan_folds(labels, folds=GroupKFold(5), groups=groups).max() == 4


@pytest.mark.parametrize("folds", [1, 0, 81, True, 2.5, "5", None])
def test_folds_that_cannot_be_are_refused(labels, folds):
    with pytest.raises(PolytaskError, match=r"folds|n_splits|81"):
        plan_folds(labels, folds=folds)


@pytest.mark.parametrize("repeats", [0, -1, 1.5, True])
def test_repeats_that_cannot_be_are_refused(labels, repeats):
    with pytest.raises(OptionError, match="repeats"):
        plan_folds(labels, repeats=repeats)
