"""Ordinal: one of several classes in order."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from torch import Tensor

from polytask.exceptions import OptionError, TargetError
from polytask.losses import cumulative_link_probabilities
from polytask.metrics import ACCURACY, BALANCED_ACCURACY, LOG_LOSS, ORDINAL_MAE, QUADRATIC_KAPPA, Metric
from polytask.tasks._classification import FittedClasses, fitted_options, learnable_classes
from polytask.tasks._labels import as_number, canonical_label, column_of, distinct_labels
from polytask.tasks._task import Task

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class FittedOrdinal(FittedClasses):
    """A fitted :class:`Ordinal`; a score, then K-1 raw thresholds that do not depend on the inputs (proportional odds)."""

    kind: ClassVar[str] = "ordinal"
    estimator_type: ClassVar[str] = "classifier"
    metrics: ClassVar[tuple[Metric, ...]] = (QUADRATIC_KAPPA, ORDINAL_MAE, ACCURACY, BALANCED_ACCURACY, LOG_LOSS)
    diagnostics: ClassVar[tuple[str, ...]] = ("confusion", "levels", "calibration")

    @property
    def n_dependent_outputs(self) -> int:
        return 1

    def _raw_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self.loss.ordered(outputs, target)

    def signed_errors(self, outputs: Array, target: Array) -> Array:
        return np.asarray(target[:, 0] - outputs @ np.arange(len(self.classes)))

    def constant_raw(self) -> Array:
        below = np.cumsum(self._prior())[:-1]
        thresholds = np.log(below / (1 - below))
        steps = np.maximum(np.diff(thresholds), 1e-6)
        return np.concatenate([[0.0], thresholds[:1], steps + np.log(-np.expm1(-steps))])  # inverse of softplus

    def _fitted_probabilities(self, outputs: Tensor) -> Tensor:
        return cumulative_link_probabilities(outputs)


@dataclass(frozen=True)
class Ordinal(Task):
    """Ordinal: one of several classes in order, learned by a cumulative link model (McCullagh 1980).

    Parameters
    ----------
    order : tuple, optional
        The classes from lowest to highest; by default that of an ordered categorical column, else numbers by size and text in
        alphabetical order.
    class_weight : "balanced" or dict of class to float, optional
        As for :class:`Binary`.

    Examples
    --------
    >>> y = pd.DataFrame({"size": ["L", "S", "M"]})
    >>> Ordinal("size", order=("S", "M", "L")).fit(y).classes
    ('S', 'M', 'L')
    """

    order: tuple[Any, ...] = ()
    class_weight: Any = field(default=None, kw_only=True)
    kind: ClassVar[str] = "ordinal"
    estimator_type: ClassVar[str] = "classifier"

    def fit(self, y: pd.DataFrame) -> FittedOrdinal:
        """See :meth:`Task.fit`."""
        classes = learnable_classes(y, self)
        order = _typed_like(classes, [canonical_label(label) for label in self.order])
        dtype = column_of(y, self.columns[0], task=self.name).dtype
        if isinstance(dtype, pd.CategoricalDtype) and dtype.ordered and not order:
            order = [canonical_label(label) for label in dtype.categories if canonical_label(label) in classes]
        if order:
            names = [str(label) for label in order]
            if len(set(names)) < len(names):
                raise OptionError(f"`order` of task {self.name!r} must name every class once; got {order}.")
            unknown = {str(label) for label in classes} - set(names)
            if unknown:
                raise TargetError(f"Task {self.name!r} has labels {sorted(unknown)[:5]} that are not in its `order` {order}.")
            classes = order
        return FittedOrdinal(self.name, self.columns, classes=tuple(classes), **fitted_options(self, list(classes)))


def order_by_alphabet(values: pd.Series) -> list[str]:
    """Classes of a text column in the order taken for want of a better; empty if numbers or a declared order give it.

    >>> order_by_alphabet(pd.Series(["low", "high", "middle", None])), order_by_alphabet(pd.Series(["9", "10", "8"]))
    (['high', 'low', 'middle'], [])
    """
    dtype = values.dtype
    if pd.api.types.is_numeric_dtype(dtype) or (isinstance(dtype, pd.CategoricalDtype) and dtype.ordered):
        return []
    labels = distinct_labels(values)
    if len(labels) < 3 or all(as_number(label) is not None for label in labels):  # two classes read the same both ways
        return []
    return [str(label) for label in labels]


def _typed_like(classes: list[Any], order: list[Any]) -> list[Any]:
    """The classes of ``order`` with the type that they have among ``classes``, so that a typed "1" is the number 1."""
    if any(isinstance(label, str | bool) for label in classes):
        by_text = {str(label): label for label in classes}
        return [by_text.get(str(label), label) for label in order]
    numbers = [as_number(label) for label in order]
    return [label if number is None else canonical_label(number) for label, number in zip(order, numbers, strict=True)]
