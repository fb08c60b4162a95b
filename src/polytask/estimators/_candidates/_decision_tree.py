"""One decision tree."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.tree import DecisionTreeRegressor

from polytask.estimators._candidates._by_folds import FAMILIES, FoldedClassifier, FoldedRegressor

Array = np.ndarray[Any, np.dtype[Any]]


def decision_tree() -> dict[str, Any]:
    """One tree that a person can read; the least number of rows in a leaf is chosen by folds.

    >>> decision_tree()["regressor"]
    FoldedRegressor(family='decision_tree')
    """
    return {"regressor": FoldedRegressor("decision_tree"), "classifier": FoldedClassifier("decision_tree")}


class DecisionTree:
    """Kept as arrays of nodes; for classes the squared error of their indicators is split by, which is Gini's."""

    takes_missing = True
    calibrated_numbers = True

    def settings(self, n_rows: int, n_columns: int, *, classes: bool) -> Sequence[Mapping[str, float]]:
        """Rows in a leaf."""
        return [{"leaf": float(leaf)} for leaf in (10, 5, 20, 50, 100, 200) if leaf <= max(n_rows // 4, 5)]

    def fit(self, X: Array, target: Array, weight: Array, setting: Mapping[str, float], *, classes: bool) -> dict[str, Array]:
        """Nodes and the mean target of every leaf."""
        model = DecisionTreeRegressor(min_samples_leaf=int(setting["leaf"]), random_state=0)
        tree = model.fit(X, target, sample_weight=weight).tree_
        return {
            "left": tree.children_left.copy(),
            "right": tree.children_right.copy(),
            "feature": tree.feature.copy(),
            "threshold": tree.threshold.copy(),
            "missing_left": np.asarray(tree.missing_go_to_left, dtype=bool),
            "value": tree.value[:, :, 0].copy(),
        }

    def decide(self, state: dict[str, Array], X: Array) -> Array:
        """Mean target of the leaf of each row."""
        X = X.astype(np.float32)  # as scikit-learn splits
        node, rows = np.zeros(len(X), dtype=np.int64), np.arange(len(X))
        for _ in range(len(state["left"])):  # no path is longer, so that a damaged file cannot run in circles
            rows = rows[state["left"][node[rows]] >= 0]
            if not len(rows):
                break
            at = node[rows]
            values = X[rows, state["feature"][at]]
            left = np.where(np.isnan(values), state["missing_left"][at], values <= state["threshold"][at])
            node[rows] = np.where(left, state["left"][at], state["right"][at])
        return np.asarray(state["value"][node])


FAMILIES["decision_tree"] = DecisionTree()
