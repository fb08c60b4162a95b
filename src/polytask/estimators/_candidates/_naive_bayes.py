"""Naive Bayes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import logsumexp

from polytask.estimators._candidates._by_folds import FAMILIES, FoldedClassifier

Array = np.ndarray[Any, np.dtype[Any]]


def naive_bayes() -> dict[str, Any]:
    """Gaussian naive Bayes for classes only; smoothing chosen and odds calibrated by folds, since its own are far too sure.

    >>> list(naive_bayes())
    ['classifier']
    """
    return {"classifier": FoldedClassifier("naive_bayes")}


class NaiveBayes:
    """A normal distribution per column and class; a smoothing is added to all variances (the columns are standardized)."""

    takes_missing = False
    calibrated_numbers = False

    def settings(self, n_rows: int, n_columns: int, *, classes: bool) -> Sequence[Mapping[str, float]]:
        """Smoothing, in units of a column's variance."""
        return [{"smoothing": smoothing} for smoothing in (0.1, 0.01, 1.0)]

    def fit(self, X: Array, target: Array, weight: Array, setting: Mapping[str, float], *, classes: bool) -> dict[str, Array]:
        """Means, variances [K, n_columns] and logarithms of the class shares [K]."""
        member = np.hstack([target < 0, target > 0]) if target.shape[1] == 1 else target > 0
        shares = (member * weight[:, None]).T  # [K, n]
        total = shares.sum(axis=1)
        seen = np.maximum(total, 1e-12)[:, None]
        means = shares @ X / seen
        variances = np.maximum(shares @ X**2 / seen - means**2, 0.0) + setting["smoothing"]
        prior = np.log(np.maximum(total, 0.5) / np.maximum(total, 0.5).sum())
        return {"means": means, "variances": variances, "prior": prior}

    def decide(self, state: dict[str, Array], X: Array) -> Array:
        """Log odds of each class against the rest, over the number of columns; for two classes those of the second."""
        means, variances = state["means"], state["variances"]
        joint = (
            state["prior"]
            - 0.5 * np.log(variances).sum(axis=1)
            - 0.5 * (X**2 @ (1 / variances).T - 2 * X @ (means / variances).T + (means**2 / variances).sum(axis=1))
        )
        if joint.shape[1] == 2:
            return np.asarray(np.arcsinh(joint[:, 1:] - joint[:, :1]))
        odds = [joint[:, k] - logsumexp(np.delete(joint, k, axis=1), axis=1) for k in range(joint.shape[1])]
        return np.arcsinh(np.stack(odds, axis=1))  # thousands of columns give odds that no logistic regression could use


FAMILIES["naive_bayes"] = NaiveBayes()
