"""Metrics of the predicted class, the argmax of the probabilities (n, n_classes); ties go to the first class."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import accuracy_score, f1_score, recall_score

from polytask.metrics._metric import Metric, one_minus
from polytask.metrics._observed import ONE_CLASS, observed_classes
from polytask.metrics._undefined import UndefinedMetric


def accuracy(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Share of rows whose class is predicted.

    >>> accuracy([0.0, 1.0, 1.0, 1.0], [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]])
    0.75
    """
    target, outputs, weight = observed_classes(target, outputs, sample_weight)
    return float(accuracy_score(target, outputs.argmax(axis=1), sample_weight=weight))


def balanced_accuracy(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Mean of the classes' recalls, over the classes present in the labels; undefined for fewer than two.

    >>> balanced_accuracy([0.0, 1.0, 1.0, 1.0], [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]])
    0.8333
    """
    target, outputs, weight = observed_classes(target, outputs, sample_weight)
    present = np.unique(target)
    if len(present) < 2:
        raise UndefinedMetric(ONE_CLASS)
    # balanced_accuracy_score is this too, but warns when a class is predicted that no label has
    return float(recall_score(target, outputs.argmax(axis=1), labels=present, average="macro", sample_weight=weight))


def f1(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """F1 of class 1 of a binary task: harmonic mean of precision and recall.

    Undefined where class 1 is neither in the labels nor predicted.

    >>> f1([0.0, 1.0, 1.0], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    0.6667
    """
    if np.asarray(outputs).shape[-1] != 2:
        raise ValueError(f"`outputs` of f1 must be (n, 2); got {np.asarray(outputs).shape}. Use f1_macro or f1_micro.")
    return _f1(target, outputs, sample_weight, average="binary")


def f1_macro(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Mean of the classes' F1, over the classes that are in the labels or predicted.

    >>> f1_macro([0.0, 1.0, 1.0], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    0.6667
    """
    return _f1(target, outputs, sample_weight, average="macro")


def f1_micro(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """F1 of all classes' counts together; with one class per row this is the accuracy.

    >>> f1_micro([0.0, 1.0, 1.0], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    0.6667
    """
    return _f1(target, outputs, sample_weight, average="micro")


def _f1(
    target: ArrayLike,
    outputs: ArrayLike,
    sample_weight: ArrayLike | None,
    *,
    average: Literal["binary", "macro", "micro"],
) -> float:
    target, outputs, weight = observed_classes(target, outputs, sample_weight)
    predicted = outputs.argmax(axis=1)
    if average == "binary" and not target.any() and not predicted.any():
        raise UndefinedMetric("class 1 is neither in the labels nor predicted")
    return float(f1_score(target, predicted, average=average, sample_weight=weight, zero_division=0.0))


ACCURACY = Metric("accuracy", accuracy, higher_is_better=True, error=one_minus)
BALANCED_ACCURACY = Metric("balanced_accuracy", balanced_accuracy, higher_is_better=True, error=one_minus)
F1 = Metric("f1", f1, higher_is_better=True, error=one_minus)
F1_MACRO = Metric("f1_macro", f1_macro, higher_is_better=True, error=one_minus)
F1_MICRO = Metric("f1_micro", f1_micro, higher_is_better=True, error=one_minus)
