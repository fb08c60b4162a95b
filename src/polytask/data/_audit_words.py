"""Free text and lists in a data audit: how well the words or tags of one column alone predict every target."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polytask._lists import read_lists
from polytask.data._audit_columns import Codes, Floats, column_bins
from polytask.data._audit_scores import N_FOLDS
from polytask.data._columns import ColumnInfo
from polytask.data._words import encode_texts

WORD_KINDS = ("text", "list")
MOST_WORDS = 200  # the most frequent words or tags are looked at
_LEAST_ROWS = 5  # with which a word must be there
_RIDGE = 1.0


def word_columns(frame: pd.DataFrame, columns: "list[ColumnInfo]") -> "list[ColumnInfo]":
    """The columns of free text and of lists that models learn from."""
    return [info for info in columns if info.kind in WORD_KINDS and info.name in frame.columns]


def words_there(column: pd.Series, info: ColumnInfo) -> NDArray[np.bool_]:
    """Which of the most frequent known words (of lists: tags) each row has, bool [n, at most 200].

    >>> from polytask.data import infer_column
    >>> column = pd.Series([["a", "b"], ["a"], None] * 10, name="tags")
    >>> words_there(column, infer_column(column))[:3].tolist()
    [[True, True], [True, False], [False, False]]
    """
    n, size = len(column), len(info.categories)
    if info.kind == "list":
        cells = read_lists(column, separator=info.separator or None)
        place = {str(tag): k for k, tag in enumerate(info.categories)}
        known = np.array([place.get(str(label), -1) for label in cells.labels], dtype=np.int64)
        codes = known[cells.tags] if len(known) else np.zeros(0, dtype=np.int64)
        rows, codes = cells.rows[codes >= 0], codes[codes >= 0]
    else:
        words = encode_texts(column, info.categories, length=info.length, known_share=info.known_share)[0].codes
        rows, places = np.nonzero(words)
        codes = words[rows, places].astype(np.int64) - 1
    counts = np.bincount(codes, minlength=size)
    kept = np.argsort(-counts, kind="stable")[:MOST_WORDS]
    kept = kept[(counts[kept] >= _LEAST_ROWS)]
    column_of = np.full(size, -1)
    column_of[kept] = np.arange(len(kept))
    found = np.zeros((n, len(kept)), dtype=bool)
    places = column_of[codes]
    found[rows[places >= 0], places[places >= 0]] = True
    return found


def word_predictions(there: NDArray[np.bool_], fold: Codes, values: Floats) -> Floats:
    """Ridge regression of targets [n, n_columns] (NaN missing) on words, each fold predicted by the others; [n, n_columns]."""
    x = np.concatenate([np.ones((len(there), 1)), there], axis=1)
    penalty = _RIDGE * np.eye(x.shape[1])
    penalty[0, 0] = 1e-9  # the mean is not drawn to zero
    found = np.empty_like(values)
    squares = [x[fold == k].T @ x[fold == k] for k in range(N_FOLDS)]
    in_all = np.sum(squares, axis=0)
    for k in range(N_FOLDS):
        learn, held = fold != k, fold == k
        y = values[learn]
        seen = ~np.isnan(y)
        mean = np.where(seen, y, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        y = np.where(seen, y, mean)
        found[held] = x[held] @ np.linalg.solve(in_all - squares[k] + penalty, x[learn].T @ y)
    return found


def prediction_bins(predicted: Floats, missing: NDArray[np.bool_]) -> Codes:
    """Bins of what was predicted, 0 where the input is missing: intervals of one number, or the likeliest of several classes."""
    bins = np.argmax(predicted, axis=1) + 1 if predicted.shape[1] > 1 else column_bins(pd.Series(predicted[:, 0]), "numeric")
    return np.where(missing, 0, bins).astype(np.int64)
