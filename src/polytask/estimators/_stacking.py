"""Stacking: for every task an estimator that learns from what others give for rows they have not seen."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from polytask.estimators._bag_estimator import bag_by
from polytask.estimators._bagged import FoldModel, LearningData
from polytask.estimators._candidates import linear_models
from polytask.estimators._ensemble import Ensemble, fit_each, named_estimators
from polytask.estimators._fit_on_rows import data_of, fit_on_rows, of_tasks, with_features
from polytask.estimators._fold_models import MixtureModel, SideBySide, StackModel, feature_of, stacked_numbers
from polytask.estimators._inner_folds import inner_folds
from polytask.exceptions import OptionError
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]
Feature = tuple[str, int]


class StackingEstimator(Ensemble):
    """Learn for every task, from the outputs of several estimators, how to combine them.

    Parameters
    ----------
    estimators : dict of name to estimator
        As in :class:`AveragingEstimator`.
    tasks : sequence of Task or str, optional
    final_estimator : estimator, dict of estimator type to estimator, or None
        Learns one task from the outputs of all estimators for it; None for linear models.
    passthrough : bool, default=False
        Give the inputs of the table to the final estimator too.
    n_layers : int, default=1
        Layers of ``estimators``; those above the first learn from the inputs and the outputs of the layer below for all tasks.
    folds : int or splitter, default=5
        Inner folds, at every layer.
    refit : bool, default=True
        Fit the estimators again on all rows for predicting; False keeps the mean of the folds' models.
    random_state : int, RandomState or None

    Notes
    -----
    What a model learns from, besides inputs, are outputs for a row by models that have seen no label of the row, of any task and
    in any layer: with several layers, all layers below are fitted anew for every fold, so that the lowest estimators are fitted
    (1 + folds) ** n_layers times. A score of the stack needs rows outside of it: ``out_of_fold``, or a fold of a comparison.

    References
    ----------
    Wolpert, "Stacked Generalization", Neural Networks 5, 1992.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> y = np.stack([X[:, 0] + (X[:, 1] > 0), X[:, 2]], axis=1)
    >>> model = StackingEstimator({"line": Ridge(), "tree": DecisionTreeRegressor(max_depth=3)}, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (100, 2)
    """

    def __init__(
        self,
        estimators: Any,
        tasks: Any = None,
        *,
        final_estimator: Any = None,
        passthrough: bool = False,
        n_layers: int = 1,
        folds: Any = 5,
        refit: bool = True,
        random_state: Any = None,
    ) -> None:
        self.estimators = estimators
        self.tasks = tasks
        self.final_estimator = final_estimator
        self.passthrough = passthrough
        self.n_layers = n_layers
        self.folds = folds
        self.refit = refit
        self.random_state = random_state

    def _learn(self, data: LearningData, rows: Array, *, seed: int) -> tuple[FoldModel, dict[str, Any]]:
        estimators = named_estimators(self.estimators, data, owner="StackingEstimator")
        check_layers(self.n_layers, owner="StackingEstimator")
        final = linear_models() if self.final_estimator is None else self.final_estimator
        below, held = self._held(estimators, data, rows, self.n_layers, seed)
        models, features = [], []
        for k, task in enumerate(data.labels.tasks):
            own = [one for one in _features(estimators, data) if one[0].partition("/")[2] == task.name]
            numbers = stacked_numbers(held, own)
            part = with_features(of_tasks(data, [task.name]), numbers, keep=self.passthrough)
            known = rows[np.isfinite(numbers[rows]).all(axis=1)]
            models.append(fit_on_rows(final, part, known, seed=seed_of(seed, k, 5) % 2**31))
            features.append(own)
        return StackModel([below, *models], features, [bool(self.passthrough)] * len(models)), {}

    def _held(
        self, estimators: Mapping[str, Any], data: LearningData, rows: Array, layer: int, seed: int
    ) -> tuple[FoldModel, dict[str, Array]]:
        """All estimators of a layer with those below them, and their out-of-fold outputs."""

        def fit(data: LearningData, rows: Array, seed: int) -> FoldModel:
            return self._fit_layer(estimators, data, rows, layer, seed)

        bagged = bag_by(fit, data, inner_folds(data, rows, self.folds, seed=seed), seed=seed)
        model = fit(data, rows, seed_of(seed, 2) % 2**31) if self.refit else MixtureModel(bagged.models)
        return model, bagged.held_out

    def _fit_layer(self, estimators: Mapping[str, Any], data: LearningData, rows: Array, layer: int, seed: int) -> FoldModel:
        if layer == 1:
            return SideBySide(fit_each(estimators, data, rows, seed=seed))
        below, held = self._held(estimators, data, rows, layer - 1, seed_of(seed, layer) % 2**31)
        features = _features(estimators, data)
        numbers = stacked_numbers(held, features)
        known = rows[np.isfinite(numbers[rows]).all(axis=1)]
        top = SideBySide(fit_each(estimators, with_features(data, numbers), known, seed=seed))
        return StackModel([below, top], [features], [True])


def check_layers(n_layers: Any, *, owner: str) -> None:
    """Raise an :class:`OptionError` if this is no number of layers."""
    if isinstance(n_layers, bool) or not isinstance(n_layers, int | np.integer) or n_layers < 1:
        raise OptionError(f"`n_layers` of {owner} must be a whole number >= 1; got {n_layers!r}.")


def _features(estimators: Mapping[str, Any], data: LearningData) -> list[Feature]:
    """Outputs of estimators side by side: those of number k for a task are ``"k/task"``."""
    return [
        feature_of(task, f"{k}/{task.name}")
        for k, own in enumerate(estimators.values())
        for task in data_of(own, data).labels.tasks
    ]
