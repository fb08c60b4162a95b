"""What a user declares of a target beside its kind: its loss, the weights of its classes, further metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from polytask.exceptions import OptionError

if TYPE_CHECKING:
    from polytask.tasks import Task


def declared(
    task: "Task", *, losses: Mapping[str, Any], class_weights: Mapping[str, Any], metrics: Mapping[str, Any] | None = None
) -> "Task":
    """The task with the loss, the class weights and the metrics named for it, by name or by a pattern such as ``y_*``.

    Raises
    ------
    OptionError
        If there is no such loss or metric, or the kind of task has no classes to weigh.

    Examples
    --------
    >>> from polytask.tasks import Regression
    >>> declared(Regression("price"), losses={"pr*": "huber"}, class_weights={}).loss
    Huber(delta=1.35, unit=None)
    """
    loss, weights = _of(task.name, losses), _of(task.name, class_weights)
    if weights is not None and "class_weight" not in {field.name for field in fields(task)}:
        raise OptionError(f"--class-weight is for targets with classes; task {task.name!r} is of kind {task.kind}.")
    given = {name: value for name, value in (("loss", loss), ("class_weight", weights)) if value is not None}
    if (further := _of(task.name, metrics or {})) is not None:
        given["metrics"] = (
            *task.metrics,
            *([further] if isinstance(further, str) or not isinstance(further, Sequence) else further),
        )
    return replace(task, **given) if given else task


def check_named(names: Sequence[str], **options: Mapping[str, Any]) -> None:
    """Refuse what is declared for a target that is not there; ``options`` are named as on the command line, ``_`` for ``-``."""
    from polytask.data import did_you_mean

    for option, given in options.items():
        for target in given:
            if target not in names and not any(fnmatchcase(name, target) for name in names):
                shown = option.replace("_", "-")
                raise OptionError(f"--{shown} names {target!r}, which is no target.{did_you_mean(target, list(names))}")


def _of(name: str, given: Mapping[str, Any]) -> Any:
    if name in given:
        return given[name]
    return next((value for pattern, value in given.items() if fnmatchcase(name, pattern)), None)
