"""What tasks of one number per subject share: regression and counts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from polytask.losses import NumberLoss
from polytask.metrics import Metric, metric_of, metrics_by_name, observed_values
from polytask.tasks._labels import quantile_indicators
from polytask.tasks._task import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class FittedNumber(FittedTask):
    """A fitted task of numbers; natural outputs [n] are what the loss makes the best prediction: means, medians, quantiles."""

    @property
    def number_loss(self) -> NumberLoss:
        """The loss, of predictions in the unit of the label."""
        return self.loss

    @property
    def skill_metric(self) -> str:  # type: ignore[override]
        return self.number_loss.metric_name

    @property
    def center(self) -> float:
        """The constant of the training rows: the number with the least loss."""
        return float(self.statistics.get("center", self.statistics["mean"]))

    @property
    def n_outputs(self) -> int:
        return 1

    def strata(self, target: Array, *, n_bins: int = 5) -> Array:
        return quantile_indicators(target[:, 0], n_bins)

    def constant_outputs(self, n: int) -> Array:
        return np.full(n, self.center)

    def row_losses(self, outputs: Array, target: Array) -> Array:
        return self.number_loss.row_losses(target[:, 0], outputs)

    @property
    def separate_loss(self) -> NumberLoss | None:
        return None if self.loss == self.default_loss else self.number_loss

    def decode(self, outputs: Array) -> dict[str, Array]:
        return {self.columns[0]: np.asarray(outputs, dtype=np.float64)}

    def _loss_metrics(self) -> tuple[Metric, ...]:
        return tuple(
            metric_of(name, known=metrics_by_name)
            if name.partition(":")[0] in metrics_by_name
            else Metric(name, _MeanLoss(self.number_loss), higher_is_better=False, has_unit=True)
            for name in (() if self.loss == self.default_loss else self.number_loss.metric_names)
        )


@dataclass(frozen=True)
class _MeanLoss:
    """The mean of a loss, as the function of a metric."""

    loss: NumberLoss

    def __call__(self, target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
        target, outputs, weight = observed_values(target, outputs, sample_weight)
        return float(np.average(self.loss.row_losses(target, outputs), weights=weight))
