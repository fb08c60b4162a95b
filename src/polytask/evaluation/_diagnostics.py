"""Where and how the outputs of a task are wrong: what a statistician looks at for its kind, and the error by input column."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from polytask.evaluation._diagnostics_classes import (
    calibrated_share,
    class_calibration,
    confusion,
    curves,
    levels,
    tag_calibration,
    tags,
)
from polytask.evaluation._diagnostics_intervals import Observed
from polytask.evaluation._diagnostics_numbers import normal_quantiles, poisson_residuals, residuals, rootogram, scatter
from polytask.evaluation._diagnostics_slices import MOST_CELLS, MOST_ROWS, Slices, error_by_column, error_by_group
from polytask.exceptions import DataError, OptionError
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]

_OF_MEANS = {"rootogram", "poisson_residuals"}  # parts that say nothing of predicted medians or quantiles
_PARTS: dict[str, Callable[[Observed, tuple[Any, ...]], dict[str, Any]]] = {
    "residuals": lambda rows, _: residuals(rows),
    "poisson_residuals": lambda rows, _: poisson_residuals(rows),
    "normal_quantiles": lambda rows, _: normal_quantiles(rows),
    "rootogram": lambda rows, _: rootogram(rows),
    "confusion": confusion,
    "curves": curves,
    "calibration": class_calibration,
    "levels": levels,
    "tags": tags,
    "tag_calibration": tag_calibration,
}


def diagnose(
    task: FittedTask,
    outputs: ArrayLike,
    target: ArrayLike,
    *,
    inputs: Any = None,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    confidence: float = 0.95,
    rows: str = "",
    most_points: int = 300,
) -> dict[str, Any]:
    """Describe how the outputs of one task are wrong, as small plain JSON.

    Parameters
    ----------
    task : FittedTask
        Its ``diagnostics`` name the parts to make.
    outputs : array of shape (n,) or (n, k)
        Natural scale, of rows the model did not learn from.
    target : array of shape (n, n_targets)
        From ``task.encode``; NaN is missing.
    inputs : table of n rows, or Slices, optional
        Input columns, for the error by column. Prepare :class:`Slices` once where several tasks share their rows.
    groups : array of shape (n,), optional
        What belongs together: rows of a group count as one in every interval, and the error of each group is told.
    sample_weight : array of shape (n,), optional
        Weights >= 0; a label of weight 0 is as if missing.
    confidence : float, default=0.95
        Of all intervals.
    rows : str, default=""
        What rows these are, e.g. "held-out" or "validation"; kept for the report.
    most_points : int, default=300
        Rows drawn as points, at most; all numbers come from all rows.

    Returns
    -------
    dict
        ``rows``, ``n_rows`` (labelled ones), ``n_groups``, ``confidence``, ``is_weighted``, ``is_class_weighted``, ``parts`` (by
        name, each described where it is made), ``by_column`` and ``by_group`` (None without ``inputs`` or ``groups``),
        ``points`` (how many rows are drawn as points, at random where there are more). Undefined numbers are None. An empty dict
        without labelled rows. Of a task with class weights, calibration and the cuts between levels weigh rows by them, as its
        probabilities do; everything else in ``parts`` takes the rows as they are.

    Raises
    ------
    DataError
        If the arrays do not have the same number of rows, or outputs of labelled rows are not finite.
    OptionError
        If ``confidence`` is not in (0, 1).

    Examples
    --------
    >>> import pandas as pd
    >>> from polytask.tasks import Binary
    >>> y = pd.DataFrame({"sold": ["no", "yes", "no", "yes"]})
    >>> task = Binary("sold").fit(y)
    >>> found = diagnose(task, [[0.9, 0.1], [0.3, 0.7], [0.4, 0.6], [0.2, 0.8]], task.encode(y))
    >>> found["n_rows"], found["parts"]["confusion"]["matrix"]
    (4, [[1.0, 1.0], [0.0, 2.0]])
    """
    if not 0 < confidence < 1:
        raise OptionError(f"`confidence` of diagnose must be in (0, 1); got {confidence!r}.")
    y, found = np.asarray(target, dtype=np.float64), np.asarray(outputs, dtype=np.float64)
    y = y[:, None] if y.ndim == 1 else y
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    given = None if groups is None else np.asarray(groups)
    slices = inputs if inputs is None or isinstance(inputs, Slices) else Slices.of_table(inputs)
    _check_rows(y, found, weight, given, slices)
    seen = ~np.isnan(y).all(axis=1) & (weight > 0)
    if not seen.any():
        return {}
    if not np.isfinite(found[seen]).all():
        raise DataError(f"`outputs` of task {task.name!r} must be finite where there is a label; got NaN or infinity.")
    codes, names = (None, None) if given is None else pd.factorize(given[seen], use_na_sentinel=False)
    observed = Observed(
        outputs=found[seen],
        target=y[seen],
        weight=weight[seen] / weight[seen].mean(),
        groups=codes,
        confidence=confidence,
        most_points=most_points,
    )
    about = {
        "rows": rows,
        "n_rows": len(observed),
        "n_groups": None if names is None else len(names),
        "confidence": confidence,
        "is_weighted": bool(np.ptp(weight[seen]) > 0),
        "is_class_weighted": _by_class_weights(task, observed) is not None,
        "points": min(len(observed), most_points),
        "labels": [str(label) for label in task.labels[:50]],
    }
    parts = _parts(task, observed)
    told = _by_rows(task, observed, slices, np.flatnonzero(seen), names)
    plain: dict[str, Any] = _plain(about | {"parts": parts} | told)
    return plain


def _parts(task: FittedTask, rows: Observed) -> dict[str, Any]:
    """The parts that the kind declares, as far as they fit what the task's loss makes of predictions."""
    statistic = getattr(task.loss, "statistic", "mean")
    names = [name for name in task.diagnostics if statistic == "mean" or name not in _OF_MEANS]
    weighed = _by_class_weights(task, rows)
    found = {}
    for name in names:
        if name == "scatter":
            found[name] = scatter(rows, statistic=statistic)
        elif weighed is not None and name == "calibration":
            found[name] = class_calibration(weighed, task.labels) | {"unweighted": calibrated_share(rows, task.labels)}
        elif weighed is not None and name == "levels":
            found[name] = levels(rows, task.labels, population=weighed)
        else:
            found[name] = _PARTS[name](rows, task.labels)
    if weighed is not None and "confusion" in found:
        found["confusion"]["is_class_weighted"] = True
    return found


def _by_class_weights(task: FittedTask, rows: Observed) -> Observed | None:
    """The rows weighted as the task's probabilities take them; None where no class weights are declared."""
    if not getattr(task, "class_weights", ()) and not getattr(task, "is_balanced", False):
        return None
    weight = rows.weight * _with_statistics(task, rows).importance(rows.target)[:, 0]
    return replace(rows, weight=weight / weight.mean())


def _with_statistics(task: FittedTask, rows: Observed) -> FittedTask:
    """The task with those of its own training rows, or else of these rows."""
    return task if task.statistics else task.with_statistics(rows.target, _label_weight(rows))


def _label_weight(rows: Observed) -> Array:
    return np.where(np.isnan(rows.target), 0.0, rows.weight[:, None])


def diagnose_tasks(
    tasks: Sequence[FittedTask],
    outputs: Mapping[str, Array],
    targets: Mapping[str, Array],
    *,
    weights: Mapping[str, Array] | None = None,
    kept: NDArray[np.bool_] | None = None,
    inputs: Any = None,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
    rows: str = "",
) -> dict[str, dict[str, Any]]:
    """Diagnose several tasks on the same rows; see :func:`diagnose`. With many tasks fewer points are drawn of each.

    Parameters
    ----------
    tasks : sequence of FittedTask
    outputs, targets, weights : dict of task name to array
        Of all rows; weights are (n,) or (n, n_targets).
    kept : bool array of shape (n,), optional
        Rows to look at, e.g. those that were held out.
    inputs, groups, confidence, rows : as in :func:`diagnose`

    Returns
    -------
    dict of task name to dict
    """
    slices = inputs if inputs is None or isinstance(inputs, Slices) else Slices.of_table(inputs)
    given = None if groups is None else np.asarray(groups)
    chosen = slice(None) if kept is None else np.asarray(kept)
    if slices is not None and kept is not None and not np.all(kept):
        slices = slices.rows(np.asarray(kept))
    found = {}
    for task in tasks:
        weight = None if weights is None else np.asarray(weights[task.name], dtype=np.float64)
        if weight is not None and weight.ndim == 2:
            weight = weight.max(axis=1)
        found[task.name] = diagnose(
            task,
            outputs[task.name][chosen],
            targets[task.name][chosen],
            inputs=slices,
            groups=None if given is None else given[chosen],
            sample_weight=None if weight is None else weight[chosen],
            confidence=confidence,
            rows=rows,
            most_points=int(np.clip(4000 // max(len(tasks), 1), 60, 300)),
        )
    return found


def _by_rows(task: FittedTask, rows: Observed, slices: Slices | None, places: NDArray[np.int64], names: Any) -> dict[str, Any]:
    """The error by column and by group, on at most 20,000 rows, fewer of very wide tables; ``places`` are those of the rows."""
    n_columns = len(slices.names) if slices is not None else 1
    most = int(np.clip(MOST_CELLS // max(n_columns, 1), MOST_ROWS // 5, MOST_ROWS))
    if len(rows) > most:
        drawn = np.sort(np.random.default_rng(0).choice(len(rows), most, replace=False))
        rows, places = rows.rows(drawn), places[drawn]
        if rows.groups is not None and names is not None:
            kept, codes = np.unique(rows.groups, return_inverse=True)
            rows, names = replace(rows, groups=codes), [names[k] for k in kept]
    task = _with_statistics(task, rows).settled()
    losses = task.row_losses(rows.outputs, rows.target)
    fitted = task.with_statistics(rows.target, _label_weight(rows))
    constant = fitted.row_losses(fitted.constant_outputs(len(rows)), rows.target)
    signed = task.signed_errors(rows.outputs, rows.target)
    rare = _rare_labels(task, rows.target)
    by_column = None
    if slices is not None and slices.names:
        slices = slices if len(places) == len(slices) else slices.rows(places)
        by_column = error_by_column(rows, slices, losses, constant, signed, rare=rare) | {"n_rows": len(rows)}
    by_group = None if names is None else error_by_group(rows, names, losses, constant, signed, rare=rare)
    return {"by_column": by_column, "by_group": by_group}


def _rare_labels(task: FittedTask, target: Array) -> NDArray[np.bool_] | None:
    """Rows whose class is not the most frequent one; None for a task without classes, or with several labels a row."""
    if not len(task.labels) or target.shape[1] != 1:
        return None
    codes = target[:, 0].astype(np.int64)
    return np.asarray(codes != np.bincount(codes).argmax())


def _check_rows(y: Array, outputs: Array, weight: Array, groups: NDArray[Any] | None, slices: Slices | None) -> None:
    sizes = {"target": len(y), "outputs": len(outputs), "sample_weight": len(weight)}
    sizes |= {} if groups is None else {"groups": len(groups)}
    sizes |= {} if slices is None or not slices.names else {"inputs": len(slices)}
    if len(set(sizes.values())) > 1:
        raise DataError(f"The arrays of diagnose must have the same number of rows; got {sizes}.")


def _plain(value: Any) -> Any:
    """Plain JSON with five significant digits: it is for drawings and sentences, and must stay small."""
    if isinstance(value, dict):
        return {key: _plain(own) for key, own in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(own) for own in value]
    if isinstance(value, np.bool_ | bool):
        return bool(value)
    if isinstance(value, np.integer | int):
        return int(value)
    if isinstance(value, np.floating | float):
        return float(f"{value:.5g}") if np.isfinite(value) else None
    return value
