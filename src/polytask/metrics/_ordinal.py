"""Metrics of ordinal tasks; the predicted level is the argmax of the probabilities (n, n_levels)."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import cohen_kappa_score

from polytask.metrics._metric import Metric, one_minus
from polytask.metrics._observed import observed_classes
from polytask.metrics._undefined import UndefinedMetric


def quadratic_kappa(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Cohen's kappa with quadratic weights: 1 is perfect agreement, 0 that of chance, below 0 is worse than chance.

    Undefined where the labels hold one level only.

    References
    ----------
    Cohen, "Weighted Kappa: Nominal Scale Agreement with Provision for Scaled Disagreement or Partial Credit", Psychological
    Bulletin, 1968.

    Examples
    --------
    >>> quadratic_kappa([0.0, 1.0, 2.0], [[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.5, 0.4]])
    0.6667
    """
    target, outputs, weight = observed_classes(target, outputs, sample_weight)
    if np.ptp(target) == 0:
        raise UndefinedMetric("only one level in the labels")
    levels = np.arange(outputs.shape[1])
    predicted = outputs.argmax(axis=1)
    return float(cohen_kappa_score(target.astype(np.int64), predicted, labels=levels, weights="quadratic", sample_weight=weight))


def ordinal_mae(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Mean number of levels between the predicted and the true level.

    >>> ordinal_mae([0.0, 2.0], [[0.8, 0.1, 0.1], [0.5, 0.3, 0.2]])
    1.0
    """
    target, outputs, weight = observed_classes(target, outputs, sample_weight)
    return float(np.average(np.abs(outputs.argmax(axis=1) - target), weights=weight))


QUADRATIC_KAPPA = Metric("quadratic_kappa", quadratic_kappa, higher_is_better=True, error=one_minus)
ORDINAL_MAE = Metric("ordinal_mae", ordinal_mae, higher_is_better=False)
