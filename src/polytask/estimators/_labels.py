"""Labels as estimators get them (a vector, a matrix, a frame) to fitted tasks and one target array."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from polytask.data import to_pandas
from polytask.estimators._classes import classes_by_task, task_of_classes
from polytask.exceptions import DataError, OptionError, PolytaskWarning, TargetError
from polytask.tasks import FittedTask, Task, infer_task

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class LabelTable:
    """Fitted tasks and their targets.

    Attributes
    ----------
    tasks : list of FittedTask
        With classes, without statistics.
    target : array of shape (n, C)
        Targets of all tasks side by side; NaN = missing.
    form : {"vector", "matrix", "frame"}
        What the user passed, and gets back from ``predict``.
    reasons : dict of task name to text
        Why each kind was chosen.
    """

    tasks: list[FittedTask]
    target: Array
    form: Literal["vector", "matrix", "frame"]
    reasons: dict[str, str]

    @property
    def slices(self) -> dict[str, slice]:
        """Columns of ``target`` of each task."""
        return task_slices(self.tasks)

    def weighed(self, sample_weight: Any, *, every_task: bool = True) -> tuple["LabelTable", Array]:
        """Labels without those of weight 0, which are missing ones from here on, and the weights of :func:`label_weights`.

        Kinds and classes are still those of all labels.
        """
        weight = label_weights(sample_weight, self, every_task=every_task)
        return replace(self, target=np.where(weight > 0, self.target, np.nan)), weight

    def observed(self, y: Any) -> pd.DataFrame:
        """Label columns of ``y`` as a frame, without the cells that are missing in ``target``."""
        frame = label_frame(y, self.tasks)[0]
        found = {}
        for task in self.tasks:
            seen: Array = ~np.isnan(self.target[:, self.slices[task.name]])
            for k, column in enumerate(task.columns):  # a column of lists has a target for each tag
                own = seen[:, k] if len(task.columns) == task.n_targets else seen.any(axis=1)
                found[column] = frame[column].where(np.asarray(own))
        return pd.DataFrame(found)


def task_slices(tasks: Sequence[FittedTask]) -> dict[str, slice]:
    """Columns of the joined target of each task."""
    ends = np.cumsum([task.n_targets for task in tasks]).tolist()
    return {task.name: slice(end - task.n_targets, end) for task, end in zip(tasks, ends, strict=True)}


def declared_tasks(tasks: Any) -> list[Task | str] | None:
    """Tasks as a list; None where all columns are to be inferred."""
    if tasks is None:
        return None
    return [tasks] if isinstance(tasks, Task | str) else list(tasks)


def read_labels(y: Any, tasks: Task | str | Sequence[Task | str] | None = None, *, classes: Any = None) -> LabelTable:
    """Fit the tasks to labels, inferring what was not declared.

    Parameters
    ----------
    y : array of shape (n,) or (n, T), Series or DataFrame
        Labels; NaN or None where missing. The tasks of an array are named y0, y1, ...
    tasks : sequence of Task or str, optional
        Declared tasks, or names of label columns; all columns by default.
    classes : mapping of task name to sequence, or sequence for the only task, optional
        All classes, where ``y`` may lack some.

    Examples
    --------
    >>> table = read_labels(np.array([[0.5, 1.0], [1.5, np.nan], [1.7, 0.0]]))
    >>> [(task.name, task.kind) for task in table.tasks]
    [('y0', 'regression'), ('y1', 'binary')]
    """
    given = declared_tasks(tasks)
    frame, form = label_frame(y, given)
    declared = list(frame.columns) if given is None else given
    names = [task.name if isinstance(task, Task) else str(task) for task in declared]
    if not names:
        raise TargetError("There is no target: y has no columns. Pass at least one.")
    if len(set(names)) < len(names):
        raise TargetError(f"Task names must differ; got {names}.")
    given_classes = classes_by_task(classes, names)
    fitted, reasons = [], {}
    for name, task in zip(names, declared, strict=True):
        if name in given_classes:
            fitted.append(task_of_classes(task, given_classes[name]))
            reasons[name] = "classes as you said"
            continue
        task, reasons[name] = (task, "as you said") if isinstance(task, Task) else _inferred(name, frame)
        fitted.append(task.fit(frame))
    target = np.concatenate([task.encode(frame) for task in fitted], axis=1)
    return LabelTable(fitted, target, form, reasons)


def encode_labels_of(y: Any, tasks: Sequence[FittedTask]) -> Array:
    """Labels for tasks that are fitted already, float64 [n, C]; classes never seen in fitting are taken as missing and told."""
    frame, _ = label_frame(y, tasks)
    parts = []
    for task in tasks:
        known, n_unseen = task.without_unseen(frame)
        if n_unseen:
            told = f"Task {task.name!r}: {n_unseen} labels are of classes never seen in training and are not scored."
            warnings.warn(told, PolytaskWarning, stacklevel=3)
        parts.append(task.encode(known))
    return np.concatenate(parts, axis=1)


def label_frame(y: Any, tasks: Sequence[Any] | None) -> tuple[pd.DataFrame, Literal["vector", "matrix", "frame"]]:
    """Labels as a pandas frame, and the form they came in."""
    if y is None:
        raise TargetError("y is None; this estimator requires y to be passed, but the target y is None.")
    if is_frame(y):
        return to_pandas(y), "frame"
    if hasattr(y, "to_pandas"):  # a column of polars or pyarrow
        y = pd.Series(y.to_pandas(), name=getattr(y, "name", None) or None)
    if isinstance(y, pd.Series):
        return y.to_frame(_series_name(y, tasks)), "vector"
    array = np.asarray(y)
    if array.dtype.kind == "c":
        raise TargetError("Complex data not supported: y must hold real numbers or classes.")
    if array.ndim not in (1, 2):
        raise TargetError(f"y must be (n,) or (n, n_tasks); got shape {array.shape}.")
    columns = array[:, None] if array.ndim == 1 else array
    names = [f"y{k}" for k in range(columns.shape[1])]
    declared = [c for task in tasks or () for c in getattr(task, "columns", ())]
    if len(declared) == len(names):
        names = list(declared)
    return pd.DataFrame({name: _plain(columns[:, k]) for k, name in enumerate(names)}), "vector" if array.ndim == 1 else "matrix"


def is_frame(table: Any) -> bool:
    """Whether this has named columns: a frame of any kind, a mapping of columns, or a list of rows as mappings.

    >>> is_frame({"price": [1.5]}), is_frame(np.ones((1, 1)))
    (True, False)
    """
    is_rows = isinstance(table, list) and bool(table) and all(isinstance(row, dict) for row in table)
    return hasattr(table, "columns") or hasattr(table, "column_names") or isinstance(table, dict) or is_rows


def label_weights(sample_weight: Any, labels: LabelTable, *, every_task: bool = True) -> Array:
    """Weights [n, C] of all labels: 0 where missing, times the row or task weights.

    Parameters
    ----------
    sample_weight : array of shape (n,) or (n, T), or None
    labels : LabelTable
    every_task : bool, default=True
        Refuse weights that leave a task with labels without any; a batch of more data may.

    Raises
    ------
    OptionError
        If ``sample_weight`` is negative, not finite, of the wrong shape, or 0 for all labels of a task.
    """
    n = len(labels.target)
    observed = (~np.isnan(labels.target)).astype(np.float64)
    if sample_weight is None:
        return observed
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape not in ((n,), (n, len(labels.tasks))):
        raise OptionError(
            f"`sample_weight` must be ({n},) or ({n}, {len(labels.tasks)}) (rows, tasks); got {weight.shape}. "
            "Sample weights are per row."
        )
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise OptionError("`sample_weight` must be finite and >= 0; it has negative, infinite or missing entries.")
    per_task = np.broadcast_to(weight[:, None], (n, len(labels.tasks))) if weight.ndim == 1 else weight
    full = observed * np.concatenate(
        [np.repeat(per_task[:, [k]], task.n_targets, axis=1) for k, task in enumerate(labels.tasks)], axis=1
    )
    for name, part in labels.slices.items():
        if every_task and observed[:, part].any() and not full[:, part].any():
            raise OptionError(f"`sample_weight` is zero for every label of task {name!r}; give some label a positive weight.")
    return full


def warn_if_nothing_stops(labels: LabelTable, rows: Array) -> None:
    """Warn if there is something to learn, but in the validation ``rows`` the labels of every task are all alike."""

    def vary(target: Array) -> bool:
        return any(task.labels_vary(target[:, labels.slices[task.name]]) for task in labels.tasks)

    held = labels.target[rows]
    if not np.isnan(held).all() and vary(labels.target) and not vary(held):
        whose = "every task" if len(labels.tasks) > 1 else f"task {labels.tasks[0].name!r}"
        warnings.warn(
            f"The labels of {whose} in the {len(rows)} validation "
            "rows are all alike, so no validation skill is defined and nothing says when to stop: all epochs are done, as "
            "without validation. Keep more rows for validation, or choose rows with labels that differ.",
            PolytaskWarning,
            stacklevel=3,
        )


def check_same_length(n_inputs: int, n_labels: int) -> None:
    """Raise a :class:`DataError`, in the words of scikit-learn, if X and y differ in length."""
    if n_inputs != n_labels:
        raise DataError(
            f"Found input variables with inconsistent numbers of samples: X has {n_inputs} rows, y has {n_labels}. "
            "Pass one row of labels for each row of inputs."
        )


def check_same_tasks(declared: Any, y: Any, fitted: Sequence[FittedTask]) -> None:
    """Raise if the tasks declared now, or the columns of a frame ``y`` without declared tasks, are not those that are fitted."""
    given, names = declared_tasks(declared), [task.name for task in fitted]
    if given is not None:
        now = [task.name if isinstance(task, Task) else str(task) for task in given]
        kinds = {task.name: task.kind for task in given if isinstance(task, Task)}
        other = [task for task in fitted if kinds.get(task.name, task.kind) != task.kind]
        if now != names or other:
            raise OptionError(
                f"`tasks` must be those that are fitted, {names}, of the same kinds, to go on with them; got {given}. "
                "Set them back, or `fit` anew without `warm_start`."
            )
    elif is_frame(y):
        known = {column for task in fitted for column in task.columns}
        new = [column for column in to_pandas(y).columns if column not in known]
        if new:
            raise TargetError(
                f"y has the column {new[0]!r}, which is none of the fitted tasks {names}; tasks cannot be added. Leave it out, "
                "or `fit` anew without `warm_start`."
            )


def _inferred(name: str, frame: pd.DataFrame) -> tuple[Task, str]:
    found = infer_task(str(name), frame)
    return found.task, found.reason


def _series_name(y: pd.Series, tasks: Sequence[Any] | None) -> str:
    columns = [c for task in tasks or () for c in getattr(task, "columns", ())]
    if len(columns) == 1:
        return str(columns[0])
    return "y0" if y.name is None else str(y.name)


def _plain(column: Array) -> Array:
    """An object column of numbers becomes numeric, so that [1, 2, None] counts as numbers; texts such as "1" stay texts."""
    series = pd.Series(column)
    if column.dtype != object or series.map(lambda value: isinstance(value, str)).any():
        return column
    try:
        return pd.to_numeric(series).to_numpy()
    except (ValueError, TypeError):
        return column


def label_array_of(columns: dict[str, Array]) -> Array:
    """Predicted columns side by side [n, columns]: numbers stay numbers; with any text all become objects."""
    values = list(columns.values())
    if all(v.dtype.kind in "biuf" for v in values):
        return np.stack(values, axis=1)
    return np.stack([v.astype(object) for v in values], axis=1)
