"""Summaries of several tasks: only what has no unit is averaged over them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from polytask.metrics._metric import Metric
from polytask.metrics._regression import r2
from polytask.metrics._undefined import UndefinedMetric


def summarize_tasks(
    values: Mapping[str, Mapping[str, float | None]], *, metrics: Sequence[Metric]
) -> dict[str, dict[str, float | int]]:
    """Mean, least and greatest value over tasks of every metric without a unit.

    Errors in the units of their labels (RMSE, MAE, deviance) are left out: their mean has no meaning.

    Parameters
    ----------
    values : mapping of task name to mapping of metric name to float or None
        As :meth:`FittedTask.evaluate` gives them; None where undefined.
    metrics : sequence of Metric
        What the names mean; names that are not among them are left out.

    Returns
    -------
    summary : dict of metric name to {"mean", "min", "max", "n_tasks"}
        Only metrics with a value for at least two tasks.

    Examples
    --------
    >>> from polytask.metrics import R2, RMSE
    >>> summarize_tasks({"a": {"r2": 0.5, "rmse": 3.0}, "b": {"r2": 0.7, "rmse": 9.0}}, metrics=[R2, RMSE])
    {'r2': {'mean': 0.6, 'min': 0.5, 'max': 0.7, 'n_tasks': 2}}
    """
    summary: dict[str, dict[str, float | int]] = {}
    for metric in metrics:
        found = [value for own in values.values() if (value := own.get(metric.name)) is not None]
        if not metric.has_unit and len(found) > 1:
            summary[metric.name] = {
                "mean": float(np.mean(found)),
                "min": min(found),
                "max": max(found),
                "n_tasks": len(found),
            }
    return summary


def multioutput_r2(
    target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None, average: str = "uniform"
) -> float:
    """R2 of several regression targets, each on its own observed rows, in one number.

    Parameters
    ----------
    target, outputs : array-like of shape (n, n_targets)
        NaN in ``target`` is missing.
    sample_weight : array-like of shape (n,), optional
    average : {"uniform", "variance"}, default="uniform"
        ``uniform`` counts every target alike; ``variance`` by the variance of its observed labels, so that one unit counts more
        than another: only for targets in the same unit.

    Raises
    ------
    UndefinedMetric
        If no target has an R2; a target without one is left out.
    ValueError
        If the shapes differ or ``average`` is neither.

    Examples
    --------
    >>> multioutput_r2([[1.0, 0.0], [2.0, 10.0], [3.0, float("nan")]], [[1.0, 1.0], [2.0, 9.0], [4.0, 5.0]])
    0.73
    """
    target, outputs = np.asarray(target, dtype=np.float64), np.asarray(outputs, dtype=np.float64)
    if target.ndim != 2 or target.shape != outputs.shape:
        raise ValueError(f"`target` and `outputs` must both be (n, n_targets); got {target.shape} and {outputs.shape}.")
    if average not in ("uniform", "variance"):
        raise ValueError(f"`average` must be 'uniform' or 'variance'; got {average!r}.")
    scores, shares = [], []
    for own, predicted in zip(target.T, outputs.T, strict=True):
        try:
            scores.append(r2(own, predicted, sample_weight=sample_weight))
        except UndefinedMetric:
            continue
        seen = ~np.isnan(own)
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)[seen]
        middle = np.average(own[seen], weights=weight)
        shares.append(1.0 if average == "uniform" else np.average((own[seen] - middle) ** 2, weights=weight))
    if not scores:
        raise UndefinedMetric("no target has an R2")
    return float(np.average(scores, weights=shares))
