"""How much labels of each class count."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from polytask.exceptions import OptionError
from polytask.tasks._labels import encode_labels


def class_weights(class_weight: Any, labels: pd.Series, classes: list[Any], *, task: str) -> tuple[float, ...]:
    """Weights of the classes, in their order; empty where all count alike.

    Parameters
    ----------
    class_weight : None, "balanced" or mapping of class to float
        A class that a mapping does not name has weight 1.
    labels : Series
        All labels of the development table; a missing one is NaN or None.
    classes : list
    task : str
        For errors.

    Raises
    ------
    OptionError
        If ``class_weight`` is something else, names an unknown class, or has a weight that is not positive.

    Examples
    --------
    >>> class_weights("balanced", pd.Series([0, 0, 0, 1]), [0, 1], task="sold")
    (0.6666666666666666, 2.0)
    >>> class_weights({"yes": 5}, pd.Series(["no", "yes"]), ["no", "yes"], task="sold")
    (1.0, 5.0)
    """
    if class_weight is None:
        return ()
    if isinstance(class_weight, str) and class_weight == "balanced":
        codes = encode_labels(labels, classes, task=task)
        counts = np.bincount(codes[~np.isnan(codes)].astype(np.int64), minlength=len(classes))
        return tuple(float(counts.sum() / ((counts > 0).sum() * count)) if count else 1.0 for count in counts)
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
