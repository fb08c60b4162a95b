"""Columns that count the rows of a table, also where only some of its rows are at hand."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_KNOWN = "polytask.read"  # in the attributes of a frame, which pandas hands on to its columns and to selections of rows


def counts_rows(values: NDArray[Any], positions: NDArray[np.int64] | None = None, *, n_rows: int | None = None) -> bool:
    """Whether whole numbers rise (or fall) in every row of a table, start near zero and leave few gaps.

    Whole numbers that rise in every row gain at least one per row, so between two rows at hand at least the number of rows from
    one to the other: sorted numbers of which some repeat do not.

    Parameters
    ----------
    values : array of shape (n,)
        n >= 2.
    positions : int array of shape (n,), optional
        Where the rows are in the whole table, rising; by default this is the whole table.
    n_rows : int, optional
        Rows of the whole table.

    Examples
    --------
    >>> counts_rows(np.array([1, 4, 9]), np.array([0, 3, 8]), n_rows=10)
    True
    >>> counts_rows(np.array([1, 4, 9])), counts_rows(np.array([1, 4, 9]), np.array([0, 30, 80]), n_rows=90)
    (False, False)
    """
    numbers = np.asarray(values, dtype=np.float64)
    at = np.arange(len(numbers)) if positions is None else positions
    end = (len(numbers) if n_rows is None else n_rows) - 1
    falls = numbers[0] > numbers[-1]
    if falls:
        numbers, at = numbers[::-1], end - at[::-1]
    if not (np.diff(numbers) >= np.diff(at)).all():
        return False
    spread, n_spanned = numbers[-1] - numbers[0], at[-1] - at[0]
    before = at[0] * spread / n_spanned  # what the rows before the first at hand have counted
    return bool(numbers[0] >= 0 and numbers[0] - before <= 1 + 0.05 * spread and spread < 2 * (n_spanned + 1))


def remember_counters(frame: pd.DataFrame, positions: NDArray[np.int64] | None = None, *, n_rows: int | None = None) -> None:
    """Note at a frame just read which columns count the rows, and of how many rows it is a sample."""
    counters = [
        str(name)
        for name, dtype in frame.dtypes.items()
        if len(frame) > 1
        and pd.api.types.is_integer_dtype(dtype)
        and frame[name].notna().all()
        and counts_rows(frame[name].to_numpy(dtype=np.float64), positions, n_rows=n_rows)
    ]
    sample_of = n_rows if n_rows is not None and n_rows > len(frame) else None
    if counters or sample_of:
        frame.attrs[_KNOWN] = {"counters": counters, "sample_of": sample_of}


def is_counter(column: pd.Series) -> bool:
    """Whether a column was seen to count the rows when its table was read, and still rises or falls in every row."""
    if str(column.name) not in column.attrs.get(_KNOWN, {}).get("counters", ()):
        return False
    steps = np.diff(column.to_numpy(dtype=np.float64))
    return bool((steps > 0).all() or (steps < 0).all())


def sample_of(column: pd.Series) -> int | None:
    """Of how many rows the table of this column is a sample; None if it is the whole."""
    known: int | None = column.attrs.get(_KNOWN, {}).get("sample_of")
    return known
