"""Splits inside the training part of a split, under the same rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import _safe_indexing

from polytask.data.splits._checks import group_codes
from polytask.data.splits._kfold import StratifiedTaskKFold
from polytask.data.splits._strata import as_frame
from polytask.data.splits._time import TimeOrder
from polytask.data.splits._time_split import TimeSplit
from polytask.exceptions import DataError, OptionError

__all__ = ["NestedFold", "NestedSplit"]

_Rows = NDArray[np.int64]


@dataclass(frozen=True)
class NestedFold:
    """Row numbers of one outer fold, all of the whole table.

    Attributes
    ----------
    train, test : int arrays
        Of the outer split: the test rows are for the score only.
    inner : list of (train, validation)
        Splits of ``train``, for choosing and stopping.
    """

    train: _Rows
    test: _Rows
    inner: list[tuple[_Rows, _Rows]] = field(default_factory=list)


class NestedSplit(BaseCrossValidator, BaseEstimator):
    """An outer split for the score, and inner splits of each training part for choosing; both keep groups whole and follow time.

    :meth:`nested` yields both. As a scikit-learn splitter (:meth:`split`) it is its outer split.

    Parameters
    ----------
    outer : int or splitter, default=5
        A number means folds stratified over all tasks.
    inner : int or splitter, default=5
        A number inherits the rule of ``outer``: as many windows of a :class:`TimeSplit`, else folds stratified over all tasks. A
        splitter is used as it is on the training rows; one that holds an array of values per row must have ``of_rows``.
    random_state : int or None
        Of the folds that are made from numbers.

    Notes
    -----
    ``groups`` reach both. Inner splits are checked: ``OptionError`` if one leaves the training part, cuts a group or, with an
    outer :class:`TimeSplit`, learns from what is not earlier than its validation rows.

    References
    ----------
    Varma & Simon, "Bias in Error Estimation When Using Cross-Validation for Model Selection", BMC Bioinformatics 7, 2006.

    Examples
    --------
    >>> for fold in NestedSplit(TimeSplit(2, times=range(9)), inner=1).nested():
    ...     print(fold.train.tolist(), fold.test.tolist(), [held.tolist() for _, held in fold.inner])
    [0, 1, 2] [3, 4, 5] [[2]]
    [0, 1, 2, 3, 4, 5] [6, 7, 8] [[3, 4, 5]]
    """

    __metadata_request__split: ClassVar[dict[str, bool]] = {"groups": True}

    def __init__(self, outer: Any = 5, inner: Any = 5, *, random_state: Any = None) -> None:
        self.outer = outer
        self.inner = inner
        self.random_state = random_state

    @property
    def time_order(self) -> TimeOrder | None:
        """The order of time of the outer split, if it has one."""
        return getattr(self.outer, "time_order", None)

    def split(self, X: Any = None, y: Any = None, groups: ArrayLike | None = None) -> Iterator[tuple[_Rows, _Rows]]:
        """Yield the row numbers (train, test) of the outer split."""
        yield from _splitter("outer", self.outer, None, self.random_state).split(X, y, groups)

    def nested(self, X: Any = None, y: Any = None, groups: ArrayLike | None = None) -> Iterator[NestedFold]:
        """Yield every outer fold with its inner splits."""
        for train, test in self.split(X, y, groups):
            yield NestedFold(train, test, list(self._inner(train, X, y, groups)))

    def get_n_splits(self, X: Any = None, y: Any = None, groups: ArrayLike | None = None) -> int:
        """Return the number of outer folds."""
        return int(_splitter("outer", self.outer, None, self.random_state).get_n_splits(X, y, groups))

    def _inner(self, train: _Rows, X: Any, y: Any, groups: ArrayLike | None) -> Iterator[tuple[_Rows, _Rows]]:
        splitter = _splitter("inner", self.inner, self.outer, self.random_state)
        splitter = splitter.of_rows(train) if hasattr(splitter, "of_rows") else splitter
        own_groups = None if groups is None else np.asarray(groups).ravel()[train]
        # without X and y, a splitter learns the number of rows from X
        own_X = np.zeros((len(train), 1)) if X is None else _safe_indexing(X, train)
        own_y = None if y is None else as_frame(y).iloc[train]
        codes = None if own_groups is None else group_codes(own_groups, len(train))
        order = None if self.time_order is None else self.time_order.of_rows(train)
        for rest, held in splitter.split(own_X, own_y, own_groups):
            _check_inner(np.asarray(rest), np.asarray(held), codes, order, self.inner)
            yield train[rest], train[held]


def _splitter(name: str, given: Any, outer: Any, random_state: Any) -> Any:
    if hasattr(given, "split") and not isinstance(given, str):
        return given
    if not isinstance(given, Integral) or isinstance(given, bool) or given < 1:
        raise OptionError(f"`{name}` of NestedSplit must be a number of folds or a splitter; got {given!r}.")
    if isinstance(outer, TimeSplit):
        return TimeSplit(int(given), times=outer.times, gap=outer.gap, window=outer.window)
    if getattr(outer, "time_order", None) is not None:
        return TimeSplit(int(given), times=outer.time_order.times, gap=outer.time_order.gap)
    return StratifiedTaskKFold(int(given), random_state=random_state)


def _check_inner(rest: _Rows, held: _Rows, codes: _Rows | None, order: TimeOrder | None, inner: Any) -> None:
    if np.intersect1d(rest, held).size:
        raise OptionError(f"`inner` of NestedSplit must not train on its validation rows; {inner!r} does.")
    if not len(rest) or not len(held):
        raise DataError(f"`inner` of NestedSplit leaves no row on one side: {len(rest)} to learn from, {len(held)} to choose by.")
    if codes is not None and np.intersect1d(codes[rest], codes[held]).size:
        raise OptionError(f"`inner` of NestedSplit must keep every group whole; {inner!r} cuts one. Use a number.")
    if order is not None and len(order.before(rest, held)) < len(rest):
        raise OptionError(
            f"`inner` of NestedSplit must learn from earlier rows only, by the gap, as `outer` does; {inner!r} does not. "
            "Use a number."
        )
