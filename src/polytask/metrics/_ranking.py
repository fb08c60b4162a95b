"""Metrics of how well probabilities rank the rows."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score, roc_auc_score

from polytask.metrics._metric import Metric, one_minus
from polytask.metrics._observed import ONE_CLASS, observed_classes, observed_labels
from polytask.metrics._undefined import UndefinedMetric


def roc_auc(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Area under the ROC curve; for more than two classes the mean of one-versus-rest AUCs.

    The mean is over the classes present in the labels, without weights. (scikit-learn refuses when a class is absent.)
    Undefined where only one class is present.

    >>> roc_auc([0.0, 1.0, 0.0, 1.0], [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    0.75
    """
    return _mean_over_classes(roc_auc_score, target, outputs, sample_weight)


def average_precision(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Average precision of class 1; for more than two classes the mean over the classes present, each against the rest.

    Undefined where only one class is present.

    >>> average_precision([0.0, 1.0, 0.0, 1.0], [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    0.8333
    """
    return _mean_over_classes(average_precision_score, target, outputs, sample_weight)


def roc_auc_per_label(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Mean AUC of a multilabel task's labels, each on its observed rows.

    Labels observed with one value only are left out; undefined if that leaves none.

    >>> target = [[0.0, 1.0], [1.0, 1.0], [1.0, float("nan")]]
    >>> roc_auc_per_label(target, [[0.1, 0.5], [0.2, 0.6], [0.1, 0.7]])
    0.75
    """
    return _mean_over_labels(roc_auc_score, target, outputs, sample_weight)


def average_precision_per_label(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Mean average precision of a multilabel task's labels, each on its observed rows.

    Labels observed with one value only are left out; undefined if that leaves none.

    >>> target = [[0.0, 1.0], [1.0, 1.0], [1.0, float("nan")]]
    >>> average_precision_per_label(target, [[0.1, 0.5], [0.2, 0.6], [0.1, 0.7]])
    0.8333
    """
    return _mean_over_labels(average_precision_score, target, outputs, sample_weight)


def _mean_over_classes(
    score: Callable[..., float], target: ArrayLike, outputs: ArrayLike, sample_weight: ArrayLike | None
) -> float:
    target, outputs, weight = observed_classes(target, outputs, sample_weight)
    present = np.unique(target).astype(np.int64)
    if len(present) < 2:
        raise UndefinedMetric(ONE_CLASS)
    classes = [1] if outputs.shape[1] == 2 else present
    return float(np.mean([score(target == k, outputs[:, k], sample_weight=weight) for k in classes]))


def _mean_over_labels(
    score: Callable[..., float], target: ArrayLike, outputs: ArrayLike, sample_weight: ArrayLike | None
) -> float:
    target, outputs, weight = observed_labels(target, outputs, sample_weight)
    scores = []
    for y, p, w in zip(target.T, outputs.T, weight.T):
        used = w > 0
        if used.any() and np.ptp(y[used]) > 0:
            scores.append(score(y[used], p[used], sample_weight=w[used]))
    if not scores:
        raise UndefinedMetric("no label is observed with both values")
    return float(np.mean(scores))


ROC_AUC = Metric("roc_auc", roc_auc, higher_is_better=True, error=one_minus)
AVERAGE_PRECISION = Metric("average_precision", average_precision, higher_is_better=True, error=one_minus)
ROC_AUC_PER_LABEL = Metric("roc_auc_per_label", roc_auc_per_label, higher_is_better=True, error=one_minus, is_multilabel=True)
AVERAGE_PRECISION_PER_LABEL = Metric(
    "average_precision_per_label", average_precision_per_label, higher_is_better=True, error=one_minus, is_multilabel=True
)
