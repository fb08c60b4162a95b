"""Count: a whole number from zero up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from torch import Tensor

from polytask.exceptions import TargetError
from polytask.losses import poisson_per_label
from polytask.metrics import MAE, POISSON_DEVIANCE, R2, RELATIVE_RMSE, RMSE, Metric, row_poisson_deviance
from polytask.tasks._labels import column_of, numbers_of, quantile_indicators
from polytask.tasks._regression import check_learnable_numbers, natural_mean
from polytask.tasks._task import FittedTask, Task

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class FittedCount(FittedTask):
    """A fitted :class:`Count`; natural outputs are means [n], not rounded."""

    kind: ClassVar[str] = "count"
    estimator_type: ClassVar[str] = "counter"
    skill_metric: ClassVar[str] = "poisson_deviance"
    metrics: ClassVar[tuple[Metric, ...]] = (POISSON_DEVIANCE, RMSE, MAE, R2, RELATIVE_RMSE)
    diagnostics: ClassVar[tuple[str, ...]] = ("scatter", "rootogram", "poisson_residuals")

    @property
    def n_outputs(self) -> int:
        return 1

    def encode(self, y: pd.DataFrame) -> Array:
        return _counts(y, self.name, self.columns[0])[:, None]

    def with_statistics(self, target: Array, weight: Array) -> Self:
        use = ~np.isnan(target[:, 0]) & (weight[:, 0] > 0)
        mean = float(np.average(target[use, 0], weights=weight[use, 0])) if use.any() else 1.0
        return self._with(mean=max(mean, 1 / (use.sum() + 1)))  # a fold of zeros keeps a positive mean

    def strata(self, target: Array, *, n_bins: int = 5) -> Array:
        return quantile_indicators(target[:, 0], n_bins)

    def label_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return poisson_per_label(outputs, target)

    def constant_raw(self) -> Array:
        return np.array([np.log(self.statistics["mean"])])

    def link(self, outputs: Tensor) -> Tensor:
        return natural_mean(outputs)

    def constant_outputs(self, n: int) -> Array:
        return np.full(n, self.statistics["mean"])

    def join(self, columns: Sequence[Array]) -> Array:
        # a regressor may give a mean <= 0, which no count has; a twentieth of the overall mean is the least we believe
        return np.maximum(columns[0], 0.05 * self.statistics["mean"])

    def row_losses(self, outputs: Array, target: Array) -> Array:
        return row_poisson_deviance(target[:, 0], outputs)

    def decode(self, outputs: Array) -> dict[str, Array]:
        return {self.columns[0]: np.asarray(outputs, dtype=np.float64)}


@dataclass(frozen=True)
class Count(Task):
    """Count: a whole number >= 0 per subject, learned by the Poisson deviance with a log link.

    >>> task = Count("visits").fit(pd.DataFrame({"visits": [0, 3, 1]}))
    >>> task.n_outputs
    1
    """

    kind: ClassVar[str] = "count"
    estimator_type: ClassVar[str] = "counter"

    def fit(self, y: pd.DataFrame) -> FittedCount:
        """See :meth:`Task.fit`."""
        check_learnable_numbers(_counts(y, self.name, self.columns[0]), name=self.name)
        return FittedCount(self.name, self.columns)


def _counts(y: pd.DataFrame, name: str, column: str) -> Array:
    numbers = numbers_of(column_of(y, column, task=name), task=name)
    bad = numbers[(numbers < 0) | ((numbers % 1) != 0) & ~np.isnan(numbers)]
    if len(bad):
        raise TargetError(
            f"Task {name!r} of kind count needs whole numbers >= 0; got {bad[0]:g}. Use {column}:regression instead."
        )
    return numbers
