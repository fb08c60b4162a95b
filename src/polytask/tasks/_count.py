"""Count: a whole number from zero up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from torch import Tensor

from polytask.exceptions import OptionError, TargetError
from polytask.losses import Gaussian, Loss, NumberLoss, Poisson
from polytask.metrics import MAE, POISSON_DEVIANCE, R2, RELATIVE_RMSE, RMSE, Metric, row_poisson_deviance
from polytask.tasks._labels import column_of, numbers_of
from polytask.tasks._number import FittedNumber
from polytask.tasks._regression import check_learnable_numbers, natural_mean
from polytask.tasks._task import Task

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class FittedCount(FittedNumber):
    """A fitted :class:`Count`; natural outputs [n] are means, or what its loss says; positive, not rounded."""

    kind: ClassVar[str] = "count"
    estimator_type: ClassVar[str] = "counter"
    default_loss: ClassVar[Loss] = Poisson()
    metrics: ClassVar[tuple[Metric, ...]] = (POISSON_DEVIANCE, RMSE, MAE, R2, RELATIVE_RMSE)
    diagnostics: ClassVar[tuple[str, ...]] = ("scatter", "rootogram", "poisson_residuals")

    def encode(self, y: pd.DataFrame) -> Array:
        return _counts(y, self.name, self.columns[0])[:, None]

    def with_statistics(self, target: Array, weight: Array) -> Self:
        use = ~np.isnan(target[:, 0]) & (weight[:, 0] > 0)
        mean = float(np.average(target[use, 0], weights=weight[use, 0])) if use.any() else 1.0
        least = float(1 / (use.sum() + 1))  # a fold of zeros keeps a positive mean
        loss, unit = self._with_unit(target[use, 0], weight[use, 0])
        if self.loss == self.default_loss or not use.any():
            return self._with(mean=max(mean, least), **unit)
        center = loss.best_constant(target[use, 0], weight[use, 0])
        return self._with(mean=max(mean, least), center=max(center, least), **unit)

    def label_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self.number_loss.per_log_label(outputs, target)

    def constant_raw(self) -> Array:
        return np.array([np.log(self.center)])

    def link(self, outputs: Tensor) -> Tensor:
        return natural_mean(outputs)

    def join(self, columns: Sequence[Array]) -> Array:
        # a regressor may give a mean <= 0, which no count has; a twentieth of the overall mean is the least we believe
        return np.maximum(columns[0], 0.05 * self.statistics["mean"] if self.number_loss.statistic == "mean" else 0.0)

    def row_losses(self, outputs: Array, target: Array) -> Array:
        return row_poisson_deviance(target[:, 0], outputs) if self.separate_loss is None else super().row_losses(outputs, target)


@dataclass(frozen=True)
class Count(Task):
    """Count: a whole number >= 0 per subject, learned by the Poisson deviance with a log link unless ``loss`` says other.

    >>> task = Count("visits").fit(pd.DataFrame({"visits": [0, 3, 1]}))
    >>> task.n_outputs
    1
    """

    kind: ClassVar[str] = "count"
    estimator_type: ClassVar[str] = "counter"
    loss_type: ClassVar[type[Loss]] = NumberLoss

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.loss, Gaussian):
            raise OptionError(
                f"The loss 'gaussian' of task {self.name!r} is of numbers that may be negative: make it a Regression task "
                "(kind regression), or leave the loss out."
            )

    def fit(self, y: pd.DataFrame) -> FittedCount:
        """See :meth:`Task.fit`."""
        numbers = _counts(y, self.name, self.columns[0])
        check_learnable_numbers(numbers, name=self.name)
        return FittedCount(self.name, self.columns, loss=self.loss, own_metrics=self.metrics)


def _counts(y: pd.DataFrame, name: str, column: str) -> Array:
    numbers = numbers_of(column_of(y, column, task=name), task=name)
    bad = numbers[(numbers < 0) | ((numbers % 1) != 0) & ~np.isnan(numbers)]
    if len(bad):
        raise TargetError(
            f"Task {name!r} of kind count needs whole numbers >= 0; got {bad[0]:g}. Use {column}:regression instead."
        )
    return numbers
