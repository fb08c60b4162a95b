"""A forest whose trees learn all tasks together."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from polytask.data import TableArrays
from polytask.estimators._bagged import FoldModel, LearningData
from polytask.estimators._candidates import inner_splits
from polytask.estimators._ensemble import Ensemble
from polytask.estimators._fit_on_rows import fitted_tasks
from polytask.estimators._fold_models import MadeOfModels
from polytask.estimators._forest_arrays import forest_of_arrays
from polytask.estimators._joint_calibration import calibrate, calibrated
from polytask.estimators._joint_targets import JointTargets, joint_targets
from polytask.estimators._joint_trees import JointTree, grow_tree, joined_trees
from polytask.estimators._matrix import TableMatrix
from polytask.exceptions import DataError, OptionError
from polytask.tasks import FittedTask
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]

ROWS_PER_TREE = 20_000  # of more, each tree sees as many at random


class MultiTaskForest(Ensemble):
    """Extremely randomized trees on all tasks together, mixed kinds and missing labels among them.

    A split serves all tasks: it is the one, of some drawn at random, that explains most squared error of all labels, numbers in
    units of their standard deviation, classes as indicators. A missing label has no part in it. Each leaf keeps, per task, the
    mean of the labels observed there; where a task has none, that of the next node above that has some.

    Parameters
    ----------
    tasks : sequence of Task or str, optional
    n_estimators : int, default=100
    max_features : float in (0, 1], default=1.0
        Splits looked at in each node, as a share of the columns; these are drawn with replacement, and a threshold for each.
    min_samples_leaf : int, default=1
    max_depth : int, optional
    bootstrap : bool, default=True
        Each tree learns from rows drawn with replacement (of groups: whole groups); the others calibrate what it says. Without
        it nothing is calibrated, unless ``times`` holds the latest rows out.
    random_state : int, RandomState or None

    Notes
    -----
    Probabilities are those of logistic regression on the log odds of trees that have not seen the row; numbers are drawn to the
    mean as far as such trees ask. A declared loss (``"quantile:0.9"``) shifts predictions by what is best for it on them.

    References
    ----------
    Geurts, Ernst & Wehenkel, "Extremely Randomized Trees", Machine Learning 63, 2006. Kocev, Vens, Struyf & Džeroski, "Tree
    Ensembles for Predicting Structured Outputs", Pattern Recognition 46, 2013 (one tree for all targets). Label weights are ours.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> y = np.stack([X[:, 0], X[:, 0] > 0], axis=1)
    >>> y[::3, 0] = np.nan
    >>> forest = MultiTaskForest(n_estimators=20, random_state=0).fit(X, y)
    >>> forest.predict(X).shape
    (100, 2)
    """

    def __init__(
        self,
        tasks: Any = None,
        *,
        n_estimators: int = 100,
        max_features: float = 1.0,
        min_samples_leaf: int = 1,
        max_depth: int | None = None,
        bootstrap: bool = True,
        random_state: Any = None,
    ) -> None:
        self.tasks = tasks
        self.n_estimators = n_estimators
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.max_depth = max_depth
        self.bootstrap = bootstrap
        self.random_state = random_state

    @property
    def learns_together(self) -> bool:
        """Tasks share every split."""
        return True

    def _learn(self, data: LearningData, rows: Array, *, seed: int) -> tuple[FoldModel, dict[str, Any]]:
        self._check()
        labels, weight = data.labels, data.weight
        importance = [task.importance(labels.target[rows, labels.slices[task.name]]) for task in labels.tasks]
        weight = weight[rows] * np.concatenate(importance, axis=1)
        target = joint_targets(labels.tasks, labels.target[rows], weight)
        tasks = fitted_tasks(data, rows)
        matrix = TableMatrix(data.table.cardinalities, keep_missing=True)
        matrix.fit(data.table.arrays.take(rows), np.arange(len(rows)), target=target.values, weight=target.weight)
        own = data.table.arrays.take(rows)
        X = matrix.training(own, np.arange(len(rows)), target=target.values, weight=target.weight)
        X = np.ascontiguousarray(X.T, dtype=np.float32)
        groups = None if data.groups is None else np.unique(data.groups[rows], return_inverse=True)[1]
        if data.times is not None:
            splits = inner_splits(target.values[:, 0], groups=groups, times=data.times.of_rows(rows))
            trees, _ = self._grow(X, target, np.arange(len(rows)), groups, seed)
            held = self._held_out(X, target, splits, groups, seed_of(seed, 1) % 2**31)
        else:
            trees, held = self._grow(X, target, np.arange(len(rows)), groups, seed)
        states = calibrate(tasks, target, held, labels.target[rows], weight, n_estimators=self.n_estimators)
        return JointForestModel([], tasks, matrix, joined_trees(trees), states, len(X)), {}

    def _grow(
        self, X: Array, target: JointTargets, rows: Array, groups: Array | None, seed: int
    ) -> tuple[list[JointTree], Array]:
        """Trees, and for every row what those say that have not seen it; NaN where all have."""
        trees, total, n_out = [], np.zeros(target.values.shape), np.zeros(len(target.values))
        n_looked = max(1, round(self.max_features * len(X)))
        for k in range(self.n_estimators):
            rng = np.random.default_rng([seed, k])
            counts = self._drawn(len(target.values), rows, groups, rng)
            tree = grow_tree(
                X,
                target.values,
                target.weight * counts[:, None],
                rng=rng,
                max_features=n_looked,
                min_samples_leaf=self.min_samples_leaf,
                max_depth=self.max_depth,
            )
            trees.append(tree)
            out = np.flatnonzero(counts == 0)
            if len(out):
                total[out] += tree.values[leaves_of(tree, X, out)]
                n_out[out] += 1
        return trees, np.divide(total, n_out[:, None], out=np.full_like(total, np.nan), where=n_out[:, None] > 0)

    def _drawn(self, n: int, rows: Array, groups: Array | None, rng: np.random.Generator) -> Array:
        """How often each row is drawn for a tree."""
        counts = np.zeros(n)
        if not self.bootstrap:
            counts[rows] = 1.0
            return counts
        if groups is None:
            drawn = rng.integers(len(rows), size=min(len(rows), ROWS_PER_TREE))
            counts[rows] = np.bincount(drawn, minlength=len(rows))
            return counts
        known, own = np.unique(groups[rows], return_inverse=True)
        counts[rows] = np.bincount(rng.integers(len(known), size=len(known)), minlength=len(known))[own]
        return counts

    def _held_out(
        self, X: Array, target: JointTargets, splits: Sequence[tuple[Array, Array]], groups: Array | None, seed: int
    ) -> Array:
        """What forests say that have learned from earlier rows only; NaN for rows that none is asked about."""
        found = np.full(target.values.shape, np.nan)
        for k, (train, held) in enumerate(splits):
            trees, _ = self._grow(X, target, train, groups, seed_of(seed, k) % 2**31)
            found[held] = np.mean([tree.values[leaves_of(tree, X, held)] for tree in trees], axis=0, dtype=np.float64)
        return found

    def _check(self) -> None:
        for name, least in (("n_estimators", 1), ("min_samples_leaf", 1), ("max_depth", 1)):
            value = getattr(self, name)
            if value is None and name == "max_depth":
                continue
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise OptionError(f"`{name}` of MultiTaskForest must be a whole number >= {least}; got {value!r}.")
        if not 0 < self.max_features <= 1:
            raise OptionError(f"`max_features` of MultiTaskForest must be a share in (0, 1]; got {self.max_features!r}.")


class JointForestModel(MadeOfModels):
    """A fitted forest of joint trees.

    Parameters
    ----------
    models : list
        None; in the manner of the others.
    tasks : sequence of FittedTask
    matrix : TableMatrix
    trees : dict of name to array
        As :func:`joined_trees` gives them.
    states : dict of task name to list of dict of name to array
        How the outputs of every target are calibrated.
    n_features : int
        Columns of the matrix.
    """

    def __init__(
        self,
        models: list[Any],
        tasks: Sequence[FittedTask],
        matrix: TableMatrix,
        trees: Mapping[str, Array],
        states: Mapping[str, list[dict[str, Array]]],
        n_features: int,
    ) -> None:
        self.models: list[Any] = []
        self.tasks, self.matrix = list(tasks), matrix
        self.trees, self.states = dict(trees), {name: list(own) for name, own in states.items()}
        self.n_features = int(n_features)
        leaves = np.zeros((len(self.trees["values"]), 1))
        shell = {"class": "ExtraTreesRegressor", "n_features": self.n_features}
        forest = forest_of_arrays(shell, self.trees | {"values": leaves}, where="The joint forest")
        self._walks = [own.tree_ for own in forest.estimators_]
        ends = np.cumsum(self.trees["n_nodes"])
        self._leaf = np.split(np.cumsum(~self.trees["is_inner"]) - 1, ends[:-1])

    def outputs(self, arrays: TableArrays) -> dict[str, Array]:
        """Outputs in natural scale per task."""
        X = np.ascontiguousarray(self.matrix.transform(arrays, column=None), dtype=np.float32)
        if X.shape[1] != self.n_features:  # the walk through a tree does not look
            raise DataError(f"The joint forest has learned from {self.n_features} columns; got {X.shape[1]}.")
        total = np.zeros((len(X), self.trees["values"].shape[1]))
        for walk, leaf in zip(self._walks, self._leaf, strict=True):
            total += self.trees["values"][leaf[walk.apply(X)]]
        found, start = {}, 0
        for task in self.tasks:
            columns = []
            for state in self.states[task.name]:
                width = len(state["scales"])
                own = total[:, start : start + width] / len(self._walks) * state["scales"] + state["centers"]
                columns.append(calibrated(own, state, task.n_codes, n_estimators=len(self._walks)))
                start += width
            found[task.name] = task.join(columns)
        return found

    def content(self) -> dict[str, Any]:
        return {
            "tasks": [task.to_dict() for task in self.tasks],
            "matrix": self.matrix.settings(),
            "n_features": self.n_features,
            "n_states": {name: len(own) for name, own in self.states.items()},
        }

    def arrays(self) -> dict[str, Array]:
        found = {f"trees.{name}": own for name, own in self.trees.items()}
        found |= {f"matrix.{name}": own for name, own in self.matrix.statistics().items()}
        for t, own in enumerate(self.states.values()):
            for k, state in enumerate(own):
                found |= {f"state.{t}.{k}.{name}": np.asarray(values) for name, values in state.items()}
        return found

    @classmethod
    def restore(cls, content: Mapping[str, Any], arrays: Mapping[str, Array], models: list[Any]) -> Self:
        states = {
            name: [_under(arrays, f"state.{t}.{k}.") for k in range(n)] for t, (name, n) in enumerate(content["n_states"].items())
        }
        matrix = TableMatrix.restore(content["matrix"], _under(arrays, "matrix."))
        trees = _under(arrays, "trees.")
        if trees["values"].ndim != 2 or trees["values"].shape[1] != sum(len(s["scales"]) for own in states.values() for s in own):
            raise ValueError("the leaves of a joint forest do not fit its tasks")
        return cls(models, content["tasks"], matrix, trees, states, content["n_features"])


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


def _under(arrays: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): own for name, own in arrays.items() if name.startswith(prefix)}
