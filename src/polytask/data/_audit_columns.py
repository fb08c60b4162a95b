"""Columns as a data audit sees them: cut into bins, whatever their kind."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polytask.data._columns import ColumnInfo
from polytask.data._values import categories_of, read_booleans, read_days, read_numbers

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

NUMBER_KINDS = ("numeric", "boolean", "datetime")
BINNED_KINDS = (*NUMBER_KINDS, "categorical")
MIN_BINS, MAX_BINS = 8, 64
_ROWS_PER_BIN, _SMALLEST_END = 10, 5


def numbers_in(column: pd.Series, kind: str) -> Floats | None:
    """Read a column of numbers, truth values or dates as float64 [n], NaN where missing; None for other kinds."""
    return _read(column, kind) if kind in NUMBER_KINDS else None


def column_bins(column: pd.Series, kind: str) -> Codes:
    """Bins of a column, int64 [n]: 0 where it is missing, 1 and above for categories or intervals.

    Each category, and each of few different numbers, is a bin of its own. Else bins hold equally many rows, about ten
    at least, and at both ends there are smaller ones down to five rows: an input that gives a rare class away often does so by
    extreme values.

    >>> column_bins(pd.Series(["b", None, "a", "b"]), "categorical").tolist()
    [1, 0, 2, 1]
    >>> int(column_bins(pd.Series(np.arange(10_000.0)), "numeric").max())
    74
    """
    values = numbers_in(column, kind)
    if values is None:
        return categories_of(column)[0] + 1
    seen = ~np.isnan(values)
    bins = np.zeros(len(values), dtype=np.int64)
    distinct, inverse = np.unique(values[seen], return_inverse=True)
    n_bins = int(np.clip(len(inverse) // _ROWS_PER_BIN, MIN_BINS, MAX_BINS))
    bins[seen] = 1 + (
        inverse if len(distinct) <= n_bins else np.searchsorted(_edges(values[seen], n_bins), values[seen], "right")
    )
    return bins


def columns_to_test(frame: pd.DataFrame, columns: "list[ColumnInfo]") -> list[ColumnInfo]:
    """The columns that can be cut into bins: those that models learn from, without free text and lists."""
    return [info for info in columns if info.used and info.kind in BINNED_KINDS and info.name in frame.columns]


def row_keys(frame: pd.DataFrame, columns: "list[ColumnInfo]") -> NDArray[np.uint64]:
    """One 64-bit number per row, equal where all of these columns are: missing equals missing, 1 equals 1.0 and "1"."""
    keys = np.full(len(frame), 0x9E3779B97F4A7C15, dtype=np.uint64)
    for info in columns:
        keys = keys * np.uint64(6364136223846793005) + column_key(frame[info.name], info.kind)
        keys ^= keys >> np.uint64(29)
    return keys


def column_key(column: pd.Series, kind: str) -> NDArray[np.uint64]:
    """A 64-bit number per value, equal where values are."""
    values: Any = numbers_in(column, kind)
    if values is None:
        codes, texts = categories_of(column)
        hashes = np.asarray(pd.util.hash_array(texts) if len(texts) else [], dtype=np.uint64)
        return np.append(hashes, np.uint64(1))[codes]
    values = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, and no negative zero
    return np.asarray(pd.util.hash_array(values), dtype=np.uint64)


def _edges(values: Floats, n_bins: int) -> Floats:
    n = len(values)
    ends = _SMALLEST_END * 2 ** np.arange(40)
    ends = ends[ends < n / n_bins]
    positions = np.concatenate([np.linspace(0, n, n_bins + 1)[1:-1].astype(np.int64), ends, n - ends])
    return np.unique(np.sort(values)[positions])


def _read(column: pd.Series, kind: str) -> Floats:
    reader = {"numeric": read_numbers, "boolean": read_booleans, "datetime": read_days}[kind]
    values = reader(column)[0]
    return np.where(np.isinf(values), np.nan, values)
