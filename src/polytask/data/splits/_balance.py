"""How alike the folds of a split are, task by task."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from polytask.data.splits._checks import in_number_order, n_rows
from polytask.data.splits._strata import StratifiedTask, as_frame, is_measured, label_texts
from polytask.exceptions import DataError

__all__ = ["SplitBalance", "split_balance"]


@dataclass(frozen=True)
class SplitBalance:
    """What every fold holds of every task, and how far that is from the whole.

    Attributes
    ----------
    tasks : dict
        Per task ``{"whole": part, "folds": [part, ...], "largest_deviation": float}``. A part has ``n_rows`` and ``n_observed``,
        and of a measured target ``mean``, ``std`` and ``quartiles`` (None without labels), of any other ``classes``: counts by
        label. A fold also has its ``deviation``.
    method : str
        How the split was made, in words.

    Notes
    -----
    The deviation of a fold is the largest of

    - for the observed labels and for every class: ``|count - expected| / max(expected, 1)``, where ``expected`` is the count in
      the whole times the fold's share of the rows. 0.1 reads "a tenth more or fewer labels than its share"; a class of which less
      than one label is expected is measured in whole labels;
    - for a measured target: ``|mean of the fold - mean of the whole| / standard deviation of the whole``.

    Both are free of scale; 0 is a perfect split.
    """

    tasks: dict[str, dict[str, Any]]
    method: str = "given"
    _rows: list[dict[str, Any]] = field(default_factory=list, repr=False)

    @property
    def largest_deviation(self) -> float:
        """The largest deviation of any task in any fold; 0 without tasks."""
        return max((task["largest_deviation"] for task in self.tasks.values()), default=0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready content: ``{"method", "tasks", "largest_deviation"}``."""
        content = {"method": self.method, "tasks": self.tasks, "largest_deviation": self.largest_deviation}
        return json.loads(json.dumps(content))  # a copy, so that nobody changes this balance through it

    def to_frame(self) -> pd.DataFrame:
        """Return one row per task, fold and quantity: task, fold, quantity, value, expected, deviation."""
        return pd.DataFrame(self._rows, columns=["task", "fold", "quantity", "value", "expected", "deviation"])


def split_balance(
    y: Any,
    folds: ArrayLike | Sequence[tuple[ArrayLike, ArrayLike]],
    *,
    tasks: Sequence[StratifiedTask] | None = None,
    method: str = "given",
) -> SplitBalance:
    """Report what every fold holds of every task, and how far that is from the whole.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_columns), or a table
        Targets with missing labels; a column is a task unless ``tasks`` are given.
    folds : array of int, shape (n_samples,), or sequence of (train, test)
        Fold of every row (negative: in none), or what a splitter yields; then every test part is a fold.
    tasks : sequence of fitted tasks, optional
        Tasks that encode their own columns.
    method : str, default="given"
        How the split was made, in words, for the report.

    Returns
    -------
    balance : SplitBalance

    Raises
    ------
    DataError
        If ``folds`` does not fit ``y``.

    Examples
    --------
    >>> balance = split_balance(["a", "a", "b", "b", None, None], [0, 1, 0, 1, 0, 1])
    >>> balance.largest_deviation
    0.0
    >>> balance.to_dict()["tasks"]["y0"]["folds"][1]["classes"]
    {'a': 1, 'b': 1}
    """
    frame = as_frame(y, columns=None if tasks is None else [name for task in tasks for name in task.columns])
    parts = _fold_rows(folds, len(frame))
    content: dict[str, dict[str, Any]] = {}
    rows: list[dict[str, Any]] = []
    for name, target in _targets(frame, tasks).items():
        entry, lines = _task_balance(target, parts)
        content[name] = entry
        rows += [{"task": name, **line} for line in lines]
    return SplitBalance(content, method, rows)


def _fold_rows(folds: Any, n_samples: int) -> list[NDArray[np.int64]]:
    """Return the rows of every fold."""
    pairs = not isinstance(folds, (np.ndarray, pd.Series)) and len(folds) > 0 and isinstance(folds[0], tuple)
    if pairs:
        parts = [np.asarray(test, dtype=np.int64) for _, test in folds]
        if any(len(part) and part.max() >= n_samples for part in parts):
            raise DataError(f"`folds` must hold row numbers of `y`, below {n_samples}. Is `y` the table that was split?")
        return parts
    codes = np.asarray(folds)
    if codes.shape != (n_samples,) or not np.issubdtype(codes.dtype, np.integer):
        raise DataError(
            f"`folds` must be a whole number per row of `y` ({n_samples}), or a list of (train, test); "
            f"got shape {codes.shape} of {codes.dtype}."
        )
    return [np.flatnonzero(codes == fold) for fold in np.unique(codes[codes >= 0])]


@dataclass(frozen=True)
class _Target:
    observed: NDArray[np.bool_]
    numbers: NDArray[np.float64] | None  # [n], a measured target
    classes: dict[str, NDArray[np.bool_]]  # label -> [n]


def _targets(frame: pd.DataFrame, tasks: Sequence[StratifiedTask] | None) -> dict[str, _Target]:
    if tasks is None:
        return {str(name): _column_target(frame.iloc[:, i]) for i, name in enumerate(frame.columns)}
    return {task.name: _encoded_target(task.encode(frame), task) for task in tasks}


def _column_target(column: pd.Series) -> _Target:
    observed = column.notna().to_numpy()
    if is_measured(column):
        numbers = column.to_numpy(dtype="datetime64[s]").astype(np.float64) if column.dtype.kind == "M" else column
        return _Target(observed, np.where(observed, np.asarray(numbers, dtype=np.float64), np.nan), {})
    texts = label_texts(column)
    labels = sorted(texts[observed].unique(), key=in_number_order)
    return _Target(observed, None, {label: np.asarray(texts == label) for label in labels})


def _encoded_target(target: NDArray[np.float64], task: StratifiedTask) -> _Target:
    observed = np.asarray(np.isfinite(target).any(axis=1))
    if not len(task.labels):
        return _Target(observed, target[:, 0], {})
    if len(task.labels) == task.n_targets:  # a column per tag
        return _Target(observed, None, {str(label): target[:, i] == 1 for i, label in enumerate(task.labels)})
    return _Target(observed, None, {str(label): target[:, 0] == code for code, label in enumerate(task.labels)})


def _task_balance(target: _Target, parts: Sequence[NDArray[np.int64]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    whole = _describe(target, np.arange(n_rows(target.observed)))
    folds, lines = [], []
    for fold, rows in enumerate(parts):
        part = _describe(target, rows)
        quantities = _compare(part, whole)
        part["deviation"] = max(quantity["deviation"] for quantity in quantities)
        folds.append(part)
        lines += [{"fold": fold, **quantity} for quantity in quantities]
    return {"whole": whole, "folds": folds, "largest_deviation": max((part["deviation"] for part in folds), default=0.0)}, lines


def _describe(target: _Target, rows: NDArray[np.int64]) -> dict[str, Any]:
    part: dict[str, Any] = {"n_rows": len(rows), "n_observed": int(target.observed[rows].sum())}
    if target.numbers is None:
        return part | {"classes": {label: int(has[rows].sum()) for label, has in target.classes.items()}}
    values = target.numbers[rows]
    values = values[np.isfinite(values)]
    if not len(values):
        return part | {"mean": None, "std": None, "quartiles": None}
    quartiles = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return part | {"mean": float(values.mean()), "std": float(values.std()), "quartiles": quartiles}


def _compare(part: dict[str, Any], whole: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every quantity of a fold: its value, what was expected, and the deviation."""
    share = part["n_rows"] / max(whole["n_rows"], 1)
    counts = [("labels", part["n_observed"], whole["n_observed"])]
    counts += [(f"class {label}", part["classes"][label], total) for label, total in whole.get("classes", {}).items()]
    quantities: list[dict[str, Any]] = []
    for quantity, value, total in counts:
        expected = total * share
        deviation = abs(value - expected) / max(expected, 1)
        quantities.append({"quantity": quantity, "value": value, "expected": expected, "deviation": deviation})
    if part.get("mean") is not None:
        spread = whole["std"] or 1.0
        deviation = abs(part["mean"] - whole["mean"]) / spread
        quantities.append({"quantity": "mean", "value": part["mean"], "expected": whole["mean"], "deviation": deviation})
    return quantities
