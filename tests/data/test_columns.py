"""What kind of input each column is."""

import datetime

import numpy as np
import pandas as pd
import pytest

from polytask.data import infer_column
from polytask.exceptions import DataError

N = 60
RNG = np.random.default_rng(0)
SHUFFLED = RNG.permutation(N)


def kind_of(values, name="column"):
    return infer_column(pd.Series(values, name=name)).kind


@pytest.mark.parametrize(
    "values, kind",
    [
        (RNG.normal(size=N), "numeric"),
        (np.arange(N) / 1, "numeric"),  # floats are never identifiers
        (SHUFFLED, "numeric"),
        (np.arange(1900, 1900 + N), "numeric"),  # years rise too
        (np.cumsum(RNG.integers(1, 9, N)), "numeric"),  # rises with many gaps
        ([0, 1] * 30, "numeric"),
        (pd.array([1, None, 2] * 20, dtype="Int64"), "numeric"),
        (["1.5", "2", " 3 "] * 20, "numeric"),
        (["1", "NA", "3"] * 20, "numeric"),
        ([1, "2", None] * 20, "numeric"),
        (pd.to_timedelta(range(N), unit="h"), "numeric"),
        (["red", "blue", None] * 20, "categorical"),
        ([1, "a", 2.0] * 20, "categorical"),
        (["007", "012", "7"] * 20, "categorical"),
        (pd.Categorical([1, 2, 3] * 20), "categorical"),
        (["a", "b", "c"], "categorical"),  # too few rows to say that all differ
        (["some words", "more words"] * 30, "categorical"),
        ([b"a", b"b"] * 30, "categorical"),
        (["", " ", "x"] * 20, "categorical"),  # one value or missing tells something
        ([True, False] * 30, "boolean"),
        ([True, None, False] * 20, "boolean"),
        (["TRUE", "false", "NA"] * 20, "boolean"),
        (pd.array([True, None] * 30, dtype="boolean"), "boolean"),
        (pd.date_range("2020", periods=N), "datetime"),
        (pd.date_range("2020", periods=N, tz="Europe/Oslo"), "datetime"),
        (pd.period_range("2020-01", periods=N, freq="M"), "datetime"),
        ([datetime.date(2020, 1, day) for day in range(1, 21)], "datetime"),
        (["2020-01-31", "2020-02-28T10:30:00Z", None] * 20, "datetime"),
        (["2020-02-30", "2020-02-28"] * 30, "categorical"),  # no such day
        (["31/01/2020", "01/02/2020"] * 30, "categorical"),  # day or month first: not guessed
        ([5] * N, "constant"),
        (["x"] * N, "constant"),
        ([None] * N, "constant"),
        ([np.nan] * N, "constant"),
        ([""] * N, "constant"),
        (np.arange(N), "identifier"),
        (np.arange(N, 0, -1), "identifier"),
        ([f"a{i}" for i in range(N)], "identifier"),
        ([f"{i:05}" for i in SHUFFLED], "identifier"),
        ([f"the words of row {i}" for i in range(N)], "text"),
        ([f"the words of row {max(i, 3)}" for i in range(N)], "text"),
        ([f"the same words in row {i % 40}" for i in range(N)], "text"),
        ([f"a{max(i, 3)}" for i in range(N)], "identifier"),  # no word twice
        ([["a", "b"], [], None] * 20, "list"),
        (["Comedy|Drama", "Drama", "Comedy|War", "War|Drama", "Comedy|Drama|War", "War"] * 10, "list"),
        (["red;ish", "blue"] * 30, "categorical"),
        ([{"a": i} for i in range(N)], "ignored"),
    ],
)
def test_kind_follows_from_the_values(values, kind):
    assert kind_of(values) == kind


@pytest.mark.parametrize(
    "name", ["id", "ID", "customer_id", "PassengerId", "customerID", "row", "uuid", "Unnamed: 0", "sample index"]
)
def test_distinct_whole_numbers_named_like_an_identifier_are_one(name):
    assert kind_of(SHUFFLED, name) == "identifier"
    assert kind_of(SHUFFLED.astype(float), name) == "numeric"
    assert kind_of(SHUFFLED // 2, name) == "numeric"


@pytest.mark.parametrize("name", ["paid", "humidity", "idea", "arrow", "covid"])
def test_other_names_are_not_taken_for_identifiers(name):
    assert kind_of(SHUFFLED, name) == "numeric"


def test_a_day_that_counts_up_is_a_measurement():
    assert kind_of(np.arange(N), "day") == "numeric"


@pytest.mark.parametrize(
    "values, reason",
    [
        ([1, 2, 3] * 20, r"few different values \(3\), treated as a quantity"),
        (np.arange(N), "counts the rows"),
        (["1", "x"] * 30, "2 categories"),
        ([5] * N, "one value only: '5'"),
        ([None] * N, "all missing"),
        (["007", "7"] * 30, "leading zeros"),
    ],
)
def test_the_reason_is_told(values, reason):
    info = infer_column(pd.Series(values, name="column"))
    assert pd.Series([info.reason]).str.contains(reason).all(), info.reason


def test_facts_are_counted():
    info = infer_column(pd.Series(["b", None, "a", "b", ""], name="c"))
    assert (info.n_rows, info.n_missing, info.n_unique, info.categories) == (5, 2, 2, ("a", "b"))


def test_an_identifier_that_repeats_is_told_to_be_a_group():
    assert "group" in infer_column(pd.Series(SHUFFLED // 2, name="patient_id")).reason


@pytest.mark.parametrize(
    "values, kind",
    [([1.0, 2.0], "categorical"), (["x", "1"], "numeric"), ([0, 1], "boolean"), (["2020-01-31"], "datetime"), ([1], "ignored")],
)
def test_the_user_has_the_last_word(values, kind):
    assert infer_column(pd.Series(values, name="c"), kind=kind).kind == kind


@pytest.mark.parametrize(
    "values, kind", [(["x", "y"], "numeric"), (["x"], "boolean"), (["31/01/2020"], "datetime"), ([1, 2], "datetime")]
)
def test_a_kind_that_no_value_allows_is_refused(values, kind):
    with pytest.raises(DataError, match=f"'c' cannot be read as {kind}"):
        infer_column(pd.Series(values, name="c"), kind=kind)


def test_complex_numbers_are_refused():
    with pytest.raises(DataError, match="complex"):
        infer_column(pd.Series([1j], name="c"))
