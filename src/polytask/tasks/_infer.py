"""Infer the kind of a task from its column, and say why."""

import warnings
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from polytask._lists import holds_lists, separator_of
from polytask.exceptions import OptionError, PolytaskWarning, TargetError
from polytask.tasks._classification import Binary, Multiclass
from polytask.tasks._count import Count
from polytask.tasks._labels import check_finite_labels, column_of, distinct_labels, numbers_of, one_value_error, plain
from polytask.tasks._multilabel import Multilabel
from polytask.tasks._ordinal import Ordinal, order_by_alphabet
from polytask.tasks._regression import Regression
from polytask.tasks._task import Task

KINDS: dict[str, type[Task]] = {task.kind: task for task in (Regression, Binary, Multiclass, Multilabel, Ordinal, Count)}
"""The kinds of task by name; the one place that turns a kind's name into its class."""

MAX_FEW = 10  # whole numbers with at most this many distinct values are read as classes
MAX_CLASSES = 100  # more distinct texts than this are no classes without being asked for
_SHOWN_CLASSES = 8
_ODD_SHARE, _SHOWN_ODD = 0.1, 3  # at most such a share of values that are no numbers is told as odd ones, so many by name


@dataclass(frozen=True)
class Inference:
    """A task and, in plain words, why its kind was chosen."""

    task: Task
    reason: str


def task_of_kind(name: str, columns: tuple[str, ...], kind: str, *, order: tuple[Any, ...] = ()) -> Task:
    """Make a task from the name of its kind; an ordinal one may have an order of classes, from lowest to highest.

    >>> task_of_kind("grade", ("grade",), "ordinal")
    Ordinal(name='grade', columns=('grade',), loss=None, metrics=(), order=(), class_weight=None)
    """
    if kind not in KINDS:
        raise TargetError(f"The kind of task {name!r} must be one of {', '.join(KINDS)}; got {kind!r}.")
    if kind == Ordinal.kind:
        return Ordinal(name, columns, order=order)
    if order:
        raise OptionError(f"Only an ordinal task takes an order; task {name!r} is of kind {kind}, with the order {list(order)}.")
    return KINDS[kind](name, columns)


def infer_task(
    name: str,
    frame: pd.DataFrame,
    *,
    columns: tuple[str, ...] = (),
    kind: str | None = None,
    order: tuple[Any, ...] = (),
) -> Inference:
    """Choose the kind of task from a label column, unless ``kind`` says it.

    An ordinal task of texts for which nobody gives an order is warned of: the alphabet is seldom the order that is meant.

    Parameters
    ----------
    name : str
        Name of the task; also the column, unless ``columns`` is given.
    frame : DataFrame
        Holds the label columns.
    kind : str, optional
        One of ``regression, binary, multiclass, multilabel, ordinal, count``.
    order : tuple, optional
        The classes of an ordinal task, from lowest to highest.

    Raises
    ------
    TargetError
        If the column is missing, has fewer than two distinct labels, or looks like free text.
    OptionError
        If ``order`` is given for another kind than ordinal.

    Examples
    --------
    >>> found = infer_task("sold", pd.DataFrame({"sold": ["yes", "no", None]}))
    >>> found.task.kind, found.reason
    ('binary', "two distinct values: 'no' and 'yes'")
    """
    columns = columns or (name,)
    if kind is not None or order:
        task = task_of_kind(name, columns, kind or Ordinal.kind, order=order)
        if isinstance(task, Ordinal) and not order:
            _warn_of_alphabet(name, column_of(frame, columns[0], task=name))
        return Inference(task, "as you said")
    if len(columns) > 1:
        return Inference(Multilabel(name, columns), f"{len(columns)} columns make one task of tags")
    values = column_of(frame, columns[0], task=name)
    if holds_lists(values):
        return Inference(Multilabel(name, columns), "a list of tags in each row")
    labels = _labels_up_to(values, name=name, limit=max(MAX_CLASSES, MAX_FEW) + 1)
    check_finite_labels(labels, task=name)
    if not labels:
        raise one_value_error(name, "all its labels are missing")
    if len(labels) == 1:
        raise one_value_error(name, f"it has one value only, {labels[0]!r}")
    if len(labels) == 2:
        return Inference(Binary(name, columns), f"two distinct values: {labels[0]!r} and {labels[1]!r}")
    if isinstance(values.dtype, pd.CategoricalDtype) and values.dtype.ordered and len(labels) <= MAX_CLASSES:
        return Inference(Ordinal(name, columns), f"an ordered categorical column with {len(labels)} distinct values")
    return _infer_from_many(name, columns, values, labels)


def _infer_from_many(name: str, columns: tuple[str, ...], values: pd.Series, labels: list[Any]) -> Inference:
    is_number = pd.api.types.is_numeric_dtype(values) or all(isinstance(label, int | float) for label in labels)
    if is_number:
        numbers = numbers_of(values.dropna(), task=name)
        if (numbers % 1 != 0).any():
            return Inference(Regression(name, columns), "numbers with fractions")
        if len(labels) <= MAX_FEW:
            return Inference(
                Multiclass(name, columns),
                f"{len(labels)} distinct whole numbers; if their order matters, write {name}:ordinal (or :count, :regression)",
            )
        hint = f"; if it counts something, write {name}:count" if (numbers >= 0).all() else ""
        return Inference(Regression(name, columns), f"whole numbers with more than {MAX_FEW} distinct values{hint}")
    n_labels = int(values.notna().sum())
    odd = _odd_values(values)
    if len(labels) > MAX_CLASSES or len(labels) > n_labels / 2:
        if odd:
            raise TargetError(
                f"Task {name!r} is of numbers but for a few values: {odd}. Correct them, or mark them as missing (`missing`); "
                f"write {name}:multiclass if all values are classes."
            )
        raise TargetError(
            f"Task {name!r} has {'over ' if len(labels) > MAX_CLASSES else ''}{min(len(labels), MAX_CLASSES)} distinct texts in "
            f"{n_labels} labels, which looks like free text or an identifier. Write {name}:multiclass if they are classes"
            + (f", or {name}:multilabel if they are lists of tags." if separator_of(map(str, labels)) else ".")
        )
    which = f"all numbers: {odd}" if odd and len(labels) > MAX_FEW else "numbers"
    return Inference(Multiclass(name, columns), f"{len(labels)} distinct values that are not {which}")


def _odd_values(values: pd.Series) -> str:
    """The few values of a column of numbers that are none, in words with their rows; empty where most are no numbers."""
    seen = values.dropna()
    odd = seen[pd.to_numeric(seen.astype(object), errors="coerce").isna()]
    if not 0 < len(odd) <= _ODD_SHARE * len(seen):
        return ""
    shown = [f"{plain(value)!r} in row {plain(row)!r}" for row, value in odd.iloc[:_SHOWN_ODD].items()]
    more = f" and {len(odd) - _SHOWN_ODD} more" if len(odd) > _SHOWN_ODD else ""
    are = "is not" if len(odd) == 1 else "are not"
    return f"{len(seen) - len(odd)} of {len(seen)} are numbers, and {', '.join(shown)}{more} {are}"


def _warn_of_alphabet(name: str, values: pd.Series) -> None:
    classes = order_by_alphabet(values)
    if not classes:
        return
    shown = " < ".join(classes[:_SHOWN_CLASSES]) + (f" < ... ({len(classes)} classes)" if len(classes) > _SHOWN_CLASSES else "")
    warnings.warn(
        f"Task {name!r} is ordinal and its classes are texts without an order, so the alphabet is taken: {shown}. "
        f"If another order is meant, give it: '{name}:ordinal=LOWEST<...<HIGHEST' (or an ordered categorical column).",
        PolytaskWarning,
        stacklevel=3,
    )


def _labels_up_to(values: pd.Series, *, name: str, limit: int) -> list[Any]:
    """Distinct labels; for numbers and texts with very many of them only the first ``limit``, which decides as well."""
    try:
        distinct = pd.Series(pd.unique(values.dropna()))
    except TypeError as error:  # what cannot be a key: a mapping in a cell
        label = next(label for label in values.dropna() if not isinstance(label, Hashable))
        raise TargetError(
            f"Task {name!r} has a {type(label).__name__} as a label, {str(label)[:40]!r}; a label must be a number, a text or a "
            "truth value. Make columns of it first."
        ) from error
    return distinct_labels(distinct.iloc[:limit])
