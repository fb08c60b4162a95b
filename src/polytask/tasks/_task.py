"""What a task is: the declared part (:class:`Task`) and what fitting adds (:class:`FittedTask`)."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from torch import Tensor

from polytask.exceptions import OptionError, PolytaskError, TargetError
from polytask.losses import ClassLoss, CrossEntropy, Loss, NumberLoss, loss_from_dict, loss_of, masked_inputs, masked_sums
from polytask.metrics import Metric, evaluate_metrics, metrics_by_name, metrics_of
from polytask.tasks._calibration import has_both_classes
from polytask.tasks._few_labels import most_common, unlike_rows
from polytask.tasks._stored_metrics import metrics_from_list, metrics_to_list

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Task(ABC):
    """One thing to predict about every subject: a name, the column or columns that hold its labels, and its kind.

    Parameters
    ----------
    name : str
        How the task is called in results and reports.
    columns : tuple of str, default=(name,)
        The columns of the label table; only a multilabel task has several.
    loss : str, Loss or callable, optional
        What networks minimise, and what predictions therefore mean: a name (``"huber"``, ``"quantile:0.9"``), a loss of
        :mod:`polytask.losses` or a function ``loss(preds, target)`` that gives a loss per label. By default that of the kind.
    metrics : sequence of str or Metric
        Metrics that are told before those of the kind: names (``"spearman"``, ``"precision_at_k:0.2"``) or what
        :func:`~polytask.metrics.make_metric` makes of a function.
    """

    name: str
    columns: tuple[str, ...] = ()
    loss: Any = field(default=None, kw_only=True)
    metrics: Any = field(default=(), kw_only=True)
    kind: ClassVar[str]
    loss_type: ClassVar[type[Loss]] = ClassLoss  # or NumberLoss: what the user may declare
    estimator_type: ClassVar[str]  # what a scikit-learn estimator of one target must be: regressor, classifier, counter

    def __post_init__(self) -> None:
        if isinstance(self.name, str) and not self.name.strip():
            raise TargetError(f"A task must have a name; got {self.name!r}. Name it, or rename its column.")
        object.__setattr__(self, "columns", tuple(self.columns) or (self.name,))
        if self.loss is not None:
            object.__setattr__(self, "loss", self._checked(loss_of(self.loss, of=self.loss_type, task=self.name)))
        own = metrics_of(self.metrics, known=metrics_by_name, owner=f" of task {self.name!r}")
        object.__setattr__(self, "metrics", own)

    def _checked(self, loss: Loss) -> Loss:
        if isinstance(loss, ClassLoss) and self.kind not in loss.kinds:
            one_each = f", or a task for each class, 'onehot({self.columns[0]})'" if self.kind == "multiclass" else ""
            raise OptionError(
                f"The loss {loss.name!r} is for tasks of kind {' and '.join(loss.kinds)}; task {self.name!r} is of kind "
                f"{self.kind}. Choose another loss, such as 'focal'{one_each}."
            )
        return loss

    @abstractmethod
    def fit(self, y: pd.DataFrame) -> "FittedTask":
        """Learn what fixes a shape (classes, labels) from the label columns of the whole development table.

        Parameters
        ----------
        y : DataFrame
            Holds at least ``self.columns``; a missing label is NaN or None.

        Raises
        ------
        TargetError
            If the column is missing from ``y``, has no label, one value only, or labels that are not of this kind.
        """


@dataclass(frozen=True)
class FittedTask(ABC):
    """A task that knows its classes and, after :meth:`with_statistics`, the constant prediction of its training rows.

    Everything that differs between kinds of task is here; code outside this room never asks for the kind.
    Shapes: ``target`` is float64 [n, n_targets] with NaN for a missing label; raw ``outputs`` of a network are
    [..., n, n_outputs]; outputs in natural scale are [n] for numbers and [n, n_classes or n_labels] for probabilities.
    ``loss`` is what networks minimise, by default that of the kind; ``own_metrics`` those that the user declared.
    """

    name: str
    columns: tuple[str, ...]
    statistics: dict[str, Any] = field(default_factory=dict)
    loss: Any = field(default=None, kw_only=True)
    own_metrics: tuple[Metric, ...] = field(default=(), kw_only=True)

    kind: ClassVar[str]
    estimator_type: ClassVar[str]
    skill_metric: ClassVar[str]
    default_loss: ClassVar[Loss] = CrossEntropy()
    metrics: ClassVar[tuple[Metric, ...]]
    n_targets: ClassVar[int] = 1
    diagnostics: ClassVar[tuple[str, ...]] = ()  # parts that evaluation.diagnose makes for this kind

    def __post_init__(self) -> None:
        if self.loss is None:
            object.__setattr__(self, "loss", self.default_loss)

    # ------------------------------------------------------------------ shape

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """Raw outputs that the task needs from a network."""

    @property
    def n_dependent_outputs(self) -> int:
        """How many of the raw outputs (the first ones) depend on the inputs; the rest are free constants."""
        return self.n_outputs

    @property
    def labels(self) -> tuple[Any, ...]:
        """Names of the columns of the natural outputs: classes or tags; empty for a number."""
        return ()

    @property
    def n_codes(self) -> int:
        """Classes that one target column can take as codes 0, 1, ...; 0 for a number."""
        return 0

    # ------------------------------------------------------------- into numbers

    @abstractmethod
    def encode(self, y: pd.DataFrame) -> Array:
        """Turn label columns into float64 [n, n_targets]; NaN where the label is missing."""

    def without_unseen(self, y: pd.DataFrame) -> tuple[pd.DataFrame, int]:
        """Labels with those that were never seen in fitting taken as missing, and how many these are."""
        return y, 0

    @abstractmethod
    def with_statistics(self, target: Array, weight: Array) -> Self:
        """Return a copy that holds the constant prediction of these training rows.

        Parameters
        ----------
        target : array of shape (n, n_targets)
        weight : array of shape (n, n_targets)
            Label weights; 0 where the label is missing.
        """

    def training_target(self, target: Array) -> Array:
        """Put the target on the scale on which networks learn it; [n, n_targets]."""
        return target

    @abstractmethod
    def strata(self, target: Array, *, n_bins: int = 5) -> Array:
        """Tell splitters what to balance: bool [n, m] indicators of classes or quantile bins, and of a missing label."""

    def labels_vary(self, target: Array, weight: Array | None = None) -> bool:
        """Whether labels [n, n_targets] of positive weight, [n] or [n, n_targets], are of more than one value.

        If not, skill is undefined: of rows of one class an error of nothing is had by a probability of nothing.
        """
        return bool(unlike_rows(target, weight).any())

    def few_labels(self, target: Array, weight: Array | None = None, *, least: int) -> str:
        """Say that fewer than ``least`` rows differ from the most common label, "only 3 positives"; "" if enough do."""
        unlike = unlike_rows(target, weight)
        if unlike.sum() >= least:
            return ""
        seen = ~np.isnan(target) if weight is None else ~np.isnan(target) & (weight.reshape(len(target), -1) > 0)
        n_seen = int(seen.any(axis=1).sum())
        if n_seen <= least:
            return f"only {n_seen} label{'' if n_seen == 1 else 's'}"
        return f"only {self._told_few(int(unlike.sum()), target[seen.any(axis=1)])}"

    def _told_few(self, count: int, target: Array) -> str:
        """What the few labels are that differ from the most common one, of observed rows."""
        value = most_common(target[:, 0])
        label = repr(self.labels[int(value)]) if self.n_codes else f"{value:g}"
        return f"{count} label{'' if count == 1 else 's'} other than {label}"

    # ------------------------------------------------------------ out of numbers

    @abstractmethod
    def label_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Loss of every label, [..., n, n_targets], for raw ``outputs`` and a training target without NaN."""

    def label_errors(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Error of every label of which skill is made, [..., n, n_targets], up to a constant factor; by default its loss."""
        return self.label_losses(outputs, target)

    @property
    def has_batch_loss(self) -> bool:
        """Whether networks minimise a statistic of each batch, for which :meth:`label_losses` has to know the weights."""
        return bool(self.loss.of_batch)

    def batch_losses(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Losses of the labels of a batch and their weights, both [..., n, n_targets], of inputs without NaN.

        Of a :class:`~polytask.losses.BatchLoss` every label has the loss of the batch, or weight 0 where it is not defined.
        """
        return self.label_losses(outputs, target), weight

    def loss_sums(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Sum of losses and sum of weights over rows; where the weight is 0, outputs and target may be anything."""
        if not self.has_batch_loss:
            return masked_sums(self.label_losses, outputs, target, weight, loss=f"task {self.name!r}")
        values, weight = self.batch_losses(*masked_inputs(outputs, target, weight, loss=f"task {self.name!r}"))
        return (values * weight).sum(dim=(-2, -1)), weight.expand(values.shape).sum(dim=(-2, -1))

    @property
    def needs_calibration(self) -> bool:
        """Whether :meth:`calibrated` has something to do after training."""
        return bool(getattr(self.loss, "calibration", ""))

    def of_members(self, outputs: Tensor) -> Tensor:
        """Raw outputs [n, n_outputs] that stand for those of the members [k, n, n_outputs] of an ensemble in one network."""
        return outputs.mean(0)

    def can_calibrate(self, target: Array, weight: Array) -> bool:
        """Whether these training targets and weights [n, n_targets] are enough for :meth:`calibrated`."""
        return has_both_classes(target, weight)

    def calibrated(self, outputs: Array, target: Array, weight: Array) -> Self:
        """Return a copy whose probabilities, or standard deviations, suit these rows; the same for a task without need of it.

        Parameters
        ----------
        outputs : array of shape (n, n_outputs)
            Raw outputs of a trained network.
        target, weight : array of shape (n, n_targets)
            Training targets; label weights, 0 where missing.
        """
        return self

    @abstractmethod
    def constant_raw(self) -> Array:
        """Raw outputs [n_outputs] whose prediction is the constant one; the starting bias of a head."""

    @abstractmethod
    def link(self, outputs: Tensor) -> Tensor:
        """Raw outputs [..., n, n_outputs] to natural scale, in float64."""

    @abstractmethod
    def constant_outputs(self, n: int) -> Array:
        """Outputs in natural scale of the constant model, for ``n`` rows."""

    @abstractmethod
    def row_losses(self, outputs: Array, target: Array) -> Array:
        """Return the error L of skill per row, float64 [n]; NaN where the label is missing."""

    def signed_errors(self, outputs: Array, target: Array) -> Array | None:
        """True - predicted per row, [n], where that has a meaning: in the label's unit, as a share, or in levels."""
        return np.asarray(target[:, 0] - outputs) if np.ndim(outputs) == 1 else None

    def join(self, columns: Sequence[Array]) -> Array:
        """Natural outputs from predictions of each target column alone: numbers [n], or probabilities [n, n_codes]."""
        return columns[0]

    @property
    def has_fixed_losses(self) -> bool:
        """Whether losses of labels are the same whatever rows the statistics are of; balanced class weights, for one, are not."""
        return True

    def settled(self) -> Self:
        """Return a copy whose error of skill stays as the statistics made it, whatever rows they are taken of from now on."""
        return self

    @property
    def separate_loss(self) -> NumberLoss | None:
        """What a separate model of numbers must minimise instead of the loss that its kind has; None for that one."""
        return None

    def importance(self, target: Array) -> Array:
        """Factor on the weight of every label that the task declares (class weights), [n, n_targets]; 1 where missing."""
        return np.ones(target.shape)

    @abstractmethod
    def decode(self, outputs: Array) -> dict[str, Array]:
        """Predicted values per label column."""

    def decode_table(self, outputs: Array) -> dict[str, Array]:
        """Columns that ``polytask predict`` writes: predictions, and probabilities as ``column:p(LABEL)``."""
        return self.decode(outputs)

    # ------------------------------------------------------------------ scores

    @property
    def scored_by(self) -> tuple[Metric, ...]:
        """Metrics that are told: the user's own, that of the loss, those of the kind; each name once."""
        found: dict[str, Metric] = {}
        for metric in (*self.own_metrics, *self._loss_metrics(), *self.metrics):
            found.setdefault(metric.name, metric)
        return tuple(found.values())

    def _loss_metrics(self) -> tuple[Metric, ...]:
        return ()

    def evaluate(self, outputs: Array, target: Array, *, sample_weight: Array | None = None) -> dict[str, float | None]:
        """Every metric of this kind on the observed labels; None where a metric is undefined."""
        return self.evaluate_with_reasons(outputs, target, sample_weight=sample_weight)[0]

    def evaluate_with_reasons(
        self, outputs: Array, target: Array, *, sample_weight: Array | None = None
    ) -> tuple[dict[str, float | None], dict[str, str]]:
        """As :meth:`evaluate`, with the reason of each undefined metric in plain words."""
        seen = ~np.isnan(target).all(axis=1)
        values, reasons = evaluate_metrics(
            self.scored_by,
            self._scored(target[seen]),
            outputs[seen],
            sample_weight=None if sample_weight is None else sample_weight[seen],
            baseline=self.statistics.get("mean"),
        )
        return values, reasons

    def _scored(self, target: Array) -> Array:
        """Observed rows [n, n_targets] as the metrics take them: [n], or [n, n_labels] where every tag is a target."""
        return np.asarray(target[:, 0])

    # ------------------------------------------------------------------ storage

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; :func:`fitted_task_from_dict` reads it back."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values["columns"] = list(self.columns)
        values["loss"] = self.loss.to_dict()
        values["own_metrics"] = metrics_to_list(self.own_metrics)
        return {"kind": self.kind, **values}

    @classmethod
    def from_dict(cls, values: dict[str, Any], *, own: Iterable[Any] = ()) -> Self:
        """Read what :meth:`to_dict` wrote; a user's own losses and metrics must be among ``own``."""
        names = {f.name for f in fields(cls)}
        found: dict[str, Any] = {key: value for key, value in values.items() if key in names}
        own = list(own)
        found["loss"] = loss_from_dict(found["loss"], own=own) if found.get("loss") else None
        found["own_metrics"] = metrics_from_list(found.get("own_metrics", []), own=own)
        found |= {key: tuple(value) for key, value in found.items() if isinstance(value, list)}
        return cls(**found)

    def _with(self, **statistics: Any) -> Self:
        return replace(self, statistics=statistics)


def without_statistics(task: str, what: str) -> PolytaskError:
    """The error of a fitted task that is asked for what only training rows can say."""
    return PolytaskError(f"Task {task!r} takes {what} from the rows that are learned from: call `with_statistics` first.")


@dataclass(frozen=True)
class FixedTask(Task):
    """A task whose classes are known already: fitting it on any rows gives the same fitted task.

    So a fold that lacks a class, or all labels of a task, gives outputs of the same shape as the others.
    """

    fitted: FittedTask | None = None

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Kind of the fitted task."""
        return self.fitted.kind  # type: ignore[union-attr]

    @property
    def estimator_type(self) -> str:  # type: ignore[override]
        """Estimator type of the fitted task."""
        return self.fitted.estimator_type  # type: ignore[union-attr]

    def fit(self, y: pd.DataFrame) -> FittedTask:
        """Return the fitted task as it is."""
        assert self.fitted is not None
        return self.fitted


def fixed_task(fitted: FittedTask) -> FixedTask:
    """Declare a fitted task again, for folds, twins and trials; see :class:`FixedTask`."""
    return FixedTask(fitted.name, fitted.columns, fitted)
