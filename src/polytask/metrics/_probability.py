"""Metrics of the probabilities themselves, (n, n_classes)."""

import numpy as np
from numpy.typing import ArrayLike

from polytask.metrics._metric import Metric, one_minus
from polytask.metrics._observed import ONE_CLASS, observed_classes
from polytask.metrics._row_losses import row_log_loss
from polytask.metrics._undefined import UndefinedMetric


def log_loss(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Mean negative log probability of the class that came, in nats; probabilities are clipped to [1e-7, 1].

    >>> log_loss([0.0, 1.0], [[0.5, 0.5], [0.0, 1.0]])
    0.3466
    """
    target, outputs, weight = observed_classes(target, outputs, sample_weight)
    return float(np.average(row_log_loss(target, outputs), weights=weight))


def brier(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Brier score: mean squared distance of the probabilities from the class that came.

    For two classes the squared error of class 1's probability, 0 to 1; for more, Brier's sum over all classes, 0 to 2 (as
    scikit-learn's ``brier_score_loss`` does).

    References
    ----------
    Brier, "Verification of Forecasts Expressed in Terms of Probability", Monthly Weather Review, 1950.

    Examples
    --------
    >>> brier([0.0, 1.0], [[0.5, 0.5], [0.0, 1.0]])
    0.125
    """
    target, outputs, weight = observed_classes(target, outputs, sample_weight)
    if outputs.shape[1] == 2:
        distance = (outputs[:, 1] - target) ** 2
    else:
        distance = ((outputs - (target[:, None] == np.arange(outputs.shape[1]))) ** 2).sum(axis=1)
    return float(np.average(distance, weights=weight))


def d2_log_loss(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Explained share of the log loss: 1 - that of the probabilities / that of the class shares of these very labels.

    Undefined where only one class is present.

    >>> d2_log_loss([0.0, 1.0], [[0.5, 0.5], [0.5, 0.5]])
    0.0
    """
    target, outputs, weight = observed_classes(target, outputs, sample_weight)
    shares = np.bincount(target.astype(np.int64), weights=weight, minlength=outputs.shape[1]) / weight.sum()
    if (shares > 0).sum() < 2:
        raise UndefinedMetric(ONE_CLASS)
    own, constant = row_log_loss(target, outputs), row_log_loss(target, np.tile(shares, (len(target), 1)))
    return 1.0 - float(np.average(own, weights=weight) / np.average(constant, weights=weight))


LOG_LOSS = Metric("log_loss", log_loss, higher_is_better=False)
BRIER = Metric("brier", brier, higher_is_better=False)
D2_LOG_LOSS = Metric("d2_log_loss", d2_log_loss, higher_is_better=True, error=one_minus)
