"""Which column of the user's table is what: targets, inputs, groups, weights, the split."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from polytask.exceptions import DataError, PolytaskWarning, TargetError, UnlearnableError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from polytask.tasks import TargetSpec, Task


@dataclass(frozen=True)
class Roles:
    """A table divided by what its columns are for.

    Attributes
    ----------
    inputs, labels : DataFrame of shape (n, any)
    tasks : list of Task
        Those that can be learned, in the order given.
    reasons : dict of task name to str
        Why each task has its kind.
    skipped : dict of task name to str
        Why a task cannot be learned.
    skipped_columns : dict of task name to tuple of str
        Its label columns.
    order : list of str
        Names of all tasks, learned and skipped, in the order given.
    groups, split : array of shape (n,) or None
    weight : float64 array of shape (n,) or None
    not_inputs : dict of column to str
        The option that takes a column away from the inputs.
    """

    inputs: "pd.DataFrame"
    labels: "pd.DataFrame"
    tasks: "list[Task]"
    reasons: dict[str, str]
    skipped: dict[str, str]
    skipped_columns: dict[str, tuple[str, ...]]
    order: list[str]
    groups: "np.ndarray[Any, Any] | None"
    split: "np.ndarray[Any, Any] | None"
    weight: "np.ndarray[Any, Any] | None"
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
) -> Roles:
    """Give every column its role.

    Raises
    ------
    TargetError
        If a target is not there, or cannot be learned and ``unlearnable`` is "error", or all are skipped.
    DataError
        If another named column is not there, is a target too, or does not hold what it must.
    """
    specs = _specs(targets, frame)
    not_inputs = _not_inputs(frame, ignore=ignore, group=group, split=split, weight=weight)
    target_columns = [column for spec in specs for column in spec.columns]
    for column, option in not_inputs.items():
        if column in target_columns:
            raise DataError(f"Column {column!r} is a target and is given to {option} too; it can be one of them only.")
    tasks, reasons, skipped = _learnable(specs, frame, skip=unlearnable == "skip")
    return Roles(
        inputs=frame.drop(columns=[*target_columns, *not_inputs]),
        labels=frame[[column for task in tasks for column in task.columns]],
        tasks=tasks,
        reasons=reasons,
        skipped=skipped,
        skipped_columns={spec.name: spec.columns for spec in specs if spec.name in skipped},
        order=[spec.name for spec in specs],
        groups=None if group is None else _whole(frame[group], option="--group").to_numpy(),
        split=None if split is None else _whole(frame[split], option="--split").to_numpy(),
        weight=None if weight is None else _weights(frame[weight]),
        not_inputs=not_inputs,
    )


def warn_of_copies(roles: Roles) -> None:
    """Warn of every input that is a target under another name."""
    from polytask.data import perfect_copies

    for column, target in perfect_copies(roles.inputs, roles.labels):
        warnings.warn(
            f"The input {column!r} is a perfect copy of the target {target!r}: this is leakage, and all scores will be too good. "
            f"Leave it out with --ignore {column!r} unless it is known at prediction time.",
            PolytaskWarning,
            stacklevel=2,
        )


def _not_inputs(
    frame: "pd.DataFrame", *, ignore: Sequence[str], group: str | None, split: str | None, weight: str | None
) -> dict[str, str]:
    from polytask.data import did_you_mean

    named = [(column, "--ignore") for column in ignore]
    named += [(column, option) for column, option in ((group, "--group"), (split, "--split"), (weight, "--weight")) if column]
    for column, option in named:
        if column not in frame.columns:
            raise DataError(f"Column {column!r} of {option} is not in the table.{did_you_mean(column, list(frame.columns))}")
    return dict(named)


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
    for what, used in (("Column", [c for spec in specs for c in spec.columns]), ("Task", [spec.name for spec in specs])):
        twice = [name for name in used if used.count(name) > 1]
        if twice:
            raise TargetError(f"{what} {twice[0]!r} is in two targets; it can be in one only.")
    return specs


def _learnable(
    specs: "Sequence[TargetSpec | Task]", frame: "pd.DataFrame", *, skip: bool
) -> "tuple[list[Task], dict[str, str], dict[str, str]]":
    from polytask.tasks import Inference, Task, fixed_task, infer_task

    tasks: list[Task] = []
    reasons: dict[str, str] = {}
    skipped: dict[str, str] = {}
    for spec in specs:
        try:
            if isinstance(spec, Task):
                found = Inference(spec, "as you said")
            else:
                found = infer_task(spec.name, frame, columns=spec.columns, kind=spec.kind, order=spec.order)
            tasks.append(fixed_task(found.task.fit(frame)))  # classes come from the whole table, whatever rows are learned from
        except UnlearnableError as error:
            if not skip:
                raise
            skipped[spec.name] = str(error).partition(". ")[0] + "."
            continue
        reasons[spec.name] = found.reason
    if not tasks:
        raise UnlearnableError(f"No target is left to learn: {' '.join(skipped.values())}")
    return tasks, reasons, skipped


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
