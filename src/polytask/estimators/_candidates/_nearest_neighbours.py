"""Nearest neighbours."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from polytask.estimators._candidates._by_folds import FAMILIES, FoldedClassifier, FoldedRegressor

Array = np.ndarray[Any, np.dtype[Any]]


def nearest_neighbours() -> dict[str, Any]:
    """Means of the nearest rows, nearer ones counting more; how many is chosen by folds. For up to 50,000 rows.

    >>> nearest_neighbours()["regressor"]
    FoldedRegressor(family='nearest_neighbours')
    """
    return {"regressor": FoldedRegressor("nearest_neighbours"), "classifier": FoldedClassifier("nearest_neighbours")}


class Neighbours:
    """Euclidean distance between standardized rows; a neighbour counts by its weight over its distance."""

    takes_missing = False
    calibrated_numbers = True

    def settings(self, n_rows: int, n_columns: int, *, classes: bool) -> Sequence[Mapping[str, float]]:
        """Numbers of neighbours."""
        return [{"k": float(k)} for k in (10, 5, 20, 40, 80) if k <= max(n_rows // 2, 5)]

    def fit(self, X: Array, target: Array, weight: Array, setting: Mapping[str, float], *, classes: bool) -> dict[str, Array]:
        """Keep the rows."""
        return {"rows": X, "target": target, "weight": weight, "k": np.asarray(setting["k"])}

    def decide(self, state: dict[str, Array], X: Array) -> Array:
        """Weighted means of the target over the neighbours."""
        k = min(int(state["k"]), len(state["rows"]))
        searched = NearestNeighbors(n_neighbors=k, algorithm="brute", n_jobs=1).fit(state["rows"])
        distances, found = searched.kneighbors(X)
        least = 1e-3 * distances.mean(axis=1, keepdims=True) + 1e-12
        shares = state["weight"][found] / np.maximum(distances, least)
        shares /= shares.sum(axis=1, keepdims=True)
        return np.asarray(np.einsum("nk,nkd->nd", shares, state["target"][found]))


FAMILIES["nearest_neighbours"] = Neighbours()
