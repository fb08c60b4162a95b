"""What a task is: the declared part (:class:`Task`) and what fitting adds (:class:`FittedTask`)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from torch import Tensor

from polytask.losses import masked_sums
from polytask.metrics import Metric, evaluate_metrics

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
    """

    name: str
    columns: tuple[str, ...] = ()
    kind: ClassVar[str]
    estimator_type: ClassVar[str]  # what a scikit-learn estimator of one target must be: regressor, classifier, counter

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns) or (self.name,))

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
    """

    name: str
    columns: tuple[str, ...]
    statistics: dict[str, Any] = field(default_factory=dict)

    kind: ClassVar[str]
    estimator_type: ClassVar[str]
    skill_metric: ClassVar[str]
    metrics: ClassVar[tuple[Metric, ...]]
    n_targets: ClassVar[int] = 1
    diagnostics: ClassVar[tuple[str, ...]] = ()  # parts that evaluation.diagnose makes for this kind

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

    # ------------------------------------------------------------ out of numbers

    @abstractmethod
    def label_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Loss of every label, [..., n, n_targets], for raw ``outputs`` and a training target without NaN."""

    def loss(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Sum of losses and sum of weights over rows; where the weight is 0, outputs and target may be anything."""
        return masked_sums(self.label_losses, outputs, target, weight, loss=f"task {self.name!r}")

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

    @abstractmethod
    def decode(self, outputs: Array) -> dict[str, Array]:
        """Predicted values per label column."""

    def decode_table(self, outputs: Array) -> dict[str, Array]:
        """Columns that ``polytask predict`` writes: predictions, and probabilities as ``column:p(LABEL)``."""
        return self.decode(outputs)

    # ------------------------------------------------------------------ scores

    def evaluate(self, outputs: Array, target: Array, *, sample_weight: Array | None = None) -> dict[str, float | None]:
        """Every metric of this kind on the observed labels; None where a metric is undefined."""
        return self.evaluate_with_reasons(outputs, target, sample_weight=sample_weight)[0]

    def evaluate_with_reasons(
        self, outputs: Array, target: Array, *, sample_weight: Array | None = None
    ) -> tuple[dict[str, float | None], dict[str, str]]:
        """As :meth:`evaluate`, with the reason of each undefined metric in plain words."""
        seen = ~np.isnan(target).all(axis=1)
        values, reasons = evaluate_metrics(
            self.metrics,
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
        return {"kind": self.kind, **values}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote."""
        names = {f.name for f in fields(cls)}
        found: dict[str, Any] = {key: value for key, value in values.items() if key in names}
        found |= {key: tuple(value) for key, value in found.items() if isinstance(value, list)}
        return cls(**found)

    def _with(self, **statistics: Any) -> Self:
        return replace(self, statistics=statistics)


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
