"""What models of all tasks share in learning: one matrix of inputs, labels side by side, folds to stop by, checks."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.data.splits import TimeOrder
from polytask.estimators._bagged import LearningData
from polytask.estimators._candidates import inner_splits
from polytask.estimators._fit_on_rows import fitted_tasks
from polytask.estimators._joint_targets import JointTargets, joint_targets
from polytask.estimators._matrix import TableMatrix
from polytask.exceptions import OptionError
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]

SEVERAL_FOLDS = 3000  # below it, one holdout is too noisy to stop by
N_FOLDS = 4


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
    groups = None if data.groups is None else np.unique(data.groups[rows], return_inverse=True)[1]
    times = None if data.times is None else data.times.of_rows(rows)
    X = matrix.training(arrays, every, target=joint.values, weight=joint.weight, groups=groups, times=times)
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


def check_shares(owner: Any, *names: str) -> None:
    """Raise an :class:`OptionError` for a parameter that is no share in (0, 1]."""
    for name in names:
        value = getattr(owner, name)
        if not 0 < value <= 1:
            raise OptionError(f"`{name}` of {type(owner).__name__} must be a share in (0, 1]; got {value!r}.")


def check_numbers(owner: Any, **least: float) -> None:
    """Raise an :class:`OptionError` for a parameter that is too small."""
    for name, lowest in least.items():
        value = getattr(owner, name)
        if not value >= lowest:
            raise OptionError(f"`{name}` of {type(owner).__name__} must be >= {lowest:g}; got {value!r}.")


def check_time_limit(owner: Any) -> None:
    """Raise an :class:`OptionError` for a ``time_limit`` that is neither None nor positive."""
    if owner.time_limit is not None and not owner.time_limit > 0:
        raise OptionError(f"`time_limit` of {type(owner).__name__} must be > 0 seconds, or None; got {owner.time_limit!r}.")


def stopping_splits(own: JointTraining) -> list[tuple[Array, Array]]:
    """Rows to learn from and rows to stop by, following groups and times: four folds, of many rows one holdout."""
    alike = own.joint.values.mean(axis=1)  # what folds are made alike in
    splits = inner_splits(alike, n_splits=N_FOLDS, groups=own.groups, times=own.times)
    return splits[: N_FOLDS if len(alike) < SEVERAL_FOLDS else 1]


def end_of_fold(until: float, k: int, n_folds: int) -> float:
    """When fold ``k`` must end, if those that are left share the time until then equally."""
    now = time.monotonic()
    return now + (until - now) / (n_folds - k)


def mean_rounds(rounds: list[Array], n_targets: int, most: int) -> Array:
    """Geometric mean over the folds that have labels of the target; 100 where none has."""
    found = np.full(n_targets, min(100, most))
    for k in range(n_targets):
        own = [fold[k] for fold in rounds if np.isfinite(fold[k])]
        if own:
            found[k] = round(float(np.exp(np.log(np.maximum(own, 1)).mean())))
    return found


def rounds_of_tasks(tasks: list[FittedTask], rounds: Array) -> dict[str, int]:
    """Rounds by the name of the task, given those of every target; of several tags the first counts."""
    first = np.cumsum([0, *(task.n_targets for task in tasks[:-1])])
    return {task.name: int(rounds[k]) for k, task in zip(first, tasks, strict=True)}
