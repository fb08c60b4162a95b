"""Trees of CatBoost as those of this room: a few arrays, which need no CatBoost to predict and none to be read."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from polytask.estimators._joint_trees import JointTree

Array = np.ndarray[Any, np.dtype[Any]]


def joint_trees_of(model: Any, *, width: int) -> list[JointTree]:
    """Trees of a fitted CatBoost model of numbers, whose leaves add up to its predictions.

    Parameters
    ----------
    model : CatBoost
        Of symmetric trees, numeric features only, ``width`` targets.

    Returns
    -------
    trees : list of JointTree
        Every split of a level is in all its nodes; the mean that the model starts at is in the leaves of the first tree.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        content = json.loads(path.read_text(encoding="utf-8"))
    scale, bias = content["scale_and_bias"]
    trees = [_tree(own, width, float(scale)) for own in content["oblivious_trees"]]
    start = np.asarray(bias, dtype=np.float64)
    if not trees:
        return [_tree({"leaf_values": start.tolist(), "splits": []}, width, 1.0)]
    first = trees[0]
    moved = (first.values + start).astype(np.float32)
    trees[0] = JointTree(first.left, first.right, first.feature, first.threshold, first.missing_left, moved, first.depth)
    return trees


def _tree(content: dict[str, Any], width: int, scale: float) -> JointTree:
    """A symmetric tree as a full binary one: node k has the children 2 k + 1 and 2 k + 2."""
    splits = content["splits"] or []
    depth = len(splits)
    n_inner, n_nodes = 2**depth - 1, 2 ** (depth + 1) - 1
    left, right, feature = (np.full(n_nodes, -1) for _ in range(3))
    threshold, missing_left = np.zeros(n_nodes), np.zeros(n_nodes, dtype=bool)
    values = np.zeros((n_nodes, width), dtype=np.float32)
    values[n_inner:] = np.asarray(content["leaf_values"]).reshape(2**depth, width) * scale
    left[:n_inner] = 2 * np.arange(n_inner) + 1
    right[:n_inner] = left[:n_inner] + 1
    for level, split in enumerate(reversed(splits)):  # the last split is the highest bit of a leaf's number
        nodes = slice(2**level - 1, 2 ** (level + 1) - 1)
        feature[nodes] = split["float_feature_index"]
        threshold[nodes] = float(np.float32(split["border"]))
        missing_left[nodes] = True  # no comparison with NaN holds
    return JointTree(left, right, feature, threshold, missing_left, values, depth)
