"""Forests of scikit-learn as a few arrays: a tenth of the size and a hundredth of the time of their general format."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor
from sklearn.tree._tree import NODE_DTYPE, Tree

from polytask.exceptions import ModelFolderError
from polytask.storage import check_trees

Array = np.ndarray[Any, np.dtype[Any]]

_FORESTS: dict[str, tuple[type, type]] = {
    "RandomForestRegressor": (RandomForestRegressor, DecisionTreeRegressor),
    "RandomForestClassifier": (RandomForestClassifier, DecisionTreeClassifier),
    "ExtraTreesRegressor": (ExtraTreesRegressor, ExtraTreeRegressor),
    "ExtraTreesClassifier": (ExtraTreesClassifier, ExtraTreeClassifier),
}


def is_forest(model: Any) -> bool:
    """Whether it is a forest of one output that :func:`forest_arrays` can hold; a subclass may predict in its own way."""
    known = _FORESTS.get(type(model).__name__)
    return known is not None and type(model) is known[0] and getattr(model, "n_outputs_", 2) == 1


def forest_arrays(forest: Any) -> tuple[dict[str, Any], dict[str, Array]]:
    """A fitted forest as JSON and arrays; :func:`forest_of_arrays` makes one of equal predictions.

    Only what predictions need is kept: splits of inner nodes, values of leaves.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 3))
    >>> forest = RandomForestRegressor(5, random_state=0).fit(X, X.sum(axis=1))
    >>> same = forest_of_arrays(*forest_arrays(forest), where="a forest")
    >>> bool((same.predict(X) == forest.predict(X)).all())
    True
    """
    trees = [own.tree_ for own in forest.estimators_]
    inner = [tree.children_left >= 0 for tree in trees]
    narrow = np.int16 if forest.n_features_in_ < 2**15 else np.int32
    arrays = {
        "n_nodes": np.array([tree.node_count for tree in trees], dtype=np.int32),
        "depths": np.array([tree.max_depth for tree in trees], dtype=np.int32),
        "is_inner": np.concatenate(inner),
        "left": _joined([tree.children_left[own] for tree, own in zip(trees, inner, strict=True)], np.int32),
        "right": _joined([tree.children_right[own] for tree, own in zip(trees, inner, strict=True)], np.int32),
        "feature": _joined([tree.feature[own] for tree, own in zip(trees, inner, strict=True)], narrow),
        "threshold": _joined([tree.threshold[own] for tree, own in zip(trees, inner, strict=True)], np.float64),
        "missing_left": _joined(
            [tree.missing_go_to_left[own].astype(bool) for tree, own in zip(trees, inner, strict=True)], np.bool_
        ),
        "values": np.concatenate([tree.value[~own][:, 0] for tree, own in zip(trees, inner, strict=True)]),
    }
    content: dict[str, Any] = {"class": type(forest).__name__, "n_features": int(forest.n_features_in_)}
    if hasattr(forest, "classes_"):
        content["classes"] = forest.classes_.tolist()
    return content, arrays


def forest_of_arrays(content: Mapping[str, Any], arrays: Mapping[str, Array], *, where: str) -> Any:
    """Make a forest that predicts as the one of :func:`forest_arrays`.

    Raises
    ------
    ModelFolderError
        If the arrays do not fit together, or a tree would read out of bounds; ``where`` names the file.
    """
    make_forest, make_tree = _FORESTS[content["class"]]
    n_features, classes = int(content["n_features"]), content.get("classes")
    forest = make_forest(n_estimators=len(arrays["n_nodes"]), n_jobs=1)
    forest.estimators_ = []
    try:
        for tree in _trees(arrays, n_features, 1 if classes is None else len(classes)):
            own = make_tree()
            own.tree_, own.n_features_in_, own.n_outputs_ = tree, n_features, 1
            if classes is not None:
                own.classes_, own.n_classes_ = np.arange(len(classes), dtype=np.float64), len(classes)
            forest.estimators_.append(own)
    except (ValueError, IndexError, KeyError) as error:
        raise ModelFolderError(f"{where} holds a damaged forest ({error}). Copy the model again, or save it again.") from error
    forest.n_features_in_, forest.n_outputs_ = n_features, 1
    if classes is not None:
        forest.classes_, forest.n_classes_ = np.asarray(classes), len(classes)
    check_trees(forest, where=where)
    return forest


def _trees(arrays: Mapping[str, Array], n_features: int, n_classes: int) -> Any:
    """The trees one after the other."""
    nodes_end, inner_end, leaves_end = 0, 0, 0
    if arrays["values"].shape[1:] != (n_classes,) or len(arrays["is_inner"]) != arrays["n_nodes"].sum():
        raise ValueError("its arrays do not fit together")
    for n_nodes, depth in zip(arrays["n_nodes"].tolist(), arrays["depths"].tolist(), strict=True):
        inner = arrays["is_inner"][nodes_end : nodes_end + n_nodes]
        n_inner = int(inner.sum())
        own, leaves = slice(inner_end, inner_end + n_inner), slice(leaves_end, leaves_end + n_nodes - n_inner)
        nodes = np.zeros(n_nodes, dtype=NODE_DTYPE)
        nodes["left_child"] = nodes["right_child"] = -1
        nodes["feature"] = nodes["threshold"] = -2
        for field, name in _FIELDS.items():
            nodes[field][inner] = arrays[name][own]
        nodes["n_node_samples"] = nodes["weighted_n_node_samples"] = 1
        values = np.zeros((n_nodes, 1, n_classes))
        values[~inner, 0] = arrays["values"][leaves]
        tree = Tree(n_features, np.array([n_classes], dtype=np.intp), 1)
        tree.__setstate__({"max_depth": depth, "node_count": n_nodes, "nodes": nodes, "values": values})
        nodes_end, inner_end, leaves_end = nodes_end + n_nodes, own.stop, leaves.stop
        yield tree


_FIELDS = {
    "left_child": "left",
    "right_child": "right",
    "feature": "feature",
    "threshold": "threshold",
    "missing_go_to_left": "missing_left",
}


def _joined(parts: list[Array], dtype: Any) -> Array:
    return np.concatenate(parts).astype(dtype)
