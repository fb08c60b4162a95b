"""Loss, metrics and class weights for a task that is declared or inferred already."""

from dataclasses import fields, replace
from typing import Any

from polytask.exceptions import OptionError
from polytask.tasks._task import FixedTask, Task


def with_options(task: Task, *, loss: Any = None, metrics: Any = (), class_weight: Any = None) -> Task:
    """Give a declared task a loss, metrics or class weights; what is not given stays.

    Parameters
    ----------
    task : Task
        Declared, or inferred by :func:`infer_task`.
    loss : str, Loss or callable, optional
    metrics : sequence of str or Metric
    class_weight : "balanced" or dict of class to float, optional

    Returns
    -------
    task : Task
        A copy.

    Raises
    ------
    OptionError
        If the task cannot have what is given.

    Examples
    --------
    >>> from polytask.tasks import Regression
    >>> with_options(Regression("price"), loss="quantile:0.9").loss
    Quantile(level=0.9)
    """
    changes = {"loss": loss, "metrics": metrics, "class_weight": class_weight}
    changes = {name: value for name, value in changes.items() if value is not None and value != ()}
    if not changes:
        return task
    if isinstance(task, FixedTask):
        raise OptionError(f"Task {task.name!r} is fitted already; its {next(iter(changes))} cannot be changed. Declare it anew.")
    if "class_weight" in changes and "class_weight" not in {f.name for f in fields(task)}:
        raise OptionError(f"Task {task.name!r} of kind {task.kind} has no classes to weigh; leave `class_weight` out.")
    return replace(task, **changes)
