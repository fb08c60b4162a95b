"""Different data per task, stacked to one table."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from polytask.data import stack
from polytask.exceptions import DataError

A = pd.DataFrame({"age": [61, 72], "pressure": [140.0, 155.0], "patient": [7, 8]}, index=[10, 11])
B = pd.DataFrame({"age": [33, 48, 61], "smoker": ["no", "yes", "no"], "patient": ["9", None, "7"]})


def test_rows_come_under_each_other_and_what_is_absent_is_missing():
    found = stack({"stay": (A, [4.0, 9.0]), "visits": (B, [1, 0, 2])}, entity="patient")
    assert found.tasks == ["stay", "visits"]
    assert found.source.tolist() == ["stay"] * 2 + ["visits"] * 3
    assert found.X["age"].tolist() == [61, 72, 33, 48, 61]
    assert found.X["pressure"].isna().tolist() == [False, False, True, True, True]
    assert found.y.notna().sum(axis=1).tolist() == [1] * 5
    assert list(found.X.index) == list(found.y.index) == [0, 1, 2, 3, 4]


def test_one_data_set_stays_as_it_is():
    found = stack({"stay": (A, [4.0, 9.0])})
    pd.testing.assert_frame_equal(found.X, A.reset_index(drop=True))


@pytest.mark.parametrize("kind", [pl.DataFrame, dict, lambda columns: pd.DataFrame(columns)])
def test_tables_of_any_kind_can_be_stacked(kind):
    found = stack({"a": (kind({"x": [1.0]}), [1.0]), "b": (kind({"x": [2.0]}), pl.Series([3.0]))})
    assert found.X["x"].tolist() == [1.0, 2.0]
    assert found.y["b"].tolist()[1] == 3.0


def test_labels_may_be_a_table_and_columns_of_one_name_are_one_task():
    labels = pd.DataFrame({"price": [3.0] * 3, "sold": ["y", "n", "y"]})
    found = stack({"a": (A, pd.DataFrame({"price": [1.0, 2.0]})), "b": (B.drop(columns="patient"), labels)})
    assert found.tasks == ["price", "sold"]
    assert found.y["price"].notna().all()


def test_an_entity_is_one_group_in_all_data_sets():
    found = stack({"stay": (A, [4.0, 9.0]), "visits": (B, [1, 0, 2])}, entity="patient")
    assert "patient" not in found.X
    assert found.groups[0] == found.groups[4]
    assert len(set(found.groups)) == 4


def test_rows_without_an_entity_are_alone():
    found = stack({"a": (A, [1, 2]), "b": (B.drop(columns="patient"), [1, 0, 2])}, entity="patient")
    assert len(set(found.groups)) == 5


def test_the_table_holds_inputs_labels_source_and_entity():
    found = stack({"stay": (A, [4.0, 9.0]), "visits": (B, [1, 0, 2])}, entity="patient")
    frame = found.to_frame(source="set", entity="who")
    assert list(frame) == ["age", "pressure", "smoker", "stay", "visits", "set", "who"]


@pytest.mark.parametrize(
    ("left", "right", "dtype"),
    [
        (pd.Series([1, 2]), None, "float64"),
        (pd.Series([True, False]), None, "boolean"),
        (pd.Series(["a", "b"]), None, "str"),
        (pd.Series([1, 2], dtype="Int64"), None, "Int64"),
        (pd.Series(["a", "b"], dtype="category"), None, "category"),
        (pd.to_datetime(pd.Series(["2024-01-01", "2024-01-02"])), None, "datetime64[us]"),
        (pd.Series([1, 2]), pd.Series([0.5]), "float64"),
    ],
)
def test_columns_keep_their_type_as_far_as_missing_values_allow(left, right, dtype):
    second = pd.DataFrame({"z": [1.0]} if right is None else {"z": [1.0], "x": right})
    found = stack({"a": (pd.DataFrame({"x": left}), [1, 2]), "b": (second, [1])})
    assert str(found.X["x"].dtype).replace("ns", "us").replace("[s]", "[us]") == dtype
    assert found.X["x"].tolist()[:2] == left.tolist()
    assert found.X["x"].isna().tolist() == [False, False, right is None]


def test_categories_of_two_data_sets_are_joined():
    left, right = pd.Series(["a"], dtype="category"), pd.Series(["b"], dtype="category")
    found = stack({"a": (pd.DataFrame({"x": left}), [1]), "b": (pd.DataFrame({"x": right}), [2])})
    assert found.X["x"].tolist() == ["a", "b"]


def test_arrays_of_one_width_are_the_same_inputs():
    found = stack({"a": (np.zeros((2, 3)), [1, 2]), "b": (np.ones((1, 3)), [3])})
    assert list(found.X) == ["x0", "x1", "x2"]


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ({}, {}, "must map the name of each task"),
        ({"a": A}, {}, r"'a' must be a pair \(X, y\); got DataFrame"),
        ({"a": (A, [1.0])}, {}, "got 2 rows of X and 1 of y"),
        ({"a": (A, np.ones((2, 2)))}, {}, "a column or a table with names; got an array of 2 dimensions"),
        ({"a": (A, [1, 2]), "b": (A.assign(a=1), [1, 2])}, {}, "got 'a' as inputs in 'b' and as labels in 'a'. Drop them"),
        (
            {"a": (A, [1, 2]), "b": (A.assign(age=["old", "young"]), [1, 2])},
            {},
            "'age' must be of one kind.*numbers in 'a', texts",
        ),
        ({"a": (np.zeros((2, 3)), [1, 2]), "b": (np.ones((2, 2)), [1, 2])}, {}, r"widths differ \('a': 3, 'b': 2\)"),
        ({"a": (np.zeros((2, 3)), [1, 2]), "b": (A, [1, 2])}, {}, "only some are arrays"),
        ({" ": (A, [1, 2])}, {}, "must have a name, that of its task; got ' '"),
        ({"a": (A, [1, 2])}, {"entity": "who"}, "No data set has the column 'who' of `entity`; inputs are 'age'"),
    ],
)
def test_data_that_cannot_be_one_table_is_told(data, options, message):
    with pytest.raises(DataError, match=message):
        stack(data, **options)


def test_a_taken_name_or_lacking_entities_are_told():
    found = stack({"stay": (A, [4.0, 9.0])})
    with pytest.raises(DataError, match="has a column 'age' already"):
        found.to_frame(source="age")
    with pytest.raises(DataError, match="There are no entities"):
        found.to_frame(entity="who")
