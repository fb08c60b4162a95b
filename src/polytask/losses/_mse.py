"""Squared error."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from polytask.losses._number_loss import Array, NumberLoss
from polytask.losses._sums import check_width, masked_sums


def mse(outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    r"""Squared error, for regression: :math:`(f - y)^2`.

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_targets)
        Predicted values, in the unit of the target.
    target : Tensor of shape (..., n, n_targets)
        Numbers; NaN is allowed where the weight is 0.
    weight : Tensor of shape (..., n, n_targets)
        Label weights >= 0; 0 means missing.

    Returns
    -------
    loss_sum, weight_sum : Tensor of shape (...)
        Weighted sum of squared errors and sum of weights.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    Examples
    --------
    >>> import torch
    >>> mse(torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [5.0]]), torch.ones(2, 1))
    (tensor(10.), tensor(2.))
    """
    return masked_sums(mse_per_label, outputs, target, weight, loss="mse")


def mse_per_label(outputs: Tensor, target: Tensor) -> Tensor:
    """Losses of outputs and targets without NaN, all three [..., n, n_targets]; see :func:`mse`."""
    check_width(outputs.shape[-1], target.shape[-1], what="outputs", loss="mse")
    return (outputs - target).square()


@dataclass(frozen=True)
class MSE(NumberLoss):
    """Squared error; see :func:`mse`. Predictions are means.

    >>> MSE().statistic
    'mean'
    """

    depends_on_scale: ClassVar[bool] = False
    name: ClassVar[str] = "mse"
    statistic: ClassVar[str] = "mean"
    is_robust: ClassVar[bool] = False

    def per_label(self, preds: Tensor, target: Tensor) -> Tensor:
        """See :func:`mse_per_label`."""
        return mse_per_label(preds, target)

    def best_shift(self, target: Array, outputs: Array, weight: Array) -> float:
        """Weighted mean of the residuals."""
        return float(np.average(target - outputs, weights=weight))

    @property
    def lightgbm(self) -> Mapping[str, Any]:
        """LightGBM's own squared error."""
        return {"objective": "regression"}
