"""What to look at where a task is a number: predicted against true, residuals, their distribution, counts."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from polytask.evaluation._diagnostics_intervals import (
    FloatArray,
    Observed,
    all_at_once,
    equal_bins,
    group_variance,
    mean_interval,
    share_interval,
)

_MOST_BARS = 25
_QUANTILE_POINTS = 61
_SIMULATIONS = 1000


def scatter(rows: Observed, *, statistic: str = "mean") -> dict[str, Any]:
    """Predicted against true: points (drawn at random where there are many), and the truth over bins of the prediction.

    ``statistic`` is what predictions are: of quantiles ("median", "0.9 quantile") each bin has that quantile of the truth with
    Woodruff's interval, otherwise the mean with a t interval; these hold for all bins at once. ``slope`` is of the line of truth
    on prediction: below 1, predictions are spread too far; above 1, too little.

    References
    ----------
    Woodruff, "Confidence Intervals for Medians and Other Position Measures", JASA 47, 1952.
    """
    predicted, true, level = rows.outputs, rows.target[:, 0], quantile_level(statistic)
    parts = equal_bins(predicted)
    confidence = all_at_once(rows.confidence, len(parts))
    bins = []
    for part in parts:
        own = rows.rows(part)
        if level is None:
            middle, low, high = mean_interval(true[part], own.weight, own.groups, confidence=confidence)
        else:
            middle, low, high = _quantile_interval(true[part], own, level, confidence=confidence)
        x = float(np.average(predicted[part], weights=own.weight))
        bins.append({"predicted": x, "observed": middle, "low": low, "high": high, "n": len(part)})
    off = np.abs(true - predicted)
    return {
        "statistic": statistic,
        "level": level,
        "points": np.stack([predicted, true], axis=1)[_drawn(rows)],
        "bins": bins,
        "bias": mean_interval(true - predicted, rows.weight, rows.groups, confidence=rows.confidence),
        "slope": _slope(rows, predicted, true),
        "off": _quantiles(off, rows.weight, (0.5, 0.9)),
        "below": share_interval((true <= predicted).astype(float), rows.weight, rows.groups, confidence=rows.confidence),
    }


def quantile_level(statistic: str) -> float | None:
    """Which quantile of the label predictions are; None where they are none.

    >>> quantile_level("median"), quantile_level("0.9 quantile"), quantile_level("mean")
    (0.5, 0.9, None)
    """
    number, _, word = statistic.partition(" ")
    return 0.5 if statistic == "median" else float(number) if word == "quantile" else None


def _quantile_interval(
    values: FloatArray, rows: Observed, level: float, *, confidence: float
) -> tuple[float, float | None, float | None]:
    middle = _quantiles(values, rows.weight, (level,))[0]
    share, low, high = share_interval((values <= middle).astype(float), rows.weight, rows.groups, confidence=confidence)
    if low is None or high is None:
        return middle, None, None
    ends = _quantiles(values, rows.weight, (max(low - share + level, 1e-9), min(high - share + level, 1.0)))
    return middle, ends[0], ends[1]


def residuals(rows: Observed, *, scale: FloatArray | None = None) -> dict[str, Any]:
    """Residuals (true - predicted) over the prediction: points, and per bin the median, the middle four fifths and the spread.

    ``trend`` is the rank correlation of the residual's size with the prediction (scale-location): 0 where errors are equally
    large everywhere. With ``scale`` (the standard deviation the model believes in, [n]) residuals are in units of it.

    References
    ----------
    Fieller, Hartley & Pearson, "Tests for Rank Correlation Coefficients", Biometrika 44, 1957 (the interval of the trend).
    """
    predicted = rows.outputs
    residual = (rows.target[:, 0] - predicted) / (1.0 if scale is None else scale)
    bins = []
    for part in equal_bins(predicted):
        weight = rows.weight[part]
        low, middle, high = _quantiles(residual[part], weight, (0.1, 0.5, 0.9))
        x, spread = np.average(predicted[part], weights=weight), np.sqrt(np.average(residual[part] ** 2, weights=weight))
        root = np.average(np.sqrt(np.abs(residual[part])), weights=weight)
        bins.append({"predicted": x, "median": middle, "low": low, "high": high, "spread": spread, "root": root, "n": len(part)})
    drawn = _drawn(rows)
    return {
        "points": np.stack([predicted, residual], axis=1)[drawn],
        "bins": bins,
        "trend": _rank_correlation(rows, predicted, np.abs(residual)),
        "is_scaled": scale is not None,
    }


def poisson_residuals(rows: Observed) -> dict[str, Any]:
    """Pearson residuals of counts: in units of the standard deviation that a Poisson distribution has at that mean."""
    return residuals(rows, scale=np.sqrt(np.maximum(rows.outputs, 1e-7)))


def normal_quantiles(rows: Observed) -> dict[str, Any]:
    """Quantiles of the standardized residuals against those of a normal distribution, with a band for all of them at once.

    The band would hold every point with the given confidence if residuals were normal. Groups and weights do not count here.

    References
    ----------
    Aldor-Noiman, Brown, Buja, Rolke & Stine, "The Power to See: A New Graphical Test of Normality", The American Statistician
    67(4), 2013.
    """
    # DIFFERS FROM PAPER: at up to 61 order statistics, and with mean and variance taken as known, which widens the band a little.
    residual = rows.target[:, 0] - rows.outputs
    spread = residual.std()
    if len(residual) < 10 or not spread > 0:
        return {"points": [], "reason": "too few different residuals"}
    z = np.sort((residual - residual.mean()) / spread)
    n = len(z)
    ranks, low, high = _order_statistic_band(n, rows.confidence)
    expected = stats.norm.ppf((ranks - 0.375) / (n + 0.25))  # Blom 1958
    return {
        "points": np.stack([expected, z[ranks - 1], stats.norm.ppf(low), stats.norm.ppf(high)], axis=1),
        "spread": spread,
        "skewness": stats.skew(z),
        "beyond_3": float(np.mean(np.abs(z) > 3)),
        "n_outside": int(np.sum((z[ranks - 1] < stats.norm.ppf(low)) | (z[ranks - 1] > stats.norm.ppf(high)))),
    }


@lru_cache(maxsize=64)  # tasks often have equally many labels
def _order_statistic_band(n: int, confidence: float) -> tuple[NDArray[Any], FloatArray, FloatArray]:
    """Ranks, and equal-tailed beta bands of these uniform order statistics at the level at which all hold (by simulation)."""
    spread = np.linspace(1, n, min(n, _QUANTILE_POINTS)).round().astype(int)
    ranks = np.unique(np.concatenate([spread, [1, 2, 3, n - 2, n - 1, n]]))
    gaps = np.diff(np.concatenate([[0], ranks, [n + 1]]))
    draws = np.random.default_rng(0).gamma(gaps, size=(_SIMULATIONS, len(gaps)))
    uniform = (np.cumsum(draws, axis=1) / draws.sum(axis=1, keepdims=True))[:, :-1]
    tails = stats.beta.cdf(uniform, ranks, n + 1 - ranks)
    level = np.quantile(np.minimum(tails, 1 - tails).min(axis=1), 1 - confidence)
    low, high = stats.beta.ppf(level, ranks, n + 1 - ranks), stats.beta.isf(level, ranks, n + 1 - ranks)
    return ranks, np.asarray(low), np.asarray(high)


def rootogram(rows: Observed) -> dict[str, Any]:
    """Rows with each count, and how many a Poisson distribution at the predicted means gives, with its 95 % range.

    The ranges hold for all bars at once. Large counts share bars; the last bar is open. ``dispersion`` is the mean squared
    Pearson residual: above 1, counts vary more than a Poisson distribution.

    References
    ----------
    Kleiber & Zeileis, "Visualizing Count Data Regressions Using Rootograms", The American Statistician 70(3), 2016.
    """
    counts, means = rows.target[:, 0], np.maximum(rows.outputs, 1e-7)
    most = float(np.quantile(counts, 0.99))
    width = max(1, int(np.ceil((most + 1) / _MOST_BARS)))
    starts = np.arange(0, most + 1, width)
    below = np.stack([stats.poisson.cdf(start - 1, means) for start in starts] + [np.ones(len(rows))], axis=1)
    share = np.diff(below, axis=1)  # [n, bars]
    bar = np.minimum(counts // width, len(starts) - 1).astype(int)
    z = stats.norm.isf((1 - all_at_once(rows.confidence, len(starts))) / 2)
    expected = rows.weight @ share
    reach = z * np.sqrt(rows.weight**2 @ (share * (1 - share)))
    observed = np.bincount(bar, weights=rows.weight, minlength=len(starts))
    return {
        "width": width,
        "bars": [
            {"from": int(s), "observed": o, "expected": e, "low": max(0.0, e - r), "high": e + r}
            for s, o, e, r in zip(starts, observed, expected, reach, strict=True)
        ],
        "zeros": {"observed": rows.weight[counts == 0].sum(), "expected": float(rows.weight @ np.exp(-means))},
        "dispersion": mean_interval((counts - means) ** 2 / means, rows.weight, rows.groups, confidence=rows.confidence),
    }


def _slope(rows: Observed, x: FloatArray, y: FloatArray) -> list[float] | None:
    """Slope of the weighted line of y on x with a sandwich interval; None where x does not vary."""
    centred = x - np.average(x, weights=rows.weight)
    moment = float(np.sum(rows.weight * centred**2))
    if moment <= 1e-20 * len(x) * float(np.abs(x).max()) ** 2 or len(rows) < 3:  # rounding is no spread
        return None
    slope = float(np.sum(rows.weight * centred * y) / moment)
    left = y - np.average(y, weights=rows.weight) - slope * centred
    variance, count = group_variance(rows.weight * centred * left / moment, rows.groups)
    reach = float(stats.t.isf((1 - rows.confidence) / 2, max(count - 2, 1)) * np.sqrt(variance))
    return [slope, slope - reach, slope + reach]


def _rank_correlation(rows: Observed, x: FloatArray, y: FloatArray) -> list[float] | None:
    n = len(rows) if rows.groups is None else len(np.unique(rows.groups))
    if n < 10 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    rho = float(stats.spearmanr(x, y).statistic)
    reach = float(stats.norm.isf((1 - rows.confidence) / 2) * np.sqrt(1.06 / (n - 3)))
    middle = np.arctanh(np.clip(rho, -1 + 1e-12, 1 - 1e-12))
    return [rho, float(np.tanh(middle - reach)), float(np.tanh(middle + reach))]


def _quantiles(values: FloatArray, weight: FloatArray, shares: Sequence[float]) -> list[float]:
    """Weighted quantiles: the smallest value that so large a share of the weight does not exceed."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    places = np.minimum(np.searchsorted(reached, np.asarray(shares) - 1e-12), len(values) - 1)
    return [float(value) for value in values[order][places]]


def _drawn(rows: Observed) -> NDArray[np.int64]:
    """Positions of the rows to draw as points: all, or as many as allowed at random (always the same ones)."""
    n, most = len(rows), rows.most_points
    return np.arange(n) if n <= most else np.sort(np.random.default_rng(0).choice(n, most, replace=False))
