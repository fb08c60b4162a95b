"""What trees of all tasks say, made to be believed: by labels of rows that they have not seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from polytask.estimators._candidates import fit_probabilities, fit_shrinkage, shrunk, to_probabilities
from polytask.estimators._joint_targets import JointTargets, shares_of
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]

LEAST = 1e-7  # of a probability


def calibrate(
    tasks: Sequence[FittedTask], joint: JointTargets, held: Array, target: Array, weight: Array, *, n_estimators: int
) -> dict[str, list[dict[str, Array]]]:
    """Find how every target column is read from the mean of the trees.

    Parameters
    ----------
    tasks : sequence of FittedTask
        With the statistics of these rows.
    joint : JointTargets
    held : array of shape (n, D)
        In the unit of ``joint``, of trees that have not seen the row; NaN where there are none.
    target, weight : array of shape (n, C)
        Label columns of all tasks.
    n_estimators : int
        Trees; half a vote is the least share.

    Returns
    -------
    states : dict of task name to list of dict of name to array
        Per target column: ``centers`` and ``scales`` of its columns; of a number ``slope``, ``center`` and ``shift``, of classes
        ``slopes`` and ``offsets``.
    """
    states: dict[str, list[dict[str, Array]]] = {}
    column = 0
    for task in tasks:
        states[task.name] = []
        constant = np.asarray(task.constant_outputs(1))
        for k, part in enumerate(joint.slices[task.name]):
            state = {"centers": joint.centers[part], "scales": joint.scales[part]}
            own = held[:, part] * state["scales"] + state["centers"]
            seen = np.flatnonzero((weight[:, column] > 0) & np.isfinite(target[:, column]) & np.isfinite(own).all(axis=1))
            labels, own_weight = target[seen, column], weight[seen, column]
            if task.n_codes:
                state |= _of_classes(task, own[seen], labels, own_weight, constant, k, n_estimators)
            else:
                state |= _of_numbers(task, own[seen, 0], labels, own_weight)
            states[task.name].append(state)
            column += 1
    return states


def calibrated(values: Array, state: dict[str, Array], n_codes: int, *, n_estimators: int) -> Array:
    """Numbers [n], or probabilities [n, n_codes], of means of trees [n, columns]."""
    if not n_codes:
        return np.asarray(shrunk(values[:, 0], state) + state["shift"])
    return to_probabilities(_log_odds(shares_of(values, n_codes), n_estimators), state)


def _of_numbers(task: FittedTask, values: Array, target: Array, weight: Array) -> dict[str, Array]:
    state = {"slope": np.asarray(1.0), "center": np.asarray(0.0), "shift": np.asarray(0.0)}
    if len(target) > 1:
        state |= fit_shrinkage(values, target, weight)
        loss = task.separate_loss
        if loss is not None and loss.statistic != "mean":
            state["shift"] = np.asarray(loss.best_shift(target, shrunk(values, state), weight))
    return state


def _of_classes(
    task: FittedTask, values: Array, target: Array, weight: Array, constant: Array, k: int, n_estimators: int
) -> dict[str, Array]:
    codes = target.astype(np.int64)
    if len(np.unique(codes)) > 1:
        odds = _log_odds(shares_of(values, task.n_codes), n_estimators)
        return fit_probabilities(odds, codes, weight, n_classes=task.n_codes)
    share = constant[0] if len(task.labels) > task.n_targets else np.array([1 - constant[0, k], constant[0, k]])
    slopes = np.zeros((task.n_codes, 1 if task.n_codes == 2 else task.n_codes))
    return {"slopes": slopes, "offsets": np.log(np.maximum(share, LEAST))}


def _log_odds(shares: Array, n_estimators: int) -> Array:
    """Log odds [n, 1] of two classes, logarithms [n, K] of more."""
    logs = np.log(shares + 0.5 / n_estimators)
    return np.asarray(logs[:, 1:] - logs[:, :1] if shares.shape[1] == 2 else logs)
