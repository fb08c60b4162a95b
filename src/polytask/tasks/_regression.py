"""Regression: a real number."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from polytask.exceptions import TargetError
from polytask.losses import mse_per_label
from polytask.metrics import MAE, MSE, R2, RELATIVE_RMSE, RMSE, Metric, row_squared_error
from polytask.tasks._labels import column_of, numbers_of, one_value_error, quantile_indicators
from polytask.tasks._task import FittedTask, Task

Array = np.ndarray[Any, np.dtype[Any]]

_LARGEST, _NARROWEST = 1e30, 1e-30  # beyond these, squared errors or their float32 gradients overflow or vanish


@dataclass(frozen=True)
class FittedRegression(FittedTask):
    """A fitted :class:`Regression`; natural outputs are means [n], in the unit of the label."""

    kind: ClassVar[str] = "regression"
    estimator_type: ClassVar[str] = "regressor"
    skill_metric: ClassVar[str] = "mse"
    metrics: ClassVar[tuple[Metric, ...]] = (RMSE, MAE, R2, RELATIVE_RMSE, MSE)
    diagnostics: ClassVar[tuple[str, ...]] = ("scatter", "residuals", "normal_quantiles")

    @property
    def n_outputs(self) -> int:
        return 1

    def encode(self, y: pd.DataFrame) -> Array:
        return numbers_of(column_of(y, self.columns[0], task=self.name), task=self.name)[:, None]

    def with_statistics(self, target: Array, weight: Array) -> Self:
        use = ~np.isnan(target[:, 0]) & (weight[:, 0] > 0)
        numbers, share = target[use, 0], weight[use, 0]
        mean = float(np.average(numbers, weights=share)) if len(numbers) else 0.0
        if not len(numbers) or numbers.min() == numbers.max():  # rounding could leave a constant a spread of 1e-17
            return self._with(mean=mean, scale=1.0)
        return self._with(mean=mean, scale=_root_mean_square(numbers - mean, share))

    def training_target(self, target: Array) -> Array:
        return np.asarray((target - self.statistics["mean"]) / self.statistics["scale"])

    def strata(self, target: Array, *, n_bins: int = 5) -> Array:
        return quantile_indicators(target[:, 0], n_bins)

    def label_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return mse_per_label(outputs, target)

    def constant_raw(self) -> Array:
        return np.zeros(1)

    def link(self, outputs: Tensor) -> Tensor:
        return outputs[..., 0].double() * self.statistics["scale"] + self.statistics["mean"]

    def constant_outputs(self, n: int) -> Array:
        return np.full(n, self.statistics["mean"])

    def row_losses(self, outputs: Array, target: Array) -> Array:
        return row_squared_error(target[:, 0], outputs)

    def decode(self, outputs: Array) -> dict[str, Array]:
        return {self.columns[0]: np.asarray(outputs, dtype=np.float64)}


@dataclass(frozen=True)
class Regression(Task):
    """Regression: one real number per subject, learned by squared error on the standardized label.

    >>> task = Regression("price").fit(pd.DataFrame({"price": [1.0, 2.0, None]}))
    >>> task.encode(pd.DataFrame({"price": [3.0]}))
    array([[3.]])
    """

    kind: ClassVar[str] = "regression"
    estimator_type: ClassVar[str] = "regressor"

    def fit(self, y: pd.DataFrame) -> FittedRegression:
        """See :meth:`Task.fit`."""
        numbers = numbers_of(column_of(y, self.columns[0], task=self.name), task=self.name)
        check_learnable_numbers(numbers, name=self.name)
        return FittedRegression(self.name, self.columns)


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
