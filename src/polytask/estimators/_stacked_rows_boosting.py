"""Boosting of all tasks at once: rows (row, task) under each other, the task a category among the inputs."""

import time
import warnings
from typing import Any

import lightgbm
import numpy as np

from polytask.estimators._bagged import FoldModel, LearningData
from polytask.estimators._booster_model import BoosterModel
from polytask.estimators._ensemble import Ensemble
from polytask.estimators._joint_calibration import calibrate
from polytask.estimators._joint_training import (
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
from polytask.estimators._stacked_rows import OBJECTIVES, LabelColumns, Objective, StackedRows, label_columns, stacked_rows
from polytask.estimators._stacked_rows_model import StackedRowsModel
from polytask.exceptions import PolytaskWarning
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]

N_VOTES = 1000
LEAST_GAIN = 1e-6


class StackedRowsBoosting(Ensemble):
    """LightGBM on stacked rows: every observed label is a row of its own, with its task as a categorical feature.

    One booster learns all numbers (squared error, in units of each task's standard deviation), one all counts (Poisson, in units
    of each mean), one all classes (log loss: binary labels, tags, and each class of several against the rest, which are
    normalised). It starts at each task's own mean or share. What holds for all tasks is learned from the labels of all, a
    split on the task tells them apart. A missing label is no row. Tasks of different families share nothing.

    Parameters
    ----------
    tasks : sequence of Task or str, optional
    n_estimators : int, default=2000
        Most rounds.
    learning_rate : float, default=0.05
    max_leaves : int, default=31
    max_features : float in (0, 1], default=0.8
        Share of the columns that each tree may split on.
    min_samples_leaf : int, default=10
        Labels, of whatever tasks.
    subsample : float in (0, 1], default=0.8
        Share of the labels that each tree learns from.
    l2 : float, default=1.0
        Labels by which each leaf is drawn to 0.
    patience : int, default=60
        Rounds without a gain after which a task ends.
    max_values : int, default=500_000_000
        Labels times input columns, a byte each in memory. Of more, labels are drawn, of each task equally many, and a
        :class:`PolytaskWarning` tells.
    time_limit : float, optional
        Seconds of one fit; with it, numbers depend on the machine.
    random_state : int, RandomState or None

    Attributes
    ----------
    n_rounds_ : dict of task name to float
        Rounds of each task; of several tags those of the first.

    Notes
    -----
    Each task ends at the round that was best for it on four folds inside the training rows (their geometric mean), with 3,000
    rows or more on one holdout, which follow groups and times; all labels of a row are in one fold. What the folds
    say of the rows they hold out calibrates numbers and probabilities, and shifts tasks with a declared loss. Labels
    that are all alike are predicted so and are no rows.

    References
    ----------
    Chapelle, Shivaswamy, Vadrevu, Weinberger, Zhang & Tseng, "Boosted multi-task learning", Machine Learning 85, 2011 (boosting
    over the rows of all tasks; theirs adds trees of each task alone). Ke et al., "LightGBM", NeurIPS 2017.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> y = np.stack([X[:, 0], X[:, 0] > 0], axis=1)
    >>> y[::3, 0] = np.nan
    >>> model = StackedRowsBoosting(n_estimators=20, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (100, 2)
    """

    told = ("n_rounds_",)

    def __init__(
        self,
        tasks: Any = None,
        *,
        n_estimators: int = 2000,
        learning_rate: float = 0.05,
        max_leaves: int = 31,
        max_features: float = 0.8,
        min_samples_leaf: int = 10,
        subsample: float = 0.8,
        l2: float = 1.0,
        patience: int = 60,
        max_values: int = 500_000_000,
        time_limit: float | None = None,
        random_state: Any = None,
    ) -> None:
        self.tasks = tasks
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_leaves = max_leaves
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.subsample = subsample
        self.l2 = l2
        self.patience = patience
        self.max_values = max_values
        self.time_limit = time_limit
        self.random_state = random_state

    @property
    def learns_together(self) -> bool:
        """Tasks of one family share every tree."""
        return True

    def _learn(self, data: LearningData, rows: Array, *, seed: int) -> tuple[FoldModel, dict[str, Any]]:
        self._check()
        started = time.monotonic()
        own = joint_training(data, rows)
        how = label_columns(own)
        splits = stopping_splits(own)
        stacks = self._stacks(own, how, seed)
        held, n_targets = np.full(how.labels.shape, np.nan), int(how.target[-1]) + 1
        rounds, models = np.ones(n_targets, dtype=np.int64), []
        booster, position = np.full(len(how.base), -1), np.zeros(len(how.base), dtype=np.int64)
        for k, (family, stack) in enumerate(stacks.items()):
            until = started + np.array([0.5, 1.0]) * (self.time_limit or np.inf) * (k + 1) / len(stacks)
            parameters = self._parameters(OBJECTIVES[family].name, seed_of(seed, 2, k) % 2**31)
            dataset = stack.dataset(own.X, parameters)
            found = [
                self._stopped(
                    dataset, stack, split, how, held, OBJECTIVES[family], parameters, end_of_fold(until[0], n, len(splits))
                )
                for n, split in enumerate(splits)
            ]
            mine = np.unique(how.target[stack.columns])
            rounds[mine] = mean_rounds(found, n_targets, self.n_estimators)[mine]
            last = lightgbm.train(parameters, dataset, int(rounds[mine].max()), callbacks=[_Clock(until[1])])
            models.append(BoosterModel(last, classes=None, prediction={"num_threads": 1}))
            booster[stack.columns], position[stack.columns] = k, np.arange(len(stack.columns))
        states = calibrate(own, held * how.unit + how.zero, _no_states(own), n_votes=N_VOTES)
        columns = {"base": how.base, "unit": how.unit, "zero": how.zero}
        columns |= {"rounds": rounds[how.target], "booster": booster, "position": position}
        numbers: dict[str, Any] = {"families": how.family, "n_features": len(own.X), "n_votes": N_VOTES}
        told = {"n_rounds_": rounds_of_tasks(own.tasks, rounds)}
        return StackedRowsModel(models, own.tasks, own.matrix, states, columns, **numbers), told

    def _stacks(self, own: JointTraining, how: LabelColumns, seed: int) -> dict[str, StackedRows]:
        """Stacked rows of each family that has any, fewer than there are where memory would not do."""
        n_labels = int(((own.joint.weight > 0) & how.learned).sum())
        share = self.max_values / max(1, n_labels * (len(own.X) + 1))
        if share < 1:
            warnings.warn(
                f"StackedRowsBoosting learns from {share:.0%} of the {n_labels} labels, since all of them times "
                f"{len(own.X) + 1} columns are more than `max_values`={self.max_values}. Raise it if there is memory.",
                PolytaskWarning,
                stacklevel=3,
            )
        found = {}
        for k, family in enumerate(OBJECTIVES):
            of_family = how.learned & (np.array(how.family) == family)
            most = int(min(share, 1.0) * (own.joint.weight[:, of_family] > 0).sum()) + 1
            stack = stacked_rows(own, how, family, most=most, rng=np.random.default_rng([seed, k]))
            if stack is not None:
                found[family] = stack
        return found

    def _stopped(
        self,
        dataset: lightgbm.Dataset,
        stack: StackedRows,
        split: tuple[Array, Array],
        how: LabelColumns,
        held: Array,
        objective: Objective,
        parameters: dict[str, Any],
        until: float,
    ) -> Array:
        """The best round of every target on held-out rows, NaN for others; what it says then goes into ``held``."""
        train, test = (np.flatnonzero(np.isin(stack.rows, part)) for part in split)
        best = np.full(int(how.target[-1]) + 1, np.nan)
        if not len(train) or not len(test):
            return best
        watch = _Watch(stack, test, how, objective, patience=self.patience, until=until)
        lightgbm.train(
            parameters | {"metric": "None"},
            dataset.subset(train.tolist()),
            self.n_estimators,
            valid_sets=[dataset.subset(test.tolist())],
            feval=watch.look,
            callbacks=[watch],
        )
        held[stack.rows[test], stack.columns[stack.position[test]]] = watch.kept
        best[watch.targets] = watch.best
        return best

    def _parameters(self, objective: str, seed: int) -> dict[str, Any]:
        return {
            "objective": objective,
            "learning_rate": self.learning_rate,
            "num_leaves": self.max_leaves,
            "feature_fraction": self.max_features,
            "min_data_in_leaf": self.min_samples_leaf,
            "min_data_per_group": self.min_samples_leaf,  # rows of a task, without which no split tells it from others
            "bagging_fraction": self.subsample,
            "bagging_freq": int(self.subsample < 1),
            "lambda_l2": self.l2,
            "boost_from_average": False,  # it begins at the base of each column
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
            "seed": seed,
        }

    def _check(self) -> None:
        check_whole_numbers(self, n_estimators=1, max_leaves=2, min_samples_leaf=1, patience=1, max_values=1)
        check_shares(self, "max_features", "subsample")
        check_numbers(self, learning_rate=1e-6, l2=0.0)
        check_time_limit(self)


class _Watch:
    """Looks at held-out labels after every round; ends boosting when no target has gained for long, or time is over."""

    order = 40
    before_iteration = False

    def __init__(
        self, stack: StackedRows, test: Array, how: LabelColumns, objective: Objective, *, patience: int, until: float
    ) -> None:
        self.objective, self.patience, self.until = objective, patience, until
        self.labels, self.weight = stack.labels[test], stack.weight[test]
        self.targets, self.target = np.unique(how.target[stack.columns[stack.position[test]]], return_inverse=True)
        self.total = np.bincount(self.target, self.weight)
        self.kept = objective.link(stack.base[test])
        self.least = self._losses(self.kept)
        self.best, self.round = np.zeros(len(self.targets), dtype=np.int64), 0

    def look(self, preds: Array, _: lightgbm.Dataset) -> tuple[str, float, bool]:
        """Keep what is better than ever; the mean loss, which decides nothing."""
        self.round += 1
        losses = self._losses(preds)
        better = (losses < self.least - LEAST_GAIN) & (self.round - self.best <= self.patience)
        self.best[better], self.least[better] = self.round, losses[better]
        moved = better[self.target]
        self.kept[moved] = preds[moved]
        return "loss", float(losses.mean()), False

    def __call__(self, env: Any) -> None:
        if time.monotonic() > self.until or (self.round - self.best >= self.patience).all():
            raise lightgbm.callback.EarlyStopException(env.iteration, env.evaluation_result_list or [])

    def _losses(self, preds: Array) -> Array:
        return np.asarray(np.bincount(self.target, self.objective.losses(preds, self.labels) * self.weight) / self.total)


class _Clock:
    """Ends boosting when time is over."""

    order = 40
    before_iteration = False

    def __init__(self, until: float) -> None:
        self.until = until

    def __call__(self, env: Any) -> None:
        if time.monotonic() > self.until:
            raise lightgbm.callback.EarlyStopException(env.iteration, env.evaluation_result_list or [])


def _no_states(own: JointTraining) -> dict[str, list[dict[str, Array]]]:
    return {name: [{} for _ in parts] for name, parts in own.joint.slices.items()}
