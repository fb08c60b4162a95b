"""Fingerprints tell same from different."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from polytask.storage import fingerprint

FRAME = pd.DataFrame(
    {
        "number": [1.0, None],
        "text": ["x", None],
        "category": pd.Categorical(["u", "v"]),
        "day": pd.to_datetime(["2020-01-01", None]),
        "zoned": pd.to_datetime(["2020-01-01", None]).tz_localize("UTC"),
        "nullable": pd.array([1, None], dtype="Int64"),
        "mixed": pd.Series(["1", 1.5], dtype=object),
    }
)


def test_it_is_the_same_on_every_machine_and_from_now_on():
    assert fingerprint({"seed": 0, "tasks": ["price"]}, np.arange(3)).startswith("8f747f19c4d7")


def test_equal_values_have_equal_fingerprints():
    assert fingerprint(FRAME) == fingerprint(FRAME.copy())
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint((1, 2)) == fingerprint([1, 2])
    assert fingerprint(np.arange(6).reshape(2, 3).T) == fingerprint(np.arange(6).reshape(2, 3).T.copy())
    assert fingerprint(np.arange(3, dtype=">i8")) == fingerprint(np.arange(3))
    assert fingerprint(torch.arange(3)) == fingerprint(np.arange(3))
    assert fingerprint(np.float64(2)) == fingerprint(2.0)
    assert fingerprint(np.array([np.nan])) == fingerprint(np.array([-np.nan]))


def test_different_values_have_different_fingerprints():
    values = [
        None,
        True,
        1,
        1.0,
        "1",
        b"1",
        [1],
        [[1]],
        [1, 1],
        {"1": 1},
        {1},
        Path("1"),
        float("nan"),
        np.array([1]),
        np.array([1.0]),
    ]
    values += [
        np.array([[1]]),
        np.array(["1"]),
        np.array(["1", ""]),
        np.array(["", "1"]),
        torch.ones(1, dtype=torch.bfloat16),
        [],
        {},
    ]
    values += [
        FRAME,
        FRAME.iloc[::-1],
        FRAME[FRAME.columns[::-1]],
        FRAME.rename(columns={"text": "Text"}),
        FRAME.head(1),
        FRAME["text"],
    ]
    for left, right in itertools.combinations(values, 2):
        assert fingerprint(left) != fingerprint(right), (left, right)


@pytest.mark.parametrize("column", FRAME.columns)
def test_a_changed_cell_changes_the_fingerprint(column):
    changed = FRAME.copy()
    changed.loc[0, column] = changed.loc[1, column]
    assert fingerprint(changed) != fingerprint(FRAME)


def test_other_objects_are_refused():
    with pytest.raises(TypeError, match="got object"):
        fingerprint(object())
