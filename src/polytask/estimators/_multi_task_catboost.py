"""CatBoost on all targets at once."""

import time
from typing import Any

import numpy as np

from polytask._optional import import_optional
from polytask.estimators._bagged import FoldModel, LearningData
from polytask.estimators._catboost_trees import joint_trees_of
from polytask.estimators._ensemble import Ensemble
from polytask.estimators._joint_calibration import calibrate, target_states
from polytask.estimators._joint_training import (
    N_FOLDS,
    JointTraining,
    check_numbers,
    check_shares,
    check_time_limit,
    check_whole_numbers,
    end_of_fold,
    joint_training,
    mean_rounds,
    rounds_of_tasks,
    stopping_splits,
)
from polytask.estimators._joint_trees import JointTree, joined_trees
from polytask.estimators._joint_trees_model import JointTreesModel
from polytask.exceptions import OptionError
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]

N_VOTES = 1000
LEAST_GAIN = 1e-6


class MultiTaskCatBoost(Ensemble):
    """CatBoost with symmetric trees that all tasks share, ``MultiRMSEWithMissingValues``; needs the extra ``boost``.

    All tasks are learned by squared error: numbers and counts in units of their standard deviation; binary labels, tags and each
    class of several as columns of 0 and 1. What is predicted for a class is therefore an estimate of its probability
    by squared loss (Brier), clipped, normalised and calibrated on rows held out, not one by log loss.

    Parameters
    ----------
    tasks : sequence of Task or str, optional
    n_estimators : int, default=1500
        Most rounds.
    learning_rate : float, default=0.05
    max_depth : int, default=6
        At most 16.
    max_features : float in (0, 1], default=1.0
        Share of the columns that each split is chosen from.
    max_bins : int, default=64
        Values that each column is told apart by, at most; time is in proportion.
    l2 : float, default=3.0
        Labels by which each leaf is drawn to 0.
    patience : int, default=60
        Rounds without a gain, over all tasks, after which it ends.
    time_limit : float, optional
        Seconds of one fit; with it, numbers depend on the machine.
    random_state : int, RandomState or None

    Attributes
    ----------
    n_rounds_ : dict of task name to float
        Rounds of each task; of several tags those of the first.

    Raises
    ------
    MissingExtraError
        By ``fit``, if CatBoost is not installed: ``pip install "polytask[boost]"``. A fitted model predicts, is saved and loaded
        without it.

    Notes
    -----
    A missing label has no part in any leaf; where CatBoost chooses a split, its row still counts, as one with nothing to
    explain. CatBoost weighs rows, so a row whose labels weigh differently is given once for each weight. Each task ends at the
    round that was best for it on four folds inside the training rows (their geometric mean), with 3,000 rows or more on one
    holdout, which follow groups and times. What the folds say of the rows they hold out calibrates numbers and probabilities, and
    shifts tasks with a declared loss.

    Categories of at most 60 codes are one-hot columns, larger ones means of every task's labels out of fold: those that CatBoost
    makes itself do not know which labels are missing.

    References
    ----------
    Prokhorenkova, Gusev, Vorobev, Dorogush & Gulin, "CatBoost: unbiased boosting with categorical features", NeurIPS 2018.
    A round per task, label weights and calibration are ours.

    Examples
    --------
    >>> model = MultiTaskCatBoost(n_estimators=200, random_state=0)
    >>> model.learns_together
    True
    """

    told = ("n_rounds_",)

    def __init__(
        self,
        tasks: Any = None,
        *,
        n_estimators: int = 1500,
        learning_rate: float = 0.05,
        max_depth: int = 6,
        max_features: float = 1.0,
        max_bins: int = 64,
        l2: float = 3.0,
        patience: int = 60,
        time_limit: float | None = None,
        random_state: Any = None,
    ) -> None:
        self.tasks = tasks
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.max_features = max_features
        self.max_bins = max_bins
        self.l2 = l2
        self.patience = patience
        self.time_limit = time_limit
        self.random_state = random_state

    @property
    def learns_together(self) -> bool:
        """Tasks share every tree."""
        return True

    def _learn(self, data: LearningData, rows: Array, *, seed: int) -> tuple[FoldModel, dict[str, Any]]:
        self._check()
        until = np.inf if self.time_limit is None else time.monotonic() + self.time_limit
        own = joint_training(data, rows)
        parts = [part for parts in own.joint.slices.values() for part in parts]
        splits, held, rounds = stopping_splits(own), np.full(own.joint.values.shape, np.nan), []
        half = until if self.time_limit is None else until - 0.5 * self.time_limit  # of the time is for the folds
        for k, split in enumerate(splits):
            limit = end_of_fold(half, k, len(splits))
            rounds.append(self._stopped(own, parts, split, held, seed=seed_of(seed, k) % 2**31, until=limit))
        n_rounds = mean_rounds(rounds, len(parts), self.n_estimators)
        every, last = np.arange(len(rows)), seed_of(seed, N_FOLDS) % 2**31
        model, columns = self._fitted(own, every, None, n_rounds=int(n_rounds.max()), seed=last, until=until)
        trees = _ended(_spread_out(model, columns, own.joint.values.shape[1]), parts, n_rounds)
        shares = {"centers": own.joint.centers, "scales": own.joint.scales}
        states = calibrate(own, held * shares["scales"] + shares["centers"], target_states(own, **shares), n_votes=N_VOTES)
        numbers: dict[str, Any] = {"n_features": len(own.X), "n_votes": N_VOTES, "added": True, "log_odds": False}
        told = {"n_rounds_": rounds_of_tasks(own.tasks, n_rounds)}
        return JointTreesModel([], own.tasks, own.matrix, joined_trees(trees), states, **numbers), told

    def _stopped(
        self, own: JointTraining, parts: list[slice], split: tuple[Array, Array], held: Array, *, seed: int, until: float
    ) -> Array:
        """The best round of every target on held-out rows, NaN without labels; what it says then goes into ``held``."""
        train, test = split
        target, weight = own.joint.values[test], own.joint.weight[test]
        model, columns = self._fitted(own, train, test, n_rounds=self.n_estimators, seed=seed, until=until)
        found = np.zeros(target.shape)
        total = np.array([weight[:, part].sum() for part in parts])

        def losses() -> Array:
            each = weight * (target - found) ** 2
            sums = np.array([each[:, part].sum() for part in parts])
            return np.divide(sums, total, out=np.full(len(parts), np.nan), where=total > 0)

        best, least = np.zeros(len(parts)), losses()
        held[test] = found
        if model is not None:
            X = np.ascontiguousarray(own.X[:, test].T)
            for k, preds in enumerate(model.staged_predict(X, thread_count=1)):
                found[:, columns] = preds.reshape(len(test), -1)
                now = losses()
                for j in np.flatnonzero(now < least - LEAST_GAIN):
                    best[j], least[j] = k + 1, now[j]
                    held[test, parts[j]] = found[:, parts[j]]
        return np.where(np.isfinite(least), best, np.nan)

    def _fitted(
        self, own: JointTraining, rows: Array, test: Array | None, *, n_rounds: int, seed: int, until: float
    ) -> tuple[Any, Array]:
        """A model of the columns whose labels differ in these rows, and which they are; None if there is nothing to learn."""
        catboost = import_optional("catboost", extra="boost", feature="MultiTaskCatBoost")
        target, weight = own.joint.values, own.joint.weight
        seen = weight[rows] > 0
        least = np.where(seen, target[rows], np.inf).min(axis=0, initial=np.inf)
        most = np.where(seen, target[rows], -np.inf).max(axis=0, initial=-np.inf)
        columns = np.flatnonzero(most > least)
        inputs = own.X[:, rows]
        if not len(columns) or not _differs(inputs):
            return None, columns
        settings = {
            "loss_function": "MultiRMSEWithMissingValues",
            "iterations": n_rounds,
            "learning_rate": self.learning_rate,
            "depth": self.max_depth,
            "rsm": self.max_features,
            "border_count": self.max_bins - 1,
            "l2_leaf_reg": self.l2,
            "random_seed": seed,
            "thread_count": 1,
            "allow_const_label": True,  # it takes a missing label that comes first for all of them
            "allow_writing_files": False,
            "verbose": False,
        }
        unit = weight[rows][:, columns][seen[:, columns]].mean()
        pools = [_pool(catboost, own, part, columns, unit) for part in ([rows] if test is None else [rows, test])]
        pools = [pool for pool in pools if pool is not None]
        stop = {"od_type": "Iter", "od_wait": self.patience, "use_best_model": False} if len(pools) > 1 else {}
        model = catboost.CatBoostRegressor(**settings, **stop)
        callbacks = None if np.isinf(until) else [_Clock(until)]
        model.fit(pools[0], eval_set=pools[1] if len(pools) > 1 else None, callbacks=callbacks)
        return model, columns

    def _check(self) -> None:
        import_optional("catboost", extra="boost", feature="MultiTaskCatBoost")
        check_whole_numbers(self, n_estimators=1, max_depth=1, patience=1, max_bins=2)
        for name, largest in (("max_depth", 16), ("max_bins", 65536)):
            if getattr(self, name) > largest:
                raise OptionError(f"`{name}` of MultiTaskCatBoost must be at most {largest}; got {getattr(self, name)}.")
        check_shares(self, "max_features")
        check_numbers(self, learning_rate=1e-6, l2=0.0)
        check_time_limit(self)


class _Clock:
    """Ends boosting when time is over."""

    def __init__(self, until: float) -> None:
        self.until = until

    def after_iteration(self, info: Any) -> bool:
        return time.monotonic() < self.until


def weight_copies(weight: Array) -> tuple[Array, Array, Array]:
    """Rows given once for each weight that their labels have.

    Parameters
    ----------
    weight : array of shape (n, D)

    Returns
    -------
    rows : int array of shape (m,)
    own : array of shape (m,)
    is_part : bool array of shape (m, D)
        Which labels of the row have that weight.

    Examples
    --------
    >>> weight_copies(np.array([[1.0, 1.0], [0.0, 2.0], [0.0, 0.0], [3.0, 1.0]]))[:2]
    (array([0, 1, 3, 3]), array([1., 2., 1., 3.]))
    """
    ordered = np.sort(weight, axis=1)
    is_first = ordered > 0
    is_first[:, 1:] &= ordered[:, 1:] > ordered[:, :-1]
    rows, place = np.nonzero(is_first)
    own = ordered[rows, place]
    return rows, own, weight[rows] == own[:, None]


def _pool(catboost: Any, own: JointTraining, rows: Array, columns: Array, unit: float) -> Any:
    """Rows with a label as CatBoost takes them; None if there are none."""
    copies, weight, is_part = weight_copies(own.joint.weight[np.ix_(rows, columns)])
    if not len(copies):
        return None
    label = np.where(is_part, own.joint.values[np.ix_(rows[copies], columns)], np.nan)
    X = np.ascontiguousarray(own.X[:, rows[copies]].T)
    return catboost.Pool(X, label=label, weight=None if (weight == unit).all() else weight / unit)


def _differs(X: Array) -> bool:
    """Whether any input (n_features, n) has two values, or one that is missing in some rows."""
    missing = np.isnan(X)
    low, high = (
        np.where(missing, own, X).min(axis=1, initial=np.inf) if own > 0 else np.where(missing, own, X).max(axis=1, initial=own)
        for own in (np.inf, -np.inf)
    )
    return bool(((high > low) | (missing.any(axis=1) & ~missing.all(axis=1))).any())


def _spread_out(model: Any, columns: Array, width: int) -> list[JointTree]:
    """Trees with a place for every column, 0 for those that were not learned."""
    if model is None:
        leaf, no = np.array([-1]), np.zeros(1)
        return [JointTree(leaf, leaf, leaf, no, np.array([False]), np.zeros((1, width), dtype=np.float32), 0)]
    trees = []
    for tree in joint_trees_of(model, width=len(columns)):
        values = np.zeros((len(tree.values), width), dtype=np.float32)
        values[:, columns] = tree.values
        trees.append(JointTree(tree.left, tree.right, tree.feature, tree.threshold, tree.missing_left, values, tree.depth))
    return trees


def _ended(trees: list[JointTree], parts: list[slice], n_rounds: Array) -> list[JointTree]:
    """Trees that no longer move a target after its last round."""
    for k, tree in enumerate(trees):
        for part, last in zip(parts, n_rounds, strict=True):
            if k >= last:
                tree.values[:, part] = 0.0
    return trees
