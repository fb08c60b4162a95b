"""One word for what an interval says, and when it may say nothing."""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_UNLIKE = 10
"""Held-out rows whose label is not the most common one, such as positives, below which no verdict is given: with fewer an
interval says too often what is not so; see docs/comparison.md."""

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


def too_few_labels(
    tasks: Iterable[FittedTask], targets: Iterable[Array], weights: Iterable[Array], *, least: int = LEAST_UNLIKE
) -> dict[str, str]:
    """Say of which tasks the held-out labels are too few for a verdict, and why.

    Parameters
    ----------
    tasks : iterable of FittedTask
    targets, weights : iterable of arrays of shape (n, n_targets)
        Of the held-out rows, per task; a label of weight 0 is missing.
    least : int, default=LEAST_UNLIKE
        So many rows must have another label than the most common one.

    Returns
    -------
    reasons : dict of task name to text
        Such as "only 3 positives among the held-out rows"; without the tasks that have enough.
    """
    told = {task.name: task.few_labels(*own, least=least) for task, *own in zip(tasks, targets, weights, strict=True)}
    return {name: f"{reason} among the held-out rows" for name, reason in told.items() if reason}
