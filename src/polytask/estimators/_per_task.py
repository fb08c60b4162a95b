"""Separate models: any scikit-learn estimator for each task, on the rows where that task is observed."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from polytask.data import TableArrays
from polytask.data.splits import TimeOrder
from polytask.estimators._base import MultiTaskEstimator
from polytask.estimators._fit_networks import CodedTable
from polytask.estimators._labels import LabelTable, task_slices
from polytask.estimators._matrix import TableMatrix
from polytask.estimators._parallel import run_all
from polytask.estimators._separate_loss import fit_for_loss
from polytask.exceptions import OptionError
from polytask.tasks import FittedTask, fixed_task

Array = np.ndarray[Any, np.dtype[Any]]


class TaskModel:
    """One task learned alone by a scikit-learn estimator (one clone per tag for a multilabel task)."""

    def __init__(self, task: FittedTask, estimator: Any) -> None:
        self.task = task
        self.estimator = estimator

    def fit(
        self, table: CodedTable, target: Array, weight: Array, rows: Array, groups: Any = None, times: TimeOrder | None = None
    ) -> Self:
        """Fit on the rows whose label has a positive weight; target and weight [n, n_targets].

        ``groups`` [n] and ``times`` of all rows are followed by every split of these rows; they also go to an estimator whose
        ``fit`` takes them, for splits of its own.
        """
        self.fitted_task_ = self.task.with_statistics(target[rows], weight[rows])
        keep_missing = bool(get_tags(self.estimator).input_tags.allow_nan)
        self.matrix_ = TableMatrix(table.cardinalities, keep_missing=keep_missing).fit(
            table.arrays, rows, target=target, weight=weight, n_classes=self.task.n_codes
        )
        weight = weight * self.fitted_task_.importance(target)
        order = {"groups": groups, "times": times}
        fitted = [self._fit_column(table, target[:, k], weight[:, k], rows, order) for k in range(target.shape[1])]
        self.models_, self.shifts_ = [model for model, _ in fitted], [shift for _, shift in fitted]
        return self

    def outputs(self, arrays: TableArrays, rows: Array | slice = slice(None)) -> Array:
        """Natural outputs of these rows."""
        constant = self.fitted_task_.constant_outputs(len(arrays.numeric[rows]))
        if any(model is None for model in self.models_) and self.task.n_targets == 1:
            return constant
        own = self.matrix_.differs_by_target
        X = self.matrix_.transform(arrays, rows)
        columns = [
            _predicted(model, self.matrix_.transform(arrays, rows, column=k) if own and k else X, self.task.n_codes, constant, k)
            + self.shifts_[k]
            for k, model in enumerate(self.models_)
        ]
        return self.fitted_task_.join(columns)

    def _fit_column(
        self, table: CodedTable, target: Array, weight: Array, rows: Array, order: Mapping[str, Any]
    ) -> tuple[Any, float]:
        """A fitted clone and what is added to its predictions; None where the rows hold one value only, the constant."""
        seen = rows[(weight[rows] > 0) & ~np.isnan(target[rows])]
        if len(np.unique(target[seen])) < 2:
            return None, 0.0
        y = target[seen].astype(np.int64) if self.task.n_codes else target[seen]
        model = clone(self.estimator)
        fit_arguments: dict[str, Any] = {}
        if np.ptp(weight[seen]) > 0:
            if not has_fit_parameter(model, "sample_weight"):
                raise OptionError(
                    f"{type(model).__name__} takes no `sample_weight`; use an estimator that does, or equal weights. "
                    "Of a Pipeline give its last step itself (inputs are coded here), or a subclass that hands weights on."
                )
            fit_arguments["sample_weight"] = weight[seen] / weight[seen].mean()  # a penalty must not feel the unit of weights
        own: dict[str, Any] = {name: _of_rows(given, seen) for name, given in order.items()}
        fit_arguments |= {name: given for name, given in own.items() if given is not None and has_fit_parameter(model, name)}
        labels: dict[str, Any] = {"target": target[seen], "weight": weight[seen], "n_classes": self.task.n_codes}
        X = self.matrix_.training(table.arrays, seen, **labels, **own)
        return fit_for_loss(model, X, y, loss=self.fitted_task_.separate_loss, fit_arguments=fit_arguments, **own)


def _of_rows(given: Any, rows: Array) -> Any:
    """Groups or times of these rows, if there are any."""
    if given is None:
        return None
    return given.of_rows(rows) if isinstance(given, TimeOrder) else np.asarray(given)[rows]


class PerTaskEstimator(MultiTaskEstimator):
    """Train an estimator for each task alone, on the rows where that task is observed.

    Parameters
    ----------
    estimator : estimator, or dict of estimator type to estimator
        Any scikit-learn regressor or classifier (with ``predict_proba``); a multi-task estimator such as
        :class:`MultiTaskNetwork`; or ``{"regressor": ..., "classifier": ..., "counter": ...}`` for tasks of mixed kinds
        (without "counter" the regressor learns counts).
    tasks : sequence of Task or str, optional
    n_jobs : int, optional
        Processes that fit tasks side by side; -1 for one per core. The numbers are those of one process, if ``estimator`` has a
        ``random_state`` of its own.

    Notes
    -----
    Categories become one-hot columns; those with more than 60 codes become means of the target, for training rows those of other
    folds of them; free text becomes TF-IDF, projected to 150 numbers. For an estimator that does not take NaN, missing
    numbers become the median of the training rows with an indicator, and columns are standardized.

    Where a task declares a loss (``Regression("price", loss="quantile:0.9")``), LightGBM minimises it itself if it can; other
    regressors predict as they do, shifted by what is best for that loss on rows (with groups or times: groups, or later rows)
    they have not seen. Class weights of a
    task multiply the sample weights. Classifiers learn by their own log loss, whatever the loss of the task.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression, Ridge
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2))
    >>> y = np.stack([X.sum(axis=1), X[:, 0] > 0], axis=1)
    >>> y[:20, 0] = np.nan
    >>> model = PerTaskEstimator({"regressor": Ridge(), "classifier": LogisticRegression()}).fit(X, y)
    >>> model.predict(X).shape
    (60, 2)
    """

    def __init__(self, estimator: Any, tasks: Any = None, *, n_jobs: int | None = None) -> None:
        self.estimator = estimator
        self.tasks = tasks
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None, *, sample_weight: Any = None, groups: Any = None) -> Self:
        """Fit one model per task; see :meth:`MultiTaskEstimator.fit`."""
        arrays, labels = self._read_training_data(X, y)
        labels, weight = labels.weighed(sample_weight)
        table, slices = CodedTable(arrays, self.codec_.cardinalities), task_slices(labels.tasks)
        estimators = {task.name: self._estimator_of(task) for task in labels.tasks}
        if isinstance(self.estimator, MultiTaskEstimator):
            return self._fit_networks(X, y, labels, weight, groups)
        jobs = []
        for task in labels.tasks:
            part, model = slices[task.name], TaskModel(task, estimators[task.name])
            jobs.append(partial(model.fit, table, labels.target[:, part], weight[:, part], np.arange(len(weight)), groups))
        self.models_: dict[str, Any] = _named(labels, run_all(jobs, n_jobs=self.n_jobs))
        self.tasks_ = [model.fitted_task_ for model in self.models_.values()]
        return self

    def _fit_networks(self, X: Any, y: Any, labels: LabelTable, weight: Array, groups: Any) -> Self:
        """Fit one clone of a multi-task estimator per task, each sees the labels of its task only."""
        rows_of, slices = self._row_getter(X), task_slices(labels.tasks)
        label_table = labels.observed(y)
        jobs = []
        for task in labels.tasks:
            own = weight[:, slices[task.name]]
            seen = np.flatnonzero(own.sum(axis=1) > 0)
            model = clone(self.estimator).set_params(tasks=[fixed_task(task)])
            own_groups = None if groups is None else np.asarray(groups)[seen]
            given = {"sample_weight": own[seen].max(axis=1), "groups": own_groups}
            jobs.append(partial(model.fit, rows_of(seen), label_table[list(task.columns)].iloc[seen], **given))
        self.models_ = _named(labels, run_all(jobs, n_jobs=self.n_jobs))
        self.tasks_ = [model.tasks_[0] for model in self.models_.values()]
        return self

    def _estimator_of(self, task: FittedTask) -> Any:
        for own in self.estimator.values() if isinstance(self.estimator, Mapping) else [self.estimator]:
            if isinstance(own, type) or not hasattr(own, "fit"):
                raise OptionError(f"`estimator` must be an estimator, with a method `fit`, or a dict of such; got {own!r}.")
        if not isinstance(self.estimator, Mapping):
            fits = is_classifier(self.estimator) if task.n_codes else is_regressor(self.estimator)
            if not fits and not isinstance(self.estimator, MultiTaskEstimator):
                raise OptionError(
                    f"Task {task.name!r} of kind {task.kind} needs a {'classifier' if task.n_codes else 'regressor'}; got "
                    f"{type(self.estimator).__name__}. Pass {{'regressor': ..., 'classifier': ...}} for mixed kinds."
                )
            return _with_probabilities(self.estimator, task)
        wanted = [task.estimator_type, "regressor"] if task.estimator_type == "counter" else [task.estimator_type]
        for key in wanted:
            if key in self.estimator:
                return _with_probabilities(self.estimator[key], task)
        raise OptionError(
            f"`estimator` has no {wanted[0]!r} for task {task.name!r} of kind {task.kind}; got {sorted(self.estimator)}."
        )

    def outputs(self, X: Any, *, known: Any = None) -> dict[str, Array]:
        """See :meth:`MultiTaskEstimator.outputs`."""
        check_is_fitted(self, "tasks_")
        if not isinstance(self.estimator, MultiTaskEstimator):
            return super().outputs(X, known=known)
        # each of the models was fitted on rows of its own, and reads the columns in its own way
        return {name: model.outputs(X, known=known)[name] for name, model in self.models_.items()}

    def _outputs(self, arrays: TableArrays) -> dict[str, Array]:
        return {name: model.outputs(arrays) for name, model in self.models_.items()}


def _named(labels: LabelTable, models: Sequence[Any]) -> dict[str, Any]:
    return {task.name: model for task, model in zip(labels.tasks, models, strict=True)}


def _predicted(model: Any, X: Array, n_codes: int, constant: Array, column: int) -> Array:
    """Predictions of one target column: numbers [n], or probabilities [n, n_codes] with 0 for classes not seen."""
    if not n_codes:
        return np.asarray(model.predict(X), dtype=np.float64)
    if model is None:  # a tag with one value in the training rows
        return np.stack([1 - constant[:, column], constant[:, column]], axis=1)
    probabilities = np.zeros((len(X), n_codes))
    probabilities[:, model.classes_] = model.predict_proba(X)
    return probabilities


def _with_probabilities(estimator: Any, task: FittedTask) -> Any:
    if task.n_codes and not isinstance(estimator, MultiTaskEstimator) and not hasattr(estimator, "predict_proba"):
        raise OptionError(
            f"{type(estimator).__name__} gives no probabilities, which task {task.name!r} needs; "
            "wrap it in sklearn.calibration.CalibratedClassifierCV."
        )
    return estimator
