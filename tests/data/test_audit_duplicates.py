"""Rows and columns that are there more than once."""

import numpy as np
import pandas as pd
import pytest

from polytask.data import audit
from polytask.exceptions import DataError
from polytask.tasks import Multiclass, Regression


def duplicates(X, **labels):
    y = pd.DataFrame(labels)
    tasks = [Regression(name) if y[name].dtype.kind in "fi" else Multiclass(name) for name in y]
    return audit(X, y, tasks).duplicates


def test_repeated_inputs_and_labels_are_counted():
    X = pd.DataFrame({"a": [1.5, 1.5, 2, 3, 1.5], "b": ["u", "u", "u", None, "u"]})
    found = duplicates(X, y=[1.0, 1.0, 2.0, 3.0, 7.0])
    assert (found["inputs"], found["with_labels"], found["largest"]) == (2, 1, 3)
    assert found["conflicting"] == {"y": 3}
    assert found["examples"] == [[0, 1], [1, 4]]


def test_missing_values_are_equal_and_missing_labels_no_conflict():
    X = pd.DataFrame({"a": [np.nan, np.nan, 1.0], "b": [None, None, "x"]})
    found = duplicates(X, y=[1.0, np.nan, 2.0])
    assert (found["inputs"], found["with_labels"], found["conflicting"]) == (1, 0, {})


def test_values_of_one_kind_are_equal_however_they_are_written():
    X = pd.DataFrame({"a": ["1", "1.0", "2"], "b": [0.0, -0.0, 3.0]})
    assert duplicates(X, y=[1.0, 2.0, 3.0])["inputs"] == 1


def test_an_identifier_does_not_hide_repeated_rows(rng):
    X = pd.DataFrame({"id": [f"r{i}" for i in range(60)], "a": np.arange(60) % 30, "b": np.arange(60.0) % 30})
    assert duplicates(X, y=rng.normal(size=60))["inputs"] == 30


def test_counts_agree_with_pandas(rng):
    X = pd.DataFrame({"a": rng.integers(0, 5, 500), "b": rng.choice(list("xyz"), 500), "c": rng.integers(0, 9, 500) / 4})
    y = pd.Series(rng.choice(list("uv"), 500))
    found = duplicates(X, y=y)
    assert found["inputs"] == X.duplicated().sum()
    assert found["with_labels"] == X.assign(y=y).duplicated().sum()
    n_labels = X.assign(y=y).groupby(list(X))["y"].transform("nunique")
    assert found["conflicting"].get("y", 0) == (n_labels > 1).sum()
    assert found["largest"] == X.value_counts().max()


def test_equal_columns_are_told():
    X = pd.DataFrame({"a": [1.0, 2, 3], "b": ["x", "y", "x"], "c": [1, 2, 3], "d": [3, 2, 1], "e": ["x", "y", "x"]})
    assert duplicates(X, y=[1.0, 2.0, 4.0])["columns"] == [["a", "c"], ["b", "e"]]


def test_nothing_to_compare_is_no_duplicate():
    assert duplicates(pd.DataFrame({"a": [1, 1, 1]}), y=[1.0, 2.0, 4.0])["inputs"] == 0


def test_tables_of_different_lengths_are_an_error():
    with pytest.raises(DataError, match="the same rows, at least one; got inputs 3, labels 2"):
        audit(pd.DataFrame({"a": [1, 2, 3]}), pd.DataFrame({"y": [1.0, 2.0]}), [Regression("y")])
