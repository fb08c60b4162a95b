"""Categories with very many values as means of the target, learned out of fold."""

from typing import Any

import numpy as np
import pandas as pd

from polytask.data.splits import TimeOrder

Array = np.ndarray[Any, np.dtype[Any]]

N_FOLDS = 5


def target_means(codes: Array, target: Array, weight: Array, *, n_codes: int, n_classes: int = 0) -> Array:
    r"""Mean of the target of every category, drawn towards the mean of all rows.

    .. math:: s_c = \lambda_c \bar y_c + (1 - \lambda_c) \bar y, \quad \lambda_c = n_c \tau^2 / (n_c \tau^2 + \sigma^2)

    with n_c the weight of the category, and \sigma^2 and \tau^2 the variance within and between categories, estimated by the
    analysis of variance of one random effect. So a category of one row says little where categories hardly differ.

    Parameters
    ----------
    codes : int array of shape (n,)
        0 to ``n_codes - 1``.
    target : float array of shape (n,)
        Numbers, or codes of classes; no NaN.
    weight : float array of shape (n,)
        Not negative; the sum counts as rows.
    n_classes : int, default=0
        Classes of the target, each of which gets a column; 0 for a number. Two classes need one column.

    Returns
    -------
    means : float64 array of shape (n_codes, 1 or n_classes)
        The mean of all rows for a category without rows.

    References
    ----------
    Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes in classification and prediction problems",
    SIGKDD Explorations 2001 (its empirical Bayes weights). Searle, Casella & McCulloch, "Variance Components", 1992, section 3.6.

    Examples
    --------
    >>> codes = np.array([2, 2, 3, 3])
    >>> target_means(codes, np.array([1.0, 3.0, 7.0, 9.0]), np.ones(4), n_codes=4).round(2).ravel().tolist()
    [5.0, 5.0, 2.17, 7.83]
    """
    columns = [target] if n_classes == 0 else [(target == label) * 1.0 for label in _labels(n_classes)]
    return np.stack([_smoothed(codes, column, weight, n_codes) for column in columns], axis=1)


def out_of_fold_means(
    codes: Array,
    target: Array,
    weight: Array,
    *,
    n_codes: int,
    n_classes: int = 0,
    groups: Array | None = None,
    times: TimeOrder | None = None,
    seed: int = 0,
) -> Array:
    """For every row the means of :func:`target_means` over other rows, so that no row sees its own target.

    Parameters
    ----------
    groups : array of shape (n,), optional
        Rows of one group are in one fold: a category that goes with the group is as new to its rows as to those of a new group.
    times : TimeOrder of these rows, optional
        Rows are divided into five blocks of time, and a row has means of earlier blocks only (of other groups, and with the gap
        between); those of the first block have the mean of all of it.

    Returns
    -------
    means : float64 array of shape (n, 1 or n_classes)
        n < 5 rows (or groups) are a fold each. A single group has means of its own rows.
    """
    units = None if groups is None else pd.factorize(np.asarray(groups), use_na_sentinel=False)[0]
    fold = _folds(len(codes), units, times, seed)
    found = np.empty((len(codes), len(_labels(n_classes)) if n_classes else 1))
    for k in np.unique(fold):
        held = fold == k
        rest = ~held if times is None else _earlier(held, units, times)
        if rest.any() or times is None:
            rest = rest if rest.any() else held
            means = target_means(codes[rest], target[rest], weight[rest], n_codes=n_codes, n_classes=n_classes)
            found[held] = means[codes[held]]
        else:  # nothing comes before: every category has the mean of all
            none = np.zeros(int(held.sum()), dtype=np.int64)
            found[held] = target_means(none, target[held], weight[held], n_codes=1, n_classes=n_classes)[0]
    return found


def _folds(n: int, units: Array | None, times: TimeOrder | None, seed: int) -> Array:
    """Fold of every row: of whole groups, or blocks of time that cut no time."""
    if times is not None:
        _, place, counts = np.unique(times.values, return_inverse=True, return_counts=True)
        before = np.cumsum(counts) - counts
        return np.asarray((before * N_FOLDS // max(n, 1))[place])
    unit = np.arange(n) if units is None else units
    n_units = int(unit.max(initial=-1)) + 1
    return np.asarray((np.random.default_rng(seed).permutation(n_units) % min(N_FOLDS, max(n_units, 1)))[unit])


def _earlier(held: Array, units: Array | None, times: TimeOrder) -> Array:
    """Which rows come before the held ones, and are not of their groups."""
    every = np.arange(len(held))
    rest = np.zeros(len(held), dtype=bool)
    rest[times.before(every, every[held])] = True
    return rest if units is None else rest & ~np.isin(units, units[held])


def _labels(n_classes: int) -> list[int]:
    return [1] if n_classes == 2 else list(range(n_classes))


def _smoothed(codes: Array, target: Array, weight: Array, n_codes: int) -> Array:
    total = weight.sum()
    if total <= 0:
        return np.zeros(n_codes)
    mean = float(weight @ target / total)
    rows = np.bincount(codes, weights=weight, minlength=n_codes)
    means = np.where(rows > 0, np.bincount(codes, weights=weight * target, minlength=n_codes) / np.where(rows > 0, rows, 1), mean)
    n_seen = int((rows > 0).sum())
    within = float(weight @ (target - means[codes]) ** 2) / max(total - n_seen, 1e-12) if total > n_seen else 0.0
    spare = total - float(rows @ rows) / total
    between = (float(rows @ (means - mean) ** 2) - (n_seen - 1) * within) / spare if spare > 0 else 0.0
    if between <= 0:
        return np.full(n_codes, mean)
    share = rows * between / (rows * between + within) if within > 0 else (rows > 0) * 1.0
    return np.asarray(share * means + (1 - share) * mean)
