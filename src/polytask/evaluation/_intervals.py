"""Intervals and p values for several tasks at once (Holm)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

FloatArray = NDArray[np.float64]


def holm(p_values: ArrayLike) -> FloatArray:
    """Adjust p values for several tasks, step by step down from the smallest.

    Parameters
    ----------
    p_values : array of shape (n_tasks,)
        In [0, 1].

    Returns
    -------
    adjusted : array of shape (n_tasks,)
        In the order given, in [0, 1]. Calling every task with ``adjusted <= alpha`` different is wrong about any task at all with
        probability alpha at most, whatever the dependence between tasks.

    References
    ----------
    Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6(2), 1979.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def holm_levels(p_values: ArrayLike, *, alpha: float = 0.05) -> FloatArray:
    """Give the level at which Holm's procedure decided each task; an interval at it excludes 0 just where Holm rejects.

    With m tasks the smallest p value is held against ``alpha / m``, the next against ``alpha / (m - 1)``, and so on to the first
    one not rejected; that one and all behind it were decided at the same level.

    Examples
    --------
    >>> holm_levels([0.001, 0.04, 0.3]).round(4).tolist()
    [0.0167, 0.025, 0.025]
    """
    p = np.asarray(p_values, dtype=float)
    rejected = holm(p) <= alpha
    n_smaller = (p[:, None] > p[None, :]).sum(axis=1)  # equal p values share a level: the order of tasks cannot matter
    return alpha / np.maximum(len(p) - np.where(rejected, n_smaller, rejected.sum()), 1)


@dataclass(frozen=True)
class Intervals:
    """Intervals of several tasks, arrays of shape (n_tasks,); see :func:`simultaneous_intervals`."""

    low: FloatArray
    high: FloatArray
    low_unadjusted: FloatArray
    high_unadjusted: FloatArray
    p_value: FloatArray
    p_adjusted: FloatArray
    detectable: FloatArray


def simultaneous_intervals(
    gain: ArrayLike, *, se: ArrayLike, df: ArrayLike, confidence: float = 0.95, power: float = 0.8
) -> Intervals:
    """Give t intervals for several tasks, widened as Holm's procedure widened them.

    Each covers its task's gain with at least ``confidence``; the chance that any task without a gain is said to gain or lose is
    at most ``1 - confidence``. (The intervals of tasks that are decided are not Bonferroni-wide, so all of them together
    cover a little less than ``confidence``.)

    Parameters
    ----------
    gain, se, df : arrays of shape (n_tasks,)
        Estimates, their standard errors (>= 0) and degrees of freedom.
    confidence : float, default=0.95
        In (0, 1).
    power : float, default=0.8
        Of ``detectable``: the gain that would have been told from 0 with this probability.

    Examples
    --------
    >>> both = simultaneous_intervals([0.05, 0.01], se=[0.01, 0.01], df=[100, 100])
    >>> both.low.round(4).tolist(), both.p_adjusted.round(4).tolist()
    ([0.0272, -0.0098], [0.0, 0.3197])
    """
    g, s, nu = (np.asarray(values, dtype=float) for values in (gain, se, df))
    p = two_sided_p(g, se=s, df=nu)
    levels = holm_levels(p, alpha=1 - confidence)
    reach = stats.t.isf(levels / 2, nu) * s
    plain = stats.t.isf((1 - confidence) / 2, nu) * s
    return Intervals(
        low=g - reach,
        high=g + reach,
        low_unadjusted=g - plain,
        high_unadjusted=g + plain,
        p_value=p,
        p_adjusted=holm(p),
        detectable=reach + stats.t.ppf(power, nu) * s,
    )


def two_sided_p(estimate: ArrayLike, *, se: ArrayLike, df: ArrayLike) -> FloatArray:
    """P values of t statistics; 1 where the estimate is 0, 0 where only its standard error is."""
    value, s = np.asarray(estimate, dtype=float), np.asarray(se, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(value == 0, 0.0, np.abs(value) / s)
    return np.asarray(2 * stats.t.sf(statistic, np.asarray(df, dtype=float)))
