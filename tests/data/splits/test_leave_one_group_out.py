import numpy as np
import pytest
from sklearn.model_selection import LeaveOneGroupOut as Theirs

from polytask.data.splits import LeaveOneGroupOut
from polytask.exceptions import DataError, OptionError, PolytaskWarning
from polytask.tasks import Multilabel


def test_it_is_that_of_scikit_learn_where_all_groups_have_labels(rng):
    groups, y = rng.integers(0, 6, 40), rng.normal(size=(40, 2))
    ours, theirs = LeaveOneGroupOut().split(y, y, groups), Theirs().split(y, y, groups)
    for (train, test), (their_train, their_test) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(train, their_train)
        np.testing.assert_array_equal(test, their_test)
    assert LeaveOneGroupOut().get_n_splits(y, y, groups) == 6


def test_groups_come_in_the_order_of_numbers_or_names():
    assert [t.tolist() for _, t in LeaveOneGroupOut().split(groups=[10, 9, 10])] == [[1], [0, 2]]
    assert [t.tolist() for _, t in LeaveOneGroupOut().split(groups=["b", "a", "b"])] == [[1], [0, 2]]


def test_a_group_without_labels_stays_in_training_and_is_named():
    y = [[1.0, 2.0], [np.nan, np.nan], [3.0, 1.0]]
    with pytest.warns(PolytaskWarning, match="Group 'b': no task has a label there"):
        pairs = list(LeaveOneGroupOut().split(y, y, ["a", "b", "c"]))
    assert [(train.tolist(), test.tolist()) for train, test in pairs] == [([1, 2], [0]), ([0, 1], [2])]
    with pytest.raises(DataError, match="Group 'b': no task"):
        list(LeaveOneGroupOut(unlabelled="error").split(y, y, ["a", "b", "c"]))


def test_a_task_of_one_group_only_is_named():
    y = [[1.0, 2.0], [2.0, np.nan], [3.0, np.nan]]
    with pytest.warns(PolytaskWarning, match="All labels of task 'y1' are of group 'a'"):
        list(LeaveOneGroupOut().split(y, y, ["a", "b", "c"]))


def test_fitted_tasks_say_which_columns_are_one(rng):
    import pandas as pd

    y = pd.DataFrame({"t1": [0.0, 1.0, 1.0, 0.0], "t2": [1.0, np.nan, 0.0, 1.0]})
    task = Multilabel("tags", ("t1", "t2")).fit(y)
    assert LeaveOneGroupOut(tasks=[task]).get_n_splits(y, y, [1, 2, 3, 3]) == 3


@pytest.mark.parametrize(
    "groups, settings, error, message",
    [
        (None, {}, DataError, "needs `groups`"),
        ([1, 1, 1], {}, DataError, "at least 2 groups; got 1"),
        ([1, None, 2], {}, DataError, "1 missing"),
        ([1, 2], {}, DataError, "got 3 values for 2 rows"),
        ([1, 2, 3], {"unlabelled": "ignore"}, OptionError, "'skip' or 'error'; got 'ignore'"),
    ],
)
def test_what_cannot_be_used_is_explained(groups, settings, error, message):
    with pytest.raises(error, match=message):
        list(LeaveOneGroupOut(**settings).split(np.zeros((3, 1)), [1.0, 2.0, 3.0], groups))


def test_no_labels_at_all_are_refused():
    y = np.full((3, 1), np.nan)
    with pytest.warns(PolytaskWarning), pytest.raises(DataError, match="No group holds a label"):
        list(LeaveOneGroupOut().split(y, y, [1, 2, 3]))
