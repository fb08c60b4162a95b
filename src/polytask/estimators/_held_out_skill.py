"""Skill of outputs of rows that the model has not seen."""

from typing import Any

import numpy as np

from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]


def held_out_skill(task: FittedTask, outputs: Array, target: Array, weight: Array) -> float:
    """1 - error / error of the constant of the task's statistics; NaN without observed labels of more than one value.

    Parameters
    ----------
    task : FittedTask
        With statistics.
    outputs : array of shape (n, ...)
        In natural scale; rows of NaN are left out.
    target : array of shape (n, n_targets)
    weight : array of shape (n,)
        Row weights >= 0.

    Examples
    --------
    >>> from polytask.tasks import Regression
    >>> import pandas as pd
    >>> target = np.array([[1.0], [3.0], [np.nan]])
    >>> task = Regression("y").fit(pd.DataFrame({"y": target[:, 0]})).with_statistics(target, np.ones((3, 1)))
    >>> held_out_skill(task, np.array([1.0, 3.0, 9.0]), target, np.ones(3))
    1.0
    """
    known = np.isfinite(outputs) if outputs.ndim == 1 else np.isfinite(outputs).all(axis=1)
    losses = task.row_losses(outputs[known], target[known])
    constant = task.row_losses(task.constant_outputs(int(known.sum())), target[known])
    seen = ~np.isnan(losses) & (weight[known] > 0)
    if not seen.any() or not task.labels_vary(target[known], weight[known]):
        return float("nan")
    own = weight[known][seen]
    worst = float(np.average(constant[seen], weights=own))
    return 1 - float(np.average(losses[seen], weights=own)) / worst if worst > 0 else float("nan")
