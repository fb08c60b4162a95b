"""Dates as numbers: a trend, the parts that people speak of, and circles."""

import numpy as np

from polytask.data._values import Floats

PARTS = ("days", "year", "month", "weekday", "hour", "year_sin", "year_cos", "week_sin", "week_cos", "day_sin", "day_cos")
_OF_TIMES = ("hour", "day_sin", "day_cos")
OLD_PARTS = ("days", "year_sin", "year_cos", "week_sin", "week_cos")  # of a model folder that does not name its parts


def old_parts(*, has_time: bool) -> tuple[str, ...]:
    """Parts of the first version: days and circles.

    >>> old_parts(has_time=True)[-2:]
    ('day_sin', 'day_cos')
    """
    return OLD_PARTS + (("day_sin", "day_cos") if has_time else ())


def date_part(days: Floats, part: str) -> Floats:
    """One part of dates.

    Parameters
    ----------
    days : float64 array of shape (n,)
        Days since 1970-01-01, NaN where missing.
    part : str
        One of :data:`PARTS`: days since 1970, the year, the month 1 to 12, the weekday 0 (Monday) to 6, the hour with its
        fraction; and the phase in year, week and day as sine and cosine, so that December is beside January.

    Returns
    -------
    values : float64 array of shape (n,)
        NaN where missing.

    Examples
    --------
    >>> [float(date_part(np.array([19_874.25]), part)[0]) for part in ("year", "month", "weekday", "hour")]  # 2024-05-31 06:00
    [2024.0, 5.0, 4.0, 6.0]
    """
    if part == "days":
        return days
    if part in ("year", "month"):
        missing = np.isnan(days)
        months = np.where(missing, 0, np.floor(days)).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        return np.where(missing, np.nan, months // 12 + 1970 if part == "year" else months % 12 + 1)
    if part == "weekday":
        return (np.floor(days) + 3) % 7  # 1970-01-01 was a Thursday
    if part == "hour":
        return np.round(days % 1 * 86_400, 3) / 3_600
    span, _, wave = part.partition("_")
    phase = 2 * np.pi * (days / {"year": 365.2425, "week": 7.0, "day": 1.0}[span] % 1)
    return np.sin(phase) if wave == "sin" else np.cos(phase)


def parts_that_vary(days: Floats, *, has_time: bool) -> tuple[str, ...]:
    """Parts with more than one value, and the days themselves; those of the time of day only where there are times.

    >>> parts_that_vary(np.array([19_874.0, 19_875.0]), has_time=False)[:3]
    ('days', 'month', 'weekday')
    """
    seen = days[~np.isnan(days)]
    candidates = [part for part in PARTS if has_time or part not in _OF_TIMES]
    return tuple(part for part in candidates if part == "days" or (len(seen) and np.ptp(date_part(seen, part)) > 0))
