"""Folds in order of time: learn from the past, predict what comes later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator

from polytask.data.splits._checks import check_count, check_same_length, group_codes
from polytask.data.splits._time import TimeOrder, cut_positions, read_span
from polytask.exceptions import DataError, OptionError

__all__ = ["TimeSplit"]

_Rows = NDArray[np.int64]


class TimeSplit(BaseCrossValidator, BaseEstimator):
    """The latest rows in ``n_splits`` windows, each predicted from what came before it.

    Parameters
    ----------
    n_splits : int, default=5
        Number of test windows, at least 1.
    times : array-like of shape (n_samples,)
        Dates, texts that are dates, or numbers such as years; the order of the rows does not matter. Rows of equal time are
        never cut apart, so windows differ a little in size where times repeat.
    gap : int, float or timedelta, default=0
        What lies between training and test rows and is in neither: a number of rows, a timedelta where ``times`` are dates, a
        float where they are numbers. Use it where a label is known only some time after its row.
    window : {"expanding", "sliding"}, default="expanding"
        Train on all earlier rows, or on the latest of them only.
    train_size : int, float or timedelta, optional
        Of a sliding window; by default the size of the first training part.
    test_size : int, float or timedelta, optional
        Of a test window; by default ``n_samples // (n_splits + 1)`` rows.

    Notes
    -----
    With ``groups``, training rows of a group that the fold tests are left out of that fold: no group is on both sides. Errors
    are raised by :meth:`split`: ``OptionError`` for a setting, ``DataError`` for times that cannot be used, such as fewer
    different ones than windows.

    Examples
    --------
    >>> for train, test in TimeSplit(2, times=[2024, 2020, 2021, 2023, 2022, 2025]).split():
    ...     print(train.tolist(), test.tolist())
    [1, 2] [3, 4]
    [1, 2, 3, 4] [0, 5]
    >>> [(train, test)] = TimeSplit(1, times=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], gap=1.5, window="sliding", train_size=2.0).split()
    >>> train.tolist(), test.tolist()
    ([0, 1], [3, 4, 5])
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        times: ArrayLike,
        gap: Any = 0,
        window: str = "expanding",
        train_size: Any = None,
        test_size: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.times = times
        self.gap = gap
        self.window = window
        self.train_size = train_size
        self.test_size = test_size

    @property
    def time_order(self) -> TimeOrder:
        """Times and gap, which inner splits follow too."""
        return TimeOrder(self.times, self.gap)

    def of_rows(self, rows: ArrayLike) -> TimeSplit:
        """Return the same splitter for some of the rows."""
        order = self.time_order.of_rows(rows)
        settings = {name: getattr(self, name) for name in ("gap", "window", "train_size", "test_size")}
        return TimeSplit(self.n_splits, times=order.times, **settings)

    def split(self, X: Any = None, y: Any = None, groups: ArrayLike | None = None) -> Iterator[tuple[_Rows, _Rows]]:
        """Yield the row numbers (train, test), ascending, of every window, the earliest first."""
        check_count("n_splits", "TimeSplit", self.n_splits, least=1)
        if self.window not in ("expanding", "sliding"):
            raise OptionError(f"`window` of TimeSplit must be 'expanding' or 'sliding'; got {self.window!r}.")
        if self.train_size is not None and self.window == "expanding":
            raise OptionError("`train_size` of TimeSplit is for a sliding window; an expanding one trains on all earlier rows.")
        order = self.time_order
        for name, given in (("X", X), ("y", y)):
            if given is not None:
                check_same_length(name, given, len(order))
        codes = None if groups is None else group_codes(groups, len(order))
        rows = np.arange(len(order))
        edges, first = self._edges(order), None
        for window in range(self.n_splits):
            later = order.values >= edges[window]
            test = rows[later if window == self.n_splits - 1 else later & (order.values < edges[window + 1])]
            train = order.before(rows, test)
            if self.window == "sliding":
                first = len(train) if first is None else first
                train = self._latest(order, train, first)
            if codes is not None:
                train = train[~np.isin(codes[train], codes[test])]
            if not len(train):
                n_before = int((order.values < edges[window]).sum())
                takes = "the gap takes" if codes is None else "the gap, or groups that go on through time, take"
                raise DataError(
                    f"Window {window + 1} of {self.n_splits} has no row to learn from: {takes} all "
                    f"{n_before} rows before it. Use fewer windows or a smaller gap."
                )
            yield train, test

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of test windows."""
        return self.n_splits

    def _edges(self, order: TimeOrder) -> NDArray[Any]:
        """Return the first time of every window [n_splits]."""
        ordered, n = np.sort(order.values), len(order)
        size = max(n // (self.n_splits + 1), 1) if self.test_size is None else self.test_size
        unit, length = read_span("test_size", size, is_date=order.is_date, positive=True)
        back = np.arange(self.n_splits, 0, -1) * length
        positions = n - back if unit == "rows" else np.searchsorted(ordered, ordered[-1] - back, side="right")
        cuts = cut_positions(order.values)
        if not len(cuts):
            raise DataError("`times` must hold at least 2 different times; got 1. Is this the right column?")
        if positions[0] < 1:
            raise DataError(
                f"{self.n_splits} test windows of {size} {'rows' if unit == 'rows' else 'of time'} leave nothing to learn from "
                f"before the first; the table has {n} rows. Use fewer or shorter windows."
            )
        snapped = cuts[np.abs(cuts[None, :] - positions[:, None]).argmin(axis=1)]
        if (np.diff(snapped) <= 0).any():
            raise DataError(
                f"{self.n_splits} test windows need different times in each; got {len(cuts) + 1} different times in {n} "
                "rows, too "
                "few, or a window without rows. Use fewer or longer windows."
            )
        return np.asarray(ordered[snapped])

    def _latest(self, order: TimeOrder, train: _Rows, first: int) -> _Rows:
        """Return the latest of the training rows, whole times only: at least one, as near the wanted size as they allow."""
        if not len(train):
            return train
        size = first if self.train_size is None else self.train_size
        unit, length = read_span("train_size", size, is_date=order.is_date, positive=True)
        times = np.sort(order.values[train])
        if unit == "time":
            return train[order.values[train] > times[-1] - length]
        cuts = np.concatenate([[0], cut_positions(times)])
        cut = cuts[np.abs(cuts - (len(times) - length)).argmin()]
        return train[order.values[train] >= times[cut]]
