"""Separate models for the loss that a task declares: by the estimator's own objective, or by a shift of what it predicts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from lightgbm import LGBMRegressor
from sklearn.base import clone
from sklearn.model_selection import KFold

from polytask.data.splits import TimeOrder
from polytask.estimators._candidates import StoppedRegressor, inner_splits
from polytask.losses import NumberLoss

Array = np.ndarray[Any, np.dtype[Any]]

N_FOLDS = 5


def fit_for_loss(
    estimator: Any,
    X: Array,
    y: Array,
    *,
    loss: NumberLoss | None,
    fit_arguments: Mapping[str, Any],
    groups: Array | None = None,
    times: TimeOrder | None = None,
) -> tuple[Any, float]:
    """Fit an estimator for a loss, and find what is to be added to its predictions.

    LightGBM minimises the loss itself where it has it. Any other regressor learns as it does, most of them the mean; its
    predictions are shifted by the number that is best for the loss on residuals of rows that it has not seen (5 folds, groups
    whole; with times the latest fifth; of one group or time only, folds of rows). So it predicts a quantile, or what the loss
    asks for, whose distance from the mean is the same in all rows.

    Parameters
    ----------
    estimator : estimator
        Not fitted; it is fitted itself.
    X : array of shape (n, n_columns)
    y : array of shape (n,)
    loss : NumberLoss, optional
        None for an estimator that is right as it is.
    fit_arguments : mapping
        Of ``fit``: ``sample_weight`` [n], ``groups`` [n], ``times`` of the rows; or nothing.
    groups : array of shape (n,), optional
        Followed by the shift also where ``fit`` of the estimator takes none.
    times : TimeOrder of these rows, optional

    Returns
    -------
    estimator : estimator
        Fitted on all rows.
    shift : float

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from polytask.losses import Quantile
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 1))
    >>> _, shift = fit_for_loss(LinearRegression(), X, X[:, 0] + rng.uniform(size=2000), loss=Quantile(0.9), fit_arguments={})
    >>> round(shift, 1)  # the 0.9 quantile of uniform noise less its mean
    0.4
    """
    if loss is None or loss.statistic == "mean":
        return estimator.fit(X, y, **fit_arguments), 0.0
    if isinstance(estimator, (LGBMRegressor, StoppedRegressor)) and loss.lightgbm is not None:
        return estimator.set_params(**loss.lightgbm).fit(X, y, **fit_arguments), 0.0
    weight = np.asarray(fit_arguments.get("sample_weight", np.ones(len(y))))
    outputs, unseen = np.empty(len(y)), np.zeros(len(y), dtype=bool)
    for train, held in _folds(y, groups, times):
        own = clone(estimator).fit(X[train], y[train], **{name: _part(value, train) for name, value in fit_arguments.items()})
        outputs[held], unseen[held] = own.predict(X[held]), True
    return estimator.fit(X, y, **fit_arguments), loss.best_shift(y[unseen], outputs[unseen], weight[unseen])


def _part(value: Any, rows: Array) -> Any:
    return value.of_rows(rows) if isinstance(value, TimeOrder) else np.asarray(value)[rows]


def _folds(y: Array, groups: Array | None, times: TimeOrder | None) -> list[tuple[Array, Array]]:
    """Folds that follow groups and times; without them, or where they cannot be divided, of rows (of very few, one each)."""
    if groups is not None or times is not None:
        splits = inner_splits(y, n_splits=N_FOLDS, groups=groups, times=times)
        if splits:
            return splits
    splitter = KFold(min(N_FOLDS, len(y)), shuffle=True, random_state=0)
    return [(train, held) for train, held in splitter.split(np.empty((len(y), 1)))]
