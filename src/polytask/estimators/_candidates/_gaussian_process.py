"""Gaussian processes for small tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.linalg import eigh
from scipy.spatial.distance import cdist

from polytask.estimators._candidates._by_folds import FAMILIES, FoldedClassifier, FoldedRegressor

Array = np.ndarray[Any, np.dtype[Any]]

MOST_ROWS = 1000
_WIDTHS = (0.3, 0.6, 1.0, 1.7, 3.0, 6.0)  # times the root of the number of columns
_NOISES = np.logspace(-4, 1.5, 23)  # noise variance as a share of the signal's


def gaussian_process() -> dict[str, Any]:
    """Gaussian processes for up to 1,000 rows (of more, 1,000 drawn at random); for classes on their indicators, calibrated.

    >>> gaussian_process()["regressor"]
    FoldedRegressor(family='gaussian_process')
    """
    return {"regressor": FoldedRegressor("gaussian_process"), "classifier": FoldedClassifier("gaussian_process")}


def covariance(X: Array, Z: Array, *, width: float) -> Array:
    """Matérn covariance of smoothness 5/2, plus a constant and a linear trend of the same size; [n, m].

    >>> covariance(np.zeros((1, 2)), np.zeros((1, 2)), width=1.0)
    array([[2.]])
    """
    distance = np.sqrt(5.0) * cdist(X, Z) / width
    return np.asarray((1 + distance + distance**2 / 3) * np.exp(-distance) + 1.0 + X @ Z.T / X.shape[1])


def most_likely(X: Array, y: Array, weight: Array, widths: Sequence[float]) -> tuple[float, float]:
    """Width and noise of the highest marginal likelihood on a grid, the signal's size being its best.

    One eigendecomposition per width serves all noises. A row of weight w has noise / w.

    References
    ----------
    Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006, equation 5.8.
    """
    root = np.sqrt(weight)
    best = (-np.inf, widths[0], 1.0)
    for width in widths:
        values, vectors = eigh(root[:, None] * covariance(X, X, width=width) * root)
        projected = (vectors.T @ (root * y)) ** 2
        for noise in _NOISES:
            spread = np.maximum(values, 0.0) + noise
            likelihood = -0.5 * (len(y) * np.log(np.sum(projected / spread)) + np.log(spread).sum())
            if likelihood > best[0]:
                best = (likelihood, width, float(noise))
    return best[1], best[2]


class GaussianProcess:
    """Mean of the process given the rows; least-squares classification for classes."""

    takes_missing = False
    calibrated_numbers = True

    def settings(self, n_rows: int, n_columns: int, *, classes: bool) -> Sequence[Mapping[str, float]]:
        """Nothing to choose: the likelihood does."""
        return [{}]

    def fit(self, X: Array, target: Array, weight: Array, setting: Mapping[str, float], *, classes: bool) -> dict[str, Array]:
        """Rows, widths [D] and coefficients [n, D]."""
        rows = np.sort(np.random.default_rng(0).permutation(len(X))[:MOST_ROWS])
        X, target, weight = X[rows], target[rows], weight[rows]
        widths = [width * np.sqrt(X.shape[1]) for width in _WIDTHS]
        found, coef = np.empty(target.shape[1]), np.empty(target.shape)
        for k, own in enumerate(target.T):
            found[k], noise = most_likely(X, own, weight, widths)
            coef[:, k] = np.linalg.solve(covariance(X, X, width=found[k]) + np.diag(noise / weight), own)
        return {"rows": X, "widths": found, "coef": coef}

    def decide(self, state: dict[str, Array], X: Array) -> Array:
        """Means of the process."""
        columns = [
            covariance(X, state["rows"], width=float(width)) @ coef
            for width, coef in zip(state["widths"], state["coef"].T, strict=True)
        ]
        return np.stack(columns, axis=1)


FAMILIES["gaussian_process"] = GaussianProcess()
