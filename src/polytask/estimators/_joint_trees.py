"""Trees whose splits serve several target columns at once, some labels of which are missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.tree import ExtraTreeRegressor

Array = np.ndarray[Any, np.dtype[Any]]

_MOST_CELLS = 4_000_000  # rows x candidate splits looked at in one piece


@dataclass(frozen=True)
class JointTree:
    """A grown tree; children come after their parent.

    Attributes
    ----------
    left, right, feature : int array of shape (n_nodes,)
        -1 in leaves.
    threshold : float64 array of shape (n_nodes,)
        Rows with a smaller or equal value go left.
    missing_left : bool array of shape (n_nodes,)
        Where rows without a value go.
    values : float32 array of shape (n_nodes, D)
        Mean of the observed labels of every column; a column without any has the mean of the next node above that has some.
    depth : int
    """

    left: Array
    right: Array
    feature: Array
    threshold: Array
    missing_left: Array
    values: Array
    depth: int


def grow_tree(
    X: Array,
    target: Array,
    weight: Array,
    *,
    rng: np.random.Generator,
    max_features: int,
    min_samples_leaf: int = 1,
    max_depth: int | None = None,
) -> JointTree:
    r"""Grow an extremely randomized tree on all target columns together.

    In every node some features are drawn (with replacement; without, where labels are complete, since the tree is then that of
    scikit-learn), and a threshold for each between its least and largest value there. The split is taken
    that explains most squared error, summed over columns, each label by its own weight:

    .. math:: \sum_d \frac{(\sum_{i \in L} w_{id} y_{id})^2}{\sum_{i \in L} w_{id}} +
              \frac{(\sum_{i \in R} w_{id} y_{id})^2}{\sum_{i \in R} w_{id}}

    A missing label has weight 0: it votes for no split, and no leaf has its value.

    Parameters
    ----------
    X : float32 array of shape (n_features, n)
        Columns first; NaN where missing.
    target : array of shape (n, D)
        Finite also where the weight is 0; columns of comparable variance.
    weight : array of shape (n, D)
        Label weights >= 0. Rows without any are not used.
    max_features : int
        Features looked at per node.
    min_samples_leaf : int, default=1
        Rows.
    max_depth : int, optional

    References
    ----------
    Geurts, Ernst & Wehenkel, "Extremely Randomized Trees", Machine Learning 63, 2006. De'ath, "Multivariate Regression Trees",
    Ecology 83, 2002 (the sum over targets). Label weights, instead of complete targets, are ours.

    Examples
    --------
    >>> X = np.arange(6, dtype=np.float32)[None]
    >>> target = np.array([[0, 9], [0, 9], [0, 0], [1, 0], [1, 0], [1, 0]], dtype=float)
    >>> weight = np.array([[1, 0], [1, 0], [1, 1], [1, 1], [1, 1], [1, 1]], dtype=float)
    >>> tree = grow_tree(X, target, weight, rng=np.random.default_rng(0), max_features=5)
    >>> np.unique(tree.values[tree.left < 0], axis=0).tolist()
    [[0.0, 0.0], [1.0, 0.0]]
    """
    limits: dict[str, Any] = {"max_features": max_features, "min_samples_leaf": min_samples_leaf, "max_depth": max_depth}
    distinct, column = _distinct(weight)
    if distinct.shape[1] == 1:  # complete labels: scikit-learn's trees are the same, and compiled
        return _complete_tree(X, target, distinct[:, 0], rng, **limits)
    return _Grower(X, target * weight, target, distinct, column, rng, **limits).grow()


def _complete_tree(X: Array, target: Array, weight: Array, rng: np.random.Generator, **limits: Any) -> JointTree:
    """The tree of rows of which every column has the same weight; its features are drawn without replacement."""
    rows = np.flatnonzero(weight > 0)
    seed = int(rng.integers(2**31))
    if not len(rows) or not len(X):
        nothing = {"left": -1, "right": -1, "feature": -1}
        mean = weight @ target / max(weight.sum(), 1e-300)
        ends = {name: np.array([value]) for name, value in nothing.items()}
        return JointTree(
            **ends,
            threshold=np.array([-2.0]),
            missing_left=np.zeros(1, dtype=bool),
            values=mean[None].astype(np.float32),
            depth=0,
        )
    values = np.ascontiguousarray(X[:, rows].T, dtype=np.float32)
    limits["max_features"] = min(limits["max_features"], len(X))
    tree = ExtraTreeRegressor(random_state=seed, **limits)
    has_missing = bool(np.isnan(values).any())  # else there is nothing to check
    tree.fit(values, np.ascontiguousarray(target[rows], dtype=np.float64), weight[rows], check_input=has_missing)
    grown = tree.tree_
    return JointTree(
        grown.children_left.astype(np.int64),
        grown.children_right.astype(np.int64),
        np.where(grown.children_left >= 0, grown.feature, -1),
        grown.threshold.copy(),
        grown.missing_go_to_left.astype(bool),
        grown.value[:, :, 0].astype(np.float32),
        int(grown.max_depth),
    )


class _Grower:
    """Grows level by level, all nodes of a level in a few array operations."""

    def __init__(
        self,
        X: Array,
        weighted: Array,
        target: Array,
        weight: Array,
        column: Array,
        rng: np.random.Generator,
        *,
        max_features: int,
        min_samples_leaf: int,
        max_depth: int | None,
    ) -> None:
        self.X, self.rng = X, rng
        self.max_features, self.min_leaf, self.max_depth = max_features, min_samples_leaf, max_depth
        self.weight, self.column, self.weighted = weight, column, weighted
        self.squares = (target * self.weighted).sum(axis=1)
        self.rows = np.flatnonzero((weight > 0).any(axis=1))

    def grow(self) -> JointTree:
        rows, starts = self.rows, np.array([0, len(self.rows)])
        parents = np.zeros((1, self.weighted.shape[1]))
        levels: list[tuple[Array, ...]] = []
        first, depth = 0, 0
        while len(starts) > 1:
            n_nodes = len(starts) - 1
            sums, weights = self._sums(rows, starts)
            seen = weights[:, self.column]
            values = np.where(seen > 0, sums / np.where(seen > 0, seen, 1.0), parents)
            may_split = self._may_split(rows, starts, sums, seen, depth)
            feature, threshold, missing_left = self._best(rows, starts, sums, weights, may_split)
            splits = feature >= 0
            left = np.full(n_nodes, -1)
            left[splits] = first + n_nodes + 2 * np.arange(splits.sum())
            right = np.where(splits, left + 1, -1)
            levels.append((left, right, feature, threshold, missing_left, values))
            rows, starts = self._divide(rows, starts, feature, threshold, missing_left)
            parents = np.repeat(values[splits], 2, axis=0)
            first, depth = first + n_nodes, depth + 1
        left, right, feature, threshold, missing_left, values = (np.concatenate(own) for own in zip(*levels, strict=True))
        return JointTree(left, right, feature, threshold, missing_left, values.astype(np.float32), depth - 1)

    def _sums(self, rows: Array, starts: Array) -> tuple[Array, Array]:
        """Per node the weighted sums of the columns, and of their distinct weights."""
        nodes = csr_matrix((np.ones(len(rows)), rows, starts), shape=(len(starts) - 1, len(self.squares)))
        return nodes @ self.weighted, nodes @ self.weight

    def _may_split(self, rows: Array, starts: Array, sums: Array, seen: Array, depth: int) -> Array:
        """Nodes with enough rows whose labels differ."""
        if self.max_depth is not None and depth >= self.max_depth:
            return np.zeros(len(starts) - 1, dtype=bool)
        total = np.add.reduceat(self.squares[rows], starts[:-1])
        explained = (sums**2 / np.where(seen > 0, seen, 1.0)).sum(axis=1)
        return np.asarray((np.diff(starts) >= 2 * self.min_leaf) & (total - explained > 1e-9 * np.maximum(total, 1e-300)))

    def _best(self, rows: Array, starts: Array, sums: Array, weights: Array, may_split: Array) -> tuple[Array, Array, Array]:
        """Feature (-1 for none), threshold and side of missing values of the best split of every node."""
        n_nodes, d = len(starts) - 1, len(self.X)
        feature, threshold = np.full(n_nodes, -1), np.full(n_nodes, -2.0)
        missing_left, best = np.zeros(n_nodes, dtype=bool), np.full(n_nodes, -np.inf)
        if not may_split.any() or not d:
            return feature, threshold, missing_left
        nodes = np.flatnonzero(may_split)
        counts = np.diff(starts)[nodes]
        own = _ranges(starts[nodes], counts)
        rows, starts = rows[own], np.concatenate([[0], np.cumsum(counts)])
        drawn = self.rng.integers(d, size=(self.max_features, len(nodes)))
        places = self.rng.random(drawn.shape)
        sides = self.rng.random(drawn.shape) < 0.5
        at_once = max(1, _MOST_CELLS // max(len(rows), 1))
        for begin in range(0, self.max_features, at_once):
            part = slice(begin, begin + at_once)
            gains, thresholds = self._gains(rows, starts, sums[nodes], weights[nodes], drawn[part], places[part], sides[part])
            k, every = gains.argmax(axis=0), np.arange(len(nodes))
            found = gains[k, every]
            better = found > best[nodes]
            chosen = nodes[better]
            best[chosen] = found[better]
            feature[chosen] = drawn[part][k, every][better]
            threshold[chosen] = thresholds[k, every][better]
            missing_left[chosen] = sides[part][k, every][better]
        return feature, threshold, missing_left

    def _gains(
        self, rows: Array, starts: Array, sums: Array, weights: Array, drawn: Array, places: Array, sides: Array
    ) -> tuple[Array, Array]:
        """What every candidate explains, [k, nodes], -inf where it divides nothing; and its threshold."""
        k, m = drawn.shape
        node = np.repeat(np.arange(m), np.diff(starts))
        values = self.X[drawn[:, node], rows]  # [k, rows]
        low, high = (own.reduceat(values, starts[:-1], axis=1).astype(np.float64) for own in (np.fmin, np.fmax))
        thresholds = low + places * (high - low)
        thresholds = np.where(thresholds >= high, low, thresholds)  # rounding
        missing = np.isnan(values)
        goes_left = values <= thresholds[:, node]
        if missing.any():
            sides[low == high] = False  # nothing else to divide: those with a value go left
            goes_left |= missing & sides[:, node]
        indices = np.broadcast_to(rows, goes_left.shape)[goes_left]
        counts = np.add.reduceat(goes_left, starts[:-1], axis=1, dtype=np.int64).ravel()
        left = csr_matrix(
            (np.ones(len(indices)), indices, np.concatenate([[0], np.cumsum(counts)])), shape=(k * m, len(self.squares))
        )
        left_sums = (left @ self.weighted).reshape(k, m, -1)
        left_weights = (left @ self.weight).reshape(k, m, -1)
        explained = self._explained(left_sums, left_weights) + self._explained(sums - left_sums, weights - left_weights)
        n_left, n_rows = counts.reshape(k, m), np.diff(starts)
        divides = (n_left >= self.min_leaf) & (n_rows - n_left >= self.min_leaf)
        return np.where(divides, explained, -np.inf), thresholds

    def _explained(self, sums: Array, weights: Array) -> Array:
        """Sum over columns of squared sum by weight."""
        shares = np.divide(1.0, weights, out=np.zeros_like(weights), where=weights > 1e-12)
        return np.asarray((sums**2 * shares[..., self.column]).sum(axis=-1))

    def _divide(self, rows: Array, starts: Array, feature: Array, threshold: Array, missing_left: Array) -> tuple[Array, Array]:
        """Rows of the nodes of the next level, and where each node begins."""
        nodes = np.flatnonzero(feature >= 0)
        if not len(nodes):
            return rows[:0], np.zeros(1, dtype=np.int64)
        counts = np.diff(starts)[nodes]
        rows, node = rows[_ranges(starts[nodes], counts)], np.repeat(nodes, counts)
        values = self.X[feature[node], rows]
        goes_right = ~((values <= threshold[node]) | (np.isnan(values) & missing_left[node]))
        child = 2 * np.repeat(np.arange(len(nodes)), counts) + goes_right
        order = np.argsort(child, kind="stable")
        return rows[order], np.concatenate([[0], np.cumsum(np.bincount(child, minlength=2 * len(nodes)))])


def leaves_of(tree: JointTree, X: Array, rows: Array) -> Array:
    """The leaf of each of these rows; X [n_features, n]."""
    node = np.zeros(len(rows), dtype=np.int64)
    moving = np.arange(len(rows))[tree.left[node] >= 0]
    while len(moving):
        own = node[moving]
        values = X[tree.feature[own], rows[moving]]
        goes_left = (values <= tree.threshold[own]) | (np.isnan(values) & tree.missing_left[own])
        node[moving] = np.where(goes_left, tree.left[own], tree.right[own])
        moving = moving[tree.left[node[moving]] >= 0]
    return node


def joined_trees(trees: Sequence[JointTree]) -> dict[str, Array]:
    """Trees as the arrays of :func:`~polytask.estimators._forest_arrays.forest_arrays`; ``values`` of leaves, [leaves, D]."""
    inner = [tree.left >= 0 for tree in trees]

    def of_inner(name: str, dtype: Any) -> Array:
        return np.concatenate([getattr(tree, name)[own] for tree, own in zip(trees, inner, strict=True)]).astype(dtype)

    return {
        "n_nodes": np.array([len(own) for own in inner], dtype=np.int32),
        "depths": np.array([tree.depth for tree in trees], dtype=np.int32),
        "is_inner": np.concatenate(inner),
        "left": of_inner("left", np.int32),
        "right": of_inner("right", np.int32),
        "feature": of_inner("feature", np.int32),
        "threshold": of_inner("threshold", np.float64),
        "missing_left": of_inner("missing_left", np.bool_),
        "values": np.concatenate([tree.values[~own] for tree, own in zip(trees, inner, strict=True)]),
    }


def _distinct(weight: Array) -> tuple[Array, Array]:
    """Columns that differ, and which of them each column is: columns of one task mostly share theirs."""
    found: dict[bytes, int] = {}
    column = np.array([found.setdefault(own.tobytes(), len(found)) for own in np.ascontiguousarray(weight.T)])
    first = [int(np.flatnonzero(column == k)[0]) for k in range(len(found))]
    return np.ascontiguousarray(weight[:, first]), column


def _ranges(starts: Array, counts: Array) -> Array:
    """Positions start, start + 1, ... of every range, one after the other."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1]) + np.repeat(starts - ends + counts, counts)
