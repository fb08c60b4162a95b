"""Poisson deviance."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from polytask.losses._number_loss import Array, NumberLoss
from polytask.losses._sums import check_width, masked_sums

# Beyond exp(50) times the label the exponential goes on as a straight line: value and gradient stay finite in float32.
_LARGEST_LOG_RATIO = 50.0
_SMALLEST_MEAN = 1e-7


def poisson(outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    r"""Poisson deviance of counts whose log mean is predicted.

    .. math:: 2 \left( y \log \frac{y}{\mu} - (y - \mu) \right), \quad \mu = e^{f}

    It is twice the negative log-likelihood less that of the perfect prediction, so it is >= 0 and 0 where the mean is the count.
    Computed from the log ratio :math:`d = f - \log y` as :math:`2 y (e^d - 1 - d)`, which loses no digits for large counts.

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_targets)
        Log of the mean count.
    target : Tensor of shape (..., n, n_targets)
        Counts >= 0, whole or not; NaN is allowed where the weight is 0.
    weight : Tensor of shape (..., n, n_targets)
        Label weights >= 0; 0 means missing.

    Returns
    -------
    loss_sum, weight_sum : Tensor of shape (...)
        Weighted sum of deviances and sum of weights.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    References
    ----------
    McCullagh & Nelder, "Generalized Linear Models", 2nd edition, 1989, section 2.3.

    Examples
    --------
    >>> import torch
    >>> poisson(torch.zeros(2, 1), torch.tensor([[1.0], [0.0]]), torch.ones(2, 1))  # mean 1 for the counts 1 and 0
    (tensor(2.), tensor(2.))
    """
    return masked_sums(poisson_per_label, outputs, target, weight, loss="poisson")


def poisson_per_label(outputs: Tensor, target: Tensor) -> Tensor:
    """Losses of outputs and targets without NaN, all three [..., n, n_targets]; see :func:`poisson`."""
    check_width(outputs.shape[-1], target.shape[-1], what="outputs", loss="poisson")
    is_zero = target == 0
    count = target.masked_fill(is_zero, 1.0)
    log_ratio = outputs - count.log()
    return 2.0 * (count * _expm1(log_ratio) - target * log_ratio + is_zero)  # a count of 0 leaves the mean e^f alone


def _expm1(x: Tensor) -> Tensor:
    excess = (x.detach() - _LARGEST_LOG_RATIO).relu()  # no gradient goes through it, so x keeps the slope at the bound
    return torch.expm1(x - excess).add(excess, alpha=math.exp(_LARGEST_LOG_RATIO))


@dataclass(frozen=True)
class Poisson(NumberLoss):
    """Poisson deviance of labels >= 0; see :func:`poisson`. Predictions are means.

    >>> Poisson().row_losses(np.array([1.0, 0.0]), np.array([1.0, 1.0]))
    array([0., 2.])
    """

    name: ClassVar[str] = "poisson"
    metric_name: ClassVar[str] = "poisson_deviance"
    statistic: ClassVar[str] = "mean"
    is_robust: ClassVar[bool] = False

    def per_label(self, preds: Tensor, target: Tensor) -> Tensor:
        """See :func:`poisson_per_label`; here of the mean itself, at least 1e-7."""
        return poisson_per_label(preds.clamp(min=_SMALLEST_MEAN).log(), target)

    def per_log_label(self, log_preds: Tensor, target: Tensor) -> Tensor:
        """See :func:`poisson_per_label`."""
        return poisson_per_label(log_preds, target)

    def best_shift(self, target: Array, outputs: Array, weight: Array) -> float:
        """Weighted mean of the residuals."""
        return float(np.average(target - outputs, weights=weight))

    @property
    def lightgbm(self) -> Mapping[str, Any]:
        """LightGBM's own Poisson loss."""
        return {"objective": "poisson"}
