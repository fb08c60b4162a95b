"""What tasks of one number per subject share: regression and counts."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from polytask.losses import NumberLoss, spread
from polytask.metrics import Metric, metric_of, metrics_by_name, observed_values
from polytask.tasks._labels import quantile_indicators
from polytask.tasks._task import FittedTask, without_statistics

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class FittedNumber(FittedTask):
    """A fitted task of numbers; natural outputs [n] are what the loss makes the best prediction: means, medians, quantiles."""

    @property
    def number_loss(self) -> NumberLoss:
        """The loss, of predictions in the unit of the label."""
        if not self.loss.needs_unit:
            return self.loss
        if "loss_unit" not in self.statistics:
            raise without_statistics(self.name, f"the unit of its loss {self.loss.name!r}")
        return self.loss.in_unit(self.statistics["loss_unit"])

    @property
    def has_fixed_losses(self) -> bool:
        return self.loss == self.default_loss or not (self.loss.needs_unit or self.loss.depends_on_scale)

    def settled(self) -> Self:
        return replace(self, loss=self.number_loss)

    @property
    def skill_metric(self) -> str:  # type: ignore[override]
        return str(self.loss.metric_name)

    @property
    def center(self) -> float:
        """The constant of the training rows: the number with the least loss."""
        return float(self.statistics.get("center", self.statistics["mean"]))

    @property
    def n_outputs(self) -> int:
        return int(self.loss.n_outputs)

    def strata(self, target: Array, *, n_bins: int = 5) -> Array:
        return quantile_indicators(target[:, 0], n_bins)

    def constant_outputs(self, n: int) -> Array:
        return np.full(n, self.center)

    def row_losses(self, outputs: Array, target: Array) -> Array:
        return self.number_loss.row_losses(target[:, 0], outputs)

    @property
    def separate_loss(self) -> NumberLoss | None:
        return None if self.loss == self.default_loss else self.number_loss

    def _with_unit(self, numbers: Array, weight: Array) -> tuple[NumberLoss, dict[str, float]]:
        """The loss with the unit of these labels, and what statistics keep of it."""
        if not self.loss.needs_unit:
            return self.number_loss, {}
        unit = spread(numbers, weight)
        return self.loss.in_unit(unit), {"loss_unit": unit}

    def decode(self, outputs: Array) -> dict[str, Array]:
        return {self.columns[0]: np.asarray(outputs, dtype=np.float64)}

    def _loss_metrics(self) -> tuple[Metric, ...]:
        return tuple(
            metric_of(name, known=metrics_by_name)
            if name.partition(":")[0] in metrics_by_name
            else Metric(name, _MeanLoss(self), higher_is_better=False, has_unit=True)
            for name in (() if self.loss == self.default_loss else self.loss.metric_names)
        )


@dataclass(frozen=True, eq=False)
class _MeanLoss:
    """The mean of the loss of a task, as the function of a metric."""

    task: FittedNumber

    def __call__(self, target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
        target, outputs, weight = observed_values(target, outputs, sample_weight)
        return float(np.average(self.task.number_loss.row_losses(target, outputs), weights=weight))
