"""Labels of all tasks as columns of comparable numbers, for models that split or boost on all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class JointTargets:
    """Columns of all tasks: numbers in units of their standard deviation, an indicator per class (one for two classes).

    Attributes
    ----------
    values, weight : float64 array of shape (n, D)
        Values are 0 where the weight is; nothing is read from a label of weight 0.
    centers, scales : float64 array of shape (D,)
        ``values * scales + centers`` are labels, or shares of a class.
    slices : dict of task name to list of slice
        Columns of every target of the task.
    """

    values: Array
    weight: Array
    centers: Array
    scales: Array
    slices: dict[str, list[slice]]


def joint_targets(tasks: Sequence[FittedTask], target: Array, weight: Array) -> JointTargets:
    """Put the labels of all tasks side by side.

    The columns of a target have total variance 1 over its observed labels, so that every label has the same say.

    Parameters
    ----------
    tasks : sequence of FittedTask
    target, weight : array of shape (n, C)
        All target columns in the order of the tasks; what has weight 0, or is NaN, is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from polytask.tasks import Multiclass, Regression
    >>> tasks = [Regression("y").fit(pd.DataFrame({"y": [0.0, 4.0]})), Multiclass("z").fit(pd.DataFrame({"z": list("abc")}))]
    >>> found = joint_targets(tasks, np.array([[0.0, 0], [4.0, 1], [np.nan, 2]]), np.ones((3, 2)))
    >>> found.values[:, 0].tolist(), found.slices
    ([-1.0, 1.0, 0.0], {'y': [slice(0, 1, None)], 'z': [slice(1, 4, None)]})
    """
    seen = (weight > 0) & ~np.isnan(target)
    weight = np.where(seen, weight, 0.0)
    values: list[Array] = []
    weights: list[Array] = []
    centers: list[float] = []
    scales: list[float] = []
    slices: dict[str, list[slice]] = {}
    column = 0
    for task in tasks:
        slices[task.name] = []
        for _ in range(task.n_targets):
            own, own_weight = np.where(seen[:, column], target[:, column], 0.0), weight[:, column]
            parts = _columns(own, task.n_codes)
            means = _averages(parts, own_weight)
            scale = float(np.sqrt(_averages((parts - means) ** 2, own_weight).sum())) or 1.0
            slices[task.name].append(slice(len(centers), len(centers) + parts.shape[1]))
            values.append(np.where(seen[:, [column]], (parts - means) / scale, 0.0))
            weights.append(np.repeat(own_weight[:, None], parts.shape[1], axis=1))
            centers += means.tolist()
            scales += [scale] * parts.shape[1]
            column += 1
    return JointTargets(
        np.concatenate(values, axis=1), np.concatenate(weights, axis=1), np.array(centers), np.array(scales), slices
    )


def shares_of(values: Array, n_codes: int) -> Array:
    """Shares of all classes, [n, n_codes], of what trees say of the columns of one target; they sum to one."""
    values = np.clip(values, 0.0, 1.0)
    if n_codes == 2:
        return np.concatenate([1 - values, values], axis=1)
    total = values.sum(axis=1, keepdims=True)
    return np.where(total > 0, values / np.where(total > 0, total, 1.0), 1 / n_codes)


def _columns(target: Array, n_codes: int) -> Array:
    if not n_codes:
        return target[:, None]
    codes = np.array([1]) if n_codes == 2 else np.arange(n_codes)
    return np.asarray((target[:, None] == codes) * 1.0)


def _averages(values: Array, weight: Array) -> Array:
    total = weight.sum()
    return np.asarray(weight @ values / total) if total > 0 else np.zeros(values.shape[1])
