"""Out-of-fold outputs of any multi-task estimator."""

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from polytask.data import to_pandas
from polytask.estimators import MultiTaskEstimator, MultiTaskNetwork, read_labels
from polytask.evaluation._folds import plan_folds, reserved_rows
from polytask.evaluation._rule import read_rule
from polytask.tasks import FittedTask, fixed_task

Array = np.ndarray[Any, np.dtype[Any]]


def out_of_fold(
    estimator: MultiTaskEstimator,
    X: Any,
    y: Any,
    cv: Any = 5,
    *,
    sample_weight: Any = None,
    groups: Any = None,
    times: Any = None,
    random_state: int = 0,
) -> dict[str, Array]:
    """Predict every row by a model that has not seen it, in natural scale.

    Use this where scikit-learn has ``cross_val_predict``, which label-encodes every column of ``y``: a price would become a class
    number, and a missing label a class of its own. Here the kinds of tasks and their classes come from the whole of ``y`` once,
    so that all folds give arrays of the same shape, and missing labels stay missing.

    Parameters
    ----------
    estimator : MultiTaskEstimator
        Cloned for every fold.
    X, y : as in ``fit``
    cv : int or splitter, default=5
        A number means folds stratified over all tasks; a splitter is as in :func:`plan_folds`. The validation rows of a
        ``ColumnSplit`` that has test rows too are for the early stopping of a :class:`MultiTaskNetwork`; other estimators learn
        from them. With one that follows time, such as :class:`~polytask.data.splits.TimeSplit`, every row is predicted by a model
        of earlier rows; the clusters of a :class:`~polytask.data.splits.ClusterKFold` are groups.
    groups : array of shape (n_samples,), optional
        No group is on both sides of a fold, nor of the inner split of an estimator.
    times : array-like of shape (n_samples,) or TimeOrder, optional
        When rows happened, where ``cv`` does not say it: then inner splits of estimators whose ``fit`` takes times (a
        :class:`MultiTaskNetwork`, a :class:`BestPerTask`) hold out the latest training rows.
    random_state : int

    Returns
    -------
    outputs : dict of task name to float64 array of shape (n_samples,) or (n_samples, n_classes)
        Means, or probabilities; NaN for rows that no fold holds out.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from polytask.estimators import PerTaskEstimator
    >>> X = np.arange(20.0)[:, None]
    >>> oof = out_of_fold(PerTaskEstimator(Ridge()), X, 3 * X[:, 0], cv=4)
    >>> oof["y0"].shape
    (20,)
    """
    labels, _ = read_labels(y, estimator.tasks).weighed(sample_weight)
    n = len(labels.target)
    rule = read_rule(cv, X, n, groups=groups, times=times)
    plan = plan_folds(labels, folds=rule.folds, repeats=1, groups=rule.groups, seed=random_state)
    reserved = reserved_rows(None, cv, n) if isinstance(estimator, MultiTaskNetwork) else None
    rows_of, outputs = row_getter(X), _empty_outputs(labels.tasks, n)
    label_table, weight = labels.observed(y), None if sample_weight is None else np.asarray(sample_weight)
    for _, fold in plan.folds():
        train, held = plan.train_rows(0, fold), plan.held_rows(0, fold)
        model = clone(estimator).set_params(tasks=declared_of(labels.tasks))
        own: dict[str, Any] = {} if reserved is None else {"reserved": reserved[train]}
        if rule.times is not None and has_fit_parameter(model, "times"):
            own["times"] = rule.times.of_rows(train)
        model.fit(
            rows_of(X, train),
            label_table.iloc[train],
            sample_weight=None if weight is None else weight[train],
            groups=None if rule.groups is None else rule.groups[train],
            **own,
        )
        for name, values in model.outputs(rows_of(X, held)).items():
            outputs[name][held] = values
    return outputs


def _empty_outputs(tasks: list[FittedTask], n: int) -> dict[str, Array]:
    shapes = {task.name: (n, len(task.labels)) if len(task.labels) else (n,) for task in tasks}
    return {name: np.full(shape, np.nan) for name, shape in shapes.items()}


def row_getter(X: Any) -> Any:
    if isinstance(X, np.ndarray):
        return lambda table, rows: table[rows]
    frame = to_pandas(X)
    return lambda table, rows: frame.iloc[rows]


def declared_of(tasks: list[FittedTask]) -> list[Any]:
    """Declarations that give the fitted tasks again whatever rows they are fitted on."""
    return [fixed_task(task) for task in tasks]
