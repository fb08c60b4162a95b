"""K-fold cross-validation, stratified over several mixed and partly missing tasks at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state

from polytask.data.splits._checks import check_count, check_same_length, n_rows
from polytask.data.splits._iterative import iterative_stratification
from polytask.data.splits._strata import StratifiedTask, target_strata
from polytask.exceptions import DataError

__all__ = ["RepeatedStratifiedTaskKFold", "StratifiedTaskKFold", "strata_of"]

_Rows = NDArray[np.int64]


class StratifiedTaskKFold(BaseCrossValidator, BaseEstimator):
    """K folds in which every class, quantile bin and missing share of every task is the same, as far as whole rows allow.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    tasks : sequence of fitted tasks, optional
        Tasks that know how to stratify themselves; without them every column of ``y`` is a task (see :func:`column_strata`).
    strata : array of bool, shape (n_samples, n_strata), optional
        What to balance, instead of anything derived from ``y``.
    n_bins : int, default=10
        Most quantile bins of a regression target.
    order : {1, 2}, default=1
        2 also balances pairs of labels.
    random_state : int, RandomState or None
        Seed; with an int every call of ``split`` gives the same folds.

    Notes
    -----
    ``y`` may be an array or table with missing labels, or None (a plain shuffled k-fold). With ``groups``, no group is ever cut.
    Errors are raised by :meth:`split`: ``OptionError`` for a setting (more folds than rows or groups, one fold), ``DataError``
    for arrays of different lengths or missing groups.

    References
    ----------
    See :func:`iterative_stratification`.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.array([[1, 5.0], [0, np.nan], [1, np.nan], [0, 7.0], [1, 5.0], [0, 7.0], [0, np.nan], [1, np.nan]])
    >>> for train, test in StratifiedTaskKFold(2, random_state=0).split(np.zeros((8, 3)), y):
    ...     print(int(y[test, 0].sum()), int(np.isnan(y[test, 1]).sum()))
    2 2
    2 2
    """

    __metadata_request__split: ClassVar[dict[str, bool]] = {"groups": True}

    def __init__(
        self,
        n_splits: int = 5,
        *,
        tasks: Sequence[StratifiedTask] | None = None,
        strata: ArrayLike | None = None,
        n_bins: int = 10,
        order: int = 1,
        random_state: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.tasks = tasks
        self.strata = strata
        self.n_bins = n_bins
        self.order = order
        self.random_state = random_state

    def fold_of_rows(self, X: Any = None, y: Any = None, groups: ArrayLike | None = None) -> _Rows:
        """Return the fold of every row, 0 to ``n_splits - 1``."""
        check_count("n_splits", type(self).__name__, self.n_splits, least=2)
        labels = strata_of(X, y, strata=self.strata, tasks=self.tasks, n_bins=self.n_bins)
        proportions = np.full(self.n_splits, 1 / self.n_splits)
        return iterative_stratification(labels, proportions, groups=groups, order=self.order, random_state=self.random_state)

    def split(self, X: Any = None, y: Any = None, groups: ArrayLike | None = None) -> Iterator[tuple[_Rows, _Rows]]:
        """Yield the row numbers (train, test) of every fold."""
        folds = self.fold_of_rows(X, y, groups)
        for fold in range(self.n_splits):
            yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        return self.n_splits


class RepeatedStratifiedTaskKFold(BaseCrossValidator, BaseEstimator):
    """:class:`StratifiedTaskKFold`, several times with fresh seeds.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds of a repeat.
    n_repeats : int, default=5
        Number of repeats.
    tasks, strata, n_bins, order, random_state
        As in :class:`StratifiedTaskKFold`.

    Examples
    --------
    >>> splitter = RepeatedStratifiedTaskKFold(2, n_repeats=3, random_state=0)
    >>> splitter.get_n_splits(), [test.tolist() for _, test in splitter.split(range(4))][:2]
    (6, [[0, 1], [2, 3]])
    """

    __metadata_request__split: ClassVar[dict[str, bool]] = {"groups": True}

    def __init__(
        self,
        n_splits: int = 5,
        *,
        n_repeats: int = 5,
        tasks: Sequence[StratifiedTask] | None = None,
        strata: ArrayLike | None = None,
        n_bins: int = 10,
        order: int = 1,
        random_state: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.n_repeats = n_repeats
        self.tasks = tasks
        self.strata = strata
        self.n_bins = n_bins
        self.order = order
        self.random_state = random_state

    def split(self, X: Any = None, y: Any = None, groups: ArrayLike | None = None) -> Iterator[tuple[_Rows, _Rows]]:
        """Yield the row numbers (train, test) of every fold of the first repeat, then of the second, and so on."""
        check_count("n_repeats", type(self).__name__, self.n_repeats, least=1)
        rng = check_random_state(self.random_state)
        labels = strata_of(X, y, strata=self.strata, tasks=self.tasks, n_bins=self.n_bins)
        for seed in rng.randint(np.iinfo(np.int32).max, size=self.n_repeats).tolist():
            folds = StratifiedTaskKFold(self.n_splits, strata=labels, order=self.order, random_state=seed)
            yield from folds.split(labels, groups=groups)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds of all repeats together."""
        return self.n_splits * self.n_repeats


def strata_of(
    X: Any, y: Any, *, strata: ArrayLike | None, tasks: Sequence[StratifiedTask] | None, n_bins: int
) -> NDArray[np.bool_]:
    """Return the indicator columns a splitter balances, after checking that all lengths agree."""
    given = [(name, values) for name, values in (("X", X), ("y", y), ("strata", strata)) if values is not None]
    if not given:
        raise DataError("A split needs `X`, `y` or `strata` to know the number of rows; got none.")
    n_samples = n_rows(given[0][1])
    for name, values in given:
        check_same_length(name, values, n_samples)
    if strata is not None:
        return np.asarray(strata, dtype=bool).reshape(n_samples, -1)
    return target_strata(y, tasks=tasks, n_bins=n_bins, n_samples=n_samples)
