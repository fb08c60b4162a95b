"""Guards that every metric passes first: what is observed, and whether anything is."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polytask.metrics._undefined import UndefinedMetric

Array = NDArray[np.float64]
ONE_CLASS = "only one class in the labels"
NOT_FINITE = "some predictions are not finite"


class Observed(NamedTuple):
    """Rows with an observed label of positive weight; in multilabel rows a missing label has target, outputs and weight 0."""

    target: Array
    outputs: Array
    weight: Array


def observed_values(target: ArrayLike, outputs: ArrayLike, sample_weight: ArrayLike | None) -> Observed:
    """Observed rows of a task whose outputs are one number per row: target, outputs and weight (n_observed,)."""
    return _observed_rows(one_column(target), one_column(outputs, what="outputs"), sample_weight)


def observed_classes(target: ArrayLike, outputs: ArrayLike, sample_weight: ArrayLike | None) -> Observed:
    """Observed rows of a task whose outputs are probabilities (n, n_classes); the target holds class codes."""
    target, outputs = one_column(target), np.asarray(outputs, dtype=np.float64)
    if outputs.ndim != 2 or outputs.shape[1] < 2:
        raise ValueError(f"`outputs` of a metric over classes must be (n, n_classes) probabilities; got shape {outputs.shape}.")
    observed = _observed_rows(target, outputs, sample_weight)
    check_codes(observed.target, outputs.shape[1])
    return observed


def observed_labels(target: ArrayLike, outputs: ArrayLike, sample_weight: ArrayLike | None) -> Observed:
    """Multilabel rows with any observed label: target, outputs and weight (n_observed, n_labels)."""
    target, outputs = np.asarray(target, dtype=np.float64), np.asarray(outputs, dtype=np.float64)
    if target.ndim != 2 or target.shape != outputs.shape:
        raise ValueError(
            f"`target` and `outputs` of a multilabel metric must both be (n, n_labels); got {target.shape} and {outputs.shape}."
        )
    weight = np.ones(target.shape)
    if sample_weight is not None:
        given = checked_weight(sample_weight, n_labels=target.shape[1])
        if len(given) != len(target):
            raise ValueError(f"`sample_weight` must have one row per row of `target`; got {len(given)} for {len(target)}.")
        weight = weight * (given if given.ndim == 2 else given[:, None])
    is_used = _check_any_used(~np.isnan(target), weight)
    rows = is_used.any(axis=1)
    is_used = is_used[rows]
    target, outputs, weight = (np.where(is_used, x[rows], 0.0) for x in (target, outputs, weight))
    _check_finite(outputs)
    check_codes(target, 2)
    return Observed(target, outputs, weight)


def one_column(values: ArrayLike, *, what: str = "target") -> Array:
    """Give an array of shape (n,) or (n, 1) as float64 (n,)."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(f"`{what}` must be (n,) or (n, 1); got {values.shape}.")
    return values


def checked_weight(sample_weight: ArrayLike, *, n_labels: int) -> Array:
    """Weights as float64 (n,) or (n, n_labels), refused where one is negative, infinite or NaN."""
    weight = np.asarray(sample_weight, dtype=np.float64)
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise ValueError("`sample_weight` must be finite and not negative; got a value that is not.")
    return weight if weight.ndim == 2 and weight.shape[1] == n_labels > 1 else one_column(weight, what="sample_weight")


def check_codes(codes: NDArray[np.generic], n_classes: int) -> None:
    """Refuse class codes that are not whole numbers from 0 to ``n_classes - 1``."""
    if not np.isin(codes, np.arange(n_classes)).all():
        raise ValueError(f"`target` must hold class codes 0 to {n_classes - 1}; got others.")


def _observed_rows(target: Array, outputs: Array, sample_weight: ArrayLike | None) -> Observed:
    weight = np.ones(len(target)) if sample_weight is None else checked_weight(sample_weight, n_labels=1)
    if not len(target) == len(outputs) == len(weight):
        raise ValueError(
            "`target`, `outputs` and `sample_weight` of a metric must have the same number of rows; "
            f"got {len(target)}, {len(outputs)} and {len(weight)}."
        )
    is_used = _check_any_used(~np.isnan(target), weight)
    _check_finite(outputs[is_used])
    return Observed(target[is_used], outputs[is_used], weight[is_used])


def _check_any_used(is_observed: NDArray[np.bool_], weight: Array) -> NDArray[np.bool_]:
    if not is_observed.any():
        raise UndefinedMetric("no observed labels")
    is_used = is_observed & (weight > 0)
    if not is_used.any():
        raise UndefinedMetric("the weights of the observed labels sum to zero")
    return is_used


def _check_finite(outputs: Array) -> None:
    if not np.isfinite(outputs).all():
        raise UndefinedMetric(NOT_FINITE)
