"""The split that all candidates of a portfolio share."""

from typing import Any

import numpy as np

from polytask.data.splits import StratifiedTaskKFold, TimeSplit
from polytask.estimators import LearningData, selection_split
from polytask.exceptions import DataError
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]
Split = tuple[Array, Array]

FOLDS = ((1_000, 8), (20_000, 5), (100_000, 3))  # rows below which so many folds are made; above, one holdout
HOLDOUT = 0.2
WINDOW = 0.1  # share of the rows in each window of later rows
PARTS = 5  # of the rows of a single holdout, by which the mixture is scored


def number_of_folds(n_rows: int) -> int:
    """Folds for so many labelled rows.

    >>> [number_of_folds(n) for n in (200, 5_000, 50_000, 500_000)]
    [8, 5, 3, 1]
    """
    return next((folds for below, folds in FOLDS if n_rows < below), 1)


def fewer_folds(n_folds: int) -> int:
    """The next smaller number of folds that is worth it.

    >>> fewer_folds(8), fewer_folds(5), fewer_folds(3), fewer_folds(1)
    (5, 3, 1, 1)
    """
    return {8: 5, 5: 3}.get(n_folds, 1)


def shared_split(data: LearningData, *, n_folds: int, seed: int, reserved: Array | None = None) -> list[Split]:
    """Training and held-out rows of every fold.

    Rows that the user reserves are held out, once. With times the latest rows are held out, in windows that are each learned
    from all that came before. Otherwise folds are stratified over all tasks, groups whole.

    Parameters
    ----------
    data : LearningData
    n_folds : int
        1 for a single holdout; fewer are made where there are fewer groups or times.
    seed : int
    reserved : bool array of shape (n,), optional

    Raises
    ------
    DataError
        If there are too few rows, groups or times to hold anything out.
    """
    rows = np.flatnonzero(data.weight.sum(axis=1) > 0)
    if reserved is not None and reserved[rows].any():
        if reserved[rows].all():
            raise DataError(f"All {len(rows)} rows with a label are reserved for validation. Leave some to learn from.")
        return [(rows[~reserved[rows]], rows[reserved[rows]])]
    if data.times is not None:
        return _windows(data, rows, 3 if n_folds > 1 else 1, seed)
    groups = None if data.groups is None else np.asarray(data.groups)[rows]
    n_units = len(rows) if groups is None else len(np.unique(groups))
    if n_units < 2:
        raise DataError(
            "A portfolio holds rows out and needs at least 2 "
            f"{'rows with a label' if groups is None else 'groups'}; got {n_units}. Pass more."
        )
    if n_folds == 1:
        return [_holdout(data, rows, seed)]
    folds = StratifiedTaskKFold(min(n_folds, n_units), strata=_strata(data, rows), random_state=seed_of(seed, 11) % 2**32)
    return [(rows[train], rows[held]) for train, held in folds.split(np.zeros((len(rows), 1)), groups=groups)]


def parts_of_rows(data: LearningData, splits: list[Split], *, seed: int) -> Array:
    """Part of every row, int [n], by which mixtures are chosen and scored crosswise; -1 where no fold holds it out."""
    found = np.full(len(data.weight), -1)
    for fold, (_, held) in enumerate(splits):
        found[held] = fold
    if len(splits) > 1:
        return found
    held = splits[0][1]
    groups = None if data.groups is None else np.asarray(data.groups)[held]
    n_parts = min(PARTS, len(held) if groups is None else len(np.unique(groups)))
    if n_parts > 1:
        folds = StratifiedTaskKFold(n_parts, strata=_strata(data, held), random_state=seed_of(seed, 12) % 2**32)
        found[held] = folds.fold_of_rows(np.zeros((len(held), 1)), groups=groups)
    return found


def _holdout(data: LearningData, rows: Array, seed: int) -> Split:
    return selection_split(
        data.labels,
        data.weight,
        rows=rows,
        groups=data.groups,
        times=data.times,
        selection=HOLDOUT,
        seed=seed_of(seed, 11),
    )


def _windows(data: LearningData, rows: Array, n_windows: int, seed: int) -> list[Split]:
    """As many windows of the latest rows as the times allow."""
    assert data.times is not None
    order = data.times.of_rows(rows)
    groups = None if data.groups is None else np.asarray(data.groups)[rows]
    size = max(1, round(WINDOW * len(rows)))
    if n_windows > 1 and (n_windows + 1) * size < len(rows):
        try:
            pairs = list(TimeSplit(n_windows, times=order.times, gap=order.gap, test_size=size).split(groups=groups))
            return [(rows[train], rows[held]) for train, held in pairs]
        except DataError:  # times repeat, or the gap is wide
            pass
    return [_holdout(data, rows, seed)]


def _strata(data: LearningData, rows: Array) -> Array:
    """True/False columns of what the folds balance, [len(rows), n_strata]."""
    slices = data.labels.slices
    return np.concatenate([task.strata(data.labels.target[rows][:, slices[task.name]]) for task in data.labels.tasks], axis=1)
