"""Rows (row, label column) for one booster that learns several columns, the column as a category."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from scipy.special import expit

from polytask.estimators._joint_training import JointTraining

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_SHARE = 1e-4
_BLOCK = 8192  # rows put together at a time


@dataclass(frozen=True)
class Objective:
    """What one booster minimises, and how its scores become predictions.

    Attributes
    ----------
    name : str
        LightGBM's name.
    link : callable
        Scores to predictions.
    losses : callable
        Predictions and labels to a loss each.
    """

    name: str
    link: Callable[[Array], Array]
    losses: Callable[[Array, Array], Array]


def _log_losses(shares: Array, labels: Array) -> Array:
    shares = np.clip(shares, 1e-7, 1 - 1e-7)
    return -(labels * np.log(shares) + (1 - labels) * np.log1p(-shares))


OBJECTIVES: dict[str, Objective] = {
    "regressor": Objective("regression", lambda scores: scores, lambda preds, labels: (preds - labels) ** 2),
    "counter": Objective("poisson", np.exp, lambda preds, labels: preds - labels * np.log(preds)),
    "classifier": Objective("binary", expit, _log_losses),
}


@dataclass(frozen=True)
class LabelColumns:
    """How every column of :class:`JointTargets` is learned; ``link(score + base) * unit + zero`` is its natural scale.

    Attributes
    ----------
    family : list of str
        The key of :data:`OBJECTIVES` of each column, which is the estimator type of its task.
    target : int array of shape (D,)
        The target that each column belongs to: classes have several.
    base, unit, zero : float64 array of shape (D,)
        ``base`` is the column's own offset: log odds of a class's share; of numbers and counts the mean is in the scale.
    learned : bool array of shape (D,)
        False where the labels are all alike, or there are none.
    labels : float64 array of shape (n, D)
        On the scale of predictions: numbers in units of their deviation, counts in units of their mean, 0 and 1.
    """

    family: list[str]
    target: Array
    base: Array
    unit: Array
    zero: Array
    learned: Array
    labels: Array


def label_columns(own: JointTraining) -> LabelColumns:
    """Say of every column how it is learned."""
    joint = own.joint
    shown = joint.values * joint.scales + joint.centers
    family: list[str] = []
    target: list[int] = []
    for task in own.tasks:
        for part in joint.slices[task.name]:
            k = target[-1] + 1 if target else 0
            family += [task.estimator_type] * (part.stop - part.start)
            target += [k] * (part.stop - part.start)
    kinds = np.array(family)
    is_class, is_count = kinds == "classifier", kinds == "counter"
    means = np.where(joint.centers > 0, joint.centers, 1.0)
    shares = np.clip(joint.centers, LEAST_SHARE, 1 - LEAST_SHARE)
    base = np.where(is_class, np.log(shares) - np.log1p(-shares), 0.0)
    unit = np.where(is_class, 1.0, np.where(is_count, joint.centers, joint.scales))
    zero = np.where(is_class | is_count, 0.0, joint.centers)
    labels = np.where(is_class, np.round(shown), np.where(is_count, shown / means, joint.values))
    seen = joint.weight > 0
    highest = np.where(seen, labels, -np.inf).max(axis=0, initial=-np.inf)
    lowest = np.where(seen, labels, np.inf).min(axis=0, initial=np.inf)
    return LabelColumns(family, np.array(target), base, unit, zero, highest > lowest, labels)


@dataclass(frozen=True)
class StackedRows:
    """Labels of some columns under each other.

    Attributes
    ----------
    columns : int array of shape (m,)
        Columns of :class:`JointTargets`; what the booster gets is the position in here.
    rows, position : int array of shape (N,)
        The row and the column's position of each label.
    labels, base, weight : float64 array of shape (N,)
        Weights have mean 1.
    """

    columns: Array
    rows: Array
    position: Array
    labels: Array
    base: Array
    weight: Array

    def dataset(self, X: Array, parameters: dict[str, Any]) -> lightgbm.Dataset:
        """A byte or so for each value; inputs ``X`` (n_features, n) are never repeated as numbers.

        The last feature is the position of the column, a category.
        """
        return lightgbm.Dataset(
            _Rows(X, self.rows, self.position),
            label=self.labels,
            weight=self.weight,
            init_score=self.base,
            categorical_feature=[len(X)],
            params=parameters,
        ).construct()


def stacked_rows(
    own: JointTraining, how: LabelColumns, family: str, *, most: int, rng: np.random.Generator
) -> StackedRows | None:
    """Put the observed labels of a family of columns under each other, at most ``most`` of them; None without any.

    If there are more, as many of every column are drawn; columns with fewer keep theirs.
    """
    columns = np.flatnonzero(how.learned & (np.array(how.family) == family))
    if not len(columns):
        return None
    weight = own.joint.weight[:, columns]
    rows, position = np.nonzero(weight > 0)
    if len(rows) > most:
        kept = _drawn(position, _most_each(np.bincount(position, minlength=len(columns)), most), rng)
        rows, position = rows[kept], position[kept]
    own_weight = weight[rows, position]
    return StackedRows(
        columns,
        rows,
        position,
        how.labels[rows, columns[position]],
        how.base[columns[position]],
        own_weight / own_weight.mean(),
    )


def with_position(X: Array, position: Array | int) -> Array:
    """Inputs (n, n_features) and the position of the column beside them."""
    found = np.empty((len(X), X.shape[1] + 1), dtype=np.float32)
    found[:, :-1], found[:, -1] = X, position
    return found


class _Rows(lightgbm.Sequence):
    """Rows as LightGBM asks for them."""

    batch_size = _BLOCK

    def __init__(self, X: Array, rows: Array, position: Array) -> None:
        self.X, self.rows, self.position = X, rows, position

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Array:
        if isinstance(index, int | np.integer):
            return self[np.array([index])][0]
        return with_position(self.X[:, self.rows[index]].T, self.position[index]).astype(np.float64)


def _most_each(counts: Array, most: int) -> int:
    """Labels that each column may keep so that there are ``most`` in all.

    >>> _most_each(np.array([10, 100, 100]), 100)
    45
    """
    each, left = 0, most
    for k, count in enumerate(np.sort(counts)):
        each = left // (len(counts) - k)
        if count > each:
            break
        left -= count
    return max(int(each), 1)


def _drawn(position: Array, most: int, rng: np.random.Generator) -> Array:
    """Labels kept: at most so many of each column, in their order."""
    order = rng.permutation(len(position))
    order = order[np.argsort(position[order], kind="stable")]
    starts = np.searchsorted(position[order], position[order])
    return np.sort(order[np.arange(len(order)) - starts < most])
