"""One word for what an interval says."""

from typing import Literal

Verdict = Literal["helped", "harmed", "equivalent", "undecided", "none"]
"""What may be said of a gain; "none" where no interval can be had."""


def verdict(low: float, high: float, *, margin: float = 0.01) -> Verdict:
    """Say what the interval of a gain says.

    Parameters
    ----------
    low, high : float
        The interval that is drawn, in points of skill (1.0 = 100 points).
    margin : float, default=0.01
        Gains smaller than this do not matter to anybody.

    Returns
    -------
    verdict : str
        "equivalent" if the interval lies inside ``[-margin, margin]`` (even where it excludes 0: a sure gain of a tenth of a
        point is not help); "helped" or "harmed" if it excludes 0; else "undecided".

    Examples
    --------
    >>> verdict(0.02, 0.05), verdict(-0.05, -0.02), verdict(-0.004, 0.006), verdict(-0.02, 0.05)
    ('helped', 'harmed', 'equivalent', 'undecided')
    """
    if not low <= high:
        raise ValueError(f"`low` of a verdict must not be above `high`; got {low} and {high}.")
    if -margin <= low and high <= margin:
        return "equivalent"
    if low > 0:
        return "helped"
    return "harmed" if high < 0 else "undecided"
