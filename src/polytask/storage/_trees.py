"""Range checks for decision trees of scikit-learn, whose compiled code trusts the indexes in its nodes."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from polytask.exceptions import ModelFolderError


class _Damage(Exception):
    """What is wrong with a tree."""


def check_trees(estimator: Any, *, where: str) -> None:
    """Refuse an estimator with a tree in it that would read out of bounds or run in circles.

    Parameters
    ----------
    estimator : object
        A loaded estimator; everything it holds is looked at.
    where : str
        Names the file in the error.

    Raises
    ------
    ModelFolderError
        If a child index, a feature index or the index of a categorical split is out of range.
    """
    try:
        for tree, owner in _trees(estimator):
            if type(tree).__name__ == "Tree":
                _check_tree(tree, n_features=_n_features(owner))
            else:
                _check_predictor(tree, owner=owner)
    except (_Damage, AttributeError, TypeError, ValueError, IndexError) as damage:
        raise ModelFolderError(f"{where} holds a damaged tree: {damage}. Copy the model again, or save it again.") from None


def _trees(root: Any) -> Iterator[tuple[Any, Any]]:
    """All compiled trees inside an object, each with the estimator that checks the width of its input."""
    from sklearn.base import BaseEstimator

    seen: dict[int, Any] = {}
    waiting: list[tuple[Any, Any]] = [(root, None)]
    while waiting:
        item, owner = waiting.pop()
        if isinstance(item, (str, bytes, int, float, type(None))) or id(item) in seen:
            continue
        seen[id(item)] = item
        if type(item).__name__ in ("Tree", "TreePredictor") and type(item).__module__.startswith("sklearn."):
            yield item, owner
        elif isinstance(item, dict):
            waiting += [(value, owner) for value in item.values()]
        elif isinstance(item, (list, tuple, set)):
            waiting += [(value, owner) for value in item]
        elif isinstance(item, np.ndarray):
            waiting += [(value, owner) for value in item.ravel()] if item.dtype == object else []
        elif hasattr(item, "__dict__"):
            waiting += [(value, item if isinstance(item, BaseEstimator) else owner) for value in vars(item).values()]


def _n_features(owner: Any) -> int:
    return int(owner.n_features_in_)


def _check_tree(tree: Any, *, n_features: int) -> None:
    _need(0 < tree.node_count <= tree.capacity, "its number of nodes is wrong")
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    is_leaf = left == -1
    _need(np.array_equal(is_leaf, right == -1), "a node has one child")
    _check_nodes(left, right, feature, is_leaf=is_leaf, n_features=n_features)


def _check_predictor(predictor: Any, *, owner: Any) -> None:
    nodes, bitsets = predictor.nodes, predictor.raw_left_cat_bitsets
    is_leaf = nodes["is_leaf"].astype(bool)
    _need(nodes.ndim == 1 and len(nodes) > 0, "it has no nodes")
    n_features = len(owner._bin_mapper.n_bins_non_missing_)
    _check_nodes(
        nodes["left"].astype(np.int64),
        nodes["right"].astype(np.int64),
        nodes["feature_idx"],
        is_leaf=is_leaf,
        n_features=n_features,
    )
    splits = nodes[~is_leaf & nodes["is_categorical"].astype(bool)]
    if len(splits):
        known = np.asarray(owner._bin_mapper.is_categorical_, dtype=bool)
        _need(bitsets.ndim == 2 and bitsets.shape[1] == 8 and len(known) == n_features, "its categories have the wrong shape")
        _need(
            bool(np.all(splits["bitset_idx"] < len(bitsets)) and np.all(known[splits["feature_idx"]])),
            "a categorical split is out of range",
        )


def _check_nodes(left: np.ndarray, right: np.ndarray, feature: np.ndarray, *, is_leaf: np.ndarray, n_features: int) -> None:
    """Children come after their parent, so a walk from the root ends in a leaf."""
    numbers = np.arange(len(left))[~is_leaf]
    for children in (left[~is_leaf], right[~is_leaf]):
        _need(bool(np.all((children > numbers) & (children < len(left)))), "a child is out of range")
    _need(bool(np.all((feature[~is_leaf] >= 0) & (feature[~is_leaf] < n_features))), "a feature is out of range")


def _need(condition: bool, otherwise: str) -> None:
    if not condition:
        raise _Damage(otherwise)
