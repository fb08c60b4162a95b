"""What an expression becomes on the labels of a table: checked, its quantiles found, one column per class or tag."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from polytask.exceptions import TargetError
from polytask.tasks._column_names import guess, some
from polytask.tasks._derived import (
    TRANSFORMS,
    Derived,
    bin_names,
    distinct_texts,
    means_class,
    tags_of,
    written,
)
from polytask.tasks._labels import as_number, numbers_of, one_value_error, plain

Array = np.ndarray[Any, np.dtype[Any]]

MOST_PARTS = 100  # more classes or tags than this are not made into a task each
_SEPARATORS = ("|", ";", ",")


def fit_derived(derived: Derived, column: pd.Series, *, counted: Array | None = None) -> tuple[Derived, ...]:
    """Check an expression against the labels, and turn it into functions that need no more labels.

    ``quantiles`` become ``bins`` with their edges, ``onehot`` a comparison per class, ``split`` a column per tag.

    Parameters
    ----------
    derived : Derived
    column : Series of shape (n,)
        The source column, of the whole development table.
    counted : bool array of shape (n,), optional
        Rows whose labels say where quantiles lie, all by default: leave out test rows and rows of weight 0. What fixes a shape
        (classes, tags) comes from all rows.

    Returns
    -------
    derived : tuple of Derived
        More than one only of ``onehot`` and ``split``; named ``NAME=CLASS``.

    Raises
    ------
    TargetError
        If a value is one for which the function is not defined, a bin is empty, quantiles coincide, a class is in no row,
        or there are too many classes or tags.
    UnlearnableError
        If there are no labels to find quantiles, classes or tags in.

    Examples
    --------
    >>> parts = fit_derived(Derived("city", "city", "onehot"), pd.Series(["Oslo", "Bergen", None]))
    >>> [(part.name, part.function, part.arguments) for part in parts]
    [('city=Bergen', '==', ('Bergen',)), ('city=Oslo', '==', ('Oslo',))]
    """
    if derived.function == "onehot":
        return _fit_onehot(derived, column)
    if derived.function == "split":
        return _fit_split(derived, column)
    if derived.function in ("==", "!="):
        _check_class(derived, column)
        return (derived,)
    numbers = numbers_of(column, task=derived.name)
    if derived.function == "quantiles":
        seen = ~np.isnan(numbers)
        derived = _fit_quantiles(derived, numbers[seen if counted is None else seen & counted])
    elif derived.function == "bins":
        _check_bins(derived, numbers[~np.isnan(numbers)])
    elif derived.function in TRANSFORMS:
        _check_defined(derived, column, numbers)
    return (derived,)


def _check_defined(derived: Derived, column: pd.Series, numbers: Array) -> None:
    outside = derived.derive(column)[1]
    if not len(outside):
        return
    n, first = int((~np.isnan(numbers)).sum()), int(outside[0])
    least = np.nanmin(numbers)
    way_out = {
        "log": f"Write 'log1p({derived.source})' if 0 is a true value" if least > -1 else "Learn the column itself",
        "log1p": "Learn the column itself",
        "sqrt": "Learn the column itself",
    }[derived.function]
    raise TargetError(
        f"Target {derived.name!r} needs numbers {TRANSFORMS[derived.function][2]}; {len(outside)} of {n} labels in column "
        f"{derived.source!r} are not, the first is {written(float(numbers[first]))} in row {plain(column.index[first])!r}. "
        f"{way_out}, or leave these cells empty if they mark a missing label."
    )


def _check_bins(derived: Derived, seen: Array) -> None:
    if not len(seen):
        return  # told when the task is fitted
    names = bin_names(derived.arguments)
    counts = np.bincount(np.searchsorted(np.asarray(derived.arguments), seen, side="right"), minlength=len(names))
    empty = [name for name, count in zip(names, counts, strict=True) if not count]
    if empty:
        bins = f"Bin {empty[0]!r}" if len(empty) == 1 else f"Bins {some(empty)}"
        hold = "holds" if len(empty) == 1 else "hold"
        raise TargetError(
            f"{bins} of target {derived.name!r} {hold} none of the {len(seen)} labels of column {derived.source!r}, which go "
            f"from {written(float(seen.min()))} to {written(float(seen.max()))}. Leave out or move an edge, or write "
            f"'quantiles({derived.source}, {len(names)})'."
        )


def _fit_quantiles(derived: Derived, seen: Array) -> Derived:
    n_bins = int(derived.arguments[0])
    if not len(seen):
        raise one_value_error(derived.name, "all its labels are missing")
    exact = np.quantile(seen, np.arange(1, n_bins) / n_bins)
    for digits in (4, 6, 9, 17):  # as short as they can be written without making a bin empty
        edges = np.array([float(f"{edge:.{digits}g}") for edge in exact])
        counts = np.bincount(np.searchsorted(edges, seen, side="right"), minlength=n_bins)
        if (np.diff(edges) > 0).all() and counts.all() and counts.min() >= 0.9 * _least(exact, seen):
            return Derived(derived.name, derived.source, "bins", tuple(edges.tolist()))
    values, counts = np.unique(seen, return_counts=True)
    raise TargetError(
        f"Target {derived.name!r} cannot be divided into {n_bins} bins of like size: {counts.max()} of {len(seen)} labels are "
        f"{written(float(values[counts.argmax()]))}. Take fewer quantiles, or give the edges: 'bins({derived.source}, ...)'."
    )


def _least(edges: Array, seen: Array) -> int:
    return int(np.bincount(np.searchsorted(edges, seen, side="right"), minlength=len(edges) + 1).min())


def _check_class(derived: Derived, column: pd.Series) -> None:
    asked = derived.arguments[0]
    texts = distinct_texts(column, task=derived.name)[1]
    if texts and not any(means_class(asked, text) for text in texts):
        raise TargetError(
            f"Target {derived.name!r} compares with {written(asked)!r}, which no row has in column {derived.source!r}. "
            f"{guess(str(asked), texts, what='Its values')}"
        )


def _fit_onehot(derived: Derived, column: pd.Series) -> tuple[Derived, ...]:
    texts = list(dict.fromkeys(distinct_texts(column, task=derived.name)[1]))
    if len(texts) < 2:
        raise one_value_error(derived.name, f"it has one value only, {texts[0]!r}" if texts else "all its labels are missing")
    if len(texts) > MOST_PARTS:
        raise TargetError(
            f"Target {derived.name!r} would be {len(texts)} tasks, one for each value of column {derived.source!r}; at most "
            f"{MOST_PARTS} are made. Learn it as one task of classes: '{derived.source}:multiclass'."
        )
    return tuple(Derived(f"{derived.name}={text}", derived.source, "==", (text,)) for text in _sorted(texts))


def _fit_split(derived: Derived, column: pd.Series) -> tuple[Derived, ...]:
    separator = str(derived.arguments[0]) if derived.arguments else _separator_of(column)
    cells = [tags for cell in column if (tags := tags_of(cell, separator)) is not None]
    counts = Counter(tag for tags in cells for tag in set(tags))
    if not counts:
        raise one_value_error(derived.name, "no row has a tag" if cells else "all its labels are missing")
    if len(counts) > MOST_PARTS:
        raise TargetError(
            f"Target {derived.name!r} would be {len(counts)} tasks, one for each tag of column {derived.source!r}; at most "
            f"{MOST_PARTS} are made. Learn them as one task of tags, '{derived.source}:multilabel', or give the separator: "
            f"'split({derived.source}, \"|\")'; {separator!r} was taken."
        )
    return tuple(Derived(f"{derived.name}={tag}", derived.source, "has", (tag, separator)) for tag in _sorted(list(counts)))


def _separator_of(column: pd.Series) -> str:
    """What stands between the tags of texts: the first of ``|``, ``;`` and ``,`` that is in a cell; "" for lists."""
    texts = [cell for cell in column if isinstance(cell, str) and not cell.strip().startswith("[")]
    return next((sign for sign in _SEPARATORS if any(sign in text for text in texts)), "")


def _sorted(texts: list[str]) -> list[str]:
    """Numbers by size, else the alphabet."""
    numbers = {text: as_number(text) for text in texts}
    if all(number is not None for number in numbers.values()):
        return sorted(texts, key=lambda text: float(numbers[text] or 0.0))
    return sorted(texts)
