"""Log-cosh loss."""

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import softplus

from polytask.losses._sums import check_width, masked_sums
from polytask.losses._unit_loss import UnitLoss


def log_cosh(outputs: Tensor, target: Tensor, weight: Tensor, *, delta: float = 1.0) -> tuple[Tensor, Tensor]:
    r"""Log-cosh loss, for regression with outliers: half the square of small residuals, nearly a straight line far away.

    .. math:: \delta^2 \log \cosh(r / \delta), \quad r = f - y

    Like Huber's loss, but with a slope, :math:`\delta \tanh(r / \delta)`, and a curvature that are smooth everywhere.

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_targets)
        Predicted values, in the unit of the target.
    target : Tensor of shape (..., n, n_targets)
        Numbers; NaN is allowed where the weight is 0.
    weight : Tensor of shape (..., n, n_targets)
        Label weights >= 0; 0 means missing.
    delta : float > 0, default=1.0
        Where the square turns into the line, in the unit of the target.

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
    Green, "Bayesian Reconstructions From Emission Tomography Data Using a Modified EM Algorithm", IEEE Transactions on Medical
    Imaging, 1990.

    Examples
    --------
    >>> log_cosh(torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [0.0]]), torch.ones(2, 1))  # log cosh 2 = 1.3250
    (tensor(1.3250), tensor(2.))
    """
    return masked_sums(partial(log_cosh_per_label, delta=delta), outputs, target, weight, loss="log_cosh")


def log_cosh_per_label(outputs: Tensor, target: Tensor, *, delta: float = 1.0) -> Tensor:
    """Losses of outputs and targets without NaN, all three [..., n, n_targets]; see :func:`log_cosh`."""
    check_width(outputs.shape[-1], target.shape[-1], what="outputs", loss="log_cosh")
    x = (outputs - target) / delta
    near = torch.log1p(2 * torch.sinh(x.clamp(-1, 1) / 2).square())  # cosh x = 1 + 2 sinh^2(x / 2) loses no digits near 0
    far = x.abs() + softplus(-2 * x.abs()) - math.log(2)
    return delta**2 * torch.where(x.abs() < 1, near, far)


@dataclass(frozen=True)
class LogCosh(UnitLoss):
    """Log-cosh loss; see :func:`log_cosh`. Predictions lie between median and mean, as with Huber's loss.

    Parameters
    ----------
    delta : float > 0, default=1.0
        Where the square turns into the line, in units of ``unit``.
    unit : float > 0, optional
        What 1 of ``delta`` is in the unit of the label; by default the robust spread of the training labels, as of
        :class:`Huber`.

    Examples
    --------
    >>> import numpy as np
    >>> LogCosh(delta=2.0).fitted(np.array([1.0, 2.0, 3.0, 4.0, 100.0])).threshold  # 2 x 1.4826 x 1
    2.9652
    """

    name: ClassVar[str] = "log_cosh"
    metric_name: ClassVar[str] = "log_cosh_loss"
    statistic: ClassVar[str] = "log-cosh mean"

    def beyond(self, preds: Tensor, target: Tensor, *, delta: float) -> Tensor:
        """See :func:`log_cosh_per_label`."""
        return log_cosh_per_label(preds, target, delta=delta)
