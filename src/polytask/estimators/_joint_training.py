"""What models of all tasks learn from: one matrix of inputs, labels side by side."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.data.splits import TimeOrder
from polytask.estimators._bagged import LearningData
from polytask.estimators._fit_on_rows import fitted_tasks
from polytask.estimators._joint_targets import JointTargets, joint_targets
from polytask.estimators._matrix import TableMatrix
from polytask.exceptions import OptionError
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class JointTraining:
    """Training rows of all tasks.

    Attributes
    ----------
    X : float32 array of shape (n_features, n)
        Columns first; NaN where missing.
    joint : JointTargets
    tasks : list of FittedTask
        With the statistics of these rows.
    matrix : TableMatrix
    target, weight : array of shape (n, C)
        Label columns as they are; class weights multiplied in.
    groups : int array of shape (n,), optional
    times : TimeOrder of these rows, optional
    """

    X: Array
    joint: JointTargets
    tasks: list[FittedTask]
    matrix: TableMatrix
    target: Array
    weight: Array
    groups: Array | None
    times: TimeOrder | None


def joint_training(data: LearningData, rows: Array) -> JointTraining:
    """Code these rows for trees of all tasks; large categories become means of every column of :class:`JointTargets`."""
    labels, arrays = data.labels, data.table.arrays.take(rows)
    target, every = labels.target[rows], np.arange(len(rows))
    importance = [task.importance(target[:, labels.slices[task.name]]) for task in labels.tasks]
    weight = data.weight[rows] * np.concatenate(importance, axis=1)
    joint = joint_targets(labels.tasks, target, weight)
    matrix = TableMatrix(data.table.cardinalities, keep_missing=True)
    matrix.fit(arrays, every, target=joint.values, weight=joint.weight)
    X = matrix.training(arrays, every, target=joint.values, weight=joint.weight)
    groups = None if data.groups is None else np.unique(data.groups[rows], return_inverse=True)[1]
    times = None if data.times is None else data.times.of_rows(rows)
    X = np.ascontiguousarray(X.T, dtype=np.float32)
    return JointTraining(X, joint, fitted_tasks(data, rows), matrix, target, weight, groups, times)


def check_whole_numbers(owner: Any, **least: int) -> None:
    """Raise an :class:`OptionError` for a parameter that is no whole number, or too small; None is left."""
    for name, lowest in least.items():
        value = getattr(owner, name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < lowest:
            raise OptionError(f"`{name}` of {type(owner).__name__} must be a whole number >= {lowest}; got {value!r}.")


def mean_rounds(rounds: list[Array], n_targets: int, most: int) -> Array:
    """Geometric mean over the folds that have labels of the target; 100 where none has."""
    found = np.full(n_targets, min(100, most))
    for k in range(n_targets):
        own = [fold[k] for fold in rounds if np.isfinite(fold[k])]
        if own:
            found[k] = round(float(np.exp(np.log(np.maximum(own, 1)).mean())))
    return found


def spread(own: JointTraining) -> Array:
    """What folds are made alike in: the mean over the columns."""
    return np.asarray(own.joint.values.mean(axis=1))
