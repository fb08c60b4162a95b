"""Categories with very many values as means of the target, learned out of fold."""

from typing import Any

import numpy as np

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


def out_of_fold_means(codes: Array, target: Array, weight: Array, *, n_codes: int, n_classes: int = 0, seed: int = 0) -> Array:
    """For every row the means of :func:`target_means` over the other folds of rows, so that no row sees its own target.

    Returns
    -------
    means : float64 array of shape (n, 1 or n_classes)
        n < 5 rows are a fold each.
    """
    n = len(codes)
    fold = np.random.default_rng(seed).permutation(n) % min(N_FOLDS, max(n, 1))
    found = np.empty((n, len(_labels(n_classes)) if n_classes else 1))
    for k in range(fold.max(initial=-1) + 1):
        held = fold == k
        rest = ~held if not held.all() else held
        means = target_means(codes[rest], target[rest], weight[rest], n_codes=n_codes, n_classes=n_classes)
        found[held] = means[codes[held]]
    return found


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
