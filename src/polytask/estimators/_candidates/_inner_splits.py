"""Splits inside the training rows, which choose settings, stop boosting and calibrate."""

from typing import Any

import numpy as np
import pandas as pd

from polytask.data.splits import latest_holdout
from polytask.exceptions import DataError

Array = np.ndarray[Any, np.dtype[Any]]


def inner_splits(y: Array, *, n_splits: int = 5, groups: Any = None, times: Any = None) -> list[tuple[Array, Array]]:
    """Divide rows into folds of alike labels, groups whole; with times hold the latest rows out, once.

    Rows (or groups, by their mean) are ordered by label and dealt to the folds in turn, each round in random order: so numbers
    and classes are stratified alike.

    Parameters
    ----------
    y : array of shape (n,)
        Numbers or codes.
    groups : array of shape (n,), optional
    times : TimeOrder of these rows, optional

    Returns
    -------
    splits : list of pairs of int arrays
        Training and held-out rows. Empty where nothing can be divided: one group, one time. Parts whose training rows hold one
        value only are left out.

    Examples
    --------
    >>> [held.tolist() for _, held in inner_splits(np.array([0, 0, 0, 0, 1, 1]), n_splits=2)]
    [[1, 3, 4], [0, 2, 5]]
    """
    if times is not None:
        try:
            splits = [latest_holdout(times, test_size=1 / n_splits, groups=groups)]
        except DataError:
            return []
    else:
        units = np.arange(len(y)) if groups is None else pd.factorize(np.asarray(groups), use_na_sentinel=False)[0]
        fold = _deal(np.bincount(units, y) / np.bincount(units), n_splits)[units]
        splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(n_splits)]
    return [(train, held) for train, held in splits if len(held) and len(np.unique(y[train])) > 1]


def _deal(values: Array, n_splits: int) -> Array:
    """Fold of every value: the sorted ones by turns, each turn in an order of its own."""
    rng = np.random.default_rng(0)
    n = len(values)
    order = np.lexsort((rng.random(n), values))
    turns = rng.permuted(np.tile(np.arange(n_splits), (-(-n // n_splits), 1)), axis=1).ravel()[:n]
    fold = np.empty(n, dtype=np.int64)
    fold[order] = turns
    return fold
