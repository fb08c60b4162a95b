import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from polytask.data.splits import ColumnSplit
from polytask.exceptions import DataError


def test_words_are_read_in_any_case_and_validation_rows_are_in_neither_part():
    split = ColumnSplit(pd.Series([" Train", "TRAINING", "valid", "Test", "holdout"], index=list("vwxyz")))
    [(train, test)] = split.split(np.zeros(5))
    assert (train.tolist(), test.tolist()) == ([0, 1], [3, 4])
    assert split.parts()["validation"].tolist() == [2]
    assert split.get_n_splits() == 1


def test_without_test_rows_the_validation_rows_are_held_out():
    [(train, test)] = ColumnSplit(["train", "val", "train"]).split()
    assert (train.tolist(), test.tolist()) == ([0, 2], [1])


@pytest.mark.parametrize(
    "ids", [[10, 2, 10, 2], [10.0, 2.0, 10.0, 2.0], ["10", "2", "10", "2"], pd.array([10, 2, 10, 2], "Int64")]
)
def test_fold_ids_are_taken_in_the_order_of_numbers(ids):
    split = ColumnSplit(ids)
    assert list(split.parts()) == ["2", "10"]
    assert [test.tolist() for _, test in split.split()] == [[1, 3], [0, 2]]
    assert split.get_n_splits() == 2


def test_rows_with_the_id_minus_one_are_in_every_training_part():
    assert all(2 in train and 2 not in test for train, test in ColumnSplit([0, 1, -1, 0, 1]).split())


def test_it_can_be_cloned():
    assert clone(ColumnSplit([0, 1])).get_n_splits() == 2


@pytest.mark.parametrize(
    "values, message",
    [
        (["train", "val", "other"], "must hold only these; got 'other' too"),
        (["train", "train"], "got only train"),
        (["test", "val"], "got only validation, test"),
        (["train", None], "got 1 empty cells"),
        ([0, 0, 0], "at least two fold ids; got only '0'"),
        ([], "got only no rows"),
        (list(range(30)), "30 different values in 30 rows"),
    ],
)
def test_a_column_that_cannot_be_used_is_explained(values, message):
    with pytest.raises(DataError, match=message):
        ColumnSplit(values).get_n_splits()


def test_another_number_of_rows_is_refused():
    with pytest.raises(DataError, match="got 3 values for 2 rows"):
        next(ColumnSplit([0, 1]).split(np.zeros(3)))


def test_a_group_on_both_sides_is_refused():
    with pytest.raises(DataError, match="group 'b' is in a training and a test part"):
        next(ColumnSplit(["train", "test", "test"]).split(groups=["b", "b", "a"]))
