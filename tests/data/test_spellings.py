"""Texts that differ only in case or spaces are found."""

import numpy as np
import pandas as pd
import pytest

from polytask.data import spelling_variants


@pytest.mark.parametrize(
    "values, expected",
    [
        (["Oslo", "oslo", "Rome"], [("Oslo", "oslo")]),
        (["a", "a ", " a", "b"], [(" a", "a", "a ")]),
        (["New York", "New  York", "new york"], [("New  York", "New York", "new york")]),
        (["STRASSE", "straße"], [("STRASSE", "straße")]),
        (["b", "B", "a", "A"], [("A", "a"), ("B", "b")]),
        (["a", "b", None], []),
        (["1", " 1", "2 "], []),  # numbers written as text are read without their spaces
        ([" ", "  "], []),  # both are missing
        ([1.5, "x", "X"], [("X", "x")]),
        ([], []),
    ],
)
def test_groups_of_spellings(values, expected):
    assert spelling_variants(pd.Series(values, dtype=object)) == expected


@pytest.mark.parametrize("dtype", ["category", "string", "str"])
def test_columns_of_every_dtype_of_text(dtype):
    assert spelling_variants(pd.Series(["yes", "Yes", "no"], dtype=dtype)) == [("Yes", "yes")]


def test_numbers_lists_and_free_text_have_none():
    assert spelling_variants(pd.Series([1.0, 2.0])) == []
    assert spelling_variants(pd.Series([["a"], ["A"]])) == []
    assert spelling_variants(pd.Series([f"word {k}" for k in range(2000)] + ["WORD 1"])) == []


def test_a_long_column_is_looked_at_in_part(rng):
    column = pd.Series(rng.choice(["no", "NO", "yes"], 300_000))
    assert spelling_variants(column) == [("NO", "no")]
    assert np.isin(["NO", "no"], column.unique()).all()
