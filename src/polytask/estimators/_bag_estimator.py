"""Bagging over folds of whatever can be a part of an ensemble."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from polytask.estimators._bagged import Bagged, LearningData, Split, bag_network
from polytask.estimators._fit_on_rows import Fit, data_of, fit_on_rows, learns_together
from polytask.estimators._multi_task_network import MultiTaskNetwork
from polytask.training import seed_of


def bag_estimator(
    name: str,
    candidate: Any,
    data: LearningData,
    splits: Sequence[Split],
    *,
    seed: int,
    deadline: float = np.inf,
    on_fold: Callable[[int], None] | None = None,
) -> Bagged:
    """Fit a model per fold; whatever it divides inside, it divides the training rows of the fold.

    Parameters
    ----------
    candidate : as in :func:`fit_on_rows`
        Networks of all folds are trained at once.
    splits : sequence of pairs of int arrays
        Training and held-out rows of every fold.
    deadline : float, default=inf
        Of ``time.monotonic()``. A fold is not begun if, by the time of the slowest one before, it would end later.
    """
    if isinstance(candidate, MultiTaskNetwork):
        return bag_network(name, candidate, data_of(candidate, data), splits, seed=seed, deadline=deadline)

    def fit(data: LearningData, rows: Any, seed: int) -> Any:
        return fit_on_rows(candidate, data, rows, seed=seed)

    together = learns_together(candidate)
    return bag_by(fit, data, splits, seed=seed, name=name, together=together, deadline=deadline, on_fold=on_fold)


def bag_by(
    fit: Fit,
    data: LearningData,
    splits: Sequence[Split],
    *,
    seed: int,
    name: str = "",
    together: bool = False,
    deadline: float = np.inf,
    on_fold: Callable[[int], None] | None = None,
) -> Bagged:
    """Fit by a function of data, rows and seed, once per fold; see :func:`bag_estimator`."""
    bagged, slowest = Bagged(name, together=together), 0.0
    for fold, (rows, held) in enumerate(splits):
        started = time.monotonic()
        if fold and started + slowest > deadline:
            break
        model = fit(data, rows, seed_of(seed, fold) % 2**31)
        bagged.models.append(model)
        bagged.put(held, model.outputs(data.table.arrays.take(held)), len(data.weight))
        slowest = max(slowest, time.monotonic() - started)
        bagged.seconds += time.monotonic() - started
        if on_fold is not None:
            on_fold(fold)
    bagged.is_whole = len(bagged.models) == len(splits)
    return bagged
