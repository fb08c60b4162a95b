"""Regression: a real number."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from polytask import losses
from polytask.exceptions import OptionError, TargetError
from polytask.losses import Loss, NumberLoss, spread
from polytask.metrics import MAE, MSE, R2, RELATIVE_RMSE, RMSE, Metric
from polytask.tasks._labels import column_of, numbers_of, one_value_error
from polytask.tasks._number import FittedNumber
from polytask.tasks._task import Task

Array = np.ndarray[Any, np.dtype[Any]]

_LARGEST, _NARROWEST = 1e30, 1e-30  # beyond these, squared errors or their float32 gradients overflow or vanish
_FEWEST_TO_CALIBRATE = 20  # labels


@dataclass(frozen=True)
class FittedRegression(FittedNumber):
    """A fitted :class:`Regression`; natural outputs [n] are means, or what its loss says, in the unit of the label."""

    kind: ClassVar[str] = "regression"
    estimator_type: ClassVar[str] = "regressor"
    default_loss: ClassVar[Loss] = losses.MSE()
    metrics: ClassVar[tuple[Metric, ...]] = (RMSE, MAE, R2, RELATIVE_RMSE, MSE)
    diagnostics: ClassVar[tuple[str, ...]] = ("scatter", "residuals", "normal_quantiles")

    def encode(self, y: pd.DataFrame) -> Array:
        return numbers_of(column_of(y, self.columns[0], task=self.name), task=self.name)[:, None]

    def with_statistics(self, target: Array, weight: Array) -> Self:
        use = ~np.isnan(target[:, 0]) & (weight[:, 0] > 0)
        numbers, share = target[use, 0], weight[use, 0]
        mean = float(np.average(numbers, weights=share)) if len(numbers) else 0.0
        loss, unit = self._with_unit(numbers, share)
        if not len(numbers) or numbers.min() == numbers.max():  # rounding could leave a constant a spread of 1e-17
            return self._with(mean=mean, scale=1.0, **unit)
        if self.loss == self.default_loss:
            return self._with(mean=mean, scale=_root_mean_square(numbers - mean, share))
        center = loss.best_constant(numbers, share)
        scale = spread(numbers, share) if loss.is_robust else _root_mean_square(numbers - center, share)
        return self._with(mean=mean, center=center, scale=scale, **unit)

    def training_target(self, target: Array) -> Array:
        return np.asarray((target - self.center) / self.statistics["scale"])

    def label_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self.number_loss.per_standardized_label(outputs, target, center=self.center, scale=self.statistics["scale"])

    def label_errors(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self.number_loss.per_standardized_error(outputs, target, center=self.center, scale=self.statistics["scale"])

    def constant_raw(self) -> Array:
        return np.zeros(self.n_outputs)

    def link(self, outputs: Tensor) -> Tensor:
        return outputs[..., 0].double() * self.statistics["scale"] + self.center

    def standard_deviation(self, outputs: Tensor) -> Tensor:
        """Standard deviation of the label, in its unit, of raw outputs [..., n, 2] under the loss "gaussian"; [..., n], float64.

        Raises
        ------
        OptionError
            If the loss is another one, which knows of no deviation.
        """
        if not isinstance(self.loss, losses.Gaussian):
            raise OptionError(
                f"Task {self.name!r} has no standard deviations: its loss is {self.loss.title!r}. Declare it with "
                "loss='gaussian'."
            )
        spread = torch.exp(losses.gaussian_log_variance(outputs.double())[..., 0] / 2) * self.statistics["scale"]
        return spread * self.statistics.get("calibration", 1.0)

    def of_members(self, outputs: Tensor) -> Tensor:
        return losses.gaussian_of_members(outputs) if isinstance(self.loss, losses.Gaussian) else super().of_members(outputs)

    def can_calibrate(self, target: Array, weight: Array) -> bool:
        return int((weight > 0).sum()) >= _FEWEST_TO_CALIBRATE

    def calibrated(self, outputs: Array, target: Array, weight: Array) -> Self:
        """Stretch the deviations of the loss "gaussian" to a mean squared standardized residual of 1 on these rows.

        The most likely factor; see :meth:`FittedTask.calibrated`.
        """
        seen = weight[:, 0] > 0
        if not (self.needs_calibration and seen.any()):
            return self
        log_variance = losses.gaussian_log_variance(torch.as_tensor(outputs[seen]))[:, 0].numpy()
        standardized = (target[seen, 0] - outputs[seen, 0]) * np.exp(-log_variance / 2)
        factor = _root_mean_square(standardized, weight[seen, 0]) if standardized.any() else 1.0
        return replace(self, statistics={**self.statistics, "calibration": factor})


@dataclass(frozen=True)
class Regression(Task):
    """Regression: one real number per subject, learned by squared error on the standardized label unless ``loss`` says other.

    The loss says what predictions are: means for "mse", medians for "mae", quantiles for "quantile:0.9", in between mean and
    median for "huber" and "log_cosh", means with a standard deviation each for "gaussian". Skill is made of the same loss, of
    squared error for "gaussian", against its best constant.

    >>> task = Regression("price").fit(pd.DataFrame({"price": [1.0, 2.0, None]}))
    >>> task.encode(pd.DataFrame({"price": [3.0]}))
    array([[3.]])
    """

    kind: ClassVar[str] = "regression"
    estimator_type: ClassVar[str] = "regressor"
    loss_type: ClassVar[type[Loss]] = NumberLoss

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.loss, losses.Poisson):
            raise OptionError(
                f"The loss 'poisson' of task {self.name!r} needs labels >= 0 and a log link: make it a Count task (kind count)."
            )

    def fit(self, y: pd.DataFrame) -> FittedRegression:
        """See :meth:`Task.fit`."""
        numbers = numbers_of(column_of(y, self.columns[0], task=self.name), task=self.name)
        check_learnable_numbers(numbers, name=self.name)
        return FittedRegression(self.name, self.columns, loss=self.loss, own_metrics=self.metrics)


def check_learnable_numbers(numbers: Array, *, name: str) -> None:
    """Raise if a numeric label has fewer than two distinct values, or values too large or too close for squared errors."""
    seen = numbers[~np.isnan(numbers)]
    if not len(seen):
        raise one_value_error(name, "all its labels are missing")
    if (seen == seen[0]).all():
        raise one_value_error(name, f"all its {len(seen)} labels are {seen[0]:g}")
    if np.abs(seen).max() > _LARGEST:
        raise TargetError(
            f"Task {name!r} has the label {seen[np.abs(seen).argmax()]:g}; numbers to learn must be between -{_LARGEST:g} and "
            f"{_LARGEST:g}. If it marks a missing label, leave it empty; else give the target in another unit or as a logarithm."
        )
    if np.ptp(seen) < _NARROWEST:
        raise TargetError(
            f"Task {name!r} has labels that differ by {np.ptp(seen):g} at most; numbers to learn must spread over {_NARROWEST:g} "
            f"or more. Give the target in another unit or as a logarithm."
        )


def _root_mean_square(numbers: Array, weight: Array) -> float:
    """Root of the weighted mean square, of which no square can vanish or overflow."""
    unit = float(np.ldexp(1.0, np.frexp(np.abs(numbers).max())[1]))  # a power of two, which rounds nothing
    return unit * float(np.sqrt(np.average((numbers / unit) ** 2, weights=weight)))


def natural_mean(outputs: Tensor) -> Tensor:
    """Mean of a log-linear output, [..., n, 1] to [..., n]; bounded so that it stays finite."""
    return torch.exp(outputs[..., 0].double().clamp(max=30.0))
