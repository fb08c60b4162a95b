"""Stacking across tasks: what is predicted for the other tasks of a row becomes input."""

from itertools import permutations
from math import factorial
from typing import Any

import numpy as np
from sklearn.base import clone

from polytask.estimators._bag_estimator import bag_estimator
from polytask.estimators._bagged import FoldModel, LearningData
from polytask.estimators._candidates import boosted_trees, linear_models
from polytask.estimators._ensemble import Ensemble, whole_model
from polytask.estimators._fit_on_rows import fit_on_rows, of_tasks, with_features
from polytask.estimators._fold_models import ChainModel, MixtureModel, StackModel, feature_of, stacked_numbers
from polytask.estimators._inner_folds import inner_folds
from polytask.estimators._stacking import check_layers
from polytask.exceptions import OptionError
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]


class StackedAcrossTasks(Ensemble):
    """Learn every task from what is predicted for all tasks, the inputs too if wanted.

    Parameters
    ----------
    estimator : estimator, dict of estimator type to estimator, or None
        Learns the tasks: what :class:`PerTaskEstimator` takes, a :class:`MultiTaskNetwork`, or another estimator or ensemble of
        this room; None for LightGBM.
    tasks : sequence of Task or str, optional
    method : {"stacked", "chains"}, default="stacked"
        ``"stacked"``: a final estimator learns every task from the out-of-fold outputs of the first for all tasks, its own among
        them. ``"chains"`` (ensemble of regressor chains, ERC): tasks are put in an order, each learns from the inputs and the
        outputs for those before it; the mean over several orders.
    final_estimator : estimator, dict of estimator type to estimator, or None
        Of ``"stacked"``; None for linear models, which shrink the tasks towards each other as in curds and whey.
    passthrough : bool, default=False
        Give the inputs of the table to the final estimator too. With that and ``estimator`` again as the final one it is the
        stacked single-target (SST) of the paper.
    n_chains : int, default=10
        Random orders of ``"chains"``; all of them where there are no more.
    n_layers : int, default=1
        Times that ``"stacked"`` puts the final estimator upon what is there.
    folds : int or splitter, default=5
        Inner folds for the out-of-fold outputs.
    refit : bool, default=True
        Fit the lower estimators again on all rows for predicting; False keeps the mean of the folds' models.
    random_state : int, RandomState or None

    Notes
    -----
    Numbers enter as they are predicted, classes and tags as probabilities, so that kinds mix and a missing label costs only
    itself: its row still has a prediction of it. The outputs are those of each task alone: a chain gives point predictions
    and claims no joint probabilities.

    No label of a row is ever an input. In ``"stacked"`` the outputs that a row enters with come from models that have seen no
    label of it, in any layer: layers below are fitted anew for every fold, (1 + folds) ** n_layers times the lowest one. In
    ``"chains"``, as in the paper, every step has its own cross-validation: its model has not learned from the row, but what other
    rows enter with comes from models of earlier steps that have. No score is made of these: a score needs rows outside of
    the whole, as ``out_of_fold`` gives it.

    References
    ----------
    Spyromitros-Xioufis, Tsoumakas, Groves & Vlahavas, "Multi-Target Regression via Input Space Expansion: Treating Targets as
    Inputs", Machine Learning 104, 2016 (there SST and ERC with outputs from internal cross-validation). arXiv:1211.6581
    Breiman & Friedman, "Predicting Multivariate Responses in Multiple Linear Regression", JRSS B 59, 1997 (curds and whey).

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression, Ridge
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(80, 3))
    >>> y = np.stack([X[:, 0] + X[:, 1], X[:, 0] > 0], axis=1)
    >>> y[::4, 1] = np.nan
    >>> model = StackedAcrossTasks({"regressor": Ridge(), "classifier": LogisticRegression()}, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (80, 2)
    """

    def __init__(
        self,
        estimator: Any = None,
        tasks: Any = None,
        *,
        method: str = "stacked",
        final_estimator: Any = None,
        passthrough: bool = False,
        n_chains: int = 10,
        n_layers: int = 1,
        folds: Any = 5,
        refit: bool = True,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.tasks = tasks
        self.method = method
        self.final_estimator = final_estimator
        self.passthrough = passthrough
        self.n_chains = n_chains
        self.n_layers = n_layers
        self.folds = folds
        self.refit = refit
        self.random_state = random_state

    @property
    def learns_together(self) -> bool:
        """Tasks learn from each other."""
        return True

    def _learn(self, data: LearningData, rows: Array, *, seed: int) -> tuple[FoldModel, dict[str, Any]]:
        self._check()
        estimator = boosted_trees() if self.estimator is None else self.estimator
        if self.method == "stacked":
            return self._stack(estimator, data, rows, seed), {}
        orders = chain_orders(len(data.labels.tasks), self.n_chains, seed=seed)
        fitted: dict[tuple[int, ...], tuple[FoldModel, Array | None]] = {}
        chains = [self._chain(estimator, data, rows, order, seed, fitted) for order in orders]
        return MixtureModel(chains), {}

    def _check(self) -> None:
        if self.method not in ("stacked", "chains"):
            raise OptionError(f"`method` of StackedAcrossTasks must be 'stacked' or 'chains'; got {self.method!r}.")
        check_layers(self.n_layers, owner="StackedAcrossTasks")
        if self.method == "chains" and (self.final_estimator is not None or self.n_layers != 1 or self.passthrough):
            raise OptionError(
                "`final_estimator`, `passthrough` and `n_layers` of StackedAcrossTasks are of method 'stacked'; a chain has none."
            )
        if isinstance(self.n_chains, bool) or not isinstance(self.n_chains, int | np.integer) or self.n_chains < 1:
            raise OptionError(f"`n_chains` of StackedAcrossTasks must be a whole number >= 1; got {self.n_chains!r}.")

    def _stack(self, estimator: Any, data: LearningData, rows: Array, seed: int) -> FoldModel:
        final = linear_models() if self.final_estimator is None else self.final_estimator
        if self.n_layers > 1:  # what lies below is a stack itself, fitted anew for every fold
            estimator = clone(self).set_params(n_layers=self.n_layers - 1, tasks=None)
        splits = inner_folds(data, rows, self.folds, seed=seed)
        bagged = bag_estimator("", estimator, data, splits, seed=seed)
        below = whole_model(estimator, bagged, data, rows, refit=self.refit, seed=seed_of(seed, 2) % 2**31)
        features = [feature_of(task, task.name) for task in data.labels.tasks]
        numbers = stacked_numbers(bagged.held_out, features)
        known = rows[np.isfinite(numbers[rows]).all(axis=1)]
        top = fit_on_rows(final, with_features(data, numbers, keep=self.passthrough), known, seed=seed_of(seed, 3) % 2**31)
        return StackModel([below, top], [features], [bool(self.passthrough)])

    def _chain(
        self,
        estimator: Any,
        data: LearningData,
        rows: Array,
        order: tuple[int, ...],
        seed: int,
        fitted: dict[tuple[int, ...], tuple[FoldModel, Array | None]],
    ) -> FoldModel:
        """Fit the tasks in this order; chains that begin alike share their first models."""
        tasks, splits = data.labels.tasks, inner_folds(data, rows, self.folds, seed=seed)
        models = []
        for step, k in enumerate(order):
            begun, is_last = order[: step + 1], step + 1 == len(order)
            if begun not in fitted:
                own_seed = seed_of(seed, *begun) % 2**31
                fitted[begun] = self._step(estimator, of_tasks(data, [tasks[k].name]), rows, splits, own_seed, is_last)
            model, numbers = fitted[begun]
            models.append(model)
            if numbers is not None:
                data = with_features(data, numbers)  # in order of time the first rows have none: missing inputs
        return ChainModel(models, [feature_of(tasks[k], tasks[k].name) for k in order])

    def _step(
        self, estimator: Any, data: LearningData, rows: Array, splits: list[tuple[Array, Array]], seed: int, is_last: bool
    ) -> tuple[FoldModel, Array | None]:
        """Fit one task of a chain: its model, and its out-of-fold outputs for the next."""
        if is_last and self.refit:
            return fit_on_rows(estimator, data, rows, seed=seed), None
        bagged = bag_estimator("", estimator, data, splits, seed=seed)
        model = whole_model(estimator, bagged, data, rows, refit=self.refit, seed=seed_of(seed, 2) % 2**31)
        task = data.labels.tasks[0]
        return model, None if is_last else stacked_numbers(bagged.held_out, [feature_of(task, task.name)])


def chain_orders(n_tasks: int, n_chains: int, *, seed: int) -> list[tuple[int, ...]]:
    """Different orders of the tasks, drawn at random; all of them where there are no more than ``n_chains``.

    >>> chain_orders(2, 10, seed=0)
    [(0, 1), (1, 0)]
    >>> len(set(chain_orders(6, 10, seed=0)))
    10
    """
    if n_tasks <= 8 and factorial(n_tasks) <= n_chains:
        return list(permutations(range(n_tasks)))
    rng, found = np.random.default_rng(seed_of(seed, 13)), dict[tuple[int, ...], None]()
    while len(found) < n_chains:
        found[tuple(rng.permutation(n_tasks).tolist())] = None
    return list(found)
