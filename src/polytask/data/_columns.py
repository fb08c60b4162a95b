"""What kind of input each column is, and why."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polytask._lists import holds_lists, read_lists
from polytask.data._counters import counts_rows, is_counter, sample_of
from polytask.data._dates import parts_that_vary
from polytask.data._values import (
    DEFAULT_MISSING,
    ISO_DATE,
    booleans_of,
    canonical_text,
    categories_of,
    days_of,
    numbers_of,
    read_days,
)
from polytask.data._words import MAX_LENGTH, MAX_WORDS, fit_vocabulary, texts_of
from polytask.exceptions import DataError

USED_KINDS = ("numeric", "categorical", "boolean", "datetime", "text", "list")
"""The kinds that models learn from."""
KINDS = (*USED_KINDS, "constant", "identifier", "ignored")

MAX_CATEGORIES = 1000  # the most frequent are told apart; the others share buckets by a hash
MAX_BUCKETS = 1024
_PER_BUCKET = 8  # rare categories that share a bucket, about
MAX_TAGS = 60  # with at most this many tags a list becomes one 0/1 column per tag; else it is weighted as the words of a text
FEW_VALUES = 20  # at most so many different whole numbers are pointed out as "few"
_MIN_ROWS = 20  # below this, that all values differ says little
_MIN_TEXT_ROWS, _TEXT_SHARE = 50, 0.9  # so many rows, of which such a share of texts differ, are free text
_SENTENCE, _SENTENCE_SHARE = 5, 0.5  # with so many words on average this share is enough
_KNOWN_WORDS = 0.1  # with a smaller share of words that repeat, texts say nothing of one another
_MIN_LISTS, _TAGS_PER_TEXT, _TAG_LENGTH = 0.2, 0.5, 40  # texts are lists: share with a separator, different tags, mean length

_ID_NAME = re.compile(r"(?:^|[\W_])(?:id|ids|uuid|guid|pk|key|index|idx|row|serial|identifier)$|unnamed: \d+$", re.IGNORECASE)
_ID_CAMEL = re.compile(r"[a-z](?:Id|ID|Key|Index)$")
_MEASURE_NAME = re.compile(r"day|time|hour|minute|second|week|month|year|date|age|step|position|depth|distance", re.IGNORECASE)
_ISO = re.compile(ISO_DATE)
_WHOLE = re.compile(r"[+-]?\d+")
_CODE = re.compile(r"0\d+")
_READERS = {"numeric": numbers_of, "boolean": booleans_of, "datetime": days_of}


@dataclass(frozen=True, kw_only=True)
class ColumnInfo:
    """What is known of one input column.

    Attributes
    ----------
    name : str
    kind : str
        ``"numeric"``, ``"categorical"``, ``"boolean"``, ``"datetime"``, ``"text"`` (free text) and ``"list"`` (several tags)
        are learned from; ``"constant"``, ``"identifier"`` and ``"ignored"`` are left out.
    reason : str
        Why, in words for the user.
    dtype : str
        The pandas dtype the column came in.
    n_rows, n_missing, n_unique : int
        Rows, missing ones among them, and different values (of lists: different tags).
    categories : tuple of str
        Of a categorical column: canonical texts, sorted; category ``categories[i]`` has the code ``i + 2``. Of a text column
        its known words, of a list column its tags; sorted.
    has_time : bool
        Of a datetime column: whether some value has a time of day.
    parts : tuple of str
        Of a datetime column: the numbers that are made of it.
    buckets : int
        Of a categorical column: codes after those of the categories, shared by all other values according to a hash.
    length : int
        Of a text column: different known words that a row may have.
    known_share : float
        Share of the values (of texts: words) of the development table that have a code of their own.
    separator : str
        Of a list column: what stands between tags where they come as text.
    """

    name: str
    kind: str
    reason: str
    dtype: str
    n_rows: int
    n_missing: int
    n_unique: int
    categories: tuple[str, ...] = ()
    has_time: bool = False
    parts: tuple[str, ...] = ()
    buckets: int = 0
    length: int = 0
    known_share: float = 1.0
    separator: str = ""

    @property
    def as_words(self) -> bool:
        """Whether the column becomes counts of words (or of very many tags)."""
        return self.kind == "text" or (self.kind == "list" and len(self.categories) > MAX_TAGS)

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each category, word or tag is among ``categories``."""
        return {text: k for k, text in enumerate(self.categories)}

    @property
    def used(self) -> bool:
        """Whether models learn from this column."""
        return self.kind in USED_KINDS


def infer_column(column: pd.Series, *, kind: str | None = None) -> ColumnInfo:
    """Tell the kind of one column, or describe it as the kind the user says it is.

    Parameters
    ----------
    column : pandas.Series of shape (n_samples,)
        Its name is the column's name.
    kind : str, optional
        One of :data:`KINDS`.

    Returns
    -------
    info : ColumnInfo

    Raises
    ------
    DataError
        If the column cannot be read as ``kind``.

    Examples
    --------
    >>> info = infer_column(pd.Series(["3", "4", "NA"], name="rooms"))
    >>> info.kind, info.reason
    ('numeric', 'numbers written as text; few different values (2), treated as a quantity')
    """
    if pd.api.types.is_complex_dtype(column.dtype):
        raise DataError(
            f"Column {column.name!r} holds complex numbers; inputs must be real. Split it into two columns or ignore it."
        )
    if kind == "list" or (kind is None and holds_lists(column)):
        return describe_lists(column, given=kind is not None)
    codes, texts = _values_of(column, as_categories=kind == "categorical")
    facts: dict[str, Any] = {
        "name": str(column.name),
        "dtype": str(column.dtype),
        "n_rows": len(column),
        "n_missing": int((codes < 0).sum()),
        "n_unique": len(texts),
    }
    if kind is None:
        kind, reason = _kind_of(column, codes, texts)
    else:
        reason = _check_readable(str(column.name), texts, column.dtype, kind)
    if kind == "list":
        return describe_lists(column, given=False)
    if kind == "categorical":
        return _with_categories(facts, codes, texts, reason)
    if kind == "text":
        return _with_words(facts, column, reason)
    if kind == "datetime":
        days = read_days(column)[0]
        has_time = bool((days % 1 > 0).any())
        parts = parts_that_vary(days, has_time=has_time)
        return ColumnInfo(kind=kind, reason=reason, has_time=has_time, parts=parts, **facts)
    return ColumnInfo(kind=kind, reason=reason, **facts)


def describe_lists(column: pd.Series, *, given: bool) -> ColumnInfo:
    """Describe a column of lists by its tags.

    Raises
    ------
    DataError
        If a cell is neither a list nor a text.
    """
    cells = read_lists(column)
    n_rows = np.bincount(cells.tags, minlength=len(cells.labels))
    names = np.array([str(label) for label in cells.labels], dtype=object)
    kept, known_share = names, 1.0
    if len(names) > MAX_TAGS:  # as for words: a tag of one row only tells nothing of another
        order = np.lexsort((names.astype(str), -n_rows))[:MAX_WORDS]
        order = order[n_rows[order] > 1]
        kept = names[order] if len(order) > MAX_TAGS else names[np.lexsort((names.astype(str), -n_rows))[: MAX_TAGS + 1]]
        known_share = float(n_rows[order].sum() / n_rows.sum())
    mark = cells.separator or ""
    what = f"lists of tags{f' separated by {mark!r}' if mark and mark != 'json' else ''}"
    reason = f"{'as given; ' if given else ''}{what}: {len(names)} different tags" + (
        f", of which {len(kept)} are weighted by how rare they are and summed up" if len(kept) > MAX_TAGS else ", a column each"
    )
    facts: dict[str, Any] = {"n_rows": len(column), "n_missing": int(cells.missing.sum()), "n_unique": len(names)}
    length = int(np.bincount(cells.rows).max(initial=1)) if len(cells.rows) else 1
    return ColumnInfo(
        name=str(column.name),
        kind="list" if len(names) else "constant",
        reason=reason if len(names) else "lists without any tag",
        dtype=str(column.dtype),
        categories=tuple(sorted(kept)),
        length=min(length, MAX_LENGTH) if len(kept) > MAX_TAGS else 0,
        known_share=known_share,
        separator=mark,
        **facts,
    )


def _kind_of(column: pd.Series, codes: NDArray[np.int64], texts: NDArray[np.object_]) -> tuple[str, str]:
    dtype = column.dtype
    if not len(texts):
        return "constant", "all missing"
    if len(texts) == 1 and codes.min() >= 0:
        return "constant", f"one value only: {_shown(canonical_text(texts[0]))}"
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean", "true or false"
    if pd.api.types.is_timedelta64_dtype(dtype):
        return "numeric", "spans of time, in days"
    if pd.api.types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        return "datetime", "dates or times"
    if pd.api.types.is_numeric_dtype(dtype):
        return _numeric_kind(str(column.name), column)
    if isinstance(dtype, pd.CategoricalDtype):
        return "categorical", f"declared categorical, {len(texts)} categories"
    return _text_kind(column, codes, texts)


def _numeric_kind(name: str, column: pd.Series) -> tuple[str, str]:
    whole = pd.api.types.is_integer_dtype(column.dtype)
    values = column.dropna()
    n_unique = values.nunique()
    if whole and n_unique == len(column) >= _MIN_ROWS:
        if _named_like_id(name):
            return "identifier", "named like an identifier, and every row has another whole number" + _of_sample(column)
        if not _MEASURE_NAME.search(name):
            if counts_rows(values.to_numpy(dtype=np.float64)):
                return "identifier", "counts the rows: whole numbers that rise from row to row"
            if is_counter(column):
                return "identifier", "counts the rows of the table it was read from: whole numbers that rise from row to row"
    if whole and _named_like_id(name):
        return "numeric", "named like an identifier, but its values repeat; if rows of one value belong together, use it as group"
    if n_unique <= FEW_VALUES and (whole or _are_whole(values)):
        return "numeric", f"few different values ({n_unique}), treated as a quantity"
    return "numeric", "whole numbers" if whole else "numbers"


def _text_kind(column: pd.Series, codes: NDArray[np.int64], texts: NDArray[np.object_]) -> tuple[str, str]:
    name = str(column.name)
    first = column.iloc[int(np.argmax(codes >= 0))]
    if isinstance(first, dict):
        return "ignored", f"holds a {type(first).__name__} in each row, which a table column cannot use"
    told = _of_sample(column)
    written = " written as text" if isinstance(first, str) else ""
    real = np.array([text for text in texts if text.strip() not in DEFAULT_MISSING], dtype=object)
    if _all_read(booleans_of, real) and not _all(_WHOLE, real):
        return "boolean", f"true or false{written}"
    if _all_read(numbers_of, real):
        if _any(_CODE, real):
            return _category_kind(name, codes, texts, "digits with leading zeros are codes, not quantities", told)
        values = pd.Series(np.append(numbers_of(texts), np.nan)[codes], name=name)
        if _all(_WHOLE, real) and values.notna().all() and (values.abs() < 2**53).all():
            values = values.astype(np.int64)
        values.attrs = column.attrs
        kind, reason = _numeric_kind(name, values)
        return kind, f"numbers{written}" + ("" if reason == "numbers" else f"; {reason}")
    if _all(_ISO, real) and _all_read(days_of, real):
        return "datetime", f"dates{written}"
    return _category_kind(name, codes, texts, told=told)


def _category_kind(
    name: str, codes: NDArray[np.int64], texts: NDArray[np.object_], why: str = "", told: str = ""
) -> tuple[str, str]:
    observed = int((codes >= 0).sum())
    if not why and _look_like_lists(texts):
        return "list", ""
    sentences = sum(" " in text.strip() for text in texts) > len(texts) / 2
    if len(texts) == observed >= _MIN_ROWS and (_named_like_id(name) or not sentences):
        return "identifier", "every row has another text" + told
    most = _SENTENCE_SHARE if _mean_words(texts) >= _SENTENCE else _TEXT_SHARE
    if (len(texts) == observed >= _MIN_ROWS) or (observed >= _MIN_TEXT_ROWS and len(texts) > most * observed):
        return "text", f"free text: {len(texts)} different values in {observed} rows"
    return "categorical", "; ".join(
        filter(None, [why, f"{len(texts)} categories" if len(texts) > 1 else "one category or missing"])
    )


def _check_readable(name: str, texts: Any, dtype: Any, kind: str) -> str:
    """The reason for a kind that the user gave; raise if no value can be read so."""
    if kind not in _READERS or not len(texts):
        return "as given"
    if kind == "datetime" and pd.api.types.is_numeric_dtype(dtype):
        raise DataError(f"Column {name!r} cannot be read as datetime: it holds numbers. Write dates like 2024-05-31.")
    texts = np.array([canonical_text(text) for text in texts], dtype=object)
    values = _READERS[kind](texts)
    unread = [text for text, value in zip(texts, values, strict=True) if np.isnan(value) and text.strip() not in DEFAULT_MISSING]
    if len(unread) == len(texts):
        raise DataError(f"Column {name!r} cannot be read as {kind}: no value can, for example {unread[0]!r}. Give another kind.")
    return "as given" if not unread else f"as given; {len(unread)} texts such as {_shown(unread[0])} are read as missing"


def _with_categories(facts: Mapping[str, Any], codes: NDArray[np.int64], texts: NDArray[np.object_], reason: str) -> ColumnInfo:
    buckets, known_share = 0, 1.0
    if len(texts) > MAX_CATEGORIES:
        n_rare = len(texts) - MAX_CATEGORIES
        buckets = min(MAX_BUCKETS, 2 ** max(4, int(np.ceil(np.log2(n_rare / _PER_BUCKET)))))
        counts = np.bincount(codes[codes >= 0], minlength=len(texts))
        order = np.lexsort((texts.astype(str), -counts))  # ties in alphabetical order, so that the order of rows does not matter
        known_share = float(counts[order[:MAX_CATEGORIES]].sum() / counts.sum())
        texts = texts[order[:MAX_CATEGORIES]]
        reason += f", of which the {MAX_CATEGORIES} most frequent are told apart and the others share {buckets} codes by a hash"
    return ColumnInfo(
        kind="categorical", reason=reason, categories=tuple(sorted(texts)), buckets=buckets, known_share=known_share, **facts
    )


def _with_words(facts: Mapping[str, Any], column: pd.Series, reason: str) -> ColumnInfo:
    found = fit_vocabulary(texts_of(column))
    if not found.words and reason == "as given":
        raise DataError(f"Column {facts['name']!r} cannot be read as text: no word is in two rows. Give another kind.")
    if reason != "as given" and found.known_share < _KNOWN_WORDS:
        return ColumnInfo(kind="identifier", reason=f"{reason}, and hardly a word is in two of them", **facts)
    return ColumnInfo(
        kind="text",
        reason=f"{reason}; {len(found.words)} words"
        + (f", at most {found.length} different ones of a text, {found.n_cut} texts have more" if found.n_cut else ""),
        categories=found.words,
        length=found.length,
        known_share=found.known_share,
        **facts,
    )


def _mean_words(texts: NDArray[np.object_]) -> float:
    return float(np.mean([text.count(" ") + 1 for text in texts[:2000]])) if len(texts) else 0.0


def _look_like_lists(texts: NDArray[np.object_]) -> bool:
    """Whether texts are tags with bars or semicolons between, such as ``Comedy|Drama``: the same tags again and again."""
    mark = next((mark for mark in ("|", ";") if sum(mark in text for text in texts) >= _MIN_LISTS * len(texts)), None)
    if mark is None:
        return False
    tags = {tag.strip() for text in texts for tag in text.split(mark)} - {""}
    short = sum(map(len, tags)) <= _TAG_LENGTH * len(tags)
    return len(tags) <= _TAGS_PER_TEXT * len(texts) and short


def _are_whole(values: pd.Series) -> bool:
    numbers = values.to_numpy(dtype=np.float64)
    return bool((np.floor(numbers) == numbers).all())


def _values_of(column: pd.Series, *, as_categories: bool) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Codes and different values, as :func:`categories_of`; numbers and times are left as they are, which is faster."""
    if as_categories or not _is_plain(column.dtype):
        return categories_of(column)
    codes, values = pd.factorize(column)
    return codes, np.asarray(values)


def _is_plain(dtype: Any) -> bool:
    """Whether values are numbers, truth values or times by dtype, so that nothing has to be read from texts."""
    is_time = pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype)
    return bool(is_time or pd.api.types.is_numeric_dtype(dtype) or isinstance(dtype, pd.PeriodDtype))


def _of_sample(column: pd.Series) -> str:
    n_rows = sample_of(column)
    return "" if n_rows is None else f" (in a sample; all {n_rows:,} rows were not looked at)"


def _named_like_id(name: str) -> bool:
    return bool(_ID_NAME.search(name) or _ID_CAMEL.search(name))


def _all_read(reader: Callable[[NDArray[np.object_]], NDArray[np.float64]], texts: NDArray[np.object_]) -> bool:
    """Whether there are texts and all can be read; the first few are tried before the others."""
    return len(texts) > 0 and not any(np.isnan(reader(some)).any() for some in (texts[:50], texts[50:]) if len(some))


def _any(pattern: re.Pattern[str], texts: NDArray[np.object_]) -> bool:
    return any(pattern.fullmatch(text.strip()) for text in texts)


def _all(pattern: re.Pattern[str], texts: NDArray[np.object_]) -> bool:
    return len(texts) > 0 and all(pattern.fullmatch(text.strip()) for text in texts)


def _shown(text: str, limit: int = 40) -> str:
    return repr(text if len(text) <= limit else text[: limit - 3] + "...")
