"""What trees of all tasks say, made to be believed: by labels of rows that they have not seen."""

from typing import Any

import numpy as np

from polytask.estimators._candidates import fit_probabilities, fit_shrinkage, shrunk, to_probabilities
from polytask.estimators._joint_targets import shares_of
from polytask.estimators._joint_training import JointTraining
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]

LEAST = 1e-7  # of a probability


def target_states(own: JointTraining, *, centers: Array, scales: Array) -> dict[str, list[dict[str, Array]]]:
    """Per task and target how values of trees become numbers; arrays of shape (D,)."""
    return {
        name: [{"centers": centers[part], "scales": scales[part]} for part in parts] for name, parts in own.joint.slices.items()
    }


def calibrate(
    own: JointTraining, held: Array, states: dict[str, list[dict[str, Array]]], *, n_votes: int
) -> dict[str, list[dict[str, Array]]]:
    """Find how far every target may believe its trees.

    Parameters
    ----------
    own : JointTraining
    held : array of shape (n, D)
        Numbers in their unit, and shares of classes, of trees that have not seen the row; NaN where there are none.
    states : dict of task name to list of dict of name to array
        Of :func:`target_states`.
    n_votes : int
        Half a vote is the least share.

    Returns
    -------
    states : dict of task name to list of dict of name to array
        With ``slope``, ``center`` and ``shift`` of a number, ``slopes`` and ``offsets`` of classes.
    """
    found: dict[str, list[dict[str, Array]]] = {}
    column = 0
    for task in own.tasks:
        found[task.name] = []
        constant = np.asarray(task.constant_outputs(1))
        for k, (part, state) in enumerate(zip(own.joint.slices[task.name], states[task.name], strict=True)):
            target, weight, values = own.target[:, column], own.weight[:, column], held[:, part]
            seen = np.flatnonzero((weight > 0) & np.isfinite(target) & np.isfinite(values).all(axis=1))
            if task.n_codes:
                more = _of_classes(task, values[seen], target[seen], weight[seen], constant, k, n_votes)
            else:
                more = _of_numbers(task, values[seen, 0], target[seen], weight[seen])
            found[task.name].append(state | more)
            column += 1
    return found


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
