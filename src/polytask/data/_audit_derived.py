"""Targets that could be made of a number: whether there is any, and its logarithm."""

from typing import Any

import numpy as np
from scipy import stats

from polytask.data._audit_columns import Floats

MIN_LABELS = 50
MANY_ZEROS, MANY_OTHERS = 0.2, 0.05  # shares of labels
STRONG_SKEW = 2.0


def propose_derived(column: str, target: Floats) -> list[dict[str, Any]]:
    """Propose targets made of a column of numbers.

    Parameters
    ----------
    column : str
    target : float64 array of shape (n,)
        NaN is missing.

    Returns
    -------
    proposals : list of dict
        ``target``: as :func:`~polytask.tasks.parse_targets` takes it; ``why``; ``n_labels``: rows for which it is defined.
        Whether there is any, where a fifth or more of the numbers are 0 and the others are above it; the logarithm, where the
        numbers are skewed to the right (skewness above 2) and their logarithms are less than half as much.

    >>> views = np.where(np.arange(200) % 4 == 0, 0.0, np.exp(np.arange(200) % 9))
    >>> [proposal["target"] for proposal in propose_derived("views", views)]
    ['views>0 as any_views', 'log1p(views)']
    """
    seen = target[~np.isnan(target)]
    if len(seen) < MIN_LABELS or seen.min() < 0 or seen.min() == seen.max():
        return []
    found = []
    zeros = float((seen == 0).mean())
    if zeros >= MANY_ZEROS and 1 - zeros >= MANY_OTHERS:
        why = f"{zeros:.0%} of the numbers are 0: whether there is any may be learned apart from how many"
        found.append({"target": f"{column}>0 as any_{column}", "why": why, "n_labels": len(seen)})
    function, logarithm = ("log", np.log(seen)) if seen.min() > 0 else ("log1p", np.log1p(seen))
    skew, after = float(stats.skew(seen)), float(stats.skew(logarithm))
    if skew > STRONG_SKEW and abs(after) < skew / 2:
        why = f"skewed to the right (skewness {skew:.1f}, of the logarithm {after:.1f}): few large numbers make most of the error"
        found.append({"target": f"{function}({column})", "why": why, "n_labels": len(seen)})
    return found
