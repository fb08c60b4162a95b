"""Metrics of regression tasks; outputs are predicted means (n,)."""

import numpy as np
from numpy.typing import ArrayLike

from polytask.metrics._metric import Metric, one_minus
from polytask.metrics._observed import Array, observed_values
from polytask.metrics._undefined import UndefinedMetric


def mse(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Mean squared error.

    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    target, outputs, weight = observed_values(target, outputs, sample_weight)
    return _mean_square(outputs - target, weight)


def rmse(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Root of the mean squared error, in the unit of the target.

    >>> rmse([1.0, 2.0], [3.0, 4.0])
    2.0
    """
    return float(np.sqrt(mse(target, outputs, sample_weight=sample_weight)))


def mae(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Mean absolute error, in the unit of the target.

    >>> mae([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    target, outputs, weight = observed_values(target, outputs, sample_weight)
    return float(np.average(np.abs(outputs - target), weights=weight))


def r2(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Coefficient of determination: 1 - squared error / squared error of the mean of these very labels.

    Undefined for a single row and where all labels are equal.

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    target, outputs, weight = observed_values(target, outputs, sample_weight)
    if len(target) < 2:
        raise UndefinedMetric("only one observed label")
    spread = 0.0 if np.ptp(target) == 0 else _mean_square(target - np.average(target, weights=weight), weight)
    if spread == 0:
        raise UndefinedMetric("all labels are equal")
    return 1.0 - _mean_square(outputs - target, weight) / spread


def relative_rmse(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None, baseline: float) -> float:
    """RMSE divided by the RMSE of the training mean: 1 is no better than the constant.

    Parameters
    ----------
    target, outputs, sample_weight
        As for all metrics.
    baseline : float
        Mean of the training labels.

    References
    ----------
    Spyromitros-Xioufis, Tsoumakas, Groves & Vlahavas, "Multi-target regression via input space expansion: treating targets
    as inputs", Machine Learning, 2016.

    Examples
    --------
    >>> relative_rmse([0.0, 4.0], [1.0, 3.0], baseline=2.0)
    0.5
    """
    target, outputs, weight = observed_values(target, outputs, sample_weight)
    spread = _mean_square(target - baseline, weight)
    if spread == 0:
        raise UndefinedMetric("all labels equal the mean of the training labels")
    return float(np.sqrt(_mean_square(outputs - target, weight) / spread))


def _mean_square(residual: Array, weight: Array) -> float:
    return float(np.average(residual**2, weights=weight))


MSE = Metric("mse", mse, higher_is_better=False, has_unit=True)
RMSE = Metric("rmse", rmse, higher_is_better=False, has_unit=True)
MAE = Metric("mae", mae, higher_is_better=False, has_unit=True)
R2 = Metric("r2", r2, higher_is_better=True, error=one_minus)
RELATIVE_RMSE = Metric("relative_rmse", relative_rmse, higher_is_better=False, needs_baseline=True)
