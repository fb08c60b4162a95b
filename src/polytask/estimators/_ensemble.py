"""What all ensembles do alike: read a table once, learn from rows of it, keep one model made of models."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils import check_random_state

from polytask.data import TableArrays
from polytask.data.splits import as_time_order
from polytask.estimators._bag_estimator import bag_estimator
from polytask.estimators._bagged import Bagged, FoldModel, LearningData, Split
from polytask.estimators._base import MultiTaskEstimator
from polytask.estimators._fit_networks import CodedTable
from polytask.estimators._fit_on_rows import data_of, fit_on_rows, fitted_tasks, learns_together
from polytask.estimators._fold_models import MixtureModel
from polytask.exceptions import DataError, OptionError
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]

KINDS = {"regressor", "classifier", "counter"}


class Ensemble(MultiTaskEstimator):
    """Interface of estimators made of estimators; a subclass has ``_learn`` and a parameter ``random_state``.

    After ``fit``: ``model_``, made of fitted models, and what :meth:`_learn` found besides.
    """

    told: ClassVar[tuple[str, ...]] = ()  # fitted attributes that a model folder keeps, as plain JSON
    random_state: Any

    @abstractmethod
    def _learn(self, data: LearningData, rows: Array, *, seed: int) -> tuple[FoldModel, dict[str, Any]]:
        """Fit on these rows, each of which has a label; the model, and attributes that ``fit`` keeps."""

    def fit(self, X: Any, y: Any = None, *, sample_weight: Any = None, groups: Any = None, times: Any = None) -> Self:
        """Learn all tasks; see :meth:`MultiTaskEstimator.fit`.

        Parameters
        ----------
        groups : array of shape (n_samples,), optional
            Rows of one group are never divided by folds inside.
        times : array-like of shape (n_samples,) or TimeOrder, optional
            When rows happened: then folds inside are windows in time, each predicted by models of earlier rows.
        """
        arrays, labels = self._read_training_data(X, y)
        labels, weight = labels.weighed(sample_weight)
        own_groups = None if groups is None else np.asarray(groups)
        if own_groups is not None and own_groups.shape != (len(weight),):
            raise DataError(f"`groups` must name a group for each of the {len(weight)} rows; got shape {own_groups.shape}.")
        table = CodedTable(arrays, self.codec_.cardinalities)
        data = LearningData(table, labels, weight, own_groups, as_time_order(times, len(weight)))
        rows = _labelled(data, np.arange(len(weight)))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.model_, found = self._learn(data, rows, seed=seed)
        for name, value in found.items():
            setattr(self, name, value)
        self.tasks_ = fitted_tasks(data, rows)
        self.tasks_reasons_ = labels.reasons
        self._name_classes()
        return self

    def fit_on_rows(self, data: LearningData, rows: Array, *, seed: int) -> FoldModel:
        """Learn as a part of another ensemble; see :class:`FitsOnRows`."""
        own = seed_of(seed, self.random_state) if isinstance(self.random_state, int) else seed
        return self._learn(data, _labelled(data, rows), seed=own % 2**31)[0]

    @property
    def learns_together(self) -> bool:
        """Whether any of the models inside learns several tasks together."""
        return any(learns_together(part) for part in self._parts())

    def _parts(self) -> list[Any]:
        """The estimators inside that are parameters."""
        values = [value for value in self.get_params(deep=False).values() if value is not None]
        found = [part for value in values if isinstance(value, Mapping) for part in value.values()]
        return found + [value for value in values if hasattr(value, "get_params")]

    def _outputs(self, arrays: TableArrays) -> dict[str, Array]:
        found = self.model_.outputs(arrays)
        return {task.name: found[task.name] for task in self.tasks_}

    def _name_classes(self) -> None:
        if self.form_ == "vector" and len(self.tasks_[0].labels):
            self.classes_ = np.array(self.tasks_[0].labels)


def named_estimators(estimators: Any, data: LearningData, *, owner: str) -> dict[str, Any]:
    """Check the named parts of an ensemble.

    Raises
    ------
    OptionError
        If there are none, they have no names, or a task is learned by none of them.
    """
    if not isinstance(estimators, Mapping) or not estimators:
        raise OptionError(f"`estimators` of {owner} must be a dict of name to estimator, not empty; got {estimators!r}.")
    if set(estimators) <= KINDS:
        raise OptionError(
            f"`estimators` of {owner} must be named; {sorted(estimators)} are the kinds of one. "
            "Give it a name: {'linear': {'regressor': ..., 'classifier': ...}}."
        )
    learned = {task.name for own in estimators.values() for task in data_of(own, data).labels.tasks}
    missing = [task.name for task in data.labels.tasks if task.name not in learned]
    if missing:
        raise OptionError(f"No estimator of {owner} learns task {missing[0]!r}. Add one that does.")
    return dict(estimators)


def fit_each(estimators: Mapping[str, Any], data: LearningData, rows: Array, *, seed: int) -> list[FoldModel]:
    """Fit every part on the same rows."""
    return [fit_on_rows(own, data, rows, seed=seed_of(seed, k) % 2**31) for k, own in enumerate(estimators.values())]


def bag_each(estimators: Mapping[str, Any], data: LearningData, splits: list[Split], *, seed: int) -> dict[str, Bagged]:
    """Bag every part over the same folds."""
    return {
        name: bag_estimator(name, own, data, splits, seed=seed_of(seed, k) % 2**31)
        for k, (name, own) in enumerate(estimators.items())
    }


def whole_model(candidate: Any, bagged: Bagged, data: LearningData, rows: Array, *, refit: bool, seed: int) -> FoldModel:
    """Return the model that predicts new rows: fitted on all rows, or the mean of those of the folds."""
    return fit_on_rows(candidate, data, rows, seed=seed) if refit else MixtureModel(bagged.models)


def shares_of(weights: Any, estimators: Mapping[str, Any], *, owner: str) -> list[float]:
    """Weights of the parts in their order; equal ones by default.

    Raises
    ------
    OptionError
        If a name is not known, a weight negative, or all are 0.
    """
    if weights is None:
        return [1.0] * len(estimators)
    if not isinstance(weights, Mapping) or set(weights) - set(estimators):
        raise OptionError(f"`weights` of {owner} must be a dict of the names {list(estimators)}; got {weights!r}.")
    found = [float(weights.get(name, 0.0)) for name in estimators]
    if not np.isfinite(found).all() or min(found) < 0 or not sum(found) > 0:
        raise OptionError(f"`weights` of {owner} must be >= 0, not all 0; got {weights!r}.")
    return found


def _labelled(data: LearningData, rows: Array) -> Array:
    found = rows[data.weight[rows].sum(axis=1) > 0]
    if len(found) < 2:
        raise DataError(f"At least 2 rows with a label of positive weight are needed; got {len(found)}.")
    return found
