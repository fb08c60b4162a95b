"""Multilabel: any number of tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from polytask.exceptions import TargetError
from polytask.losses import binary_cross_entropy_per_label
from polytask.metrics import (
    HAMMING_LOSS,
    MULTILABEL_LOG_LOSS,
    RANKING_LOSS,
    ROC_AUC_PER_LABEL,
    Metric,
    row_multilabel_log_loss,
)
from polytask.tasks._labels import column_of, numbers_of, one_value_error, smoothed_prior
from polytask.tasks._task import FittedTask, Task

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class FittedMultilabel(FittedTask):
    """A fitted :class:`Multilabel`; natural outputs are the probability of every tag, [n, n_labels]."""

    kind: ClassVar[str] = "multilabel"
    estimator_type: ClassVar[str] = "classifier"
    skill_metric: ClassVar[str] = "multilabel_log_loss"
    metrics: ClassVar[tuple[Metric, ...]] = (ROC_AUC_PER_LABEL, RANKING_LOSS, HAMMING_LOSS, MULTILABEL_LOG_LOSS)
    diagnostics: ClassVar[tuple[str, ...]] = ("tags", "tag_calibration")

    @property
    def n_targets(self) -> int:  # type: ignore[override]
        return len(self.columns)

    @property
    def n_outputs(self) -> int:
        return len(self.columns)

    @property
    def labels(self) -> tuple[Any, ...]:
        return self.columns

    def encode(self, y: pd.DataFrame) -> Array:
        return _tags(y, self.name, self.columns)

    def with_statistics(self, target: Array, weight: Array) -> Self:
        priors = [smoothed_prior(target[:, k], weight[:, k], 2)[1] for k in range(self.n_targets)]
        return self._with(prior=[float(p) for p in priors])

    def strata(self, target: Array, *, n_bins: int = 5) -> Array:
        missing = np.isnan(target).any(axis=1, keepdims=True)
        return np.concatenate([target == 1, missing] if missing.any() else [target == 1], axis=1)

    def label_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return binary_cross_entropy_per_label(outputs, target)

    def constant_raw(self) -> Array:
        prior = np.asarray(self.statistics["prior"])
        return np.asarray(np.log(prior / (1 - prior)))

    def link(self, outputs: Tensor) -> Tensor:
        return torch.sigmoid(outputs.double())

    def constant_outputs(self, n: int) -> Array:
        return np.tile(np.asarray(self.statistics["prior"]), (n, 1))

    @property
    def n_codes(self) -> int:
        return 2

    def join(self, columns: Sequence[Array]) -> Array:
        return np.stack([probabilities[:, 1] for probabilities in columns], axis=1)

    def row_losses(self, outputs: Array, target: Array) -> Array:
        return row_multilabel_log_loss(target, outputs)

    def _scored(self, target: Array) -> Array:
        return target  # one tag too stays a column

    def decode(self, outputs: Array) -> dict[str, Array]:
        return {column: (outputs[:, k] > 0.5).astype(np.int64) for k, column in enumerate(self.columns)}

    def decode_table(self, outputs: Array) -> dict[str, Array]:
        columns = self.decode(outputs)
        return {name: value for k, c in enumerate(self.columns) for name, value in ((c, columns[c]), (f"{c}:p", outputs[:, k]))}


@dataclass(frozen=True)
class Multilabel(Task):
    """Multilabel: several 0/1 columns learned as one task; a single missing tag costs only that tag.

    >>> y = pd.DataFrame({"y_a": [0, 1, None], "y_b": [1, 0, 1]})
    >>> Multilabel("tags", ("y_a", "y_b")).fit(y).n_outputs
    2
    """

    kind: ClassVar[str] = "multilabel"
    estimator_type: ClassVar[str] = "classifier"

    def fit(self, y: pd.DataFrame) -> FittedMultilabel:
        """See :meth:`Task.fit`."""
        tags = _tags(y, self.name, self.columns)
        seen = tags[~np.isnan(tags)]
        if not len(seen):
            raise one_value_error(self.name, "all its labels are missing")
        if (seen == seen[0]).all():
            raise one_value_error(self.name, f"all its labels are {seen[0]:g}")
        return FittedMultilabel(self.name, self.columns)


def _tags(y: pd.DataFrame, name: str, columns: tuple[str, ...]) -> Array:
    tags = np.stack([numbers_of(column_of(y, c, task=name), task=name) for c in columns], axis=1)
    bad = tags[~np.isnan(tags) & (tags != 0) & (tags != 1)]
    if len(bad):
        raise TargetError(f"Task {name!r} of kind multilabel needs columns of 0 and 1; got {bad[0]:g}.")
    return tags
