"""Quantiles of weighted numbers."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def weighted_quantile(numbers: Array, weight: Array, level: float) -> float:
    """Quantile of weighted numbers: the middle of all that minimise the quantile loss; a weight of 2 is the number twice.

    Parameters
    ----------
    numbers, weight : array of shape (n,)
        At least one number; weights are > 0.
    level : float in [0, 1]

    Examples
    --------
    >>> weighted_quantile(np.array([1.0, 2.0, 3.0, 9.0]), np.ones(4), 0.5)
    2.5
    >>> weighted_quantile(np.array([1.0, 2.0]), np.array([1.0, 3.0]), 0.5)
    2.0
    """
    order = np.argsort(numbers, kind="stable")
    below = np.cumsum(weight[order])
    wanted, tolerance = level * below[-1], 1e-12 * below[-1]
    last = len(order) - 1
    low = min(int(np.searchsorted(below, wanted - tolerance, side="left")), last)
    high = min(int(np.searchsorted(below, wanted + tolerance, side="right")), last)
    first = numbers[order[low]]
    return float(first + (numbers[order[high]] - first) / 2)
