"""Boosted trees whose structure all tasks share."""

from typing import Any

import numpy as np
from scipy.special import expit, softmax

from polytask.estimators._bagged import FoldModel, LearningData
from polytask.estimators._ensemble import Ensemble
from polytask.estimators._joint_calibration import calibrate, target_states
from polytask.estimators._joint_training import (
    N_FOLDS,
    JointTraining,
    check_numbers,
    check_shares,
    check_whole_numbers,
    joint_training,
    mean_rounds,
    rounds_of_tasks,
    stopping_splits,
)
from polytask.estimators._joint_trees import JointTree, grow_tree, joined_trees, leaves_of
from polytask.estimators._joint_trees_model import JointTreesModel
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_CURVATURE = 1e-3
LARGEST_STEP = 4.0  # of a leaf, before the learning rate
N_VOTES = 1000
LEAST_GAIN = 1e-5


class MultiTaskBoosting(Ensemble):
    """Gradient boosting of all tasks, mixed kinds and missing labels among them, by trees that they share.

    Every round grows one tree on the gradients of all tasks, squared error for numbers, log loss for classes; its splits serve
    all of them, its leaves hold a Newton step for each. A missing label has no gradient. Each task ends at the
    round that was best for it on rows held out, and later trees neither ask nor move it.

    Parameters
    ----------
    tasks : sequence of Task or str, optional
    n_estimators : int, default=600
        Most rounds.
    learning_rate : float, default=0.1
    max_depth : int, default=6
    max_features : float in (0, 1], default=0.4
        Splits looked at in each node, as a share of the columns; thresholds are drawn at random.
    min_samples_leaf : int, default=5
    subsample : float in (0, 1], default=0.7
        Share of the rows that each tree learns from.
    l2 : float, default=1.0
        Labels by which each leaf is drawn to 0.
    patience : int, default=30
        Rounds without a gain after which a task ends.
    random_state : int, RandomState or None

    Attributes
    ----------
    n_rounds_ : dict of task name to float
        Rounds of each task; of several tags those of the first.

    Notes
    -----
    Rounds are found on four folds inside the training rows (their geometric mean), with 3,000 rows or more on one holdout, which
    follow groups and times; then all rows are learned from. What the folds say of the rows they hold out calibrates numbers and
    probabilities, and shifts tasks with a declared loss.

    References
    ----------
    Friedman, "Greedy Function Approximation: A Gradient Boosting Machine", Annals of Statistics 29, 2001. Zhang & Jung, "GBDT-MO:
    Gradient-Boosted Decision Trees for Multiple Outputs", IEEE TNNLS 32, 2021 (one tree for all outputs). Random thresholds,
    label weights and a round per task are ours.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> y = np.stack([X[:, 0], X[:, 0] > 0], axis=1)
    >>> y[::3, 0] = np.nan
    >>> model = MultiTaskBoosting(n_estimators=20, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (100, 2)
    """

    told = ("n_rounds_",)

    def __init__(
        self,
        tasks: Any = None,
        *,
        n_estimators: int = 600,
        learning_rate: float = 0.1,
        max_depth: int = 6,
        max_features: float = 0.4,
        min_samples_leaf: int = 5,
        subsample: float = 0.7,
        l2: float = 1.0,
        patience: int = 30,
        random_state: Any = None,
    ) -> None:
        self.tasks = tasks
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.subsample = subsample
        self.l2 = l2
        self.patience = patience
        self.random_state = random_state

    @property
    def learns_together(self) -> bool:
        """Tasks share every tree."""
        return True

    def _learn(self, data: LearningData, rows: Array, *, seed: int) -> tuple[FoldModel, dict[str, Any]]:
        self._check()
        own = joint_training(data, rows)
        loss = _JointLoss(own)
        held = np.full(loss.target.shape, np.nan)
        rounds = []
        for k, (train, test) in enumerate(stopping_splits(own)):
            best, held[test] = self._stopped(own, loss, train, test, seed_of(seed, k) % 2**31)
            rounds.append(best)
        n_rounds = mean_rounds(rounds, len(loss.parts), self.n_estimators)
        trees = self._boosted(own, loss, n_rounds, seed_of(seed, N_FOLDS) % 2**31)
        states = calibrate(own, held, target_states(own, centers=loss.base, scales=loss.scales), n_votes=N_VOTES)
        numbers: dict[str, Any] = {"n_features": len(own.X), "n_votes": N_VOTES, "added": True}
        told = {"n_rounds_": rounds_of_tasks(own.tasks, n_rounds)}
        return JointTreesModel([], own.tasks, own.matrix, joined_trees(trees), states, **numbers), told

    def _stopped(self, own: JointTraining, loss: "_JointLoss", train: Array, test: Array, seed: int) -> tuple[Array, Array]:
        """The best round of every target on held-out rows, and what the trees until then say of them."""
        scores, held = np.zeros((len(train), loss.width)), np.zeros((len(test), loss.width))
        best, least = np.zeros(len(loss.parts), dtype=np.int64), loss.of_targets(held, test)
        kept, active = held.copy(), np.ones(len(loss.parts), dtype=bool)
        X = np.ascontiguousarray(own.X[:, train])
        for k in range(self.n_estimators):
            tree = self._step(X, loss, train, scores, loss.columns_of(active), np.random.default_rng([seed, k]))
            scores += tree.values[leaves_of(tree, X, np.arange(len(train)))]
            held += tree.values[leaves_of(tree, own.X, test)]
            found = loss.of_targets(held, test)
            better = active & (found < least - LEAST_GAIN)
            best[better], least[better] = k + 1, found[better]
            columns = loss.columns_of(better)
            kept[:, columns] = held[:, columns]
            active &= (k + 1 - best < self.patience) & np.isfinite(found)
            if not active.any():
                break
        return np.where(np.isfinite(least), best, np.nan), loss.natural(kept)

    def _boosted(self, own: JointTraining, loss: "_JointLoss", n_rounds: Array, seed: int) -> list[JointTree]:
        every = np.arange(own.X.shape[1])
        scores, trees = np.zeros((len(every), loss.width)), []
        for k in range(max(1, int(n_rounds.max()))):
            rng = np.random.default_rng([seed, k])
            tree = self._step(own.X, loss, every, scores, loss.columns_of(n_rounds > k), rng)
            scores += tree.values[leaves_of(tree, own.X, every)]
            trees.append(tree)
        return trees

    def _step(
        self, X: Array, loss: "_JointLoss", rows: Array, scores: Array, active: Array, rng: np.random.Generator
    ) -> JointTree:
        """A tree on the gradients of these rows, its leaves the steps; 0 for columns that are not active."""
        gradient, curvature = loss.derivatives(scores, rows)
        drawn = (rng.random(len(rows)) < self.subsample) if self.subsample < 1 else np.ones(len(rows), dtype=bool)
        weight = loss.weight[rows] * curvature * drawn[:, None] * active
        steps = gradient / curvature
        tree = grow_tree(
            X,
            steps,
            weight,
            rng=rng,
            max_features=max(1, round(self.max_features * len(X))),
            min_samples_leaf=self.min_samples_leaf,
            max_depth=self.max_depth,
        )
        leaf = leaves_of(tree, X, np.flatnonzero(drawn))
        totals, sums = (
            np.stack([np.bincount(leaf, column, minlength=len(tree.left)) for column in values[drawn].T], axis=1)
            for values in (weight, weight * steps)
        )
        under = totals + self.l2 * loss.unit  # 0 of a leaf without labels, if `l2` is 0
        values = np.divide(sums, under, out=np.zeros(sums.shape), where=under > 0)
        values = np.clip(values, -LARGEST_STEP, LARGEST_STEP) * self.learning_rate
        return JointTree(
            tree.left, tree.right, tree.feature, tree.threshold, tree.missing_left, values.astype(np.float32), tree.depth
        )

    def _check(self) -> None:
        check_whole_numbers(self, n_estimators=1, min_samples_leaf=1, max_depth=1, patience=1)
        check_shares(self, "max_features", "subsample")
        check_numbers(self, learning_rate=1e-6, l2=0.0)


class _JointLoss:
    """Losses of all columns for scores [n, D] above the base: numbers in units of their deviation, log odds for classes."""

    def __init__(self, own: JointTraining) -> None:
        joint = own.joint
        self.weight, self.width = joint.weight, joint.values.shape[1]
        self.parts: list[slice] = [part for parts in joint.slices.values() for part in parts]
        self.is_class = np.zeros(self.width, dtype=bool)
        self.base, self.scales = joint.centers.copy(), joint.scales.copy()
        self.several: list[slice] = []
        self.column = np.zeros(self.width, dtype=np.int64)
        n_codes = [task.n_codes for task in own.tasks for _ in range(task.n_targets)]
        for k, (part, codes) in enumerate(zip(self.parts, n_codes, strict=True)):
            self.column[part] = k
            if codes:
                self.is_class[part] = True
                shares = np.clip(joint.centers[part], 1e-4, 1 - 1e-4)
                self.base[part] = np.log(shares) if codes > 2 else np.log(shares / (1 - shares))
                self.scales[part] = 1.0
                if codes > 2:
                    self.several.append(part)
        shown = joint.values * joint.scales + joint.centers
        self.target = np.where(self.is_class, np.round(shown), joint.values)
        self.unit = np.where(self.is_class, 0.25, 1.0)  # of curvature, so that `l2` counts labels alike

    def natural(self, scores: Array) -> Array:
        """Numbers in their unit, and shares."""
        found = scores * self.scales + self.base
        return np.where(self.is_class, self._shares(found), found)

    def derivatives(self, scores: Array, rows: Array) -> tuple[Array, Array]:
        """Negative gradient and curvature of every label."""
        predicted = np.where(self.is_class, self._shares(scores + np.where(self.is_class, self.base, 0.0)), scores)
        curvature = np.where(self.is_class, np.maximum(predicted * (1 - predicted), LEAST_CURVATURE), 1.0)
        return self.target[rows] - predicted, curvature

    def of_targets(self, scores: Array, rows: Array) -> Array:
        """Mean loss of every target over its labels among these rows; NaN without any."""
        target, weight = self.target[rows], self.weight[rows]
        shares = np.clip(self._shares(scores + np.where(self.is_class, self.base, 0.0)), 1e-7, 1 - 1e-7)
        one = -(target * np.log(shares) + (1 - target) * np.log1p(-shares))
        for part in self.several:
            one[:, part] = -target[:, part] * np.log(shares[:, part])
        losses = np.where(self.is_class, one, (target - scores) ** 2) * weight
        found = np.full(len(self.parts), np.nan)
        for k, part in enumerate(self.parts):
            total = weight[:, part.start].sum()
            found[k] = losses[:, part].sum() / total if total > 0 else np.nan
        return found

    def columns_of(self, targets: Array) -> Array:
        """Which columns belong to these targets, bool [D]."""
        return np.asarray(targets[self.column])

    def _shares(self, odds: Array) -> Array:
        found = np.asarray(expit(odds))
        for part in self.several:
            found[:, part] = softmax(odds[:, part], axis=1)
        return found
