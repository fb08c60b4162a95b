"""Labels as classes: one spelling per class, whatever type a column happens to have."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from polytask.exceptions import DataError, TargetError, UnlearnableError

Array = np.ndarray[Any, np.dtype[Any]]


def canonical_label(value: Any) -> Any:
    """Give a label as a JSON scalar; whole numbers lose their decimal point.

    >>> canonical_label(2.0), canonical_label(np.int64(2)), canonical_label("2"), canonical_label(np.True_)
    (2, 2, '2', True)
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return int(value) if math.isfinite(value) and float(value).is_integer() else float(value)
    return str(value)


def label_array(labels: tuple[Any, ...]) -> Array:
    """Labels as an array of their own type: bool, int64, float64 or text (object).

    >>> label_array((0, 1)).dtype.kind, label_array(("a", "b")).dtype.kind
    ('i', 'O')
    """
    kinds = {type(label) for label in labels}
    if kinds == {bool} or kinds <= {int} or kinds <= {int, float}:
        return np.array(labels)
    return np.array(labels, dtype=object)


def column_of(y: pd.DataFrame, column: str, *, task: str) -> pd.Series:
    """Return one label column, or say which columns there are."""
    if column not in y.columns:
        from difflib import get_close_matches

        near = get_close_matches(str(column), [str(c) for c in y.columns], n=3)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise TargetError(f"Task {task!r} needs the label column {column!r}; it is not in y.{hint}")
    return y[column]


def distinct_labels(values: pd.Series) -> list[Any]:
    """Distinct observed labels, numbers in order of size, text in alphabetical order.

    >>> distinct_labels(pd.Series([3.0, 1.0, None, 3.0]))
    [1, 3]
    """
    by_text: dict[str, Any] = {}
    for value in pd.factorize(values)[1]:  # as in encode_labels: dates come as the same objects
        label = canonical_label(value)
        by_text.setdefault(str(label), label)
    labels = list(by_text.values())
    if all(isinstance(label, int | float) for label in labels):
        return sorted(labels)
    numbers = [as_number(label) for label in labels]
    by_number = [(number, k) for k, number in enumerate(numbers) if number is not None]
    return [labels[k] for _, k in sorted(by_number)] if len(by_number) == len(labels) else sorted(labels, key=str)


def encode_labels(values: pd.Series, classes: Sequence[Any], *, task: str) -> Array:
    """Class codes as float64 [n]; NaN where missing.

    Raises
    ------
    TargetError
        If a label is none of ``classes``.
    """
    codes_of = {str(label): code for code, label in enumerate(classes)}
    codes, distinct = pd.factorize(values, use_na_sentinel=True)
    names = [str(canonical_label(value)) for value in distinct]
    unknown = [name for name in names if name not in codes_of]
    if unknown:
        raise TargetError(
            f"Task {task!r} has labels {unknown[:5]} that were not among its classes when it was fitted; "
            f"its classes are {list(classes)[:10]}. Correct the labels, or leave them empty."
        )
    table = np.array([codes_of[name] for name in names] + [np.nan])
    return table[codes]  # code -1 (missing) picks the NaN at the end


def numbers_of(values: pd.Series, *, task: str) -> Array:
    """Read a label column as finite float64 [n]; NaN where missing.

    Raises
    ------
    TargetError
        If an observed label is not a number.
    DataError
        If a label is infinite.
    """
    if values.dtype == object or isinstance(values.dtype, pd.StringDtype | pd.CategoricalDtype):
        numbers = pd.to_numeric(values.astype(object), errors="coerce")
        bad = values[numbers.isna() & values.notna()]
        if len(bad):
            raise TargetError(f"Task {task!r} needs numbers; got {plain(bad.iloc[0])!r} in row {plain(bad.index[0])!r}.")
    elif isinstance(values.dtype, np.dtype) and values.dtype.kind in "mMc":
        raise TargetError(f"Task {task!r} needs numbers; got a column of type {values.dtype}.")
    else:
        numbers = values
    array = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(array).any():
        raise _infinite_label_error(task, where=f" in row {plain(values.index[np.isinf(array)][0])!r}")
    return array


def plain(value: Any) -> Any:
    """A scalar of numpy as Python's own, which errors show as ``3`` and not as ``np.int64(3)``; other values stay.

    >>> plain(np.int64(3)), plain("abc")
    (3, 'abc')
    """
    return value.item() if isinstance(value, np.generic) else value


def check_finite_labels(labels: Sequence[Any], *, task: str) -> None:
    """Raise a :class:`DataError` if one of some distinct labels is infinite."""
    if any(isinstance(label, float) and math.isinf(label) for label in labels):
        raise _infinite_label_error(task)


def indicators(codes: Array, n_codes: int) -> Array:
    """One boolean column per code, and one for a missing label where there is one; codes are float [n] with NaN."""
    missing = np.isnan(codes)
    columns = [codes == code for code in range(n_codes)]
    if missing.any():
        columns.append(missing)
    return np.stack(columns, axis=1)


def quantile_indicators(numbers: Array, n_bins: int) -> Array:
    """One boolean column per quantile bin of the observed numbers, and one for missing."""
    seen = numbers[~np.isnan(numbers)]
    edges = np.unique(np.quantile(seen, np.linspace(0, 1, n_bins + 1)[1:-1])) if len(seen) else np.empty(0)
    codes = np.where(np.isnan(numbers), np.nan, np.searchsorted(edges, numbers, side="left"))
    return indicators(codes, len(edges) + 1)


def smoothed_prior(codes: Array, weight: Array, n_classes: int) -> Array:
    """Class shares of the training rows, float64 [n_classes], with one label's worth of doubt spread over all classes.

    So a class that a fold has never seen keeps a small probability, and the constant model a finite log loss.
    """
    seen = ~np.isnan(codes) & (weight > 0)
    total = weight[seen].sum()
    scale = seen.sum() / total if total > 0 else 1.0  # weights count as rows on average
    counts = np.bincount(codes[seen].astype(int), weights=weight[seen] * scale, minlength=n_classes)
    return (counts + 1 / n_classes) / (seen.sum() + 1)


def one_value_error(name: str, what: str) -> UnlearnableError:
    """Return the error of a target that cannot be learned; it names the ways out."""
    return UnlearnableError(
        f"Task {name!r} cannot be learned: {what}. Leave it out, or let it be skipped (--unlearnable skip, unlearnable='skip')."
    )


def _infinite_label_error(task: str, *, where: str = "") -> DataError:
    return DataError(f"Task {task!r} has an infinite label (inf){where}; labels must be finite. Leave it empty if unknown.")


def as_number(label: Any) -> float | None:
    """Read a label as a finite number, or None if it is none."""
    try:
        number = float(label)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
