"""How much labels vary: with one value only, or all but one, nothing can be said of a model."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def unlike_rows(target: Array, weight: Array | None = None) -> Array:
    """Rows whose label is not the most common one of its column, in at least one column; bool [n].

    Parameters
    ----------
    target : array of shape (n, n_targets)
        NaN = missing.
    weight : array of shape (n,) or (n, n_targets), optional
        Label weights; a label of weight 0 is missing.

    Examples
    --------
    >>> unlike_rows(np.array([[0.0], [0.0], [1.0], [np.nan]])).tolist()
    [False, False, True, False]
    """
    seen = ~np.isnan(target)
    if weight is not None:
        seen &= (weight if weight.ndim == 2 else weight[:, None]) > 0
    found = np.zeros(len(target), dtype=bool)
    for column, own in zip(target.T, seen.T, strict=True):
        if own.any():
            values, counts = np.unique(column[own], return_counts=True)
            found |= own & (column != values[counts.argmax()])
    return found


def most_common(target: Array) -> float:
    """The most common of labels [n] without NaN."""
    values, counts = np.unique(target, return_counts=True)
    return float(values[counts.argmax()])
