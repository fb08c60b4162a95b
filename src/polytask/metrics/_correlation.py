"""Correlation of predicted numbers (n,) with the labels."""

import numpy as np
from numpy.typing import ArrayLike

from polytask.metrics._metric import Metric, one_minus
from polytask.metrics._observed import Array, observed_values
from polytask.metrics._undefined import UndefinedMetric


def pearson(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Pearson's correlation of labels and predictions, -1 to 1.

    Undefined for a single row, and where all labels or all predictions are equal.

    >>> pearson([1.0, 2.0, 3.0], [2.0, 4.0, 7.0])
    0.9934
    """
    target, outputs, weight = observed_values(target, outputs, sample_weight)
    return _correlation(target, outputs, weight)


def spearman(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Spearman's rank correlation, -1 to 1: Pearson's correlation of the ranks, ties at their middle.

    With weights a row ranks as if it were there as often as its weight says.

    >>> spearman([1.0, 2.0, 3.0], [2.0, 4.0, 70.0])
    1.0
    """
    target, outputs, weight = observed_values(target, outputs, sample_weight)
    return _correlation(_ranks(target, weight), _ranks(outputs, weight), weight)


def _correlation(first: Array, second: Array, weight: Array) -> float:
    if len(first) < 2:
        raise UndefinedMetric("only one observed label")
    for values, what in ((first, "labels"), (second, "predictions")):
        if np.ptp(values) == 0:
            raise UndefinedMetric(f"all {what} are equal")
    first, second = (values / np.abs(values).max() for values in (first, second))  # no square overflows
    first, second = (values - np.average(values, weights=weight) for values in (first, second))
    spread = np.average(first**2, weights=weight) * np.average(second**2, weights=weight)
    if spread == 0:
        raise UndefinedMetric("labels or predictions are equal as far as can be told")
    return float(np.clip(np.average(first * second, weights=weight) / np.sqrt(spread), -1.0, 1.0))


def _ranks(values: Array, weight: Array) -> Array:
    """Weight below each value and half of that at it."""
    _, level = np.unique(values, return_inverse=True)
    at = np.bincount(level, weights=weight)
    return np.asarray((np.cumsum(at) - at / 2)[level])


PEARSON = Metric("pearson", pearson, higher_is_better=True, error=one_minus)
SPEARMAN = Metric("spearman", spearman, higher_is_better=True, error=one_minus)
