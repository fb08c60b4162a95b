"""A strict reading of LightGBM's model text.

LightGBM trusts the lengths and indexes written in its text: a damaged one ends the whole process or reads memory that
is not its own. So nothing reaches its parser before every array has its length and every index its range.

Source: ``GBDT::LoadModelFromString`` and ``Tree::Tree(const char*, size_t*)`` of LightGBM 4.
"""

import json
import re

import numpy as np

from polytask.exceptions import ModelFolderError

_OBJECTIVE = re.compile(
    rb"(regression|regression_l1|huber|fair|poisson|quantile|mape|gamma|tweedie|binary|multiclass|multiclassova|cross_entropy"
    rb"|cross_entropy_lambda|custom)((?: [a-z_]+:-?[0-9.e+-]+)*)( sqrt)?"
)
_HEADER = {"version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective", "average_output"} | {
    "feature_names", "monotone_constraints", "feature_infos", "tree_sizes"
}  # fmt: skip
_REQUIRED = {
    "version",
    "num_class",
    "num_tree_per_iteration",
    "label_index",
    "max_feature_idx",
    "feature_names",
    "feature_infos",
    "tree_sizes",
}
_PER_LEAF = {"leaf_value": "float", "leaf_weight": "float", "leaf_count": "int"}
_PER_NODE = {"split_feature": "int", "split_gain": "float", "threshold": "float", "decision_type": "int", "left_child": "int"} | {
    "right_child": "int", "internal_value": "float", "internal_weight": "float", "internal_count": "int"
}  # fmt: skip
_SINGLE = {"num_leaves": "int", "num_cat": "int", "is_linear": "int", "shrinkage": "float"}
_CATEGORIES = {"cat_boundaries", "cat_threshold"}
_TREE = {*_PER_LEAF, *_PER_NODE, *_SINGLE, *_CATEGORIES}
_TOKEN = {"int": rb"-?[0-9]{1,10}", "float": rb"-?(?:[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|inf|nan)"}
_NUMBERS = {kind: re.compile(rb"(?:%b(?: %b)*)?" % (token, token)) for kind, token in _TOKEN.items()}


class _Damage(Exception):
    """What is wrong with the text."""


def check_lightgbm_text(content: bytes, *, where: str) -> None:
    """Refuse a model text that LightGBM could not read without harm.

    Parameters
    ----------
    content : bytes
        The text of ``Booster.model_to_string()``.
    where : str
        Names the file in the error.

    Raises
    ------
    ModelFolderError
        If a line is unknown, an array has the wrong length, an index is out of range, or the nodes of a tree do not
        form a tree.
    """
    try:
        _check(content)
    except _Damage as damage:
        raise ModelFolderError(f"{where} is not a LightGBM model that can be read: {damage}. Save the model again.") from None


def _check(content: bytes) -> None:
    _need(b"\0" not in content and b"\r" not in content, "it holds bytes that are not text")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise _Damage("it is not UTF-8 text") from None
    head, separator, trees = content.partition(b"\n\n")
    _need(bool(separator), "it is cut short")
    sizes, n_features = _check_header(head)
    start = 0
    for index, size in enumerate(sizes):
        _need(0 < size <= len(trees) - start, f"tree {index} is cut short")
        _check_tree(trees[start : start + size], index=index, n_features=n_features)
        start += size
    _check_tail(trees[start:])


def _check_header(head: bytes) -> tuple[list[int], int]:
    """Check the lines before the first tree; gives the size of each tree in bytes and the number of features."""
    lines = head.split(b"\n")
    _need(lines[0] == b"tree", "it does not begin with 'tree'")
    header = _key_values(lines[1:], known=_HEADER, required=_REQUIRED)
    _need(re.fullmatch(rb"v[234]", header["version"]) is not None, "its version is unknown")
    n_classes, per_iteration, n_features = (
        _int(header, "num_class"),
        _int(header, "num_tree_per_iteration"),
        _int(header, "max_feature_idx") + 1,
    )
    _int(header, "label_index")
    _need(n_classes >= 1 and per_iteration == n_classes, "num_tree_per_iteration must be num_class")
    _need(n_features >= 1, "it has no features")
    _need(not header.get("average_output"), "average_output must be empty")
    _need(not any("=" in value.decode() for value in header.values()), "a feature has '=' in its name")
    for key in ("feature_names", "feature_infos"):
        _need(
            all(header[key].split(b" ")) and header[key].count(b" ") == n_features - 1, f"{key} must have one entry per feature"
        )
    _array(header.get("monotone_constraints", b""), "int", "monotone_constraints")
    _check_objective(header.get("objective"), n_classes=n_classes)
    sizes = _array(header["tree_sizes"], "int", "tree_sizes")
    _need(len(sizes) >= 1 and len(sizes) % n_classes == 0, "the number of trees does not fit the number of classes")
    return [int(size) for size in sizes], n_features


def _check_objective(objective: bytes | None, *, n_classes: int) -> None:
    if objective is None:  # a custom objective: predictions are raw scores
        return
    match = _OBJECTIVE.fullmatch(objective)
    _need(match is not None, "its objective is not supported")
    assert match is not None  # for the type checker
    settings = dict(setting.split(b":") for setting in match[2].split())
    is_multiclass = match[1] in (b"multiclass", b"multiclassova")
    _need(settings.get(b"num_class") == (str(n_classes).encode() if is_multiclass else None), "its objective has other classes")
    _need(is_multiclass or n_classes == 1 or match[1] == b"custom", "its objective has one class")


def _check_tree(block: bytes, *, index: int, n_features: int) -> None:
    name = f"tree {index}"
    lines = block.rstrip(b"\n").split(b"\n")
    _need(lines[0] == b"Tree=%d" % index and block.endswith(b"\n\n"), f"{name} does not begin or end where it must")
    _need(b"is_linear=1" not in lines, f"{name} is a linear tree, which is not supported")
    tree = _key_values(lines[1:], known=_TREE, required={*_TREE} - _CATEGORIES)
    n_leaves, n_categorical = _int(tree, "num_leaves"), _int(tree, "num_cat")
    _need(tree["is_linear"] == b"0", f"is_linear of {name} must be 0")
    _need(_array(tree["shrinkage"], "float", "shrinkage").shape == (1,), f"shrinkage of {name} must be one number")
    _need(n_leaves >= 1 and n_categorical >= 0, f"{name} has no leaves")
    if n_leaves == 1:
        _need(len(_array(tree["leaf_value"], "float", "leaf_value")) == 1, f"leaf_value of {name} has the wrong length")
        return
    arrays = {key: _array(tree[key], kind, f"{key} of {name}") for key, kind in {**_PER_LEAF, **_PER_NODE}.items()}
    for key, array in arrays.items():
        _need(len(array) == n_leaves - (key in _PER_NODE), f"{key} of {name} has the wrong length")
    features, decisions = arrays["split_feature"], arrays["decision_type"]
    _need(bool(np.all((features >= 0) & (features < n_features))), f"{name} splits on a feature that does not exist")
    _need(bool(np.all((decisions >= 0) & (decisions < 12))), f"{name} has an unknown decision_type")
    _check_children(arrays["left_child"], arrays["right_child"], n_leaves=n_leaves, name=name)
    _check_categories(tree, arrays["threshold"][decisions % 2 == 1], n_categorical=n_categorical, name=name)


def _check_children(left: np.ndarray, right: np.ndarray, *, n_leaves: int, name: str) -> None:
    """Every node but the root and every leaf is the child of exactly one earlier node."""
    children = np.sort(np.concatenate([left, right]))
    expected = np.concatenate([np.arange(-n_leaves, 0), np.arange(1, n_leaves - 1)])
    _need(np.array_equal(children, expected), f"the children of {name} do not form a tree")
    parents = np.arange(n_leaves - 1)
    for side in (left, right):
        _need(bool(np.all((side < 0) | (side > parents))), f"the children of {name} form a circle")


def _check_categories(tree: dict[str, bytes], thresholds: np.ndarray, *, n_categorical: int, name: str) -> None:
    _need((n_categorical > 0) == (tree.keys() >= _CATEGORIES), f"{name} has the wrong number of categorical splits")
    in_range = (thresholds >= 0) & (thresholds < n_categorical) & (thresholds == np.floor(thresholds))
    _need(bool(np.all(in_range)), f"{name} has a categorical split that does not exist")
    if n_categorical == 0:
        return
    boundaries = _array(tree["cat_boundaries"], "int", f"cat_boundaries of {name}")
    words = _array(tree["cat_threshold"], "int", f"cat_threshold of {name}")
    _need(len(boundaries) == n_categorical + 1 and boundaries[0] == 0, f"cat_boundaries of {name} has the wrong length")
    _need(
        bool(np.all(np.diff(boundaries) >= 0)) and boundaries[-1] == len(words), f"cat_threshold of {name} has the wrong length"
    )
    _need(bool(np.all((words >= 0) & (words < 2**32))), f"cat_threshold of {name} is out of range")


def _check_tail(tail: bytes) -> None:
    """After the trees come importances, parameters and the categories of pandas, which only Python reads."""
    _need(tail.startswith(b"end of trees\n"), "the end of the trees is missing")
    lines = tail.split(b"\n")
    _need(b"end of parameters" in lines, "it is cut short")
    last = [line for line in lines if line][-1]
    _need(last.startswith(b"pandas_categorical:"), "it is cut short")
    try:
        categories = json.loads(last.partition(b":")[2])
    except (ValueError, RecursionError):
        raise _Damage("its categories are not JSON") from None
    _need(
        categories is None or (isinstance(categories, list) and all(isinstance(c, list) for c in categories)),
        "its categories are not lists",
    )
    for line in lines[lines.index(b"parameters:") + 1 : lines.index(b"end of parameters")] if b"parameters:" in lines else []:
        _need(
            not line or re.fullmatch(rb"\[[a-z0-9_]+: [^\[\]]*(\[[^\[\]]*\][^\[\]]*)*\]", line) is not None,
            "its parameters cannot be read",
        )


def _key_values(lines: list[bytes], *, known: set[str], required: set[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for line in lines:
        key, _, value = line.partition(b"=")
        name = key.decode("utf-8", errors="replace")
        _need(name in known and name not in found, f"the line {name[:40]!r} is unknown or there twice")
        found[name] = value
    missing = sorted(required - found.keys())
    _need(not missing, f"the line {missing[:1]} is missing")
    return found


def _array(value: bytes, kind: str, name: str) -> np.ndarray:
    _need(_NUMBERS[kind].fullmatch(value) is not None, f"{name} must be numbers")
    array = np.array(value.split(), dtype=bytes).astype(np.float64 if kind == "float" else np.int64)
    _need(kind == "float" or "cat_threshold" in name or bool(np.all(np.abs(array) < 2**31)), f"{name} is out of range")
    return array


def _int(values: dict[str, bytes], key: str) -> int:
    array = _array(values[key], "int", key)
    _need(array.shape == (1,), f"{key} must be one number")
    return int(array[0])


def _need(condition: bool, otherwise: str) -> None:
    if not condition:
        raise _Damage(otherwise)
