"""Binary and multiclass: one of several classes without order."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from polytask.exceptions import TargetError
from polytask.losses import binary_cross_entropy_per_label, cross_entropy_per_label
from polytask.metrics import (
    ACCURACY,
    AVERAGE_PRECISION,
    BALANCED_ACCURACY,
    BRIER,
    F1,
    F1_MACRO,
    F1_MICRO,
    LOG_LOSS,
    ROC_AUC,
    Metric,
    row_log_loss,
)
from polytask.tasks._labels import (
    canonical_label,
    check_finite_labels,
    column_of,
    distinct_labels,
    encode_labels,
    indicators,
    label_array,
    one_value_error,
    smoothed_prior,
)
from polytask.tasks._task import FittedTask, Task

Array = np.ndarray[Any, np.dtype[Any]]

MAX_FRACTIONS = 10  # more distinct numbers with fractions, in more than half of the labels, are no classes


@dataclass(frozen=True)
class FittedClasses(FittedTask):
    """What binary, multiclass and ordinal tasks share: ``classes`` and a prior; natural outputs [n, n_classes]."""

    classes: tuple[Any, ...] = ()

    skill_metric: ClassVar[str] = "log_loss"

    @property
    def labels(self) -> tuple[Any, ...]:
        return self.classes

    @property
    def n_outputs(self) -> int:
        return len(self.classes)

    @property
    def n_codes(self) -> int:
        return len(self.classes)

    def encode(self, y: pd.DataFrame) -> Array:
        return encode_labels(column_of(y, self.columns[0], task=self.name), self.classes, task=self.name)[:, None]

    def without_unseen(self, y: pd.DataFrame) -> tuple[pd.DataFrame, int]:
        column = column_of(y, self.columns[0], task=self.name)
        known = {str(label) for label in self.classes}
        unseen = column.notna() & ~column.map(lambda value: str(canonical_label(value)) in known, na_action="ignore").eq(True)
        return y.assign(**{self.columns[0]: column.where(~unseen)}), int(unseen.sum())

    def with_statistics(self, target: Array, weight: Array) -> Self:
        return self._with(prior=smoothed_prior(target[:, 0], weight[:, 0], len(self.classes)).tolist())

    def strata(self, target: Array, *, n_bins: int = 5) -> Array:
        return indicators(target[:, 0], len(self.classes))

    def constant_outputs(self, n: int) -> Array:
        return np.tile(np.asarray(self.statistics["prior"]), (n, 1))

    def row_losses(self, outputs: Array, target: Array) -> Array:
        return row_log_loss(target[:, 0], outputs)

    def decode(self, outputs: Array) -> dict[str, Array]:
        return {self.columns[0]: label_array(self.classes)[np.argmax(outputs, axis=1)]}

    def decode_table(self, outputs: Array) -> dict[str, Array]:
        probabilities = {f"{self.columns[0]}:p({label})": outputs[:, k] for k, label in enumerate(self.classes)}
        return {**self.decode(outputs), **probabilities}


@dataclass(frozen=True)
class FittedBinary(FittedClasses):
    """A fitted :class:`Binary`; one logit, of the second class."""

    kind: ClassVar[str] = "binary"
    estimator_type: ClassVar[str] = "classifier"
    metrics: ClassVar[tuple[Metric, ...]] = (ROC_AUC, AVERAGE_PRECISION, ACCURACY, BALANCED_ACCURACY, F1, LOG_LOSS, BRIER)
    diagnostics: ClassVar[tuple[str, ...]] = ("confusion", "curves", "calibration")

    @property
    def n_outputs(self) -> int:
        return 1

    def label_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return binary_cross_entropy_per_label(outputs, target)

    def signed_errors(self, outputs: Array, target: Array) -> Array:
        return np.asarray(target[:, 0] - outputs[:, 1])

    def constant_raw(self) -> Array:
        no, yes = self.statistics["prior"]
        return np.array([np.log(yes / no)])

    def link(self, outputs: Tensor) -> Tensor:
        logit = outputs[..., 0].double()
        return torch.stack([torch.sigmoid(-logit), torch.sigmoid(logit)], dim=-1)


@dataclass(frozen=True)
class FittedMulticlass(FittedClasses):
    """A fitted :class:`Multiclass`; one logit per class."""

    kind: ClassVar[str] = "multiclass"
    estimator_type: ClassVar[str] = "classifier"
    metrics: ClassVar[tuple[Metric, ...]] = (ACCURACY, BALANCED_ACCURACY, F1_MACRO, F1_MICRO, ROC_AUC, LOG_LOSS, BRIER)
    diagnostics: ClassVar[tuple[str, ...]] = ("confusion", "curves", "calibration")

    def label_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return cross_entropy_per_label(outputs, target)

    def constant_raw(self) -> Array:
        return np.log(self.statistics["prior"])

    def link(self, outputs: Tensor) -> Tensor:
        return torch.softmax(outputs.double(), dim=-1)


@dataclass(frozen=True)
class Binary(Task):
    """Binary: one of two classes; the second in order (1, True, "yes") is the positive one.

    >>> task = Binary("sold").fit(pd.DataFrame({"sold": ["no", "yes", None]}))
    >>> task.classes
    ('no', 'yes')
    """

    kind: ClassVar[str] = "binary"
    estimator_type: ClassVar[str] = "classifier"

    def fit(self, y: pd.DataFrame) -> FittedBinary:
        """See :meth:`Task.fit`."""
        classes = learnable_classes(y, self)
        if len(classes) > 2:
            raise TargetError(
                f"Task {self.name!r} of kind binary must have two classes; got {len(classes)}: {classes[:5]}. "
                f"Use {self.columns[0]}:multiclass instead."
            )
        return FittedBinary(self.name, self.columns, classes=tuple(classes))


@dataclass(frozen=True)
class Multiclass(Task):
    """Multiclass: one of several classes without order.

    >>> task = Multiclass("colour").fit(pd.DataFrame({"colour": ["red", "blue", "green"]}))
    >>> task.n_outputs
    3
    """

    kind: ClassVar[str] = "multiclass"
    estimator_type: ClassVar[str] = "classifier"

    def fit(self, y: pd.DataFrame) -> FittedMulticlass:
        """See :meth:`Task.fit`."""
        return FittedMulticlass(self.name, self.columns, classes=tuple(learnable_classes(y, self)))


def learnable_classes(y: pd.DataFrame, task: Task) -> list[Any]:
    """Distinct labels of the task's column; raises where there are fewer than two."""
    values = column_of(y, task.columns[0], task=task.name)
    classes = distinct_labels(values)
    check_finite_labels(classes, task=task.name)
    if not classes:
        raise one_value_error(task.name, "all its labels are missing")
    if len(classes) == 1:
        raise one_value_error(task.name, f"it has one class only, {classes[0]!r}")
    n_labels = int(values.notna().sum())
    if any(isinstance(label, float) for label in classes) and len(classes) > max(MAX_FRACTIONS, n_labels / 2):
        raise TargetError(
            f"Task {task.name!r} of kind {task.kind} has {len(classes)} distinct numbers with fractions in {n_labels} labels: "
            f"a continuous target, not classes. Use {task.columns[0]}:regression instead."
        )
    return classes
