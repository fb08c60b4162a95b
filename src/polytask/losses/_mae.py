"""Absolute error."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from polytask._quantiles import weighted_quantile
from polytask.losses._number_loss import Array, NumberLoss
from polytask.losses._sums import check_width, masked_sums


def mae(outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    r"""Absolute error, for regression: :math:`|f - y|`. The best prediction is the median of the label given the inputs.

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
        Weighted sum of absolute errors and sum of weights.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    Examples
    --------
    >>> import torch
    >>> mae(torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [5.0]]), torch.ones(2, 1))
    (tensor(4.), tensor(2.))
    """
    return masked_sums(mae_per_label, outputs, target, weight, loss="mae")


def mae_per_label(outputs: Tensor, target: Tensor) -> Tensor:
    """Losses of outputs and targets without NaN, all three [..., n, n_targets]; see :func:`mae`."""
    check_width(outputs.shape[-1], target.shape[-1], what="outputs", loss="mae")
    return (outputs - target).abs()


@dataclass(frozen=True)
class MAE(NumberLoss):
    """Absolute error; see :func:`mae`. Predictions are medians.

    >>> MAE().statistic
    'median'
    """

    depends_on_scale: ClassVar[bool] = False
    name: ClassVar[str] = "mae"
    statistic: ClassVar[str] = "median"

    def per_label(self, preds: Tensor, target: Tensor) -> Tensor:
        """See :func:`mae_per_label`."""
        return mae_per_label(preds, target)

    def best_shift(self, target: Array, outputs: Array, weight: Array) -> float:
        """Weighted median of the residuals."""
        return weighted_quantile(target - outputs, weight, 0.5)

    @property
    def lightgbm(self) -> Mapping[str, Any]:
        """LightGBM's own absolute error."""
        return {"objective": "regression_l1"}
