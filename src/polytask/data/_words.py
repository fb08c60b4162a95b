"""Free text as counts of words: a vocabulary from the whole development table, and codes of rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polytask.data._arrays import TokenColumn

MAX_WORDS = 10_000  # of the vocabulary: those in the most rows
MAX_LENGTH = 256  # different known words of one row; a longer text is cut
_MIN_ROWS = 2  # a word of one row only tells nothing of another
_WORD = re.compile(r"\b\w+\b")
_TOLD = 1.5, 0.05  # unknown words are told beyond this multiple of their share in training and this much more


@dataclass(frozen=True)
class Vocabulary:
    """Words of a text column.

    Attributes
    ----------
    words : tuple of str
        Sorted; ``words[i]`` has the code ``i + 1``.
    length : int
        Different known words that a row may have.
    known_share : float
        Share of the words of the development table that are in the vocabulary.
    n_cut : int
        Rows with more different known words than ``length``.
    """

    words: tuple[str, ...]
    length: int
    known_share: float
    n_cut: int = 0


def fit_vocabulary(texts: Sequence[str]) -> Vocabulary:
    """Choose the words that are told apart: those in two rows or more, at most 10,000, of all rows of the development table.

    Words are runs of letters, digits and underscores in lower case.

    Examples
    --------
    >>> fit_vocabulary(["A good book.", "Good, but long", "a long day"])
    Vocabulary(words=('a', 'good', 'long'), length=2, known_share=0.6666666666666666, n_cut=0)
    """
    counts, words = _count(texts, None)
    n_rows = np.bincount(counts.indices, minlength=len(words))
    order = np.lexsort((words, -n_rows))[:MAX_WORDS]  # ties in alphabetical order: the order of rows does not matter
    kept = order[n_rows[order] >= _MIN_ROWS]
    own = counts[:, kept]
    n_words = np.diff(own.indptr)
    longest = int(n_words.max(initial=1))
    total = float(counts.sum())
    return Vocabulary(
        tuple(sorted(words[kept].tolist())),
        max(1, min(longest, MAX_LENGTH)),
        float(own.sum()) / total if total else 1.0,
        int((n_words > MAX_LENGTH).sum()),
    )


def encode_texts(column: pd.Series, words: Sequence[str], *, length: int, known_share: float) -> tuple[TokenColumn, list[str]]:
    """Codes and counts of the known words of each row; a missing text has none.

    Returns
    -------
    tokens : TokenColumn
        A row with more than ``length`` different words keeps the most frequent ones, of equal ones the first in the alphabet.
    notes : list of str
        Texts that were cut, and an unusual share of words that are not known.
    """
    texts = texts_of(column)
    counts, _ = _count(texts, words)
    n_words = np.diff(counts.indptr)
    n_cut = int((n_words > length).sum())
    codes = np.zeros((len(texts), length), dtype=np.int32)
    values = np.zeros((len(texts), length), dtype=np.float32)
    rows = np.repeat(np.arange(len(texts)), n_words)
    rank = np.arange(counts.nnz) - np.repeat(counts.indptr[:-1], n_words)
    own, data = counts.indices, counts.data
    if n_cut:
        order = np.lexsort((own, -data, rows))  # rows stay together
        own, data = own[order], data[order]
    fits = rank < length
    codes[rows[fits], rank[fits]] = own[fits] + 1
    values[rows[fits], rank[fits]] = data[fits]
    tokens = TokenColumn(codes, values, size=len(words) + 1)
    return tokens, [*_unknown(column, texts, counts, words, known_share), *_cut(column, n_cut, length)]


def texts_of(column: pd.Series) -> list[str]:
    """Every row as text; empty where missing."""
    return [
        value if isinstance(value, str) else "" if missing else str(value)
        for value, missing in zip(column, column.isna(), strict=True)
    ]


def words_per_row(column: pd.Series) -> NDArray[np.float64]:
    """Logarithm of one more than the words of each row, known or not; NaN where the text is missing."""
    n_words = np.array([len(_WORD.findall(text)) for text in texts_of(column)], dtype=np.float64)
    return np.where(column.isna().to_numpy(), np.nan, np.log1p(n_words))


def _count(texts: Sequence[str], words: Sequence[str] | None) -> tuple[Any, NDArray[np.object_]]:
    """Counts [n, words] as a sparse matrix with sorted indices, and the words of its columns."""
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(
        token_pattern=_WORD.pattern, dtype=np.float32, vocabulary=None if words is None else {w: k for k, w in enumerate(words)}
    )
    try:
        counts = counter.transform(texts) if words is not None else counter.fit_transform(texts)
    except ValueError:  # no word at all
        from scipy.sparse import csr_matrix

        return csr_matrix(np.zeros((len(texts), 0), dtype=np.float32)), np.empty(0, dtype=object)
    counts.sort_indices()
    return counts, np.asarray(counter.get_feature_names_out() if words is None else words, dtype=object)


def _unknown(column: pd.Series, texts: list[str], counts: Any, words: Sequence[str], known_share: float) -> list[str]:
    factor, more = _TOLD
    n_words = sum(len(_WORD.findall(text)) for text in texts)
    unknown = n_words - int(counts.sum())
    if not n_words or unknown / n_words <= factor * (1 - known_share) + more:
        return []
    known = set(words)
    example = next((word for text in texts for word in _WORD.findall(text.lower()) if word not in known), "")
    return [
        f"Column {column.name!r}: {unknown:,} of {n_words:,} words ({unknown / n_words:.0%}) are not among the {len(words):,} "
        f"known from training, such as {example[:40]!r}; in training it were {1 - known_share:.0%}."
    ]


def _cut(column: pd.Series, n_cut: int, length: int) -> list[str]:
    if not n_cut:
        return []
    return [
        f"Column {column.name!r}: {n_cut:,} of {len(column):,} texts have more than {length} different known words; "
        "the least frequent of them are left out."
    ]
