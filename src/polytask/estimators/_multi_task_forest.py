"""A forest whose trees learn all tasks together."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from polytask.estimators._bagged import FoldModel, LearningData
from polytask.estimators._candidates import inner_splits
from polytask.estimators._ensemble import Ensemble
from polytask.estimators._joint_calibration import calibrate, target_states
from polytask.estimators._joint_targets import JointTargets
from polytask.estimators._joint_training import check_shares, check_whole_numbers, joint_training
from polytask.estimators._joint_trees import JointTree, grow_tree, joined_trees, leaves_of
from polytask.estimators._joint_trees_model import JointTreesModel
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
        own = joint_training(data, rows)
        every = np.arange(len(rows))
        trees, held = self._grow(own.X, own.joint, every, own.groups, seed)
        if own.times is not None:  # trees that have not seen a row may know later ones
            splits = inner_splits(own.joint.values[:, 0], groups=own.groups, times=own.times)
            held = self._held_out(own.X, own.joint, splits, own.groups, seed_of(seed, 1) % 2**31)
        shares = {"centers": own.joint.centers, "scales": own.joint.scales}
        states = calibrate(
            own, held * shares["scales"] + shares["centers"], target_states(own, **shares), n_votes=self.n_estimators
        )
        numbers: dict[str, Any] = {"n_features": len(own.X), "n_votes": self.n_estimators}
        return JointTreesModel([], own.tasks, own.matrix, joined_trees(trees), states, **numbers), {}

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
        check_whole_numbers(self, n_estimators=1, min_samples_leaf=1, max_depth=1)
        check_shares(self, "max_features")
