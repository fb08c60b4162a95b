"""The loss of every single row, from which skill, gains and their intervals are made."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from polytask.metrics._observed import Array, check_codes, one_column

_SMALLEST = 1e-7  # probabilities and means are clipped here, so that one row cannot cost infinitely much


def row_squared_error(target: ArrayLike, outputs: ArrayLike) -> Array:
    """Squared error of each row.

    Parameters
    ----------
    target : array-like of shape (n,) or (n, 1)
        Numbers; NaN is missing.
    outputs : array-like of shape (n,)
        Predicted means.

    Returns
    -------
    losses : ndarray of shape (n,)
        float64, >= 0; NaN where the label is missing.

    Examples
    --------
    >>> row_squared_error([1.0, float("nan")], [3.0, 3.0])
    array([ 4., nan])
    """
    target, outputs = one_column(target), one_column(outputs, what="outputs")
    _check_rows(target, outputs)
    return (outputs - target) ** 2


def row_log_loss(target: ArrayLike, outputs: ArrayLike) -> Array:
    """Negative log probability of each row's class, for binary, multiclass and ordinal tasks.

    Parameters
    ----------
    target : array-like of shape (n,) or (n, 1)
        Class codes; NaN is missing.
    outputs : array-like of shape (n, n_classes)
        Probabilities; clipped to [1e-7, 1].

    Returns
    -------
    losses : ndarray of shape (n,)
        float64 in nats, 0 to 16.1; NaN where the label is missing.

    Examples
    --------
    >>> row_log_loss([1.0, float("nan")], [[0.5, 0.5], [0.5, 0.5]])
    array([0.6931, nan])
    """
    target, outputs = one_column(target), np.asarray(outputs, dtype=np.float64)
    _check_rows(target, outputs)
    is_missing = np.isnan(target)
    codes = np.where(is_missing, 0.0, target).astype(np.int64)
    check_codes(codes, outputs.shape[1])
    chosen = np.take_along_axis(outputs, codes[:, None], axis=1)[:, 0]
    return np.where(is_missing, np.nan, -np.log(np.clip(chosen, _SMALLEST, 1.0)))


def row_poisson_deviance(target: ArrayLike, outputs: ArrayLike) -> Array:
    """Poisson deviance 2 (y log(y / mean) - (y - mean)) of each row.

    Parameters
    ----------
    target : array-like of shape (n,) or (n, 1)
        Counts >= 0; NaN is missing.
    outputs : array-like of shape (n,)
        Predicted means; clipped from below at 1e-7.

    Returns
    -------
    losses : ndarray of shape (n,)
        float64, >= 0; NaN where the label is missing.

    Examples
    --------
    >>> row_poisson_deviance([0.0, 2.0, float("nan")], [1.0, 2.0, 1.0])
    array([ 2.,  0., nan])
    """
    target, outputs = one_column(target), one_column(outputs, what="outputs")
    _check_rows(target, outputs)
    mean = np.maximum(outputs, _SMALLEST)
    return np.maximum(2.0 * (xlogy(target, target / mean) - (target - mean)), 0.0)


def row_multilabel_log_loss(target: ArrayLike, outputs: ArrayLike) -> Array:
    """Negative log-likelihood of each row's labels, as the mean over the labels observed in that row.

    Parameters
    ----------
    target : array-like of shape (n, n_labels)
        0 or 1; NaN is missing.
    outputs : array-like of shape (n, n_labels)
        Probabilities of 1; those of the label that came are clipped to [1e-7, 1].

    Returns
    -------
    losses : ndarray of shape (n,)
        float64 in nats; NaN where all labels of the row are missing.

    Examples
    --------
    >>> row_multilabel_log_loss([[1.0, float("nan")]], [[0.5, 0.9]])
    array([0.6931])
    """
    target, outputs = np.asarray(target, dtype=np.float64), np.asarray(outputs, dtype=np.float64)
    if target.ndim != 2 or target.shape != outputs.shape:
        raise ValueError(f"`target` and `outputs` must both be (n, n_labels); got {target.shape} and {outputs.shape}.")
    is_observed = ~np.isnan(target)
    losses = np.where(is_observed, cell_log_loss(target, outputs), 0.0).sum(axis=1)
    n_observed = is_observed.sum(axis=1)
    return np.where(n_observed > 0, losses / np.maximum(n_observed, 1), np.nan)


def cell_log_loss(target: Array, outputs: Array) -> Array:
    """Negative log-likelihood of each 0/1 label."""
    return -np.log(np.clip(np.where(target == 1, outputs, 1.0 - outputs), _SMALLEST, 1.0))


def _check_rows(target: Array, outputs: Array) -> None:
    if len(target) != len(outputs):
        raise ValueError(f"`target` and `outputs` must have the same number of rows; got {len(target)} and {len(outputs)}.")
