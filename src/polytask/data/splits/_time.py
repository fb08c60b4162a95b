"""When rows happened: an order of time in which nothing is learned from what comes later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from polytask.data.splits._checks import check_same_length, group_codes
from polytask.exceptions import DataError, OptionError

__all__ = ["TimeOrder", "as_time_order", "cut_positions", "latest_holdout", "read_span", "read_times"]

_Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TimeOrder:
    """The times of rows, and the gap that must lie between what is learned from and what is predicted.

    Parameters
    ----------
    times : array-like of shape (n_samples,)
        Dates, texts that are dates (ISO 8601), or numbers such as years. None missing. Rows of equal time are never cut apart.
    gap : int, float or timedelta, default=0
        Rows before the predicted part that nobody may learn from: a whole number counts rows, a timedelta counts time where
        ``times`` are dates, a float counts time where they are numbers.

    Examples
    --------
    >>> order = TimeOrder(["2024-03-01", "2024-01-01", "2024-02-01"])
    >>> order.before(np.array([0, 1, 2]), np.array([0])).tolist()
    [1, 2]
    >>> TimeOrder([3.0, 1.0, 2.0], gap=1.5).before(np.array([0, 1, 2]), np.array([0])).tolist()
    [1]
    """

    times: ArrayLike
    gap: Any = 0

    def __post_init__(self) -> None:
        values, is_date = read_times(self.times)
        object.__setattr__(self, "values", values)  # [n], microseconds or the numbers given
        object.__setattr__(self, "is_date", is_date)
        object.__setattr__(self, "_gap", read_span("gap", self.gap, is_date=is_date, positive=False))

    values: NDArray[Any] = None  # type: ignore[assignment]
    is_date: bool = False
    _gap: tuple[str, float] = ("rows", 0)

    def __len__(self) -> int:
        return len(self.values)

    def of_rows(self, rows: ArrayLike) -> TimeOrder:
        """Return the order of some of the rows, such as those of a training fold."""
        return TimeOrder(_as_times(self.values[np.asarray(rows)], self.is_date), self.gap)

    def before(self, rows: _Rows, held: _Rows) -> _Rows:
        """Return those of ``rows`` that are earlier than all of ``held``, by the gap at least; in the order given."""
        unit, size = self._gap
        times, start = self.values[rows], self.values[held].min()
        if unit == "time":
            return rows[times < start - size] if size else rows[times < start]
        earlier = np.sort(times[times < start])
        if not size or not len(earlier):
            return rows[times < start]
        if size >= len(earlier):
            return rows[:0]
        return rows[times < earlier[-int(size)]]  # rows of the time at which the gap begins are in it

    def shown(self, rows: _Rows) -> tuple[str, str]:
        """Return the first and the last time of some rows, as text."""
        ends = _as_times(np.array([self.values[rows].min(), self.values[rows].max()]), self.is_date)
        first, last = (str(pd.Timestamp(end)) if self.is_date else f"{end:g}" for end in ends)
        return first, last


def latest_holdout(
    times: TimeOrder | ArrayLike, *, test_size: float = 0.2, rows: ArrayLike | None = None, groups: ArrayLike | None = None
) -> tuple[_Rows, _Rows]:
    """Hold out the latest rows; the inner validation split where an order of time is given.

    Parameters
    ----------
    times : TimeOrder or array-like of shape (n_samples,)
        A :class:`TimeOrder` brings its gap.
    test_size : float, default=0.2
        Share of the rows to hold out, in (0, 1); rows of equal time stay together, so it is the nearest share that they allow.
    rows : int array, optional
        Divide these rows only.
    groups : array of shape (n_samples,), optional
        Earlier rows of a group that is held out are left out of both parts, so that no group is on both sides.

    Returns
    -------
    train, held : arrays of int64
        Row numbers, ascending; every held row is later than every training row, by the gap at least.

    Raises
    ------
    OptionError
        If ``test_size`` is not a share.
    DataError
        If there are fewer than two different times, or gap and groups leave nothing to learn from.

    Examples
    --------
    >>> train, held = latest_holdout([2020, 2023, 2021, 2022, 2023], test_size=0.4)
    >>> train.tolist(), held.tolist()
    ([0, 2, 3], [1, 4])
    """
    order = times if isinstance(times, TimeOrder) else TimeOrder(times)
    if isinstance(test_size, bool) or not isinstance(test_size, Real) or not 0 < float(test_size) < 1:
        raise OptionError(f"`test_size` of latest_holdout must be a share in (0, 1); got {test_size!r}.")
    own = np.arange(len(order)) if rows is None else np.sort(np.asarray(rows, dtype=np.int64))
    cuts = cut_positions(order.values[own])
    if not len(cuts):
        raise DataError("Holding out the latest rows needs at least 2 different times; got 1. Is this the right column?")
    wanted = (1 - float(test_size)) * len(own)
    cut = cuts[np.abs(cuts - wanted).argmin()]
    by_time = own[np.argsort(order.values[own], kind="stable")]
    held = np.sort(by_time[cut:])
    train = order.before(own, held)
    if groups is not None:
        codes = group_codes(groups, len(order))
        train = train[~np.isin(codes[train], codes[held])]
    if not len(train):
        raise DataError(
            f"No row is left to learn from before the latest {len(held)} rows: "
            "the gap, or groups with rows in both parts, take all of them."
        )
    return train, held


def as_time_order(times: TimeOrder | ArrayLike | None, n_samples: int) -> TimeOrder | None:
    """Return times as an order of ``n_samples`` rows; None stays None.

    Raises
    ------
    DataError
        If there is not one time per row.
    """
    if times is None:
        return None
    order = times if isinstance(times, TimeOrder) else TimeOrder(times)
    check_same_length("times", order.values, n_samples)
    return order


def cut_positions(values: NDArray[Any]) -> _Rows:
    """Return where a sorted copy of the times may be cut: before every time but the first."""
    ordered = np.sort(values)
    return np.flatnonzero(ordered[1:] != ordered[:-1]) + 1


def read_times(times: ArrayLike) -> tuple[NDArray[Any], bool]:
    """Return times as numbers that sort (dates: whole microseconds), and whether they are dates.

    Raises
    ------
    DataError
        If a time is missing, infinite, no date and no number.
    """
    column: pd.Series[Any] = pd.Series(times).reset_index(drop=True).infer_objects()
    if isinstance(column.dtype, pd.PeriodDtype):
        column = pd.Series(pd.PeriodIndex(column).to_timestamp())
    n_missing = int(column.isna().sum())
    if n_missing:
        raise DataError(f"`times` must hold a time for every row; got {n_missing} missing. Leave these rows out, or fill them.")
    if not len(column):
        raise DataError("`times` must hold a time for every row; got none.")
    if pd.api.types.is_bool_dtype(column):
        raise DataError("`times` must be dates or numbers; got truth values.")
    if pd.api.types.is_numeric_dtype(column) and column.dtype.kind in "iuf":
        numbers = column.to_numpy(dtype=np.int64 if column.dtype.kind == "i" else np.float64)
        if not np.isfinite(numbers).all():
            raise DataError("`times` must be finite; got infinite ones.")
        return numbers, False
    try:
        dates = pd.to_datetime(column, utc=True, format="ISO8601")  # no guess: 01/02/2024 is January to some, February to others
        return dates.dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64), True
    except (ValueError, TypeError, OverflowError) as error:
        strange = column[pd.to_datetime(column.astype(str), utc=True, errors="coerce", format="ISO8601").isna()]
        raise DataError(
            f"`times` must be numbers, dates, or texts such as 2024-01-31; got {[*strange, *column][0]!r}. "
            "Read other texts by pandas.to_datetime first, which can be told the order of day and month."
        ) from error


def read_span(name: str, span: Any, *, is_date: bool, positive: bool) -> tuple[str, float]:
    """Return a length as ("rows", number) or ("time", length in the unit of the times).

    Raises
    ------
    OptionError
        If it is negative (or not positive), or of a unit that the times do not have.
    """
    found: tuple[str, float] | None = None
    if isinstance(span, Integral) and not isinstance(span, bool | np.timedelta64):  # numpy's durations are Integral too
        found = "rows", int(span)
    elif is_date and isinstance(span, timedelta | np.timedelta64 | str):
        try:
            found = "time", int(pd.Timedelta(span) / pd.Timedelta(microseconds=1))
        except (ValueError, TypeError):
            found = None
    elif not is_date and isinstance(span, float | np.floating) and np.isfinite(span):
        found = "time", float(span)
    if found is None or found[1] < 0 or (positive and not found[1]):
        why = "since times are dates" if is_date else "since times are numbers"
        duration = (
            "a duration such as timedelta(days=30) or '30 days'" if is_date else "a float in the unit of the times, such as 0.5"
        )
        sign = "positive" if positive else "not negative"
        shown = str(span) if isinstance(span, timedelta) else repr(span)
        raise OptionError(f"`{name}` must be a whole number of rows or, {why}, {duration}, {sign}; got {shown}.")
    return found


def _as_times(values: NDArray[Any], is_date: bool) -> NDArray[Any]:
    return values.astype("datetime64[us]") if is_date else values
