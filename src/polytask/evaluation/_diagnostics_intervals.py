"""Intervals of shares, means and curves' areas that know row weights and groups of rows that belong together."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, logit

from polytask.metrics import UndefinedMetric, auc_placements, average_precision

FloatArray = NDArray[np.float64]
Span = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Observed:
    """The labelled rows of one task.

    Attributes
    ----------
    outputs : float64 array of shape (n,) or (n, k)
        Natural scale.
    target : float64 array of shape (n, n_targets)
        At least one label in every row.
    weight : float64 array of shape (n,)
        Positive; scaled to a mean of 1, so that weighted counts stay near counts.
    groups : int array of shape (n,) or None
        Codes 0, 1, ... of what belongs together; rows are on their own without.
    confidence : float
    most_points : int
        How many rows are drawn as points, at most.
    """

    outputs: FloatArray
    target: FloatArray
    weight: FloatArray
    groups: NDArray[np.int64] | None
    confidence: float
    most_points: int = 300

    def __len__(self) -> int:
        return len(self.target)

    def rows(self, chosen: NDArray[Any]) -> "Observed":
        """Some of the rows (a bool mask or positions)."""
        groups = None if self.groups is None else self.groups[chosen]
        return replace(self, outputs=self.outputs[chosen], target=self.target[chosen], weight=self.weight[chosen], groups=groups)


def group_variance(influence: FloatArray, groups: NDArray[np.int64] | None) -> tuple[float, int]:
    """Variance of a sum of row influences, and the units it rests on; rows of a group count as one.

    ``G / (G - 1) sum_g (sum_{i in g} influence_i)^2``: the linearization (sandwich) variance of survey statistics.

    References
    ----------
    Binder, "On the Variances of Asymptotically Normal Estimators from Complex Surveys", International Statistical Review 51,
    1983.
    """
    sums = influence if groups is None else _sums(influence, groups)
    count = len(sums)
    return (float(count / (count - 1) * np.sum(sums**2)) if count > 1 else np.inf), count


def _sums(values: FloatArray, groups: NDArray[np.int64]) -> FloatArray:
    codes = np.unique(groups, return_inverse=True)[1]
    return np.bincount(codes, weights=values).astype(np.float64)


def wilson(share: float, n: float, *, confidence: float = 0.95) -> Span:
    """Wilson's score interval of a share.

    Parameters
    ----------
    share : float
        In [0, 1].
    n : float
        Rows, or the effective number of them; > 0.
    confidence : float, default=0.95

    References
    ----------
    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 1927. Brown, Cai & DasGupta,
    "Interval Estimation for a Binomial Proportion", Statistical Science 16(2), 2001.

    Examples
    --------
    >>> [round(end, 4) for end in wilson(0.0, 10)]
    [0.0, 0.2775]
    """
    z = float(stats.norm.isf((1 - confidence) / 2))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return float(max(0.0, middle - reach)), float(min(1.0, middle + reach))


def share_interval(
    hits: FloatArray, weight: FloatArray, groups: NDArray[np.int64] | None, *, confidence: float
) -> tuple[float, float | None, float | None]:
    """Give a weighted share with its Wilson interval, for the effective number of rows; None for the ends of a single group.

    Uneven weights and groups whose rows are alike lower that number (Kish's; the design effect is never taken below 1).

    References
    ----------
    Kish, "Survey Sampling", 1965. Franco, Little, Louis & Slud, "Comparative Study of Confidence Intervals for Proportions in
    Complex Sample Surveys", Journal of Survey Statistics and Methodology 7(3), 2019.
    """
    total = weight.sum()
    share = float(np.clip(np.sum(weight * hits) / total, 0.0, 1.0))
    n = float(total**2 / np.sum(weight**2))
    if groups is not None:
        variance, count = group_variance(weight * (hits - share) / total, groups)
        if count < 2:  # what another group would give cannot be told from one
            return share, None, None
        plain = share * (1 - share) / n
        n = min(n, float(count)) if plain == 0 else max(1.0, n / max(1.0, variance / plain))
    return share, *wilson(share, n, confidence=confidence)


def mean_interval(
    values: FloatArray, weight: FloatArray, groups: NDArray[np.int64] | None, *, confidence: float
) -> tuple[float, float | None, float | None]:
    """Give a weighted mean with its t interval; None for the ends where one unit gives none."""
    total = weight.sum()
    mean = float(np.sum(weight * values) / total)
    variance, count = group_variance(weight * (values - mean) / total, groups)
    if not np.isfinite(variance):
        return mean, None, None
    reach = float(stats.t.isf((1 - confidence) / 2, count - 1) * np.sqrt(variance))
    return mean, mean - reach, mean + reach


def auc_interval(
    target: FloatArray, score: FloatArray, weight: FloatArray, groups: NDArray[np.int64] | None, *, confidence: float
) -> tuple[float, float | None, float | None] | None:
    """Give the area under the ROC curve with its interval on the logit scale; None where it is undefined.

    DeLong's variance, of groups Obuchowski's. The ends are None at an area of 0 or 1, where this variance is 0 and tells nothing.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson, Biometrics 44(3), 1988. Obuchowski, "Nonparametric Analysis of Clustered ROC Curve Data",
    Biometrics 53(2), 1997. Pepe, "The Statistical Evaluation of Medical Tests for Classification and Prediction", 2003.
    """
    try:
        placements, auc = auc_placements(target, score, sample_weight=weight)
    except UndefinedMetric:
        return None
    by_rows, by_groups = _auc_variances(target, placements, auc, weight, groups)
    return auc, *_on_logit_scale(auc, np.sqrt(by_rows if by_groups is None else by_groups), confidence)


def _auc_variances(
    target: FloatArray, placements: FloatArray, auc: float, weight: FloatArray, groups: NDArray[np.int64] | None
) -> tuple[float, float | None]:
    """Variance of the area where rows are on their own, and where groups belong together (None without groups)."""
    influence, by_rows = np.zeros(len(target)), 0.0
    for rows in (target == 1, target == 0):
        influence[rows] = weight[rows] * (placements[rows] - auc) / weight[rows].sum()
        by_rows += group_variance(influence[rows], None)[0]
    return by_rows, None if groups is None else group_variance(influence, groups)[0]


def average_precision_interval(
    target: FloatArray, score: FloatArray, weight: FloatArray, groups: NDArray[np.int64] | None, *, confidence: float
) -> tuple[float, float | None, float | None] | None:
    """Give the average precision with its logit interval; None where it is undefined.

    The variance rests on the number of positives, counted by Kish, and of groups divided by the design effect of the ROC area.

    References
    ----------
    Boyd, Eng & Page, "Area under the Precision-Recall Curve: Point Estimates and Confidence Intervals", ECML PKDD, 2013.
    """
    try:
        value = average_precision(target, np.stack([1 - score, score], axis=1), sample_weight=weight)
        placements, auc = auc_placements(target, score, sample_weight=weight)
    except UndefinedMetric:
        return None
    positives = weight[target == 1]
    n = positives.sum() ** 2 / np.sum(positives**2)
    by_rows, by_groups = _auc_variances(target, placements, auc, weight, groups)
    if by_groups is not None and not np.isfinite(by_groups):
        return value, None, None
    if by_groups is not None and 0 < by_rows < by_groups:
        n *= by_rows / by_groups
    return value, *_on_logit_scale(value, np.sqrt(value * (1 - value) / n), confidence)


def _on_logit_scale(value: float, se: float, confidence: float) -> tuple[float | None, float | None]:
    if not 0 < value < 1 or not np.isfinite(se) or se == 0:
        return None, None
    reach = stats.norm.isf((1 - confidence) / 2) * se / (value * (1 - value))
    return float(expit(logit(value) - reach)), float(expit(logit(value) + reach))


def all_at_once(confidence: float, n: int) -> float:
    """Confidence of each of ``n`` intervals that hold together with ``confidence`` (Bonferroni)."""
    return 1 - (1 - confidence) / max(n, 1)


def equal_bins(values: FloatArray, *, most: int = 10, least_rows: int = 20) -> list[NDArray[np.int64]]:
    """Positions of rows in bins of about equal size along ``values``; equal values share a bin.

    Examples
    --------
    >>> [rows.tolist() for rows in equal_bins(np.array([3.0, 1.0, 2.0, 2.0]), most=2, least_rows=1)]
    [[1], [2, 3, 0]]
    """
    count = int(np.clip(len(values) // least_rows, 1, most))
    edges = np.unique(np.quantile(values, np.arange(1, count) / count)) if count > 1 else np.zeros(0)
    codes = np.searchsorted(edges, values, side="right")
    order = np.argsort(values, kind="stable")
    return [rows for code in range(len(edges) + 1) if len(rows := order[codes[order] == code])]
