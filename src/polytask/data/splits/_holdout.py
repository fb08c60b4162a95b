"""One split into training rows and held-out rows, stratified over tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state

from polytask.data.splits._checks import check_count, check_same_length, group_codes, held_share
from polytask.data.splits._iterative import iterative_stratification
from polytask.data.splits._kfold import strata_of
from polytask.data.splits._strata import StratifiedTask, column_strata
from polytask.exceptions import DataError

__all__ = ["StratifiedTaskShuffleSplit", "holdout"]

_Rows = NDArray[np.int64]


def holdout(
    strata: int | ArrayLike,
    *,
    test_size: float | int = 0.2,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    order: int = 1,
    random_state: Any = None,
) -> tuple[_Rows, _Rows]:
    """Choose held-out rows so that every label has its share there; the inner validation split of every estimator.

    Parameters
    ----------
    strata : int, or array of bool of shape (n_samples, n_strata)
        Number of rows (nothing is stratified), or the columns to balance, as of :func:`target_strata`.
    test_size : float or int, default=0.2
        Share (rounded up) or number of rows held out. With groups the nearest that whole groups allow.
    groups : array of shape (n_samples,), optional
        Rows of one group stay together.
    sample_weight : array of shape (n_samples,), optional
        Rows of weight 0 are never held out, nor counted; other weights are balanced in quantile bins.
    order : {1, 2}, default=1
        2 also balances pairs of labels.
    random_state : int, RandomState or None

    Returns
    -------
    train, held : arrays of int64
        Row numbers, ascending; together every row once, none of the two empty.

    Raises
    ------
    OptionError
        If ``test_size`` leaves no row on one side.
    DataError
        If there are fewer than 2 rows (or groups) to divide, or lengths differ.

    Examples
    --------
    >>> train, held = holdout(10, test_size=0.3, random_state=0)
    >>> len(train), len(held)
    (7, 3)
    """
    labels = np.zeros((int(strata), 0), dtype=np.bool_) if isinstance(strata, Integral) else np.asarray(strata, dtype=np.bool_)
    codes = np.arange(len(labels)) if groups is None else group_codes(groups, len(labels))
    may_be_held = np.ones(len(labels), dtype=bool)
    if sample_weight is not None:
        check_same_length("sample_weight", sample_weight, len(labels))
        weight = np.asarray(sample_weight, dtype=np.float64)
        may_be_held = np.bincount(codes, weight)[codes] > 0 if len(codes) else may_be_held
        labels = np.column_stack([labels, column_strata(weight, 5)])
    rows = np.flatnonzero(may_be_held)
    if groups is not None and len(np.unique(codes[rows])) < 2:
        raise DataError(f"Holding out groups needs at least 2 groups; got {len(np.unique(codes[rows]))}.")
    share, _ = held_share(test_size, len(rows))
    folds = iterative_stratification(
        labels[rows], [1 - share, share], groups=None if groups is None else codes[rows], order=order, random_state=random_state
    )
    held = np.zeros(len(labels), dtype=bool)
    held[rows[folds == 1]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


class StratifiedTaskShuffleSplit(BaseCrossValidator, BaseEstimator):
    """Independent random splits into training and test rows, each stratified over all tasks.

    Parameters
    ----------
    n_splits : int, default=10
        Number of splits; 1 is a single holdout.
    test_size : float or int, default=0.2
        Share or number of test rows.
    tasks, strata, n_bins, order, random_state
        As in :class:`StratifiedTaskKFold`. ``groups`` given to :meth:`split` are never cut.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.array(["a"] * 8 + ["b"] * 4)
    >>> [(train, test)] = StratifiedTaskShuffleSplit(1, test_size=0.25, random_state=0).split(y, y)
    >>> sorted(y[test].tolist())
    ['a', 'a', 'b']
    """

    __metadata_request__split: ClassVar[dict[str, bool]] = {"groups": True}

    def __init__(
        self,
        n_splits: int = 10,
        *,
        test_size: float | int = 0.2,
        tasks: Sequence[StratifiedTask] | None = None,
        strata: ArrayLike | None = None,
        n_bins: int = 10,
        order: int = 1,
        random_state: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.test_size = test_size
        self.tasks = tasks
        self.strata = strata
        self.n_bins = n_bins
        self.order = order
        self.random_state = random_state

    def split(self, X: Any = None, y: Any = None, groups: ArrayLike | None = None) -> Iterator[tuple[_Rows, _Rows]]:
        """Yield the row numbers (train, test) of every split."""
        check_count("n_splits", type(self).__name__, self.n_splits, least=1)
        rng = check_random_state(self.random_state)
        labels = strata_of(X, y, strata=self.strata, tasks=self.tasks, n_bins=self.n_bins)
        for seed in rng.randint(np.iinfo(np.int32).max, size=self.n_splits).tolist():
            yield holdout(labels, test_size=self.test_size, groups=groups, order=self.order, random_state=seed)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits."""
        return self.n_splits
