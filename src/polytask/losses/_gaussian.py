"""Heteroscedastic Gaussian likelihood: a mean and a variance for every row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from polytask.losses._mse import mse_per_label
from polytask.losses._number_loss import Array, NumberLoss
from polytask.losses._sums import check_width, masked_sums

_BOUND = 10.0  # of log variances: from 0.7 % of the unit to 150 times it


def gaussian(outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    r"""Negative log-likelihood of a normal distribution with a mean and a variance of its own for every row.

    .. math:: \tfrac12 \left( s + (y - \mu)^2 e^{-s} \right), \quad s = \log \sigma^2

    The constant :math:`\tfrac12 \log 2\pi` is left out. The loss may be negative, so balancing methods that need losses above 0
    do not take it.

    Parameters
    ----------
    outputs : Tensor of shape (..., n, 2)
        Mean, and raw log variance r, which is bounded smoothly: :math:`s = 10 \tanh(r / 10)`.
    target : Tensor of shape (..., n, 1)
        Numbers of spread about 1; NaN is allowed where the weight is 0.
    weight : Tensor of shape (..., n, 1)
        Label weights >= 0; 0 means missing.

    Returns
    -------
    loss_sum, weight_sum : Tensor of shape (...)
        Weighted sum of losses and sum of weights.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    References
    ----------
    Nix & Weigend, "Estimating the Mean and Variance of the Target Probability Distribution", ICNN 1994.

    Examples
    --------
    >>> gaussian(torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0]]), torch.ones(1, 1))  # 4 / 2
    (tensor(2.), tensor(1.))
    """
    return masked_sums(gaussian_per_label, outputs, target, weight, loss="gaussian")


def gaussian_per_label(outputs: Tensor, target: Tensor) -> Tensor:
    """Losses [..., n, 1] of outputs [..., n, 2] and targets [..., n, 1] without NaN; see :func:`gaussian`."""
    check_width(target.shape[-1], 1, what="target", loss="gaussian")
    check_width(outputs.shape[-1], 2, what="outputs", loss="gaussian")
    log_variance = gaussian_log_variance(outputs)
    return 0.5 * (log_variance + (outputs[..., :1] - target).square() * torch.exp(-log_variance))


def gaussian_log_variance(outputs: Tensor) -> Tensor:
    """Log variance [..., n, 1] of outputs [..., n, 2], between -10 and 10."""
    # DIFFERS FROM PAPER: there the variance is the exponential of the output itself, which can overflow
    return _BOUND * torch.tanh(outputs[..., 1:] / _BOUND)


def gaussian_of_members(outputs: Tensor) -> Tensor:
    """Outputs [..., n, 2] of the normal distribution with mean and variance of the mixture of k members [k, ..., n, 2].

    >>> mean, raw = gaussian_of_members(torch.tensor([[[0.0, 0.0]], [[2.0, 0.0]]]))[0]
    >>> mean, gaussian_log_variance(torch.stack([mean, raw])[None]).exp()  # 1 within members, 1 between them
    (tensor(1.), tensor([[2.]]))
    """
    variance = gaussian_log_variance(outputs).exp().mean(0) + outputs[..., :1].var(0, correction=0)
    raw = _BOUND * torch.atanh((variance.log() / _BOUND).clamp(-0.999, 0.999))
    return torch.cat([outputs[..., :1].mean(0), raw], dim=-1)


@dataclass(frozen=True)
class Gaussian(NumberLoss):
    """Normal likelihood with a variance of its own for every row; see :func:`gaussian`. Predictions are means.

    A network gives two outputs, in units in which the training labels have mean 0 and spread 1; a fitted regression task tells
    the standard deviation by ``standard_deviation``. After training all deviations of a task are stretched by one factor, so
    that they are right on the mean over the rows that stopped training. Skill, early stopping, and models other than networks,
    go by the squared error of the mean.
    """

    name: ClassVar[str] = "gaussian"
    metric_name: ClassVar[str] = "mse"
    statistic: ClassVar[str] = "mean"
    is_robust: ClassVar[bool] = False
    depends_on_scale: ClassVar[bool] = False
    n_outputs: ClassVar[int] = 2
    calibration: ClassVar[str] = "scale"

    def per_label(self, preds: Tensor, target: Tensor) -> Tensor:
        """Squared error of a mean without variance."""
        return mse_per_label(preds, target)

    def per_standardized_label(self, preds: Tensor, target: Tensor, *, center: float, scale: float) -> Tensor:
        """See :func:`gaussian_per_label`; of two raw outputs."""
        return gaussian_per_label(preds, target)

    def per_standardized_error(self, preds: Tensor, target: Tensor, *, center: float, scale: float) -> Tensor:
        """Squared error of the first of two raw outputs."""
        return mse_per_label(preds[..., :1], target)

    def best_shift(self, target: Array, outputs: Array, weight: Array) -> float:
        """Weighted mean of the residuals."""
        return float(np.average(target - outputs, weights=weight))

    @property
    def lightgbm(self) -> Mapping[str, Any]:
        """LightGBM's squared error, which gives the mean."""
        return {"objective": "regression"}
