"""Binary and multiclass: one of several classes without order."""

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from polytask.exceptions import OptionError, TargetError
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
from polytask.tasks._calibration import fit_calibration, with_calibration
from polytask.tasks._class_weights import balanced_weights, class_counts, class_weights
from polytask.tasks._few_labels import most_common
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
from polytask.tasks._task import FittedTask, Task, without_statistics

Array = np.ndarray[Any, np.dtype[Any]]

MAX_FRACTIONS = 10  # more distinct numbers with fractions, in more than half of the labels, are no classes


@dataclass(frozen=True)
class FittedClasses(FittedTask):
    """What binary, multiclass and ordinal tasks share: ``classes`` and a prior; natural outputs [n, n_classes].

    With ``class_weights`` every label counts by the weight of its class: in the loss, in the prior and in the error of skill. So
    outputs are probabilities of a population in which the classes have these weights. If ``is_balanced``, they are among the
    statistics of the training rows, and there are none before :meth:`with_statistics`.
    """

    classes: tuple[Any, ...] = ()
    class_weights: tuple[float, ...] = field(default=(), kw_only=True)
    is_balanced: bool = field(default=False, kw_only=True)

    @property
    def skill_metric(self) -> str:  # type: ignore[override]
        return "weighted_log_loss" if self.is_balanced or self.class_weights else "log_loss"

    @property
    def has_fixed_losses(self) -> bool:
        return not self.is_balanced

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
        found = self
        if self.is_balanced:
            found = replace(self, class_weights=self._weights_of(target[:, 0], weight[:, 0]))
        weight = weight * found.importance(target)
        return found._with(prior=smoothed_prior(target[:, 0], weight[:, 0], len(self.classes)).tolist())

    def _weights_of(self, codes: Array, weight: Array) -> tuple[float, ...]:
        if not self.loss.weighs_classes:
            return balanced_weights(codes, weight, n_classes=len(self.classes))
        counts = class_counts(codes, weight, n_classes=len(self.classes))
        return tuple(float(own) for own in self.loss.class_weights(counts))

    def settled(self) -> Self:
        return replace(self, is_balanced=False)

    def importance(self, target: Array) -> Array:
        weights = self._weights()
        if not weights:
            return super().importance(target)
        seen = ~np.isnan(target)
        return np.where(seen, np.asarray(weights)[np.where(seen, target, 0).astype(np.int64)], 1.0)

    def label_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self._weighed(self._raw_losses(outputs, target), target)

    def batch_losses(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        if not self.has_batch_loss:
            return super().batch_losses(outputs, target, weight)
        shape = (*outputs.shape[:-1], 1)
        target, weight = target.expand(shape), weight.expand(shape)
        value, defined = self._raw_batch_loss(outputs, target, self._weighed(weight, target))
        return value.expand(shape), weight * defined

    def label_errors(self, outputs: Tensor, target: Tensor) -> Tensor:
        if self.loss.is_log_loss or self.loss.calibration:
            return self.label_losses(outputs, target)
        probabilities = self.loss.probabilities(self._fitted_probabilities(outputs))
        chosen = torch.gather(probabilities, -1, target.to(torch.int64).expand(*outputs.shape[:-1], 1))
        return self._weighed(-chosen.clamp(min=1e-7).log(), target)

    def link(self, outputs: Tensor) -> Tensor:
        outputs = with_calibration(outputs.double(), self.statistics.get("calibration"))
        return self.loss.probabilities(self._fitted_probabilities(outputs))

    def calibrated(self, outputs: Array, target: Array, weight: Array) -> Self:
        if not self.needs_calibration:
            return self
        weight = weight * self.importance(np.where(weight > 0, target, np.nan))
        found = fit_calibration(outputs, target, weight, prior=self.statistics["prior"][1:], kind=self.loss.calibration)
        return replace(self, statistics={**self.statistics, "calibration": found})

    def _raw_batch_loss(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Loss of a batch and whether it is defined, both [..., 1, 1]; of kinds that such a loss can serve."""
        raise NotImplementedError(f"The loss {self.loss.name!r} is not for {self.kind} tasks.")

    @abstractmethod
    def _raw_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Loss of every label without class weights, [..., n, 1]."""

    @abstractmethod
    def _fitted_probabilities(self, outputs: Tensor) -> Tensor:
        """Class probabilities [..., n, n_classes] that the loss was fitted with."""

    def _prior(self) -> Array:
        """Fitted probabilities whose natural outputs are the prior."""
        return np.asarray(self.loss.fitted_probabilities(np.asarray(self.statistics["prior"])))

    def _weighed(self, losses: Tensor, target: Tensor) -> Tensor:
        if not self._weights():
            return losses
        weights = torch.tensor(self.class_weights, dtype=losses.dtype, device=losses.device)
        return losses * weights[target.to(torch.int64)]

    def _weights(self) -> tuple[float, ...]:
        if self.is_balanced and not self.class_weights:
            raise without_statistics(self.name, "its balanced class weights")
        return self.class_weights

    def strata(self, target: Array, *, n_bins: int = 5) -> Array:
        return indicators(target[:, 0], len(self.classes))

    def constant_outputs(self, n: int) -> Array:
        return np.tile(np.asarray(self.statistics["prior"]), (n, 1))

    def row_losses(self, outputs: Array, target: Array) -> Array:
        losses = row_log_loss(target[:, 0], outputs)
        return losses * self.importance(target)[:, 0] if self._weights() else losses

    def decode(self, outputs: Array) -> dict[str, Array]:
        return {self.columns[0]: label_array(self.classes)[np.argmax(outputs, axis=1)]}

    def decode_table(self, outputs: Array) -> dict[str, Array]:
        probabilities = {f"{self.columns[0]}:p({label})": outputs[:, k] for k, label in enumerate(self.classes)}
        return {**self.decode(outputs), **probabilities}


@dataclass(frozen=True)
class FittedBinary(FittedClasses):
    """A fitted :class:`Binary`; one logit, of the second class.

    With ``given``, a column and one of its labels, rows with this label there have none of this task, whatever its column says:
    a purchase is not "no" where there was no click. A table without that column is read as it is.
    """

    given: tuple[Any, ...] = field(default=(), kw_only=True)
    kind: ClassVar[str] = "binary"
    estimator_type: ClassVar[str] = "classifier"
    metrics: ClassVar[tuple[Metric, ...]] = (ROC_AUC, AVERAGE_PRECISION, ACCURACY, BALANCED_ACCURACY, F1, LOG_LOSS, BRIER)
    diagnostics: ClassVar[tuple[str, ...]] = ("confusion", "curves", "calibration")

    @property
    def n_outputs(self) -> int:
        return 1

    def encode(self, y: pd.DataFrame) -> Array:
        target = super().encode(y)
        if self.given and self.given[0] in y.columns:
            column, label = self.given
            target[(y[column].map(canonical_label, na_action="ignore").astype(object) == label).to_numpy(dtype=bool)] = np.nan
        return target

    def _raw_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self.loss.binary(outputs, target)

    def _raw_batch_loss(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        return self.loss.of_labels(outputs, target, weight)

    def signed_errors(self, outputs: Array, target: Array) -> Array:
        return np.asarray(target[:, 0] - outputs[:, 1])

    def _told_few(self, count: int, target: Array) -> str:
        return f"{count} {'negative' if most_common(target[:, 0]) else 'positive'}{'' if count == 1 else 's'}"

    def constant_raw(self) -> Array:
        no, yes = self._prior()
        return np.array([np.log(yes / no)])

    def _fitted_probabilities(self, outputs: Tensor) -> Tensor:
        logit = outputs[..., 0]
        return torch.stack([torch.sigmoid(-logit), torch.sigmoid(logit)], dim=-1)


@dataclass(frozen=True)
class FittedMulticlass(FittedClasses):
    """A fitted :class:`Multiclass`; one logit per class."""

    kind: ClassVar[str] = "multiclass"
    estimator_type: ClassVar[str] = "classifier"
    metrics: ClassVar[tuple[Metric, ...]] = (ACCURACY, BALANCED_ACCURACY, F1_MACRO, F1_MICRO, ROC_AUC, LOG_LOSS, BRIER)
    diagnostics: ClassVar[tuple[str, ...]] = ("confusion", "curves", "calibration")

    def _raw_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self.loss.multiclass(outputs, target)

    def _raw_batch_loss(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        return self.loss.of_classes(outputs, target, weight)

    def constant_raw(self) -> Array:
        return np.log(self._prior())

    def _fitted_probabilities(self, outputs: Tensor) -> Tensor:
        return torch.softmax(outputs, dim=-1)


@dataclass(frozen=True)
class Binary(Task):
    """Binary: one of two classes; the second in order (1, True, "yes") is the positive one.

    Parameters
    ----------
    class_weight : "balanced" or dict of class to float, optional
        How much a label of each class counts; ``balanced`` makes classes count alike, n_labels / (n_classes * n_labels of the
        class), of the labels that a model learns from, counted by their weight: each fold has weights of its own. Predicted
        probabilities are then those of the reweighted population.

    Examples
    --------
    >>> task = Binary("sold").fit(pd.DataFrame({"sold": ["no", "yes", None]}))
    >>> task.classes
    ('no', 'yes')
    """

    class_weight: Any = field(default=None, kw_only=True)
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
        return FittedBinary(self.name, self.columns, classes=tuple(classes), **fitted_options(self, classes))


@dataclass(frozen=True)
class Multiclass(Task):
    """Multiclass: one of several classes without order.

    Parameters
    ----------
    class_weight : "balanced" or dict of class to float, optional
        As for :class:`Binary`.

    Examples
    --------
    >>> task = Multiclass("colour").fit(pd.DataFrame({"colour": ["red", "blue", "green"]}))
    >>> task.n_outputs
    3
    """

    class_weight: Any = field(default=None, kw_only=True)
    kind: ClassVar[str] = "multiclass"
    estimator_type: ClassVar[str] = "classifier"

    def fit(self, y: pd.DataFrame) -> FittedMulticlass:
        """See :meth:`Task.fit`."""
        classes = learnable_classes(y, self)
        return FittedMulticlass(self.name, self.columns, classes=tuple(classes), **fitted_options(self, classes))


def fitted_options(task: Any, classes: list[Any]) -> dict[str, Any]:
    """Loss, metrics and class weights of a declared task, as those of the fitted one."""
    weights = class_weights(task.class_weight, classes, task=task.name)
    if task.loss is not None and task.loss.weighs_classes:
        if task.class_weight is not None:
            raise OptionError(
                f"The loss {task.loss.name!r} of task {task.name!r} weighs the classes itself; leave `class_weight` out, or take "
                "the loss 'focal'."
            )
        weights = None  # taken from training rows
    options = {"loss": task.loss, "own_metrics": task.metrics, "class_weights": weights or ()}
    return options | {"is_balanced": weights is None}


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
