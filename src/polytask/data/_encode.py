"""Single columns as numbers and codes, by the schema they were fitted with."""

from collections.abc import Callable, Sequence
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polytask.data._arrays import TokenColumn
from polytask.data._columns import ColumnInfo
from polytask.data._dates import date_part
from polytask.data._tags import encode_many_tags, fill_tags
from polytask.data._values import Floats, Mask, canonical_text, categories_of, numbers_of, read_booleans, read_days, read_numbers
from polytask.data._words import encode_texts, words_per_row
from polytask.exceptions import DataError

UNSEEN, MISSING, FIRST = 0, 1, 2  # category codes
FEW_ROWS = 8  # of so few rows values are looked up one by one
_AT_ONCE_ROWS = 256  # of so few rows numbers of several columns are copied together

_READERS: dict[str, Callable[[pd.Series], tuple[Floats, Mask]]] = {
    "numeric": read_numbers,
    "boolean": read_booleans,
    "datetime": read_days,
}
_WHAT = {"numeric": "numbers", "boolean": "true or false", "datetime": "dates"}


def part_names(info: ColumnInfo) -> tuple[str, ...]:
    """Names of the numeric columns made of one column; none for a categorical one."""
    if info.kind == "datetime":
        return tuple(f"{info.name}:{part}" for part in info.parts)
    if info.kind == "text":
        return (f"{info.name}:words",)
    if info.kind == "list":
        return (f"{info.name}:tags", *(() if info.as_words else (f"{info.name}={tag}" for tag in info.categories)))
    return (info.name,) if info.kind in ("numeric", "boolean") else ()


def encode_numbers(table: pd.DataFrame, columns: Sequence[ColumnInfo]) -> tuple[Floats, list[str]]:
    """Numbers of all columns that give some: numbers, truth values, parts of dates, 0/1 of tags, counts of words and tags.

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
    used = [info for info in columns if part_names(info)]
    n_numeric = sum(len(part_names(info)) for info in used)
    if used and all(info.kind == "numeric" and _is_number(table[info.name].dtype) for info in used):
        names = [info.name for info in used]
        is_whole = len(names) == table.shape[1] and names == list(table.columns)
        numeric = (table if is_whole else table[names]).to_numpy(dtype=np.float64, copy=True)
        check_finite(numeric, names)
        return numeric, []
    numeric = np.empty((len(table), n_numeric), dtype=np.float64)
    notes: list[str] = []
    start, together = 0, _plain_numbers(table, used) if len(table) <= _AT_ONCE_ROWS else {}
    if together:
        values = table[list(together)].to_numpy(dtype=np.float64)
        check_finite(values, list(together))
    for info in used:
        stop = start + len(part_names(info))
        if info.name in together:
            numeric[:, start] = values[:, together[info.name]]
        else:
            notes += _fill(numeric[:, start:stop], table[info.name], info)
        start = stop
    return numeric, notes


def _plain_numbers(table: pd.DataFrame, columns: Sequence[ColumnInfo]) -> dict[str, int]:
    """Numeric columns that come as numbers of numpy, by name, with their positions among themselves."""
    dtypes = dict(zip(table.columns, table.dtypes.array, strict=True))
    names = [info.name for info in columns if info.kind == "numeric" and _is_number(dtypes[info.name])]
    return {name: k for k, name in enumerate(names)}


def encode_tokens(table: pd.DataFrame, columns: Sequence[ColumnInfo]) -> tuple[tuple[TokenColumn, ...], list[str]]:
    """Words of all text columns, and tags of list columns with very many of them; and what to tell."""
    found: list[TokenColumn] = []
    notes: list[str] = []
    for info in columns:
        if info.as_words:
            column = table[info.name]
            if info.kind == "text":
                words, told = encode_texts(column, info.categories, length=info.length, known_share=info.known_share)
            else:
                words, told = encode_many_tags(column, info)
            found.append(words)
            notes += told
    return tuple(found), notes


def encode_categories(column: pd.Series, info: ColumnInfo) -> tuple[NDArray[np.int64], list[str]]:
    """Codes of a categorical column, [n_samples]: 0 unseen, 1 missing, 2 and above ``info.categories``; and what to tell."""
    if len(column) <= FEW_ROWS and (found := _known_codes(column, info)) is not None:
        return found, []
    codes, texts = categories_of(column)
    vocabulary = pd.Index(info.categories, dtype=object)
    known = vocabulary.get_indexer(pd.Index(texts, dtype=object)) if len(vocabulary) else np.full(len(texts), -1)
    if pd.api.types.is_numeric_dtype(column.dtype) and (known < 0).any():
        known = np.where(known < 0, _by_number(texts, info.categories), known)
    if info.buckets:
        return _in_buckets(codes, texts, known, info)
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


def _known_codes(column: pd.Series, info: ColumnInfo) -> NDArray[np.int64] | None:
    """Codes of a few values that are all missing or known; None where only :func:`categories_of` can tell."""
    codes, values = np.empty(len(column), dtype=np.int64), column.array
    for k in range(len(column)):
        value = values[k]
        if value is None or value is pd.NA:
            codes[k] = MISSING
            continue
        if not isinstance(value, str | int | float | np.number | np.bool_):
            return None
        text = canonical_text(value)
        if value != value or not text.strip():
            codes[k] = MISSING
            continue
        place = info.positions.get(text)
        if place is None:
            return None
        codes[k] = place + FIRST
    return codes


def _read(column: pd.Series, info: ColumnInfo) -> tuple[Floats, list[str]]:
    values, unread = _READERS[info.kind](column)
    check_finite(values[:, None], [info.name])
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


def _fill(numeric: Floats, column: pd.Series, info: ColumnInfo) -> list[str]:
    """Write the numbers of one column, [n, parts]."""
    if info.kind == "text":
        numeric[:, 0] = words_per_row(column)
        return []
    if info.kind == "list":
        return fill_tags(numeric, column, info)
    values, told = _read(column, info)
    if info.kind == "datetime":
        for k, part in enumerate(info.parts):
            numeric[:, k] = date_part(values, part)
    else:
        numeric[:, 0] = values
    return told


def _in_buckets(
    codes: NDArray[np.int64], texts: NDArray[np.object_], known: NDArray[np.int64], info: ColumnInfo
) -> tuple[NDArray[np.int64], list[str]]:
    """Codes where values without a category of their own share buckets by a hash of their text."""
    first = FIRST + len(info.categories)
    buckets = np.array([first + crc32(text.encode()) % info.buckets for text in texts], dtype=np.int64)
    encoded = np.append(np.where(known < 0, buckets, known + FIRST), MISSING)[codes]
    n_seen, n_rare = int((codes >= 0).sum()), int((encoded >= first).sum())
    if not n_seen or n_rare / n_seen <= 1.5 * (1 - info.known_share) + 0.05:
        return encoded, []
    return encoded, [
        f"Column {info.name!r}: {n_rare:,} of {n_seen:,} values ({n_rare / n_seen:.0%}) are not among the "
        f"{len(info.categories):,} categories told apart, such as {texts[int(np.argmax(known < 0))][:40]!r}; in training it were "
        f"{1 - info.known_share:.0%}."
    ]


def check_finite(numeric: Floats, names: Sequence[str]) -> None:
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
