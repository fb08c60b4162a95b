"""Classes that the user gives, because the first batch of labels may lack some."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from polytask.exceptions import OptionError
from polytask.tasks import Binary, FittedTask, Multiclass, Ordinal, Task, canonical_label


def classes_by_task(classes: Any, names: Sequence[str]) -> dict[str, list[Any]]:
    """Classes per task, each once, in the order given.

    >>> classes_by_task(["no", "yes"], ["sold"])
    {'sold': ['no', 'yes']}

    Raises
    ------
    OptionError
        If they are for a task that is not there, or it is not clear for which.
    """
    if classes is None:
        return {}
    if not isinstance(classes, Mapping):
        if len(names) != 1:
            raise OptionError(
                f"`classes` must be a dict of task name to its classes, since there are {len(names)} tasks; "
                f"got {type(classes).__name__}. For example: classes={{{names[0]!r}: [...]}}."
            )
        classes = {names[0]: classes}
    unknown = [name for name in classes if name not in names]
    if unknown:
        raise OptionError(f"`classes` names {unknown[0]!r}, which is no task; tasks are {list(names)}.")
    found = {}
    for name, values in classes.items():
        by_text = {str(canonical_label(value)): canonical_label(value) for value in np.asarray(values, dtype=object).tolist()}
        if len(by_text) < 2:
            raise OptionError(f"`classes` of task {name!r} must be at least two; got {list(by_text.values())}.")
        found[name] = list(by_text.values())
    return found


def task_of_classes(declared: Task | str, classes: Sequence[Any]) -> FittedTask:
    """A fitted task with these classes; an ordinal one without an ``order`` of its own takes theirs.

    >>> task_of_classes("sold", ["yes", "no"]).classes
    ('no', 'yes')

    Raises
    ------
    OptionError
        If the task has no classes, or others.
    """
    if isinstance(declared, str):
        declared = Binary(declared) if len(classes) == 2 else Multiclass(declared)
    elif isinstance(declared, Ordinal) and not declared.order:
        declared = replace(declared, order=tuple(classes))
    if declared.estimator_type != "classifier" or len(declared.columns) > 1:
        raise OptionError(f"Task {declared.name!r} of kind {declared.kind} has no classes to give; leave it out of `classes`.")
    fitted = declared.fit(pd.DataFrame({declared.columns[0]: pd.Series(classes)}))
    check_same_classes(fitted, classes)
    return fitted


def check_same_classes(task: FittedTask, classes: Sequence[Any]) -> None:
    """Raise an :class:`OptionError` if a fitted task has other classes than these."""
    known = list(task.labels)
    if {str(label) for label in known} != {str(label) for label in classes}:
        raise OptionError(f"`classes` of task {task.name!r} must be those it was fitted with, {known}; got {list(classes)}.")
