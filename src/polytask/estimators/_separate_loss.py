"""Separate models for the loss that a task declares: by the estimator's own objective, or by a shift of what it predicts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from lightgbm import LGBMRegressor
from sklearn.base import clone
from sklearn.model_selection import KFold

from polytask.data.splits import TimeOrder
from polytask.estimators._candidates import StoppedRegressor
from polytask.losses import NumberLoss

Array = np.ndarray[Any, np.dtype[Any]]

N_FOLDS = 5


def fit_for_loss(
    estimator: Any, X: Array, y: Array, *, loss: NumberLoss | None, fit_arguments: Mapping[str, Any]
) -> tuple[Any, float]:
    """Fit an estimator for a loss, and find what is to be added to its predictions.

    LightGBM minimises the loss itself where it has it. Any other regressor learns as it does, most of them the mean; its
    predictions are shifted by the number that is best for the loss on residuals of rows that it has not seen (5 folds). So
    it predicts a quantile, or what the loss asks for, whose distance from the mean is the same in all rows.

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
    outputs = np.empty(len(y))
    for train, held in _folds(len(y)):
        own = clone(estimator).fit(X[train], y[train], **{name: _part(value, train) for name, value in fit_arguments.items()})
        outputs[held] = own.predict(X[held])
    return estimator.fit(X, y, **fit_arguments), loss.best_shift(y, outputs, weight)


def _part(value: Any, rows: Array) -> Any:
    return value.of_rows(rows) if isinstance(value, TimeOrder) else np.asarray(value)[rows]


def _folds(n: int) -> list[tuple[Array, Array]]:
    """Folds of rows; with very few rows each row alone is one."""
    splitter = KFold(min(N_FOLDS, n), shuffle=True, random_state=0)
    return [(train, held) for train, held in splitter.split(np.empty((n, 1)))]
