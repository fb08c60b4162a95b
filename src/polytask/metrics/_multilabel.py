"""Metrics of multilabel tasks: target and outputs (n, n_labels), any label of any row may be missing.

A label is predicted where its probability is above a half, so a tie means 0, as the argmax of a binary task does.
Own code, because scikit-learn has no missing labels inside a row.
"""

import numpy as np
from numpy.typing import ArrayLike

from polytask.metrics._metric import Metric, one_minus
from polytask.metrics._observed import Array, observed_labels
from polytask.metrics._row_losses import cell_log_loss
from polytask.metrics._undefined import UndefinedMetric


def hamming_loss(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Share of observed labels that are predicted wrong.

    >>> hamming_loss([[1.0, 0.0], [1.0, float("nan")]], [[0.9, 0.8], [0.7, 0.9]])
    0.3333
    """
    target, outputs, weight = observed_labels(target, outputs, sample_weight)
    return float(np.average((outputs > 0.5) != target, weights=weight))


def ranking_loss(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Share of a row's (1, 0) pairs of labels in which the 0 is ranked as high or higher, averaged over rows.

    Rows whose observed labels are all 1 or all 0 have no pair and are left out (scikit-learn counts them as perfect);
    undefined if that leaves none. A row weighs the mean weight of its observed labels.

    References
    ----------
    Tsoumakas, Katakis & Vlahavas, "Mining Multi-label Data", Data Mining and Knowledge Discovery Handbook, 2010.

    Examples
    --------
    >>> ranking_loss([[1.0, 0.0, 0.0], [1.0, 1.0, float("nan")]], [[0.5, 0.8, 0.1], [0.2, 0.3, 0.9]])
    0.5
    """
    target, outputs, weight = observed_labels(target, outputs, sample_weight)
    is_observed = weight > 0
    is_one, is_zero = is_observed & (target == 1), is_observed & (target != 1)
    n_pairs = is_one.sum(axis=1) * is_zero.sum(axis=1)
    has_pair = n_pairs > 0
    if not has_pair.any():
        raise UndefinedMetric("no row has both a 0 and a 1 among its observed labels")
    is_one, is_zero, scores = is_one[has_pair], is_zero[has_pair], outputs[has_pair]
    order = np.lexsort((is_zero, scores), axis=1)  # by score; at a tie the ones first, so that a tie counts as wrong
    ones_so_far = np.take_along_axis(is_one, order, axis=1).cumsum(axis=1)
    n_wrong = (ones_so_far * np.take_along_axis(is_zero, order, axis=1)).sum(axis=1)
    return float(np.average(n_wrong / n_pairs[has_pair], weights=_row_weight(weight)[has_pair]))


def multilabel_log_loss(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Mean negative log-likelihood of the labels: over the observed labels of a row, then over rows, in nats.

    A row weighs the mean weight of its observed labels. Probabilities are clipped to [1e-7, 1].

    >>> multilabel_log_loss([[1.0, float("nan")], [0.0, 1.0]], [[0.5, 0.9], [0.5, 0.5]])
    0.6931
    """
    target, outputs, weight = observed_labels(target, outputs, sample_weight)
    row_weight = _row_weight(weight)
    losses = np.average(cell_log_loss(target, outputs), weights=weight, axis=1)
    return float(np.average(losses, weights=row_weight))


def multilabel_f1_macro(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Mean of the labels' F1, over the labels that are somewhere 1 or predicted; undefined if none is.

    >>> multilabel_f1_macro([[1.0, 0.0], [1.0, float("nan")]], [[0.9, 0.1], [0.2, 0.9]])
    0.6667
    """
    hits, marks = _f1_counts(target, outputs, sample_weight)
    if not marks.any():
        raise UndefinedMetric("no label is 1 and none is predicted")
    return float(np.mean(2 * hits[marks > 0] / marks[marks > 0]))


def multilabel_f1_micro(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """F1 of all labels' counts together; undefined if no label is 1 and none predicted.

    >>> multilabel_f1_micro([[1.0, 0.0], [1.0, float("nan")]], [[0.9, 0.8], [0.7, 0.9]])
    0.8
    """
    hits, marks = _f1_counts(target, outputs, sample_weight)
    if not marks.any():
        raise UndefinedMetric("no label is 1 and none is predicted")
    return float(2 * hits.sum() / marks.sum())


def subset_accuracy(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Share of rows whose observed labels are all predicted right (exact match).

    A row weighs the mean weight of its observed labels.

    >>> subset_accuracy([[1.0, 0.0], [1.0, float("nan")]], [[0.9, 0.8], [0.7, 0.9]])
    0.5
    """
    target, outputs, weight = observed_labels(target, outputs, sample_weight)
    is_right = (((outputs > 0.5) == target) | (weight == 0)).all(axis=1)
    return float(np.average(is_right, weights=_row_weight(weight)))


def _f1_counts(target: ArrayLike, outputs: ArrayLike, sample_weight: ArrayLike | None) -> tuple[Array, Array]:
    """Per label the weight of true positives, and that of ones in the labels plus ones predicted."""
    target, outputs, weight = observed_labels(target, outputs, sample_weight)
    is_one, is_predicted = target == 1, outputs > 0.5
    hits = (weight * (is_one & is_predicted)).sum(axis=0)
    marks = (weight * is_one).sum(axis=0) + (weight * is_predicted).sum(axis=0)
    return hits, marks


def _row_weight(weight: Array) -> Array:
    return weight.sum(axis=1) / (weight > 0).sum(axis=1)


HAMMING_LOSS = Metric("hamming_loss", hamming_loss, higher_is_better=False, is_multilabel=True)
RANKING_LOSS = Metric("ranking_loss", ranking_loss, higher_is_better=False, is_multilabel=True)
MULTILABEL_LOG_LOSS = Metric("multilabel_log_loss", multilabel_log_loss, higher_is_better=False, is_multilabel=True)
SUBSET_ACCURACY = Metric("subset_accuracy", subset_accuracy, higher_is_better=True, error=one_minus, is_multilabel=True)
MULTILABEL_F1_MACRO = Metric(
    "multilabel_f1_macro", multilabel_f1_macro, higher_is_better=True, error=one_minus, is_multilabel=True
)
MULTILABEL_F1_MICRO = Metric(
    "multilabel_f1_micro", multilabel_f1_micro, higher_is_better=True, error=one_minus, is_multilabel=True
)
