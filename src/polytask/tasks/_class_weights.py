"""How much labels of each class count."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from polytask.exceptions import OptionError

Array = np.ndarray[Any, np.dtype[Any]]


def class_weights(class_weight: Any, classes: list[Any], *, task: str) -> tuple[float, ...] | None:
    """Declared weights of the classes, in their order; empty where all count alike, None where they are to be balanced.

    Parameters
    ----------
    class_weight : None, "balanced" or mapping of class to float
        A class that a mapping does not name has weight 1.
    classes : list
    task : str
        For errors.

    Raises
    ------
    OptionError
        If ``class_weight`` is something else, names an unknown class, or has a weight that is not positive.

    Examples
    --------
    >>> class_weights({"yes": 5}, ["no", "yes"], task="sold")
    (1.0, 5.0)
    """
    if class_weight is None:
        return ()
    if isinstance(class_weight, str) and class_weight == "balanced":
        return None
    if not isinstance(class_weight, Mapping):
        raise OptionError(
            f"`class_weight` of task {task!r} must be 'balanced' or a dict of class to weight; got {class_weight!r}."
        )
    names = {str(label): k for k, label in enumerate(classes)}
    unknown = [label for label in class_weight if str(label) not in names]
    if unknown:
        raise OptionError(
            f"`class_weight` of task {task!r} names {unknown[0]!r}, which is no class of it; classes are {classes}."
        )
    weights = [1.0] * len(classes)
    for label, weight in class_weight.items():
        if not isinstance(weight, int | float | np.number) or not 0 < weight < np.inf:
            raise OptionError(f"The weight of class {label!r} of task {task!r} must be positive and finite; got {weight!r}.")
        weights[names[str(label)]] = float(weight)
    return tuple(weights)


def balanced_weights(codes: Array, weight: Array, *, n_classes: int) -> tuple[float, ...]:
    """Weights by which all classes that are there count alike, and all labels together as much as without them.

    Parameters
    ----------
    codes : array of shape (n,)
        Classes 0, 1, ... of training rows; NaN = missing.
    weight : array of shape (n,)
        Label weights >= 0.
    n_classes : int

    Returns
    -------
    weights : tuple of float
        1 for a class without labels.

    Examples
    --------
    >>> balanced_weights(np.array([0, 0, 0, 1, np.nan]), np.ones(5), n_classes=2)
    (0.6666666666666666, 2.0)
    >>> balanced_weights(np.array([0, 0, 0, 1]), np.array([1, 1, 0, 2]), n_classes=2)  # of 2 and 2
    (1.0, 1.0)
    """
    if not (~np.isnan(codes) & (weight > 0)).any():
        return (1.0,) * n_classes
    counts = class_counts(codes, weight / weight[~np.isnan(codes)].max(), n_classes=n_classes)  # so that no sum overflows
    n_there = (counts > 0).sum()
    return tuple(float(counts.sum() / (n_there * count)) if count > 0 else 1.0 for count in counts)


def class_counts(codes: Array, weight: Array, *, n_classes: int) -> Array:
    """Sum of the weights of the labels of each class, [n_classes]; codes and weights as of :func:`balanced_weights`.

    >>> class_counts(np.array([0, 1, 1, np.nan]), np.array([1.0, 2.0, 0.5, 9.0]), n_classes=3)
    array([1. , 2.5, 0. ])
    """
    seen = ~np.isnan(codes) & (weight > 0)
    return np.bincount(codes[seen].astype(np.int64), weights=weight[seen], minlength=n_classes)
