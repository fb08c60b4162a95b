"""A split that a column of the table gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator

from polytask.data.splits._checks import check_same_length, group_codes, in_number_order
from polytask.data.splits._strata import label_texts
from polytask.exceptions import DataError

__all__ = ["ColumnSplit"]

_WORDS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "holdout": "test",
}


class ColumnSplit(BaseCrossValidator, BaseEstimator):
    """The split that a column gives: the words train, validation and test (in any case), or fold ids.

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        Either words: train (training), validation (val, valid, dev), test (testing, holdout); with "test" or "validation" beside
        "train". Or fold ids, of any kind, at least two; rows with the id -1 are in every training part.

    Notes
    -----
    With words :meth:`split` yields one pair: the "train" rows, and the "test" rows or, if there are none, the "validation" rows.
    Where both are given the "validation" rows are in neither: they are for stopping and choosing, see :meth:`parts`.
    A column that cannot be used, or that cuts one of the ``groups``, is a ``DataError``, raised by :meth:`split` (by
    :meth:`parts` and :meth:`get_n_splits` too, as far as the column alone tells).

    Examples
    --------
    >>> [(train, test)] = ColumnSplit(["Train", "train", "val", "TEST"]).split(range(4))
    >>> train.tolist(), test.tolist()
    ([0, 1], [3])
    >>> [test.tolist() for _, test in ColumnSplit([1, 2, 1, -1]).split()]
    [[0, 2], [1]]
    """

    def __init__(self, values: ArrayLike) -> None:
        self.values = values

    def parts(self) -> dict[str, NDArray[np.int64]]:
        """Return the row numbers of every part: "train", "validation", "test", as far as given, or a part per fold id."""
        labels = _labels(self.values)
        if set(labels) & set(_WORDS):
            return _parts_by_word(labels)
        names = [name for name in labels.unique() if name != "-1"]
        if len(names) < 2:
            raise DataError(
                f"A split column must hold train and test (or validation), or at least two fold ids; "
                f"got only {', '.join(map(repr, labels.unique()[:3])) or 'no rows'}."
            )
        if len(names) == len(labels) > 20:
            raise DataError(
                f"A split column must have several rows per fold; got {len(names)} different values in {len(labels)} rows."
            )
        return {name: np.flatnonzero(labels == name) for name in sorted(names, key=in_number_order)}

    def split(
        self, X: Any = None, y: Any = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield the row numbers (train, test)."""
        parts = self.parts()
        n_samples = len(_labels(self.values))
        for name, given in (("X", X), ("y", y)):
            if given is not None:
                check_same_length(name, given, n_samples)
        if "train" in parts:
            pairs = [(parts["train"], parts["test"] if "test" in parts else parts["validation"])]
        else:
            pairs = [(np.setdiff1d(np.arange(n_samples), test), test) for test in parts.values()]
        if groups is not None:
            _check_groups_whole(group_codes(groups, n_samples), pairs, groups)
        yield from pairs

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of pairs that :meth:`split` yields."""
        parts = self.parts()
        return 1 if "train" in parts else len(parts)


def _check_groups_whole(
    codes: NDArray[np.int64], pairs: list[tuple[NDArray[np.int64], NDArray[np.int64]]], groups: ArrayLike
) -> None:
    for train, test in pairs:
        cut = test[np.isin(codes[test], codes[train])]
        if len(cut):
            name = str(np.asarray(groups).ravel()[cut[0]])
            raise DataError(f"A split column must keep every group whole; group {name!r} is in a training and a test part.")


def _labels(values: ArrayLike) -> pd.Series:
    """Return the values as text: whole numbers without a decimal point, words of a split in lower case."""
    column = pd.Series(values).reset_index(drop=True)
    n_missing = int(column.isna().sum())
    if n_missing:
        raise DataError(f"A split column must say for every row where it belongs; got {n_missing} empty cells.")
    texts = label_texts(column).map(str.strip)
    return texts.map(lambda text: text.lower() if text.lower() in _WORDS else text).astype(object)


def _parts_by_word(labels: pd.Series) -> dict[str, NDArray[np.int64]]:
    foreign = [name for name in labels.unique() if name not in _WORDS]
    if foreign:
        raise DataError(f"A split column with the words train, validation and test must hold only these; got {foreign[0]!r} too.")
    words = labels.map(_WORDS)
    parts = {word: np.flatnonzero(words == word) for word in ("train", "validation", "test") if (words == word).any()}
    if "train" not in parts or len(parts) < 2:
        raise DataError(f"A split column must hold train, and test or validation; got only {', '.join(parts)}.")
    return parts
