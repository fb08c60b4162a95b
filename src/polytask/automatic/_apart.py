"""What a portfolio would be worth without the models that learned the tasks together."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from polytask.automatic._mixtures import TaskRows, mix
from polytask.automatic._portfolio import Portfolio
from polytask.automatic._shared_split import parts_of_rows
from polytask.estimators import LearningData

Array = np.ndarray[Any, np.dtype[Any]]


def skills_apart(
    portfolio: Portfolio, data: LearningData, splits: Sequence[tuple[Array, Array]], *, seed: int, until: float = np.inf
) -> dict[str, float]:
    """Mix the models that learned each task alone, and score that as the whole portfolio is scored.

    Parameters
    ----------
    portfolio : Portfolio
    data, splits, seed
        That it was fitted with.
    until : float, default=inf
        Of ``time.monotonic()``.

    Returns
    -------
    skills : dict of task name to float
        Cross-fitted: weights are chosen on other rows than those that are scored. NaN where a task has no such model or no
        skill. Empty where no model learned the tasks together, or there is no time.
    """
    alone = {name: own for name, own in portfolio.bagged.items() if not own.together}
    if len(alone) in (0, len(portfolio.bagged)) or any(len(own.models) != len(splits) for own in alone.values()):
        return {}
    parts, found = parts_of_rows(data, list(splits), seed=seed), {}
    for task in portfolio.tasks:
        if time.monotonic() > until:
            return {}
        rows = TaskRows(task, data, data.labels.slices[task.name], parts)
        found[task.name] = mix(rows, alone)[0].skill if rows.outputs_of(alone) else float("nan")
    return found
