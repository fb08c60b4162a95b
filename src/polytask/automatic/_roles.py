"""Which column of the user's table is what: targets, inputs, groups, weights, time, the split."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from polytask.automatic._label_makers import LabelMakers
from polytask.automatic._learnable import divided_targets, learnable_targets, sources_of, warn_of_functions
from polytask.automatic._spellings import warn_of_spellings
from polytask.exceptions import DataError, PolytaskWarning, TargetError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from polytask.tasks import TargetSpec, Task


@dataclass(frozen=True)
class Roles:
    """A table divided by what its columns are for.

    Attributes
    ----------
    inputs : DataFrame of shape (n, any)
    labels : DataFrame of shape (n, any)
        A column for every label column of ``tasks``, those made from other columns among them.
    tasks : list of Task
        Those that can be learned, in the order given.
    reasons : dict of task name to str
        Why each task has its kind.
    skipped : dict of task name to str
        Why a task cannot be learned.
    skipped_labels : dict of task name to DataFrame
        Its label columns.
    order : list of str
        Names of what is predicted, learned and skipped, in the order given: tasks, or targets that ``task_by`` divides.
    target_labels : DataFrame of shape (n, any)
        The labels before ``task_by`` divides them; those of ``labels`` if it does not.
    label_columns : tuple of str
        Columns of the table that hold labels, or from which labels are made; no inputs.
    makers : LabelMakers
        How labels are made from any rows of the table.
    task_of_row : int array of shape (n,) or None
        With ``task_by``: the position of each row's group in ``makers.groups.groups``, -1 if it has none.
    groups, split : array of shape (n,) or None
    weight : float64 array of shape (n,) or None
    times : array of shape (n,) or None
        float64, or datetime64 of dates; never missing.
    not_inputs : dict of column to str
        The option that takes a column away from the inputs.
    """

    inputs: "pd.DataFrame"
    labels: "pd.DataFrame"
    tasks: "list[Task]"
    reasons: dict[str, str]
    skipped: dict[str, str]
    skipped_labels: "dict[str, pd.DataFrame]"
    order: list[str]
    target_labels: "pd.DataFrame"
    label_columns: tuple[str, ...]
    makers: LabelMakers
    task_of_row: "np.ndarray[Any, Any] | None"
    groups: "np.ndarray[Any, Any] | None"
    split: "np.ndarray[Any, Any] | None"
    weight: "np.ndarray[Any, Any] | None"
    times: "np.ndarray[Any, Any] | None"
    not_inputs: dict[str, str]


def divide_table(
    frame: "pd.DataFrame",
    *,
    targets: "Sequence[str | Task]",
    ignore: Sequence[str],
    group: str | None,
    split: str | None,
    weight: str | None,
    unlearnable: str,
    task_by: str | None = None,
    time: str | None = None,
    losses: Mapping[str, Any] | None = None,
    class_weights: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
    column_kinds: Mapping[str, str] | None = None,
) -> Roles:
    """Give every column its role.

    Parameters
    ----------
    frame : DataFrame of shape (n, any)
    targets : sequence of str or Task
        See :func:`~polytask.tasks.parse_targets`.
    ignore : sequence of str
        Columns that are no inputs.
    group, split, weight : str, optional
        Columns of groups that stay together, of the split, and of weights of rows.
    unlearnable : {"error", "skip"}
    task_by : str, optional
        Every value of this column makes a task of its own of each target, ``TARGET[VALUE]``. Labels of rows without a value are
        of no task, which is told.
    time : str, optional
        Column of numbers or dates by which rows are ordered.
    losses, class_weights : mapping of task name or pattern, optional
        What tasks minimise (``{"price": "huber"}``), and which weigh their classes (``{"sold": "balanced"}``).
    metrics : mapping of task name or pattern to metrics, optional
        What is told of tasks besides the metrics of their kind.
    column_kinds : mapping of column to kind, optional
        Checked here: each must be an input.

    Raises
    ------
    TargetError
        If a target is not there, or cannot be learned and ``unlearnable`` is "error", or all are skipped.
    DataError
        If another named column is not there, is a target too, or does not hold what it must.
    """
    from polytask.tasks import TaskGroups

    specs = _specs(targets, frame)
    named = {"--group": group, "--split": split, "--weight": weight, "--task-by": task_by, "--time": time}
    not_inputs = _not_inputs(frame, ignore=ignore, named=named)
    if task_by is not None and task_by == group:
        raise DataError(
            f"Column {task_by!r} is given to --task-by and --group: each task would be held out whole, never learned."
        )
    sources = list(dict.fromkeys(column for spec in specs for column in sources_of(spec)))
    for column, option in not_inputs.items():
        if column in sources:
            raise DataError(f"Column {column!r} is a target and is given to {option} too; it can be one of them only.")
    _check_kinds(column_kinds or {}, frame, sources=sources, not_inputs=not_inputs)
    counted = _counted(frame, split=split, weight=weight)
    found = learnable_targets(
        specs,
        frame,
        skip=unlearnable == "skip",
        losses=losses,
        class_weights=class_weights,
        metrics=metrics,
        counted=counted,
    )
    warn_of_functions(found)
    inputs = frame.drop(columns=[*sources, *not_inputs])
    warn_of_spellings(inputs, frame[sources])
    order, target_labels = [*found.order], found.labels[[column for task in found.tasks for column in task.columns]]
    groups: TaskGroups | None = None
    if task_by is not None:
        groups, found = divided_targets(found, frame[task_by], skip=unlearnable == "skip")
    return Roles(
        inputs=inputs,
        labels=found.labels[[column for task in found.tasks for column in task.columns]],
        tasks=[*found.tasks],
        reasons=found.reasons,
        skipped=found.skipped,
        skipped_labels={name: found.labels[list(columns)] for name, columns in found.skipped_columns.items()},
        order=order,
        target_labels=target_labels,
        label_columns=tuple(sources),
        makers=LabelMakers(tuple(found.derived), groups),
        task_of_row=None if groups is None else groups.codes(frame[task_by]),
        groups=None if group is None else _whole(frame[group], option="--group").to_numpy(),
        split=None if split is None else _whole(frame[split], option="--split").to_numpy(),
        weight=None if weight is None else _weights(frame[weight]),
        times=None if time is None else _times(frame[time]),
        not_inputs=not_inputs,
    )


def _check_kinds(
    kinds: Mapping[str, str], frame: "pd.DataFrame", *, sources: Sequence[str], not_inputs: Mapping[str, str]
) -> None:
    """Refuse the kind of a column that is no input."""
    from polytask.data import did_you_mean

    for column in kinds:
        if column not in frame.columns:
            raise DataError(f"Column {column!r} of --column is not in the table.{did_you_mean(column, list(frame.columns))}")
        if column in sources:
            raise DataError(f"Column {column!r} of --column is a target, no input. The kind of a target is said by --target.")
        if column in not_inputs:
            raise DataError(f"Column {column!r} is given to --column and to {not_inputs[column]}; so it is no input. Drop one.")


def warn_of_copies(roles: Roles) -> None:
    """Warn of every input that is a target under another name."""
    from polytask.data import perfect_copies

    for column, target in perfect_copies(roles.inputs, roles.target_labels):
        warnings.warn(
            f"The input {column!r} is a perfect copy of the target {target!r}: this is leakage, and all scores will be too good. "
            f"Leave it out (--ignore {column!r}, ignore=[{column!r}]) unless it is known at prediction time.",
            PolytaskWarning,
            stacklevel=2,
        )


def _not_inputs(frame: "pd.DataFrame", *, ignore: Sequence[str], named: Mapping[str, str | None]) -> dict[str, str]:
    from polytask.data import did_you_mean

    given = [(column, "--ignore") for column in ignore] + [(column, option) for option, column in named.items() if column]
    for column, option in given:
        if column not in frame.columns:
            raise DataError(f"Column {column!r} of {option} is not in the table.{did_you_mean(column, list(frame.columns))}")
    return dict(given)


def _specs(targets: "Sequence[str | Task]", frame: "pd.DataFrame") -> "list[TargetSpec | Task]":
    """Targets as the user named them: words of the grammar, or tasks."""
    from polytask.tasks import Task, parse_targets

    names = list(frame.columns)
    strange = next((target for target in targets if not isinstance(target, str | Task)), None)
    if strange is not None:
        raise TargetError(f"A target must be a text or a Task; got {strange!r}. Name the column, such as {str(strange)!r}.")
    words = [target for target in targets if not isinstance(target, Task)]
    if len(words) == len(targets):
        return [*parse_targets(words, names)]
    specs: list[TargetSpec | Task] = []
    for target in targets:
        specs += [target] if isinstance(target, Task) else parse_targets([target], names)
    plain = [spec for spec in specs if isinstance(spec, Task) or spec.derived is None]
    for what, used in (("Column", [c for spec in plain for c in spec.columns]), ("Task", [spec.name for spec in specs])):
        twice = [name for name in used if used.count(name) > 1]
        if twice:
            raise TargetError(f"{what} {twice[0]!r} is in two targets; it can be in one only.")
    return specs


def _counted(frame: "pd.DataFrame", *, split: str | None, weight: str | None) -> "np.ndarray[Any, Any] | None":
    """Rows of which labels may say where quantiles lie: of positive weight and, where the split names them, training rows."""
    import numpy as np

    from polytask.data.splits import ColumnSplit

    counted = np.ones(len(frame), dtype=bool) if weight is None else _weights(frame[weight]) > 0
    if split is not None:
        parts = ColumnSplit(_whole(frame[split], option="--split").to_numpy()).parts()
        if "train" in parts:
            counted &= np.isin(np.arange(len(frame)), parts["train"])
    return None if counted.all() else counted


def _whole(column: "pd.Series", *, option: str) -> "pd.Series":
    n_missing = int(column.isna().sum())
    if n_missing:
        raise DataError(f"Column {column.name!r} of {option} must have a value in every row; {n_missing} are missing.")
    return column


def _weights(column: "pd.Series") -> "np.ndarray[Any, Any]":
    import numpy as np
    import pandas as pd

    weights = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise DataError(f"Column {column.name!r} of --weight must hold finite numbers >= 0 in every row.")
    return weights


def _times(column: "pd.Series") -> "np.ndarray[Any, Any]":
    """Numbers as float64, or dates as datetime64 (in UTC where they have a zone)."""
    import numpy as np
    import pandas as pd

    _whole(column, option="--time")
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        numbers = column.to_numpy(dtype=np.float64)
        if not np.isfinite(numbers).all():
            raise DataError(f"Column {column.name!r} of --time must hold finite numbers or dates in every row.")
        return numbers
    if not pd.api.types.is_datetime64_any_dtype(column):
        dates = pd.to_datetime(column.astype(str).str.strip(), format="ISO8601", utc=True, errors="coerce")
        if dates.isna().any():
            raise DataError(
                f"Column {column.name!r} of --time must hold numbers or dates such as 2026-01-31; got "
                f"{str(column[dates.isna()].iloc[0])!r} in row {column[dates.isna()].index.tolist()[0]!r}."
            )
        column = dates
    return np.asarray(column.dt.tz_convert(None).to_numpy() if column.dt.tz is not None else column.to_numpy())
