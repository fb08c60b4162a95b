"""Scores of one task on rows of a table."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from polytask.exceptions import PolytaskWarning
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]


def task_scores(task: FittedTask, frame: pd.DataFrame, outputs: Array, weight: Array | None) -> dict[str, Any]:
    """Score a task on the rows of a table.

    Parameters
    ----------
    task : FittedTask
    frame : DataFrame of shape (n, any)
        Holds the label columns of the task.
    outputs : array of shape (n,) or (n, k)
        In natural scale.
    weight : array of shape (n,) or None
        Of rows; a label of weight 0 is not scored.

    Returns
    -------
    scores : dict
        ``kind``, ``n_observed``, ``skill`` (None where undefined), ``metrics`` and ``undefined``, the reasons.
    """
    labels, n_unseen = task.without_unseen(frame)
    if n_unseen:
        warnings.warn(
            f"Task {task.name!r}: {n_unseen} labels are of classes never seen in training and are not scored.",
            PolytaskWarning,
            stacklevel=4,
        )
    target = task.encode(labels)
    if weight is not None:
        target = np.where(weight[:, None] > 0, target, np.nan)  # a label of weight 0 is not scored
    metrics, undefined = task.evaluate_with_reasons(outputs, target, sample_weight=weight)
    losses, constant = task.row_losses(outputs, target), task.row_losses(task.constant_outputs(len(frame)), target)
    seen = ~np.isnan(losses)
    skill = None
    if seen.any() and not task.labels_vary(target, weight):
        undefined = {"skill": "all observed labels are alike", **undefined}
    elif seen.any() and constant[seen].sum() > 0:
        share = None if weight is None else weight[seen]
        skill = float(1 - np.average(losses[seen], weights=share) / np.average(constant[seen], weights=share))
    observed = int((~np.isnan(target)).any(axis=1).sum())
    return {"kind": task.kind, "n_observed": observed, "skill": skill, "metrics": metrics, "undefined": undefined}


def observed_rows(frame: pd.DataFrame, weight: Array | None, columns: Sequence[str]) -> Array:
    """Which rows have a label in one of the columns, and a weight that is not 0; bool [n].

    >>> observed_rows(pd.DataFrame({"y": [1.0, None, 2.0]}), np.array([1.0, 1.0, 0.0]), ["y"]).tolist()
    [True, False, False]
    """
    seen = frame[list(columns)].notna().any(axis=1).to_numpy()
    return seen if weight is None else seen & (weight > 0)
