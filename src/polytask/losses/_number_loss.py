"""Losses of predicted numbers as objects: what a task declares, and what its predictions then mean."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from polytask._quantiles import weighted_quantile
from polytask.losses._loss import Loss

Array = np.ndarray[Any, np.dtype[Any]]

_GRID = np.linspace(0, 1, 65)
_NORMAL_MAD = 1.4826  # standard deviations of a normal distribution in one median absolute deviation


class NumberLoss(Loss):
    """Loss of one predicted number per label, in the unit of the label; >= 0, and 0 for a perfect prediction.

    Attributes
    ----------
    statistic : str
        What the best prediction is of the label's distribution given the inputs: "mean", "median", "0.9 quantile".
    metric_name : str
        Name of the mean loss as a metric; it is the error of which skill is made.
    is_robust : bool
        Whether labels are centered and scaled without the pull of outliers before a network learns them.
    depends_on_scale : bool
        Whether labels in another unit change more than a constant factor of the loss.
    n_outputs : int
        Raw outputs that a network needs; the first is the prediction.
    calibration : {"", "scale"}
        What is found after training: nothing, or a factor of the standard deviations.
    lightgbm : mapping or None
        The same loss in LightGBM's parameters; None if it has none.
    """

    statistic: ClassVar[str]
    is_robust: ClassVar[bool] = True
    depends_on_scale: ClassVar[bool] = True
    n_outputs: ClassVar[int] = 1
    calibration: ClassVar[str] = ""

    @property
    def metric_name(self) -> str:
        return self.name

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Metrics that belong to this loss, with their options."""
        return (self.metric_name,)

    @property
    def lightgbm(self) -> Mapping[str, Any] | None:
        return None

    @abstractmethod
    def per_label(self, preds: Tensor, target: Tensor) -> Tensor:
        """Losses of predictions and labels without NaN, in the unit of the label; all three [..., n, n_targets]."""

    def per_standardized_label(self, preds: Tensor, target: Tensor, *, center: float, scale: float) -> Tensor:
        """Losses, up to a constant factor, of predictions and labels that were centered and divided by ``scale``."""
        return self.per_label(preds, target)

    def per_standardized_error(self, preds: Tensor, target: Tensor, *, center: float, scale: float) -> Tensor:
        """Errors of which skill is made, up to a constant factor; the losses, unless a network has more outputs than one."""
        return self.per_standardized_label(preds, target, center=center, scale=scale)

    def per_log_label(self, log_preds: Tensor, target: Tensor) -> Tensor:
        """Losses of the logarithms of predictions, for labels >= 0 in their own unit."""
        return self.per_label(torch.exp(log_preds.clamp(max=30.0)), target)

    @property
    def needs_unit(self) -> bool:
        """Whether the loss is defined only by a unit that is taken from training labels (that of Huber's delta)."""
        return False

    def in_unit(self, unit: float) -> Self:
        """The same loss with this unit, if it needs one."""
        return self

    def fitted(self, numbers: Array, weight: Array | None = None) -> Self:
        """Take the unit from observed training labels [n] and their weights, if the loss needs one."""
        if not self.needs_unit:
            return self
        return self.in_unit(spread(numbers, np.ones(len(numbers)) if weight is None else weight))

    def row_losses(self, target: Array, outputs: Array) -> Array:
        """Loss of every row, float64 [n]; NaN where the label is missing."""
        target, outputs = np.asarray(target, dtype=np.float64), np.asarray(outputs, dtype=np.float64)
        seen = ~np.isnan(target)
        losses = np.full(len(target), np.nan)
        with torch.no_grad():
            found = self.per_label(torch.as_tensor(outputs[seen])[:, None], torch.as_tensor(target[seen])[:, None])
        losses[seen] = found[:, 0].numpy()
        return losses

    def best_shift(self, target: Array, outputs: Array, weight: Array) -> float:
        """Find the number that added to all outputs [n] gives the least weighted mean loss.

        By search between the quantiles of the residuals; losses with a closed form override it.
        """
        residual = target - outputs

        def mean_loss(shift: float) -> float:
            return float(np.average(self.row_losses(target, outputs + shift), weights=weight))

        grid = np.unique(np.quantile(residual, _GRID))
        best = int(np.argmin([mean_loss(shift) for shift in grid]))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
        if not low < high:
            return float(grid[best])
        tolerance = 1e-9 * (high - low)
        found = float(minimize_scalar(mean_loss, bounds=(low, high), method="bounded", options={"xatol": tolerance}).x)
        return found if mean_loss(found) <= mean_loss(float(grid[best])) else float(grid[best])

    def best_constant(self, numbers: Array, weight: Array) -> float:
        """Find the number with the least weighted mean loss for some labels [n] of positive weight."""
        return self.best_shift(numbers, np.zeros(len(numbers)), weight)


def spread(numbers: Array, weight: Array) -> float:
    """Robust standard deviation: 1.4826 times the median absolute deviation, or the mean absolute one where that is 0.

    >>> spread(np.array([1.0, 2.0, 3.0, 4.0, 100.0]), np.ones(5))
    1.4826
    """
    deviation = np.abs(numbers - weighted_quantile(numbers, weight, 0.5)) if len(numbers) else np.zeros(1)
    middle = _NORMAL_MAD * weighted_quantile(deviation, weight, 0.5) if len(numbers) else 0.0
    if middle > 0:
        return middle
    unit = float(deviation.max())
    return unit * float(np.average(deviation / unit, weights=weight)) if unit > 0 else 1.0
