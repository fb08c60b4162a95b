"""Placement values, of which the AUC and its variance are means."""

import numpy as np
from numpy.typing import ArrayLike

from polytask.metrics._observed import NOT_FINITE, ONE_CLASS, Array, checked_weight, one_column
from polytask.metrics._undefined import UndefinedMetric


def auc_placements(target: ArrayLike, score: ArrayLike, *, sample_weight: ArrayLike | None = None) -> tuple[Array, float]:
    """Placement of every row among the rows of the other class, and the AUC.

    A positive's placement is the share of negatives with a lower score, a negative's the share of positives with a higher
    one; a tie counts half. The mean over positives is the AUC, and so is the mean over negatives. DeLong's variance is
    ``var(placements of positives) / n_positives + var(placements of negatives) / n_negatives`` (``ddof=1``), and that of the
    difference of two AUCs on the same rows is the same formula on the differences of placements.

    Parameters
    ----------
    target : array-like of shape (n,) or (n, 1)
        0 or 1; NaN is missing.
    score : array-like of shape (n,)
        Higher means rather 1.
    sample_weight : array-like of shape (n,), optional
        Weights >= 0; shares and means are weighted by it. A row of weight 0 is as if its label were missing.

    Returns
    -------
    placements : ndarray of shape (n,)
        float64 in [0, 1]; NaN where the label is missing. Made by one sort, O(n log n).
    auc : float
        In [0, 1].

    Raises
    ------
    UndefinedMetric
        If not both classes are observed, or a score is not finite.
    ValueError
        If shapes or weights are wrong, or a label is neither 0, 1 nor NaN.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson, "Comparing the Areas under Two or More Correlated Receiver Operating Characteristic
    Curves: A Nonparametric Approach", Biometrics, 1988. Sun & Xu, "Fast Implementation of DeLong's Algorithm for Comparing
    the Areas Under Correlated Receiver Operating Characteristic Curves", IEEE Signal Processing Letters, 2014.

    Examples
    --------
    >>> auc_placements([0.0, 1.0, 0.0, 1.0], [0.1, 0.2, 0.3, 0.4])
    (array([1. , 0.5, 0.5, 1. ]), 0.75)
    """
    target, score = one_column(target), one_column(score, what="score")
    weight = np.ones(len(target)) if sample_weight is None else checked_weight(sample_weight, n_labels=1)
    if not len(target) == len(score) == len(weight):
        raise ValueError(
            f"`target`, `score` and `sample_weight` must have the same length; got {len(target)}, {len(score)} and {len(weight)}."
        )
    used = ~np.isnan(target) & (weight > 0)
    placements = np.full(len(target), np.nan)
    placements[used], auc = _placements(target[used], score[used], weight[used])
    return placements, auc


def _placements(target: Array, score: Array, weight: Array) -> tuple[Array, float]:
    is_positive = target == 1
    if not (is_positive | (target == 0)).all():
        raise ValueError("`target` of auc_placements must be 0, 1 or NaN; got another value.")
    if is_positive.all() or not is_positive.any():
        raise UndefinedMetric(ONE_CLASS)
    if not np.isfinite(score).all():
        raise UndefinedMetric(NOT_FINITE)
    level = np.unique(score, return_inverse=True)[1]  # rank of each score among the distinct ones
    positives = np.bincount(level, weights=weight * is_positive)
    negatives = np.bincount(level, weights=weight * ~is_positive)
    below = (np.cumsum(negatives) - negatives / 2) / negatives.sum()
    above = (positives.sum() - np.cumsum(positives) + positives / 2) / positives.sum()
    placements = np.clip(np.where(is_positive, below[level], above[level]), 0.0, 1.0)
    return placements, float(np.average(placements[is_positive], weights=weight[is_positive]))
