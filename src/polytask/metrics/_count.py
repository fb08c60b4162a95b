"""Metrics of count tasks; outputs are predicted means (n,)."""

import numpy as np
from numpy.typing import ArrayLike

from polytask.metrics._metric import Metric
from polytask.metrics._observed import observed_values
from polytask.metrics._row_losses import row_poisson_deviance


def poisson_deviance(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Mean Poisson deviance, of means clipped from below at 1e-7.

    >>> poisson_deviance([0.0, 2.0], [1.0, 2.0])
    1.0
    """
    target, outputs, weight = observed_values(target, outputs, sample_weight)
    return float(np.average(row_poisson_deviance(target, outputs), weights=weight))


POISSON_DEVIANCE = Metric("poisson_deviance", poisson_deviance, higher_is_better=False, has_unit=True)
