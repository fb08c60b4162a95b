"""Bagging: one estimator fitted on many samples of the rows and columns."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import has_fit_parameter

from polytask.estimators._bag_estimator import bag_by, bag_estimator
from polytask.estimators._bagged import FoldModel, LearningData
from polytask.estimators._best_per_task import BestPerTask
from polytask.estimators._bootstrap import stratified_bootstrap
from polytask.estimators._candidates import boosted_trees
from polytask.estimators._ensemble import Ensemble
from polytask.estimators._fit_networks import CodedTable
from polytask.estimators._fit_on_rows import fit_on_rows, fitted_tasks
from polytask.estimators._fold_models import ColumnsModel, MixtureModel, some_columns
from polytask.estimators._held_out_skill import held_out_skill
from polytask.estimators._inner_folds import inner_folds
from polytask.estimators._multi_task_network import MultiTaskNetwork
from polytask.estimators._per_task import PerTaskEstimator
from polytask.exceptions import OptionError
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]


class BaggingEstimator(Ensemble):
    """Average clones of one estimator, each fitted on other rows and, if wanted, other columns.

    Parameters
    ----------
    estimator : estimator, dict of estimator type to estimator, or None
        A :class:`MultiTaskNetwork`, another multi-task estimator or ensemble, or what :class:`PerTaskEstimator` takes; None for
        LightGBM.
    tasks : sequence of Task or str, optional
    folds : int, splitter or None, default=None
        None draws bootstrap samples, stratified over all tasks, groups whole (:func:`stratified_bootstrap`). A number or a
        splitter fits one clone per fold, on the rows of the others.
    n_repeats : int, optional
        How often rows are drawn: bootstrap samples, 10 by default, or sets of folds, 1 by default.
    max_samples : float, default=1.0
        Rows of a bootstrap sample, as a share of the rows.
    max_features : float in (0, 1], default=1.0
        Share of the columns that each clone sees (random subspaces).
    random_state : int, RandomState or None

    Attributes
    ----------
    held_out_ : dict of task name to array of shape (n_samples, ...)
        For each row the mean of the clones that have not seen it; NaN where there is none. With ``times`` and bootstrap samples
        all is NaN, since each clone knows rows later than those it left out. Not kept in a saved model.
    skills_ : dict of task name to float
        Skill of these outputs.

    Notes
    -----
    A row drawn twice has twice the weight where the estimator takes weights, and is there twice where it does not; no inner split
    divides its copies. With ``times``, folds are windows in time, whose models know the past of their window only: then a model
    of all rows predicts.

    References
    ----------
    Breiman, "Bagging Predictors", Machine Learning 24, 1996. Ho, "The Random Subspace Method for Constructing Decision Forests",
    TPAMI 20, 1998.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(120, 3))
    >>> y = X[:, 0] + 0.5 * rng.normal(size=120)
    >>> model = BaggingEstimator(DecisionTreeRegressor(), n_repeats=20, random_state=0).fit(X, y)
    >>> bool(model.skills_["y0"] > 0.5)
    True
    """

    told: ClassVar[tuple[str, ...]] = ("skills_",)

    def __init__(
        self,
        estimator: Any = None,
        tasks: Any = None,
        *,
        folds: Any = None,
        n_repeats: int | None = None,
        max_samples: float = 1.0,
        max_features: float = 1.0,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.tasks = tasks
        self.folds = folds
        self.n_repeats = n_repeats
        self.max_samples = max_samples
        self.max_features = max_features
        self.random_state = random_state

    def _learn(self, data: LearningData, rows: Array, *, seed: int) -> tuple[FoldModel, dict[str, Any]]:
        self._check()
        estimator = boosted_trees() if self.estimator is None else self.estimator
        draw = self._bootstraps if self.folds is None else self._folds
        models, held_out = draw(estimator, data, rows, seed)
        if self.folds is not None and data.times is not None:
            models = [self._fit(estimator, data, rows, seed)]
        skills = {}
        for task in fitted_tasks(data, rows):
            part = data.labels.slices[task.name]
            target, weight = data.labels.target[:, part], data.weight[:, part].max(axis=1)
            skills[task.name] = held_out_skill(task, held_out[task.name], target, weight)
        return MixtureModel(models), {"held_out_": held_out, "skills_": skills}

    def _check(self) -> None:
        if self.n_repeats is not None and (isinstance(self.n_repeats, bool) or not self.n_repeats >= 1):
            raise OptionError(f"`n_repeats` of BaggingEstimator must be a whole number >= 1; got {self.n_repeats!r}.")
        if not self.max_samples > 0:
            raise OptionError(f"`max_samples` of BaggingEstimator must be positive; got {self.max_samples!r}.")
        if not 0 < self.max_features <= 1:
            raise OptionError(f"`max_features` of BaggingEstimator must be a share in (0, 1]; got {self.max_features!r}.")
        if self.folds is not None and self.max_samples != 1:
            raise OptionError("`max_samples` of BaggingEstimator is for bootstrap samples; with `folds` leave it at 1.")

    def _folds(self, estimator: Any, data: LearningData, rows: Array, seed: int) -> tuple[list[FoldModel], dict[str, Array]]:
        models: list[FoldModel] = []
        mean = _Mean(len(data.weight))
        for repeat in range(self.n_repeats or 1):
            own = seed_of(seed, repeat) % 2**31
            splits = inner_folds(data, rows, self.folds, seed=own)
            if self.max_features == 1:
                bagged = bag_estimator("", estimator, data, splits, seed=own)
            else:
                bagged = bag_by(lambda *given: self._fit(estimator, *given), data, splits, seed=own)
            models += bagged.models
            held = np.concatenate([held for _, held in splits])
            mean.add(held, {name: values[held] for name, values in bagged.held_out.items()})
        return models, mean.found()

    def _bootstraps(self, estimator: Any, data: LearningData, rows: Array, seed: int) -> tuple[list[FoldModel], dict[str, Array]]:
        slices = data.labels.slices
        strata = np.concatenate(
            [task.strata(data.labels.target[rows][:, slices[task.name]]) for task in data.labels.tasks], axis=1
        )
        groups = None if data.groups is None else np.asarray(data.groups)[rows]
        models: list[FoldModel] = []
        mean = _Mean(len(data.weight))
        for k in range(self.n_repeats or 10):
            rng = np.random.default_rng(seed_of(seed, k))
            counts = stratified_bootstrap(strata, rng, share=self.max_samples, groups=groups)
            models.append(self._fit_drawn(estimator, data, rows, counts, seed_of(seed, k, 1) % 2**31))
            unseen = rows[counts == 0]
            outputs = models[-1].outputs(data.table.arrays.take(unseen if len(unseen) else rows[:1]))
            use = unseen if data.times is None else unseen[:0]
            mean.add(use, {name: values[: len(use)] for name, values in outputs.items()})
        return models, mean.found()

    def _fit_drawn(self, estimator: Any, data: LearningData, rows: Array, counts: Array, seed: int) -> FoldModel:
        """Fit on rows, each as often as it was drawn."""
        if takes_weights(estimator):
            times_drawn = np.zeros(len(data.weight))
            np.add.at(times_drawn, rows, counts)
            own = replace(data, weight=data.weight * times_drawn[:, None])
            return self._fit(estimator, own, np.unique(rows[counts > 0]), seed)
        groups = np.arange(len(data.weight)) if data.groups is None else data.groups  # copies of a row stay together inside
        return self._fit(estimator, replace(data, groups=groups), np.repeat(rows, counts), seed)

    def _fit(self, estimator: Any, data: LearningData, rows: Array, seed: int) -> FoldModel:
        """Fit on some of the columns."""
        if self.max_features == 1:
            return fit_on_rows(estimator, data, rows, seed=seed)
        arrays = data.table.arrays
        sizes = [arrays.numeric.shape[1], arrays.categorical.shape[1], len(arrays.tokens)]
        n = sum(sizes)
        chosen = np.zeros(n, dtype=bool)
        chosen[np.random.default_rng(seed_of(seed, 17)).permutation(n)[: max(round(self.max_features * n), 1)]] = True
        parts = [np.flatnonzero(own).tolist() for own in np.split(chosen, np.cumsum(sizes)[:-1])]
        table = CodedTable(some_columns(arrays, *parts), tuple(data.table.cardinalities[k] for k in parts[1]))
        return ColumnsModel([fit_on_rows(estimator, replace(data, table=table), rows, seed=seed)], *parts)


def takes_weights(candidate: Any) -> bool:
    """Whether all that a candidate is made of takes sample weights."""
    if isinstance(candidate, Mapping):
        return all(takes_weights(own) for own in candidate.values())
    if isinstance(candidate, MultiTaskNetwork):
        return True
    if isinstance(candidate, PerTaskEstimator):
        return takes_weights(candidate.estimator)
    if isinstance(candidate, BestPerTask):
        return all(takes_weights(own) for own in (candidate.candidates or {}).values())
    if isinstance(candidate, Ensemble):
        return all(takes_weights(own) for own in candidate._parts())
    return bool(has_fit_parameter(candidate, "sample_weight"))


class _Mean:
    """Means of outputs over models, row by row."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.sums: dict[str, Array] = {}
        self.counts: dict[str, Array] = {}

    def add(self, rows: Array, outputs: Mapping[str, Array]) -> None:
        for name, values in outputs.items():
            if name not in self.sums:
                self.sums[name], self.counts[name] = np.zeros((self.n, *values.shape[1:])), np.zeros(self.n)
            self.sums[name][rows] += values
            self.counts[name][rows] += 1

    def found(self) -> dict[str, Array]:
        result = {}
        for name, total in self.sums.items():
            count = self.counts[name].reshape(-1, *[1] * (total.ndim - 1))
            result[name] = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
        return result
