"""Labels of a task that exists only where another is "yes": where the other is "no" there must be none."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from polytask.estimators._labels import LabelTable, task_slices
from polytask.exceptions import TargetError
from polytask.networks import TaskProduct
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]


def with_defined_labels(labels: LabelTable, product: TaskProduct | None, *, is_more: bool = False) -> LabelTable:
    """Labels of the child of a product only where its parent is "yes"; as they are without a product.

    Where the user says so, the child's task is from here on one that reads labels where the parent is "no" as missing, also in
    new tables with a column of the parent. A batch of more data may have labels of one class only.

    Raises
    ------
    TargetError
        If the child has labels where the parent is "no", and the user does not say that these mean nothing; or some are "yes";
        or it is left without labels of both classes.
    """
    if product is None:
        return labels
    parent, child = labels.tasks[product.parent], labels.tasks[product.child]
    strange = _undefined(labels.tasks, labels.target, product)
    _check_no_positive(labels.tasks, labels.target, product)
    if not product.undefined:
        check_defined_labels(labels.tasks, labels.target, product)
    target = labels.target.copy()
    own = labels.slices[child.name]
    target[strange, own] = np.nan
    if not is_more and not child.labels_vary(target[:, own]):
        where = f"where {parent.name!r} is {parent.labels[1]!r}"
        raise TargetError(f"The labels of {child.name!r} {where} are all alike: there is nothing to learn. Choose another child.")
    if not product.undefined:
        return labels
    tasks, reasons = [*labels.tasks], dict(labels.reasons)
    tasks[product.child] = replace(child, given=(parent.columns[0], parent.labels[0]))  # type: ignore[call-arg]
    if strange.any():
        where = f"where {parent.name!r} is {parent.labels[0]!r}"
        reasons[child.name] = f"{reasons[child.name]}; {int(strange.sum())} labels {where} are taken as missing, as you said"
    return replace(labels, tasks=tasks, target=target, reasons=reasons)


def check_defined_labels(tasks: Sequence[FittedTask], target: Array, product: TaskProduct | None) -> None:
    """Raise a :class:`TargetError` if the child of a product has labels [n, C] where its parent is "no"."""
    if product is None:
        return
    _check_no_positive(tasks, target, product)
    n_strange, child = int(_undefined(tasks, target, product).sum()), tasks[product.child]
    if n_strange:
        raise TargetError(
            f"{n_strange} labels of {child.name!r} are {child.labels[0]!r} {_where_no(tasks, product)}, and for ESMM it is "
            f"undefined there, not {child.labels[0]!r}. If these labels mean nothing, say `elsewhere='undefined'` of ESMM (in a "
            "name 'esmm:...,elsewhere=undefined'), or leave these cells empty."
        )


def _check_no_positive(tasks: Sequence[FittedTask], target: Array, product: TaskProduct) -> None:
    child, parent = tasks[product.child], tasks[product.parent]
    of_child = target[_undefined(tasks, target, product), task_slices(tasks)[child.name]]
    if n_positive := int((of_child == 1).sum()):
        raise TargetError(
            f"{n_positive} labels of {child.name!r} are {child.labels[1]!r} {_where_no(tasks, product)}, so it is no child of "
            f"{parent.name!r} for ESMM. Correct these labels, or choose another parent or sharing."
        )


def _undefined(tasks: Sequence[FittedTask], target: Array, product: TaskProduct) -> Array:
    """Rows in which the parent is "no" and the child has a label, bool [n]."""
    slices = task_slices(tasks)
    of_parent, of_child = (target[:, slices[tasks[k].name]][:, 0] for k in (product.parent, product.child))
    return np.asarray((of_parent == 0) & ~np.isnan(of_child))


def _where_no(tasks: Sequence[FittedTask], product: TaskProduct) -> str:
    parent = tasks[product.parent]
    return f"where {parent.name!r} is {parent.labels[0]!r}"
