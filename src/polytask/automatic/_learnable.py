"""From targets to tasks that can be learned: functions fitted, kinds found, one task per group, relations told."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from polytask.automatic._declared import check_named, declared
from polytask.exceptions import PolytaskWarning, TargetError, UnlearnableError
from polytask.tasks import (
    Derived,
    FixedTask,
    Inference,
    TargetSpec,
    Task,
    TaskGroups,
    derive_labels,
    derived_targets,
    deterministic_relations,
    fixed_task,
    group_tasks,
    infer_task,
    part_name,
)

_SHOWN = 5
_CONSEQUENCE = "what one gains from the other is no transfer between tasks. Keep one of them, unless all are needed"


@dataclass
class LearnableTargets:
    """Tasks with their labels, and what was left out.

    Attributes
    ----------
    labels : DataFrame of shape (n, any)
        All columns that hold labels, those of tasks left out among them.
    tasks : list of FixedTask
    reasons, skipped : dict of task name to str
        Why each task has its kind, or why it was left out.
    skipped_columns : dict of task name to tuple of str
    derived : list of Derived
    order : list of str
        Names of tasks, learned and left out, in the order given.
    """

    labels: pd.DataFrame
    tasks: list[FixedTask] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    skipped_columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    derived: list[Derived] = field(default_factory=list)
    order: list[str] = field(default_factory=list)


def sources_of(target: TargetSpec | Task) -> tuple[str, ...]:
    """The columns of the table from which the labels of a target come."""
    return target.columns if isinstance(target, Task) else target.sources


def learnable_targets(
    targets: Sequence[TargetSpec | Task],
    frame: pd.DataFrame,
    *,
    skip: bool,
    losses: Mapping[str, Any] | None = None,
    class_weights: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
    counted: Any = None,
) -> LearnableTargets:
    """Fit every target on its labels.

    Parameters
    ----------
    targets : sequence of TargetSpec or Task
    frame : DataFrame of shape (n, any)
        The whole development table: classes come from it, whatever rows are learned from.
    skip : bool
        Leave out a target that holds nothing to learn, instead of raising.
    losses, class_weights, metrics : mapping of task name or pattern, optional
        What is declared for tasks that are not given as such.
    counted : bool array of shape (n,), optional
        Rows whose labels say where quantiles lie, such as training rows of a given split; all by default.

    Raises
    ------
    TargetError
        If a target cannot be made from its column, or a name is made twice.
    UnlearnableError
        If one cannot be learned and ``skip`` is false, or none is left.
    """
    found = LearnableTargets(pd.DataFrame(index=frame.index))
    columns: dict[str, pd.Series] = {}
    for target in targets:
        try:
            parts = [target] if isinstance(target, Task) else derived_targets(target, frame, counted=counted)
        except UnlearnableError as error:  # no classes or tags, so no columns
            _leave_out(found, target.name, (), error, skip=skip)
            continue
        for part in parts:
            derived = None if isinstance(part, Task) else part.derived
            if part.name in found.order:
                raise TargetError(f"Two tasks are named {part.name!r}; give one of them another name ('... as NAME').")
            own = frame if derived is None else derive_labels(frame, [derived])[0]
            try:
                inferred = _task_of(part, own)
                if not isinstance(target, Task) and target.derived is not None and target.derived.function == "quantiles":
                    inferred = replace(inferred, reason=inferred.reason + _of_edges(own[part.name], counted))
                task = declared(inferred.task, losses=losses or {}, class_weights=class_weights or {}, metrics=metrics)
                found.tasks.append(fixed_task(task.fit(own)))
            except UnlearnableError as error:
                _leave_out(found, part.name, part.columns, error, skip=skip)
            else:
                found.reasons[part.name] = inferred.reason
                found.order.append(part.name)
            columns |= {column: own[column] for column in part.columns}
            found.derived += [] if derived is None else [derived]
    check_named(found.order, loss=losses or {}, class_weight=class_weights or {}, metric=metrics or {})
    if not found.tasks:
        raise UnlearnableError(f"No target is left to learn: {' '.join(found.skipped.values())}")
    found.labels = pd.DataFrame(columns, index=frame.index)
    return found


def divided_targets(found: LearnableTargets, groups: pd.Series, *, skip: bool) -> tuple[TaskGroups, LearnableTargets]:
    """One task of every target in every group; warns of labels that are of no group."""
    n_lost = int((found.labels.notna().any(axis=1) & groups.isna()).sum())
    if n_lost:
        warnings.warn(
            f"{n_lost} labelled rows have no value in column {groups.name!r} of --task-by, so their labels are of no task and "
            "nothing is learned from them.",
            PolytaskWarning,
            stacklevel=4,
        )
    made, tasks, left_out = group_tasks(found.tasks, found.labels, groups, skip=skip)
    codes = made.codes(groups)
    parts = LearnableTargets(
        made.spread(found.labels, codes), tasks, derived=found.derived, skipped={**found.skipped, **left_out}
    )
    others: dict[str, pd.Series] = {}
    for target in made.targets:
        for g, group in enumerate(made.groups):
            name = part_name(target.name, group)
            columns = {part_name(column, group): found.labels[column] for column in target.columns}
            if name in left_out:
                others |= {column: values.where(codes == g) for column, values in columns.items()}
                parts.skipped_columns[name] = tuple(columns)
            else:
                parts.reasons[name] = found.reasons[target.name]
    for name, own in found.skipped_columns.items():
        others |= {column: found.labels[column] for column in own}
        parts.skipped_columns[name] = own
    parts.labels = pd.concat([parts.labels, pd.DataFrame(others, index=groups.index)], axis=1)
    return made, parts


def warn_of_functions(found: LearnableTargets) -> None:
    """Warn of tasks that are functions of each other, by their expressions or by their labels."""
    source = {one.name: one.source for one in found.derived}
    tasks_of: dict[str, list[str]] = {}
    for task in found.tasks:
        tasks_of.setdefault(source.get(task.name, task.columns[0]), []).append(task.name)
    tags = {one.name for one in found.derived if one.function == "has"}
    told = {column: names for column, names in tasks_of.items() if len(names) > 1 and not tags.issuperset(names)}
    for column, names in told.items():
        warnings.warn(
            f"Tasks {_named(names)} are made from one column, {column!r}, so they are functions of it: {_CONSEQUENCE}.",
            PolytaskWarning,
            stacklevel=4,
        )
    task_of = {column: task.name for task in found.tasks for column in task.columns}
    group_of = {name: column for column, names in told.items() for name in names}
    pairs: dict[tuple[str, str], bool] = {}
    for relation in deterministic_relations(found.labels[list(task_of)]):
        one, other = task_of[relation.column], task_of[relation.of]
        if one != other and (one not in group_of or group_of[one] != group_of.get(other)):
            pairs[one, other] = pairs.get((one, other), False) or relation.both_ways
    if pairs:
        shown = [f"{one!r} {'and' if both else 'of'} {other!r}" for (one, other), both in pairs.items()]
        more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        warnings.warn(
            f"In all rows where both have labels, these tasks are functions of each other: {', '.join(shown[:_SHOWN])}{more}; "
            f"{_CONSEQUENCE}.",
            PolytaskWarning,
            stacklevel=4,
        )


def _task_of(target: TargetSpec | Task, frame: pd.DataFrame) -> Inference:
    if isinstance(target, Task):
        return Inference(target, "as you said")
    found = infer_task(target.name, frame, columns=target.columns, kind=target.kind, order=target.order)
    if target.derived is None:
        return found
    unit = f"; predictions and errors are in this unit, not in that of {target.derived.source!r}"
    return Inference(found.task, f"made by {target.derived.text}{unit if target.derived.kind == 'regression' else ''}")


def _of_edges(labels: pd.Series, counted: Any) -> str:
    """Say of which labels the edges are quantiles."""
    seen = labels.notna().to_numpy()
    if counted is None or not (seen & ~counted).any():
        return f"; the edges are quantiles of all {seen.sum()} labels, and part of what the task is, whatever rows are held out"
    return f"; the edges are quantiles of {(seen & counted).sum()} labels, without test rows and rows of weight 0"


def _leave_out(found: LearnableTargets, name: str, columns: tuple[str, ...], error: UnlearnableError, *, skip: bool) -> None:
    if not skip:
        raise error
    found.skipped[name] = str(error).partition(". ")[0] + "."
    found.skipped_columns[name] = columns
    found.order.append(name)


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_SHOWN]))
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
