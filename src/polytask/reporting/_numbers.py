"""Numbers and names as a reader wants to see them: few digits, units, nothing that breaks a page or a terminal."""

import math
from typing import Any

UNDEFINED = "undefined"
_JOINERS = {"\u200c", "\u200d"}  # needed inside words (Persian, Indic scripts) and emoji


def finite(value: Any) -> float | None:
    """Read ``value`` as a finite float, or None where there is none (None, NaN, infinity, text).

    Examples
    --------
    >>> finite(2), finite(float("nan")), finite(None)
    (2.0, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def printable(text: Any) -> str:
    r"""Give text that is safe to show: control characters, direction overrides and lone surrogates become a mark.

    Examples
    --------
    >>> printable("price\x1b[2J"), printable("two\nlines")
    ('price�[2J', 'two lines')
    """
    return "".join(
        character
        if character.isprintable() or character in _JOINERS
        else " "
        if character.isspace()
        else "\N{REPLACEMENT CHARACTER}"
        for character in str(text)
    )


def points(skill: Any, *, decimals: int = 1, sign: bool = False) -> str:
    """Write a skill or a gain in points (hundredths of skill).

    Parameters
    ----------
    skill : float or None
        In units of skill: 0 is a constant, 1 is perfect.
    decimals : int, default=1
    sign : bool, default=False
        Whether to write the plus of a positive number (for gains).

    Examples
    --------
    >>> points(0.264), points(0.021, sign=True), points(-0.0001, sign=True), points(None)
    ('26.4', '+2.1', '0.0', 'undefined')
    """
    value = finite(skill)
    if value is None:
        return UNDEFINED
    rounded = round(100 * value, decimals) or 0.0  # "or" turns -0.0 into 0.0
    return f"{rounded:+,.{decimals}f}" if sign and rounded else f"{rounded:,.{decimals}f}"


def interval(low: Any, high: Any, *, decimals: int = 1) -> str:
    """Write an interval of gains in points, or an empty text where there is none.

    Examples
    --------
    >>> interval(0.004, 0.038), interval(None, 0.1)
    ('[+0.4, +3.8]', '')
    """
    if finite(low) is None or finite(high) is None:
        return ""
    return f"[{points(low, decimals=decimals, sign=True)}, {points(high, decimals=decimals, sign=True)}]"


def interval_decimals(low: float | None, high: float | None) -> int:
    """As many decimals as keep a bound that is not zero from reading as zero: "[0.0, 3.1], helped" would puzzle.

    Examples
    --------
    >>> interval_decimals(0.01, 0.03), interval_decimals(0.0002, 0.031)
    (1, 2)
    """
    if low is None or high is None or low == high:
        return 1
    told = [100 * (high - low), *([100 * low, 100 * high] if low * high > 0 else [])]
    return next((decimals for decimals in (1, 2) if all(round(value, decimals) for value in told)), 3)


def significant(value: Any, digits: int = 3) -> str:
    """Write a number of any size with about ``digits`` significant digits.

    Examples
    --------
    >>> significant(12345.678), significant(0.012345), significant(1.5e-9), significant(7), significant(None)
    ('12,346', '0.0123', '1.5e-09', '7', 'undefined')
    """
    number = finite(value)
    if number is None:
        return UNDEFINED
    if number == int(number) and abs(number) < 1e15:
        return f"{int(number):,}"
    size = abs(number)
    if not 1e-4 <= size < 1e15:
        return f"{number:.{digits - 1}g}" if size else "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    return f"{number:,.{decimals}f}"


def percent(share: Any, *, decimals: int = 1, sign: bool = False) -> str:
    """Write a share as a percentage.

    Examples
    --------
    >>> percent(0.0237), percent(-0.5, sign=True, decimals=0)
    ('2.4 %', '-50 %')
    """
    text = points(share, decimals=decimals, sign=sign)
    return text if text == UNDEFINED else f"{text} %"


def probability(p_value: Any) -> str:
    """Write a p-value with as many digits as one may read.

    Examples
    --------
    >>> probability(0.0001), probability(0.0312), probability(0.412)
    ('< 0.001', '0.031', '0.41')
    """
    value = finite(p_value)
    if value is None:
        return UNDEFINED
    if value < 0.001:
        return "< 0.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def duration(seconds: Any) -> str:
    """Write a time span.

    Examples
    --------
    >>> duration(0.0312), duration(41.23), duration(200), duration(7500)
    ('0.031 s', '41 s', '3 min 20 s', '2 h 5 min')
    """
    value = finite(seconds)
    if value is None:
        return UNDEFINED
    if value < 10:
        return f"{significant(value, 2)} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def plural(count: int, noun: str, many: str | None = None) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> plural(1, "task"), plural(1200, "row")
    ('1 task', '1,200 rows')
    """
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"
