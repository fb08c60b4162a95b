"""More metrics of predicted numbers (n,): the middle and the largest error, quantiles, explained shares."""

import numpy as np
from numpy.typing import ArrayLike

from polytask._quantiles import weighted_quantile
from polytask.metrics._metric import Metric, one_minus
from polytask.metrics._observed import Array, observed_values
from polytask.metrics._undefined import UndefinedMetric


def median_absolute_error(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Median of the absolute errors, in the unit of the target.

    >>> median_absolute_error([1.0, 2.0, 3.0], [1.5, 2.0, 9.0])
    0.5
    """
    target, outputs, weight = observed_values(target, outputs, sample_weight)
    return weighted_quantile(np.abs(outputs - target), weight, 0.5)


def max_error(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Largest absolute error, in the unit of the target; weights only tell which rows count.

    >>> max_error([1.0, 2.0, 3.0], [1.5, 2.0, 9.0])
    6.0
    """
    target, outputs, _ = observed_values(target, outputs, sample_weight)
    return float(np.abs(outputs - target).max())


def pinball_loss(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None, level: float = 0.5) -> float:
    """Mean quantile loss: ``level`` times what a prediction is too low, 1 - level times what it is too high.

    >>> pinball_loss([1.0, 2.0], [0.0, 4.0], level=0.9)  # (0.9 + 0.2) / 2
    0.55
    """
    target, outputs, weight = observed_values(target, outputs, sample_weight)
    return float(np.average(_pinball(target - outputs, level), weights=weight))


def coverage_error(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None, level: float = 0.5) -> float:
    """How far the share of labels at or below the prediction is from ``level``: 0 for well-placed quantiles.

    >>> coverage_error([1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0, 2.0], level=0.9)
    0.4
    """
    target, outputs, weight = observed_values(target, outputs, sample_weight)
    return abs(float(np.average(target <= outputs, weights=weight)) - level)


def d2_absolute_error(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Explained share of the absolute error: 1 - that of the predictions / that of the median of these very labels.

    Undefined for a single row and where all labels are equal.

    >>> d2_absolute_error([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    return d2_pinball(target, outputs, sample_weight=sample_weight)


def d2_pinball(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None, level: float = 0.5) -> float:
    """Explained share of the quantile loss: 1 - that of the predictions / that of the best constant for these very labels.

    Undefined for a single row and where all labels are equal.

    References
    ----------
    Koenker & Machado, "Goodness of Fit and Related Inference Processes for Quantile Regression", Journal of the American
    Statistical Association, 1999.

    Examples
    --------
    >>> d2_pinball([1.0, 2.0, 3.0], [1.0, 2.0, 4.0], level=0.5)
    0.5
    """
    target, outputs, weight = observed_values(target, outputs, sample_weight)
    if len(target) < 2:
        raise UndefinedMetric("only one observed label")
    constant = weighted_quantile(target, weight, level)
    least = float(np.average(_pinball(target - constant, level), weights=weight))
    if least == 0:
        raise UndefinedMetric("all labels are equal")
    return 1.0 - float(np.average(_pinball(target - outputs, level), weights=weight)) / least


def _pinball(residual: Array, level: float) -> Array:
    return np.maximum(level * residual, (level - 1) * residual)


MEDIAN_ABSOLUTE_ERROR = Metric("median_absolute_error", median_absolute_error, higher_is_better=False, has_unit=True)
MAX_ERROR = Metric("max_error", max_error, higher_is_better=False, has_unit=True)
PINBALL_LOSS = Metric("pinball_loss", pinball_loss, higher_is_better=False, has_unit=True, option="level")
COVERAGE_ERROR = Metric("coverage_error", coverage_error, higher_is_better=False, option="level")
D2_ABSOLUTE_ERROR = Metric("d2_absolute_error", d2_absolute_error, higher_is_better=True, error=one_minus)
D2_PINBALL = Metric("d2_pinball", d2_pinball, higher_is_better=True, error=one_minus, option="level")
