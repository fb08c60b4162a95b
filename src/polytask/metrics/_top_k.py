"""Metrics of what stands at the top: the classes of a row, or the rows of a table."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from polytask.metrics._metric import Metric, one_minus
from polytask.metrics._observed import Array, observed_classes, observed_labels
from polytask.metrics._undefined import UndefinedMetric


def top_k_accuracy(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None, k: float = 2) -> float:
    """Share of rows whose class is among the ``k`` most probable ones; ties go to the first classes.

    Undefined where ``k`` is not below the number of classes.

    >>> top_k_accuracy([2.0, 0.0], [[0.2, 0.5, 0.3], [0.1, 0.5, 0.4]], k=2)
    0.5
    """
    target, outputs, weight = observed_classes(target, outputs, sample_weight)
    if not 1 <= k < outputs.shape[1]:
        raise UndefinedMetric(f"k = {k:g} is not between 1 and the number of classes less 1, {outputs.shape[1] - 1}")
    order = np.argsort(-outputs, axis=1, kind="stable")[:, : int(k)]
    return float(np.average((order == target[:, None]).any(axis=1), weights=weight))


def precision_at_k(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None, k: float = 0.1) -> float:
    """Share of class 1 among the rows that a binary task ranks highest.

    Parameters
    ----------
    target, outputs, sample_weight
        As for all metrics; outputs (n, 2).
    k : float, default=0.1
        Below 1 the share of rows taken, from 1 on their number. Of rows that tie at the edge as large a part of each is taken
        as fits; with weights, that share of the total weight.

    Examples
    --------
    >>> scores = np.array([0.9, 0.8, 0.4, 0.1])
    >>> precision_at_k([1.0, 0.0, 1.0, 0.0], np.stack([1 - scores, scores], axis=1), k=2)
    0.5
    """
    ranked = _Ranked.of(target, outputs, sample_weight, name="precision_at_k")
    return ranked.positives_at(k) / (ranked.share(k) * ranked.total)


def recall_at_k(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None, k: float = 0.1) -> float:
    """Share of all rows of class 1 that are among the rows a binary task ranks highest; ``k`` as in :func:`precision_at_k`.

    Also called the gain at ``k``. Undefined where no label is 1.

    >>> scores = np.array([0.9, 0.8, 0.4, 0.1])
    >>> recall_at_k([1.0, 0.0, 1.0, 0.0], np.stack([1 - scores, scores], axis=1), k=0.75)
    1.0
    """
    ranked = _Ranked.of(target, outputs, sample_weight, name="recall_at_k")
    return ranked.positives_at(k) / ranked.all_positives()


def lift_at_k(target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None, k: float = 0.1) -> float:
    """How many times more often class 1 is among the rows ranked highest than among all; 1 is no better than chance.

    ``k`` as in :func:`precision_at_k`. Undefined where no label is 1.

    >>> scores = np.array([0.9, 0.8, 0.4, 0.1])
    >>> lift_at_k([1.0, 0.0, 0.0, 0.0], np.stack([1 - scores, scores], axis=1), k=0.5)
    2.0
    """
    ranked = _Ranked.of(target, outputs, sample_weight, name="lift_at_k")
    return ranked.positives_at(k) / ranked.all_positives() / ranked.share(k)


def gains_table(
    target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None, n_bins: int = 10
) -> dict[str, list[float]]:
    """Cumulative gains and lift of a binary task, by equal shares of rows from the highest score down.

    Parameters
    ----------
    target, outputs, sample_weight
        As for all metrics; outputs (n, 2).
    n_bins : int, default=10

    Returns
    -------
    table : dict of str to list of float
        ``share`` of rows taken, ``gain`` (share of all positives among them), ``lift`` (gain / share) and ``precision``, each
        with ``n_bins`` entries; the last one is the whole table.

    Raises
    ------
    UndefinedMetric
        If no label is 1.

    Examples
    --------
    >>> scores = np.array([0.9, 0.8, 0.4, 0.1])
    >>> gains_table([1.0, 0.0, 0.0, 0.0], np.stack([1 - scores, scores], axis=1), n_bins=2)
    {'share': [0.5, 1.0], 'gain': [1.0, 1.0], 'lift': [2.0, 1.0], 'precision': [0.5, 0.25]}
    """
    ranked = _Ranked.of(target, outputs, sample_weight, name="gains_table")
    shares = np.arange(1, n_bins + 1) / n_bins
    taken = np.array([ranked.positives_at(share if share < 1 else ranked.n_rows) for share in shares])
    gain = taken / ranked.all_positives()
    columns = {"share": shares, "gain": gain, "lift": gain / shares, "precision": taken / (shares * ranked.total)}
    return {name: values.tolist() for name, values in columns.items()}


def multilabel_precision_at_k(
    target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None, k: float = 1
) -> float:
    """Share of 1 among the ``k`` most probable observed labels of a row, averaged over rows.

    Rows with fewer than ``k`` observed labels are left out; undefined if that leaves none. A row weighs the mean weight of its
    observed labels; ties go to the first labels.

    >>> multilabel_precision_at_k([[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.2], [0.8, 0.3]], k=1)
    0.5
    """
    hits, _, weight = _top_labels(target, outputs, sample_weight, k)
    return float(np.average(hits / int(k), weights=weight))


def multilabel_recall_at_k(
    target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None, k: float = 1
) -> float:
    """Share of a row's 1s that are among its ``k`` most probable observed labels, averaged over the rows that have a 1.

    Otherwise as :func:`multilabel_precision_at_k`.

    >>> multilabel_recall_at_k([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]], [[0.9, 0.2, 0.5], [0.8, 0.3, 0.1]], k=2)
    0.5
    """
    hits, ones, weight = _top_labels(target, outputs, sample_weight, k)
    if not ones.any():
        raise UndefinedMetric("no label is 1")
    return float(np.average(hits[ones > 0] / ones[ones > 0], weights=weight[ones > 0]))


@dataclass(frozen=True)
class _Ranked:
    """Rows of a binary task from the highest score down, ties together."""

    weight: Array  # cumulative, one entry per distinct score
    positives: Array  # cumulative weight of class 1
    n_rows: int

    @classmethod
    def of(cls, target: ArrayLike, outputs: ArrayLike, sample_weight: ArrayLike | None, *, name: str) -> "_Ranked":
        if np.asarray(outputs).shape[-1] != 2:
            raise ValueError(f"`outputs` of {name} must be (n, 2); got {np.asarray(outputs).shape}. It is for binary tasks.")
        target, outputs, weight = observed_classes(target, outputs, sample_weight)
        _, level = np.unique(-outputs[:, 1], return_inverse=True)
        positives = np.bincount(level, weights=weight * (target == 1))
        return cls(np.cumsum(np.bincount(level, weights=weight)), np.cumsum(positives), len(target))

    @property
    def total(self) -> float:
        return float(self.weight[-1])

    def share(self, k: float) -> float:
        if not k > 0:
            raise ValueError(f"`k` must be a share of rows below 1 or a number of rows from 1 on; got {k}.")
        if k < 1:
            return k
        if k > self.n_rows:
            raise UndefinedMetric(f"k = {k:g} is more than the {self.n_rows} observed rows")
        return k / self.n_rows

    def positives_at(self, k: float) -> float:
        return float(np.interp(self.share(k) * self.total, np.r_[0.0, self.weight], np.r_[0.0, self.positives]))

    def all_positives(self) -> float:
        if not self.positives[-1] > 0:
            raise UndefinedMetric("no label is 1")
        return float(self.positives[-1])


def _top_labels(target: ArrayLike, outputs: ArrayLike, sample_weight: ArrayLike | None, k: float) -> tuple[Array, Array, Array]:
    """Of each row: how many of its k most probable labels are 1, how many of all, and its weight."""
    observed = observed_labels(target, outputs, sample_weight)
    enough = (observed.weight > 0).sum(axis=1) >= k
    if not enough.any() or not k >= 1:
        raise UndefinedMetric(f"no row has k = {k:g} observed labels")
    labels, scores, weights = (values[enough] for values in observed)
    seen = weights > 0
    order = np.argsort(np.where(seen, -scores, np.inf), axis=1, kind="stable")[:, : int(k)]
    hits = np.take_along_axis(labels, order, axis=1).sum(axis=1)
    return hits, labels.sum(axis=1), weights.sum(axis=1) / seen.sum(axis=1)


def _per_lift(value: float) -> float:
    return 1.0 / max(value, 1e-12)


TOP_K_ACCURACY = Metric("top_k_accuracy", top_k_accuracy, higher_is_better=True, error=one_minus, option="k")
PRECISION_AT_K = Metric("precision_at_k", precision_at_k, higher_is_better=True, error=one_minus, option="k")
RECALL_AT_K = Metric("recall_at_k", recall_at_k, higher_is_better=True, error=one_minus, option="k")
LIFT_AT_K = Metric("lift_at_k", lift_at_k, higher_is_better=True, error=_per_lift, option="k")
MULTILABEL_PRECISION_AT_K = Metric(
    "multilabel_precision_at_k", multilabel_precision_at_k, higher_is_better=True, error=one_minus, is_multilabel=True, option="k"
)
MULTILABEL_RECALL_AT_K = Metric(
    "multilabel_recall_at_k", multilabel_recall_at_k, higher_is_better=True, error=one_minus, is_multilabel=True, option="k"
)
