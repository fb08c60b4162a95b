"""Partial least squares, for tables with more columns than rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from polytask.estimators._candidates._by_folds import FAMILIES, FoldedClassifier, FoldedRegressor

Array = np.ndarray[Any, np.dtype[Any]]


def partial_least_squares() -> dict[str, Any]:
    """Partial least squares regression, and for classes on their indicators; the number of components is chosen by folds.

    >>> partial_least_squares()["classifier"]
    FoldedClassifier(family='partial_least_squares')
    """
    return {"regressor": FoldedRegressor("partial_least_squares"), "classifier": FoldedClassifier("partial_least_squares")}


def pls_coef(X: Array, Y: Array, *, n_components: int) -> Array:
    """Coefficients of partial least squares.

    Parameters
    ----------
    X, Y : arrays of shape (n, d) and (n, m)
        Centered; rows times the root of their weights.
    n_components : int
        Fewer are taken where nothing more can be explained.

    Returns
    -------
    coef : array of shape (d, m)

    References
    ----------
    Wold, Sjöström & Eriksson, "PLS-regression: a basic tool of chemometrics", 2001 (the NIPALS algorithm; a direction of X is the
    first left singular vector of X'Y).

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    >>> pls_coef(X, X @ [[1.0], [3.0]], n_components=2).round(6).ravel()
    array([1., 3.])
    """
    residual, directions, loadings, shares = X.copy(), [], [], []
    least = 1e-10 * float(np.linalg.norm(X) * np.linalg.norm(Y))
    for _ in range(n_components):
        covariance = residual.T @ Y
        if np.linalg.norm(covariance) <= least:
            break
        direction = covariance[:, 0] if Y.shape[1] == 1 else np.linalg.svd(covariance, full_matrices=False)[0][:, 0]
        direction = direction / np.linalg.norm(direction)
        scores = residual @ direction
        size = scores @ scores
        loading = residual.T @ scores / size
        residual -= np.outer(scores, loading)
        directions.append(direction)
        loadings.append(loading)
        shares.append(Y.T @ scores / size)
    if not directions:
        return np.zeros((X.shape[1], Y.shape[1]))
    W, P, Q = np.stack(directions, axis=1), np.stack(loadings, axis=1), np.stack(shares)
    return np.asarray(W @ np.linalg.solve(P.T @ W, Q))


class PartialLeastSquares:
    """Rows of weight w count w times."""

    takes_missing = False
    calibrated_numbers = False

    def settings(self, n_rows: int, n_columns: int, *, classes: bool) -> Sequence[Mapping[str, float]]:
        """Numbers of components."""
        most = max(min(n_rows // 3, n_columns), 1)
        return [{"n_components": float(k)} for k in (2, 1, 4, 6, 8, 12, 16, 24) if k <= most]

    def fit(self, X: Array, target: Array, weight: Array, setting: Mapping[str, float], *, classes: bool) -> dict[str, Array]:
        """Slopes and offsets per column of the target."""
        center, mean = np.average(X, axis=0, weights=weight), np.average(target, axis=0, weights=weight)
        root = np.sqrt(weight)[:, None]
        coef = pls_coef(root * (X - center), root * (target - mean), n_components=int(setting["n_components"]))
        return {"coef": coef, "offset": mean - center @ coef}

    def decide(self, state: dict[str, Array], X: Array) -> Array:
        """Regressed targets."""
        return np.asarray(X @ state["coef"] + state["offset"])


FAMILIES["partial_least_squares"] = PartialLeastSquares()
