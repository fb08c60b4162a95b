"""How well one input column alone predicts a target: cross-fitted means of bins, for all targets at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats

from polytask.data._audit_columns import Codes, Floats

N_FOLDS = 5
_DRAWN = 0.5  # labels of the overall mean that are added to each bin
MIN_LABELS, MIN_PER_CLASS = 20, 5  # with less, nothing is said of a target or class


@dataclass(frozen=True)
class TargetColumns:
    """Targets as columns of numbers whose means can be predicted.

    Attributes
    ----------
    values : float64 array of shape (n, n_columns)
        Per number its rank, in (0, 1]; per class or tag 0 or 1. NaN is missing.
    owner : int array of shape (n_columns,)
        The target that each column is of.
    labels : list
        The class that each column is of; None for a number, for a tag and for the second of two classes.
    """

    values: Floats
    owner: NDArray[np.int64]
    labels: list[Any]


def target_columns(targets: list[tuple[Floats, tuple[Any, ...]]]) -> TargetColumns:
    """Take targets apart: a number becomes its ranks, a class one column per class (one of the two if there are two).

    Parameters
    ----------
    targets : list of (float64 [n], classes)
        Codes and classes, or numbers and no classes.

    >>> parts = target_columns([(np.array([5.0, 1.0, np.nan]), ()), (np.array([0.0, 2.0, 1.0]), ("a", "b", "c"))])
    >>> parts.values[:, 0], parts.owner.tolist(), parts.labels
    (array([1. , 0.5, nan]), [0, 1, 1, 1], [None, 'a', 'b', 'c'])
    """
    columns, owner, labels = [], [], []
    for k, (target, classes) in enumerate(targets):
        for code in [None] if not classes else [1] if len(classes) == 2 else range(len(classes)):
            values = _ranks(target) if code is None else np.where(np.isnan(target), np.nan, target == code)
            columns.append(values)
            owner.append(k)
            labels.append(classes[code] if code is not None and len(classes) > 2 else None)
    stacked = np.stack(columns, axis=1) if columns else np.empty((0, 0))
    return TargetColumns(stacked, np.asarray(owner, dtype=np.int64), labels)


@dataclass(frozen=True)
class BinSums:
    """Sums of labels per bin, fold and target column: all that scores need of the rows; arrays [n_bins, N_FOLDS, n_columns]."""

    total: Floats
    squares: Floats
    n: Floats

    def predictions(self) -> tuple[Floats, Floats]:
        """Means of the other folds: of each bin (drawn to the overall mean by half a label), and overall."""
        total, n = self.total.sum(axis=0), self.n.sum(axis=0)  # [N_FOLDS, n_columns]
        constant = (total.sum(axis=0) - total) / np.maximum(n.sum(axis=0) - n, 1)
        others, n_others = self.total.sum(axis=1, keepdims=True) - self.total, self.n.sum(axis=1, keepdims=True) - self.n
        return (others + _DRAWN * constant) / (n_others + _DRAWN), np.broadcast_to(constant, self.total.shape)

    def where_there(self) -> "BinSums":
        """The same sums over the rows in which the input is not missing."""
        return BinSums(self.total[1:], self.squares[1:], self.n[1:])

    def errors(self, predictions: Floats) -> Floats:
        """Sum of squared errors per target column."""
        return np.asarray((self.squares - 2 * predictions * self.total + predictions**2 * self.n).sum(axis=(0, 1)))


def moments(values: Floats) -> Floats:
    """Labels, their squares and whether they are there, side by side: [n, 3 * n_columns]; what :func:`bin_sums` adds up."""
    seen = ~np.isnan(values)
    filled = np.where(seen, values, 0.0)
    return np.concatenate([filled, filled**2, seen], axis=1)


def bin_sums(bins: Codes, fold: Codes, summands: Floats) -> BinSums:
    """Add up :func:`moments` over the rows of every bin and fold."""
    n_bins = int(bins.max(initial=0)) + 1
    select = sparse.csr_matrix(
        (np.ones(len(bins)), (bins * N_FOLDS + fold, np.arange(len(bins)))), shape=(n_bins * N_FOLDS, len(bins))
    )
    sums = np.asarray(select @ summands).reshape(n_bins, N_FOLDS, 3, -1)
    return BinSums(sums[:, :, 0], sums[:, :, 1], sums[:, :, 2])


def lower_bound(bins: Codes, fold: Codes, values: Floats, *, n_tested: int) -> tuple[float, float]:
    """Skill of the bins for one target [n, n_columns] and its lower 95 % bound, corrected for all ``n_tested`` pairs.

    Skill is 1 - error / error of the constant, of cross-fitted predictions; the bound is that of a ratio of means over rows.
    """
    predicted, constant = bin_sums(bins, fold, moments(values)).predictions()
    errors = np.nansum((values - predicted[bins, fold]) ** 2, axis=1)
    base = np.nansum((values - constant[bins, fold]) ** 2, axis=1)
    seen = ~np.isnan(values).all(axis=1)
    errors, base = errors[seen], base[seen]
    if base.sum() <= 0:
        return 0.0, 0.0
    ratio = errors.sum() / base.sum()
    spread = np.std(errors - ratio * base, ddof=1) / (base.mean() * np.sqrt(len(base)))
    z = stats.norm.isf(0.05 / max(n_tested, 1))
    return float(1 - ratio), float(1 - ratio - z * spread)


def folds_of(n: int, groups: Any, rng: np.random.Generator) -> Codes:
    """A fold number per row; rows of one group share it."""
    if groups is None:
        return rng.permutation(n) % N_FOLDS
    codes = np.unique(groups, return_inverse=True)[1].reshape(-1)
    return (rng.permutation(int(codes.max(initial=0)) + 1) % N_FOLDS)[codes]


def _ranks(target: Floats) -> Floats:
    ranks = np.full(len(target), np.nan)
    seen = ~np.isnan(target)
    ranks[seen] = stats.rankdata(target[seen]) / max(seen.sum(), 1)
    return ranks
