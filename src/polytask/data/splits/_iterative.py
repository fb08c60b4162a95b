"""Iterative stratification: folds in which every label has its share of the rows."""

from __future__ import annotations

import heapq
import itertools
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.utils import check_random_state

from polytask.data.splits._checks import check_order, group_codes
from polytask.data.splits._refine import fill_empty_folds, fix_sizes, refine
from polytask.exceptions import DataError, OptionError

__all__ = ["iterative_stratification"]


def iterative_stratification(
    indicators: ArrayLike,
    proportions: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    order: int = 1,
    random_state: Any = None,
) -> NDArray[np.int64]:
    """Deal rows to folds so that every label keeps its proportion in every fold.

    The rarest label is dealt first: each of its rows goes to the fold that wants that label most, ties to the fold that
    wants rows most, then at random. Rows without a label come last. Then the sizes are made exact and pairs of rows are
    exchanged between folds while this brings the counts closer to the wanted ones.

    Parameters
    ----------
    indicators : array of bool, shape (n_samples, n_labels)
        Which row has which label; ``n_labels`` may be 0.
    proportions : array of shape (n_folds,)
        Positive, summing to 1.
    groups : array of shape (n_samples,), optional
        Rows of one group stay in one fold; labels are then counted per group and sizes are as even as the groups allow.
    order : {1, 2}, default=1
        2 also balances every pair of labels that occurs together.
    random_state : int, RandomState or None
        Seed of the ties.

    Returns
    -------
    folds : array of int64, shape (n_samples,)
        Fold of every row, 0 to ``n_folds - 1``. Without groups the sizes are ``proportions * n_samples``, rounded up or down.

    Raises
    ------
    OptionError
        If the proportions are not positive or do not sum to 1, or there are more folds than rows (or groups).
    DataError
        If an array has the wrong shape or a group is missing.

    References
    ----------
    Sechidis, Tsoumakas & Vlahavas, "On the Stratification of Multi-label Data", ECML PKDD 2011 (order 1).
    Szymanski & Kajdanowicz, "A Network Perspective on Stratification of Multi-Label Data", LIDTA 2017. arXiv:1704.08756
    (order 2).

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 1], [1, 1], [0, 0], [0, 0]], dtype=bool)
    >>> folds = iterative_stratification(labels, [0.5, 0.5], order=2, random_state=0)
    >>> [labels[folds == fold].sum(axis=0).tolist() for fold in (0, 1)]
    [[2, 2], [2, 2]]
    """
    labels = _check_indicators(indicators)
    shares = _check_proportions(proportions)
    check_order(order)
    rng = check_random_state(random_state)
    codes = None if groups is None else group_codes(groups, len(labels))
    n_units = len(labels) if codes is None else int(codes.max(initial=-1)) + 1
    if n_units < len(shares):
        what = "rows" if codes is None else "groups"
        raise OptionError(f"{len(shares)} folds need at least {len(shares)} {what}; got {n_units}. Use fewer folds.")

    patterns, pattern_of_unit = _patterns(labels, codes, order)
    multiplicity = np.bincount(pattern_of_unit, minlength=len(patterns))
    table = _deal_labels(patterns, multiplicity, shares, rng)  # [fold, pattern] number of units
    if codes is None:
        table = fix_sizes(table, patterns, shares, rng=rng)
    else:
        table = fill_empty_folds(table, patterns)
    table = refine(table, patterns, shares, rng=rng, may_move=codes is not None)

    folds = np.empty(n_units, dtype=np.int64)
    by_pattern = np.lexsort((rng.random_sample(n_units), pattern_of_unit))
    folds[by_pattern] = np.repeat(np.tile(np.arange(len(shares)), len(patterns)), table.T.ravel())
    return folds if codes is None else folds[codes]


def _patterns(labels: NDArray[np.bool_], codes: NDArray[np.int64] | None, order: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the distinct label counts of units [P, m + 1], last the number of rows, and the pattern of each unit."""
    total = labels.sum(axis=0)
    labels = labels[:, (total > 0) & (total < len(labels))]  # a constant label says nothing the size does not
    if codes is None:
        packed = np.packbits(labels, axis=1) if labels.shape[1] else np.zeros((len(labels), 1), dtype=np.uint8)
        _, first, pattern_of_unit = np.unique(packed, axis=0, return_index=True, return_inverse=True)
        patterns = _with_pairs(labels[first], order)
    else:
        rows = np.arange(len(codes))
        belongs = sparse.csr_array((np.ones(len(codes), dtype=np.int32), (codes, rows)))
        patterns, pattern_of_unit = np.unique(np.asarray(belongs @ _with_pairs(labels, order)), axis=0, return_inverse=True)
    return np.asfortranarray(patterns, dtype=np.float64), pattern_of_unit.ravel()


def _with_pairs(labels: NDArray[np.bool_], order: int) -> NDArray[np.int32]:
    """Append a column per pair of labels that occurs together (order 2), and a column of ones."""
    pairs: list[NDArray[np.bool_]] = []
    if order == 2:
        together = labels.T.astype(np.float64) @ labels
        pairs = [labels[:, i] & labels[:, j] for i, j in itertools.combinations(range(labels.shape[1]), 2) if together[i, j] > 0]
    return np.column_stack([labels, *pairs, np.ones(len(labels), dtype=bool)]).astype(np.int32)


def _deal_labels(
    patterns: NDArray[np.float64], multiplicity: NDArray[np.int64], shares: NDArray[np.float64], rng: np.random.RandomState
) -> NDArray[np.int64]:
    """Deal units to folds, rarest label first; return how many units of each pattern every fold gets [k, P]."""
    table = np.zeros((len(shares), len(patterns)), dtype=np.int64)
    wanted = np.outer(shares, multiplicity @ patterns)  # [k, m + 1]
    n_left = multiplicity.astype(np.float64) @ (patterns > 0)
    tie_break = rng.permutation(patterns.shape[1] - 1)
    left = np.ones(len(patterns), dtype=bool)
    while left.any():
        label = _rarest(n_left[:-1], tie_break)
        chosen = np.flatnonzero(left & (patterns[:, label] > 0))
        # DIFFERS FROM PAPER: the paper takes the rows of a label in any order. Here the largest groups come first, so that the
        # small ones can even out; and among single rows equal ones follow each other and are spread over the folds.
        units = np.repeat(chosen, multiplicity[chosen])
        units = units[np.lexsort((rng.random_sample(len(units)), -patterns[units, label]))]
        folds = _deal_units(patterns[units, label], patterns[units, -1], wanted[:, label], wanted[:, -1], rng)
        if patterns[units, -1].max() == 1:
            units, folds = np.sort(units), _spread(folds, rng)
        dealt = np.zeros((len(shares), len(chosen)), dtype=np.int64)
        np.add.at(dealt, (folds, np.searchsorted(chosen, units)), 1)
        table[:, chosen] = dealt
        wanted -= dealt @ patterns[chosen]
        n_left -= multiplicity[chosen] @ (patterns[chosen] > 0)
        left[chosen] = False
    return table


def _rarest(n_left: NDArray[np.float64], tie_break: NDArray[np.int64]) -> int:
    """Return the label with the fewest units left, or -1 (the column of sizes) if only units without labels are left."""
    in_order = n_left[tie_break]
    if not (in_order > 0).any():
        return -1
    return int(tie_break[np.argmin(np.where(in_order > 0, in_order, np.inf))])


def _deal_units(
    counts: NDArray[np.float64],
    sizes: NDArray[np.float64],
    wanted: NDArray[np.float64],
    wanted_sizes: NDArray[np.float64],
    rng: np.random.RandomState,
) -> NDArray[np.int64]:
    """Give each unit to the fold that wants the label most, then the one that wants rows most, then any; return the folds."""
    lots = iter(rng.random_sample(len(counts) + len(wanted)).tolist())
    heap = [
        (-round(label, 6), -round(size, 6), next(lots), fold)
        for fold, (label, size) in enumerate(zip(wanted.tolist(), wanted_sizes.tolist(), strict=True))
    ]
    heapq.heapify(heap)
    folds = []
    for count, size in zip(counts.tolist(), sizes.tolist(), strict=True):
        label_key, size_key, _, fold = heap[0]
        heapq.heapreplace(heap, (round(label_key + count, 6), round(size_key + size, 6), next(lots), fold))
        folds.append(fold)
    return np.array(folds, dtype=np.int64)


def _spread(folds: NDArray[np.int64], rng: np.random.RandomState) -> NDArray[np.int64]:
    """Return the same folds in an order in which each comes at even distances."""
    folds = np.sort(folds)
    counts = np.bincount(folds)
    rank = np.arange(len(folds)) - np.repeat(np.cumsum(counts) - counts, counts)
    place = (rank + rng.random_sample(len(folds))) / counts[folds]
    return folds[np.argsort(place)]


def _check_indicators(indicators: ArrayLike) -> NDArray[np.bool_]:
    labels = np.asarray(indicators)
    if labels.ndim != 2:
        raise DataError(f"`indicators` must be a table of shape (n_samples, n_labels); got shape {labels.shape}.")
    if labels.dtype != bool and not np.isin(labels, (0, 1)).all():
        raise DataError("`indicators` must hold only True and False (or 1 and 0). Make them with `column_strata`.")
    return labels.astype(bool)


def _check_proportions(proportions: ArrayLike) -> NDArray[np.float64]:
    shares = np.asarray(proportions, dtype=np.float64)
    if shares.ndim != 1 or len(shares) < 2 or not (shares > 0).all() or abs(shares.sum() - 1) > 1e-6:
        raise OptionError(f"`proportions` must be two or more positive numbers with sum 1; got {shares.tolist()}.")
    return shares / shares.sum()
