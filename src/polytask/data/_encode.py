"""Single columns as numbers and codes, by the schema they were fitted with."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polytask.data._columns import ColumnInfo
from polytask.data._values import Floats, Mask, categories_of, numbers_of, read_booleans, read_days, read_numbers
from polytask.exceptions import DataError

UNSEEN, MISSING, FIRST = 0, 1, 2  # category codes

_READERS: dict[str, Callable[[pd.Series], tuple[Floats, Mask]]] = {
    "numeric": read_numbers,
    "boolean": read_booleans,
    "datetime": read_days,
}
_WHAT = {"numeric": "numbers", "boolean": "true or false", "datetime": "dates"}


def part_names(info: ColumnInfo) -> tuple[str, ...]:
    """Names of the numeric columns made of one column; none for a categorical one."""
    if info.kind == "datetime":
        parts = ("days", "year_sin", "year_cos", "week_sin", "week_cos", *(("day_sin", "day_cos") if info.has_time else ()))
        return tuple(f"{info.name}:{part}" for part in parts)
    return (info.name,) if info.kind in ("numeric", "boolean") else ()


def encode_numbers(table: pd.DataFrame, columns: Sequence[ColumnInfo]) -> tuple[Floats, list[str]]:
    """Numbers of all numeric, boolean and datetime columns.

    Returns
    -------
    numeric : float64 array of shape (n_samples, n_numeric)
        Finite or NaN.
    notes : list of str
        Columns with values that could not be read.

    Raises
    ------
    DataError
        If a number is infinite, or no value of a column can be read.
    """
    used = [info for info in columns if info.kind in _READERS]
    n_numeric = sum(len(part_names(info)) for info in used)
    if used and all(info.kind == "numeric" and _is_number(table[info.name].dtype) for info in used):
        names = [info.name for info in used]
        numeric = (table if names == list(table.columns) else table[names]).to_numpy(dtype=np.float64, copy=True)
        _check_finite(numeric, names)
        return numeric, []
    numeric = np.empty((len(table), n_numeric), dtype=np.float64)
    notes: list[str] = []
    start = 0
    for info in used:
        values, told = _read(table[info.name], info)
        notes += told
        parts = _date_parts(values, has_time=info.has_time) if info.kind == "datetime" else values[:, None]
        numeric[:, start : start + parts.shape[1]] = parts
        start += parts.shape[1]
    return numeric, notes


def encode_categories(column: pd.Series, info: ColumnInfo) -> tuple[NDArray[np.int64], list[str]]:
    """Codes of a categorical column, [n_samples]: 0 unseen, 1 missing, 2 and above ``info.categories``; and what to tell."""
    codes, texts = categories_of(column)
    vocabulary = pd.Index(info.categories, dtype=object)
    known = vocabulary.get_indexer(pd.Index(texts, dtype=object)) if len(vocabulary) else np.full(len(texts), -1)
    if pd.api.types.is_numeric_dtype(column.dtype) and (known < 0).any():
        known = np.where(known < 0, _by_number(texts, info.categories), known)
    table = np.append(np.where(known < 0, UNSEEN, known + FIRST), MISSING).astype(np.int64)
    encoded = table[codes]
    n_unseen = int((encoded == UNSEEN).sum())
    if not n_unseen:
        return encoded, []
    example = texts[int(np.argmax(known < 0))]
    return encoded, [
        f"Column {info.name!r}: {n_unseen} of {len(column)} values are not among the {len(vocabulary)} categories known from "
        f"training, such as {example[:40]!r}."
    ]


def _read(column: pd.Series, info: ColumnInfo) -> tuple[Floats, list[str]]:
    values, unread = _READERS[info.kind](column)
    _check_finite(values[:, None], [info.name])
    if not unread.any():
        return values, []
    example = str(column[unread].iloc[0])[:40]
    if np.isnan(values).all():
        raise DataError(
            f"Column {info.name!r} must hold {_WHAT[info.kind]}, as in training; got none, but values such as {example!r}. "
            "Check that the column was not mixed up."
        )
    return values, [
        f"Column {info.name!r}: {unread.sum()} of {len(values)} values could not be read as {_WHAT[info.kind]} and are taken as "
        f"missing, such as {example!r}."
    ]


def _date_parts(days: Floats, *, has_time: bool) -> Floats:
    """Days since 1970; the phase in the year, week and (where there are times) day as sine and cosine; [n, 5 or 7]."""
    phases = [days / 365.2425, days / 7, *([days] if has_time else [])]
    circles = [wave(2 * np.pi * (phase % 1)) for phase in phases for wave in (np.sin, np.cos)]
    return np.stack([days, *circles], axis=1)


def _check_finite(numeric: Floats, names: Sequence[str]) -> None:
    """Raise on an infinite value, with the name of its column and its row."""
    infinite = np.isinf(numeric)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise DataError(
            f"Column {names[column]!r} must hold finite numbers; got {numeric[row, column]} in row {row} (counted from 0). "
            "Leave unknown values empty, or ignore the column."
        )


def _by_number(texts: NDArray[np.object_], categories: Sequence[str]) -> NDArray[np.int64]:
    """Find numbers among categories that were text at fit, such as 7 for "007"; -1 where none or several are the same number."""
    numbers = numbers_of(np.array(categories, dtype=object))
    usable = np.isin(
        numbers, [number for number, count in zip(*np.unique(numbers, return_counts=True), strict=True) if count == 1]
    )
    positions = np.flatnonzero(usable)
    found = pd.Index(numbers[positions]).get_indexer(pd.Index(numbers_of(texts)))
    return np.where(found < 0, -1, np.append(positions, -1)[found])


def _is_number(dtype: object) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "iufb"
