"""Huber's loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from polytask.losses._sums import check_width, masked_sums
from polytask.losses._unit_loss import UnitLoss


def huber(outputs: Tensor, target: Tensor, weight: Tensor, *, delta: float = 1.0) -> tuple[Tensor, Tensor]:
    r"""Huber's loss, for regression with outliers: half the square of small residuals, a straight line beyond.

    .. math::

        \tfrac12 r^2 \text{ for } |r| \le \delta, \quad \delta (|r| - \tfrac12 \delta) \text{ else}, \quad r = f - y

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_targets)
        Predicted values, in the unit of the target.
    target : Tensor of shape (..., n, n_targets)
        Numbers; NaN is allowed where the weight is 0.
    weight : Tensor of shape (..., n, n_targets)
        Label weights >= 0; 0 means missing.
    delta : float > 0, default=1.0
        Where the line begins, in the unit of the target.

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
    Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics, 1964.

    Examples
    --------
    >>> import torch
    >>> huber(torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [5.0]]), torch.ones(2, 1))  # 0.5 + 2.5
    (tensor(3.), tensor(2.))
    """
    return masked_sums(partial(huber_per_label, delta=delta), outputs, target, weight, loss="huber")


def huber_per_label(outputs: Tensor, target: Tensor, *, delta: float = 1.0) -> Tensor:
    """Losses of outputs and targets without NaN, all three [..., n, n_targets]; see :func:`huber`."""
    check_width(outputs.shape[-1], target.shape[-1], what="outputs", loss="huber")
    return torch.nn.functional.huber_loss(outputs, target.expand(outputs.shape), reduction="none", delta=delta)


@dataclass(frozen=True)
class Huber(UnitLoss):
    """Huber's loss; see :func:`huber`. Predictions lie between median and mean: near the mean, without the pull of outliers.

    Parameters
    ----------
    delta : float > 0, default=1.35
        Where the line begins, in units of ``unit``. 1.35 keeps 95 % of the efficiency of the mean for normal residuals.
    unit : float > 0, optional
        What 1 of ``delta`` is in the unit of the label. By default a task takes the robust spread of its training labels,
        1.4826 times the weighted median absolute deviation from the median; ``unit=1`` gives ``delta`` in the unit of the label.

    Examples
    --------
    >>> import numpy as np
    >>> Huber(delta=2.0).fitted(np.array([1.0, 2.0, 3.0, 4.0, 100.0])).threshold  # 2 x 1.4826 x 1
    2.9652
    """

    delta: float = 1.35
    name: ClassVar[str] = "huber"
    metric_name: ClassVar[str] = "huber_loss"
    statistic: ClassVar[str] = "Huber mean"

    def beyond(self, preds: Tensor, target: Tensor, *, delta: float) -> Tensor:
        """See :func:`huber_per_label`."""
        return huber_per_label(preds, target, delta=delta)

    @property
    def lightgbm(self) -> Mapping[str, Any]:
        """LightGBM's own Huber loss."""
        return {"objective": "huber", "alpha": self.threshold}
