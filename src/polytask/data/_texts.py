"""From columns of text to columns of numbers, truth values or text, with what is missing counted."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_DECIMAL_COMMA = r"\s*[+-]?\d+(?:,\d+)?(?:[eE][+-]?\d+)?\s*"
_LOOKED_AT = 10_000  # rows
_EXACT = 2**53  # whole numbers up to this are exact as float64


def convert_texts(column: pa.ChunkedArray, *, missing: frozenset[str], decimal: str = ".") -> tuple[pd.Series, dict[str, int]]:
    """Turn a column of text into what it says.

    Parameters
    ----------
    column : pyarrow string column of shape (n_samples,)
    missing : frozenset of str
        Texts read as missing, without the blanks around them; empty and blank texts are always.
    decimal : {".", ","}

    Returns
    -------
    values : pandas.Series
        int64; float64 (numbers with missing ones among them too); bool, or ``boolean`` with missing ones, if all are ``True`` or
        ``False``; else text, unchanged. Whole numbers that no float64 holds, and digits with leading zeros ("007"), stay text.
    counts : dict from text to int
        The texts of ``missing`` that were there.

    Examples
    --------
    >>> values, counts = convert_texts(pa.chunked_array([["1", "NA", " 3"]]), missing=frozenset({"NA"}))
    >>> values.tolist(), counts
    ([1.0, nan, 3.0], {'NA': 1})
    """
    trimmed = pc.utf8_trim_whitespace(column)
    is_named = pc.is_in(trimmed, value_set=pa.array(sorted(missing), pa.string()))
    counts = _count(trimmed.filter(is_named))
    is_missing = pc.or_(is_named, pc.equal(pc.binary_length(trimmed), 0))
    observed = pc.if_else(is_missing, pa.scalar(None, pa.string()), trimmed)
    if pc.all(pc.is_in(observed, value_set=pa.array(["True", "False", None]))).as_py() and observed.null_count < len(observed):
        return _booleans(pc.equal(observed, "True")), counts
    numbers = _numbers(observed, decimal)
    if numbers is None:
        return pc.if_else(is_missing, pa.scalar(None, pa.string()), column).to_pandas(), counts
    if pa.types.is_floating(numbers.type):
        counts |= _count(trimmed.filter(pc.is_nan(numbers)))  # the text "nan", where it was not to be missing
    return pd.Series(_to_numpy(numbers)), counts


def has_decimal_commas(column: pd.Series) -> bool:
    """Whether a column of text looks like numbers such as ``10,25``.

    So nineteen in twenty of its different texts do, half of them with a comma. Lists of codes (``1,4,7``) have more commas.

    >>> has_decimal_commas(pd.Series(["10,25", "3", "-0,5", None])), has_decimal_commas(pd.Series(["1,2", "1,2,5", "4,9"]))
    (True, False)
    """
    if pd.api.types.is_numeric_dtype(column.dtype):  # truth values too
        return False
    texts = pd.Series(column.iloc[:_LOOKED_AT].dropna().unique(), dtype=str)
    has_comma = texts.str.contains(",", regex=False)
    if has_comma.sum() < 2 or has_comma.mean() < 0.5:
        return False
    return bool(texts.str.fullmatch(_DECIMAL_COMMA).mean() >= 0.95)


def _numbers(texts: pa.ChunkedArray, decimal: str) -> pa.ChunkedArray | None:
    """Numbers, int64 or double, if all texts are; None if they are not, or would not be the same when written again."""
    texts = pc.utf8_ltrim(texts, "+")
    if decimal != ".":
        if pc.any(pc.match_substring(texts, ".")).as_py():
            return None
        texts = pc.replace_substring(texts, decimal, ".")
    whole = _cast(texts, pa.int64())
    if whole is not None:
        has_code = pc.and_(pc.starts_with(texts, "0"), pc.greater(pc.binary_length(texts), 1))
        too_large = whole.null_count and pc.any(pc.greater(pc.abs(whole), _EXACT)).as_py()
        return None if too_large or pc.any(has_code).as_py() else whole
    numbers = _cast(texts, pa.float64())
    if numbers is None:
        return None
    largest = pc.max(pc.abs(numbers)).as_py()
    if largest >= 2**63 and pc.all(pc.match_substring_regex(texts, "^-?[0-9]+$")).as_py():
        return None
    return numbers


def _cast(texts: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    try:
        return pc.cast(texts, kind)
    except pa.ArrowInvalid:
        return None


def _booleans(values: pa.ChunkedArray) -> pd.Series:
    return pd.Series(values.to_pandas(), dtype="boolean" if values.null_count else bool)


def _to_numpy(numbers: pa.ChunkedArray) -> Any:
    return pc.cast(numbers, pa.float64(), safe=False).to_numpy() if numbers.null_count else np.asarray(numbers.to_numpy())


def _count(texts: pa.ChunkedArray) -> dict[str, int]:
    return {item["values"]: item["counts"] for item in pc.value_counts(texts).to_pylist()} if len(texts) else {}
