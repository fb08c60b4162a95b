"""From a column as it comes to numbers, truth values, days and categories, whatever its dtype.

Every reader gives float64 with NaN for missing, and a mask of what was there but could not be read. Work on texts is done once
per different value, never once per row.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

DEFAULT_MISSING = frozenset(
    {"#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"}
    | {"<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
)
"""The texts that pandas, too, reads as missing (besides the empty text)."""

_TRUTH = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0}
ISO_DATE = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?)?\s?(Z|[+-]\d{2}(:?\d{2})?)?"


def canonical_text(value: Any) -> str:
    """The one text by which a category is known, whatever type it comes in.

    >>> [canonical_text(value) for value in (1, 1.0, "1", True, 0.5)]
    ['1', '1', '1', 'True', '0.5']
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "True" if value else "False"
    if isinstance(value, float | np.floating):
        return str(int(value)) if np.isfinite(value) and value == np.floor(value) else str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value)


def categories_of(column: pd.Series) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Number the different values of a column.

    Parameters
    ----------
    column : pandas.Series of shape (n_samples,)
        Of any dtype.

    Returns
    -------
    codes : int64 array of shape (n_samples,)
        The position in ``texts``, or -1 where the value is missing or a blank text.
    texts : object array of shape (n_unique,)
        Canonical texts, all different, in order of appearance.
    """
    try:
        codes, unique = pd.factorize(_with_equals_apart(column))
    except TypeError:  # lists and the like cannot be hashed
        codes, unique = pd.factorize(column.map(canonical_text, na_action="ignore"))
    canonical = np.array([canonical_text(value) for value in unique], dtype=object)
    canonical[[not text.strip() for text in canonical]] = None
    merged, texts = pd.factorize(canonical)
    renumber = np.append(merged, -1).astype(np.int64)  # -1 stays -1
    return renumber[codes], np.asarray(texts, dtype=object)


def _with_equals_apart(column: pd.Series) -> pd.Series:
    """A column of mixed objects as texts: to Python ``True`` equals 1, and the first row would tell which of the two it is."""
    if column.dtype != object or pd.api.types.infer_dtype(column, skipna=True) not in ("mixed", "mixed-integer"):
        return column
    return column.map(canonical_text, na_action="ignore")


def read_numbers(column: pd.Series) -> tuple[Floats, Mask]:
    """Read a column as numbers; spans of time as days.

    Returns
    -------
    values : float64 array of shape (n_samples,)
        NaN where missing; infinities are kept.
    unread : bool array of shape (n_samples,)
        True where a value is there that is not a number; the :data:`DEFAULT_MISSING` texts are missing, not unread.
    """
    dtype = column.dtype
    nothing = np.zeros(len(column), dtype=bool)
    if pd.api.types.is_timedelta64_dtype(dtype):
        return np.asarray(column.dt.total_seconds() / 86_400, dtype=np.float64), nothing
    if pd.api.types.is_numeric_dtype(dtype):  # bool too
        if isinstance(dtype, np.dtype):
            return column.to_numpy(dtype=np.float64), nothing
        return column.to_numpy(dtype=np.float64, na_value=np.nan), nothing
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return np.full(len(column), np.nan), column.notna().to_numpy()
    codes, texts = categories_of(column)
    return _per_row(codes, texts, numbers_of(texts))


def read_booleans(column: pd.Series) -> tuple[Floats, Mask]:
    """Read a column as 0.0 and 1.0 from truth values, 0 and 1, and "true" and "false" in any case; as :func:`read_numbers`."""
    if column.dtype == bool:
        return column.to_numpy(dtype=np.float64), np.zeros(len(column), dtype=bool)
    codes, texts = categories_of(column)
    return _per_row(codes, texts, booleans_of(texts))


def read_days(column: pd.Series) -> tuple[Floats, Mask]:
    """Read dates as days since 1970-01-01, in UTC where a time zone is given; as :func:`read_numbers`."""
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _days(pd.DatetimeIndex(column)), np.zeros(len(column), dtype=bool)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return np.full(len(column), np.nan), column.notna().to_numpy()
    codes, texts = categories_of(column)
    return _per_row(codes, texts, days_of(texts))


def numbers_of(texts: NDArray[np.object_]) -> Floats:
    """Numbers from texts, NaN where a text is not a number."""
    stripped = pd.Series([text.strip() for text in texts], dtype=object)
    return np.asarray(pd.to_numeric(stripped, errors="coerce"), dtype=np.float64)


def booleans_of(texts: NDArray[np.object_]) -> Floats:
    """0.0 and 1.0 from texts, NaN where a text is neither true nor false."""
    return np.array([_TRUTH.get(text.strip().lower(), np.nan) for text in texts], dtype=np.float64)


def days_of(texts: NDArray[np.object_]) -> Floats:
    """Days since 1970-01-01 from ISO dates and times, NaN where unreadable; 31/05 and 05/31 are never guessed."""
    stripped = pd.Series([text.strip() for text in texts], dtype=object)
    return _days(pd.DatetimeIndex(pd.to_datetime(stripped, format="ISO8601", utc=True, errors="coerce")))


def _days(times: pd.DatetimeIndex) -> Floats:
    if times.tz is not None:
        times = times.tz_convert(None)
    seconds = times.to_numpy().astype("datetime64[us]")
    days = seconds.astype(np.int64) / 86_400_000_000
    return np.where(np.isnat(seconds), np.nan, days)


def _per_row(codes: NDArray[np.int64], texts: NDArray[np.object_], values: Floats) -> tuple[Floats, Mask]:
    unread = np.isnan(values) & np.array([text.strip() not in DEFAULT_MISSING for text in texts], dtype=bool)
    return np.append(values, np.nan)[codes], np.append(unread, False)[codes]
