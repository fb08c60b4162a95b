"""Folds inside of training rows, by the rule of the folds around them: groups whole, nothing learned from later rows."""

from numbers import Integral
from typing import Any

import numpy as np

from polytask.data.splits import StratifiedTaskKFold, TimeSplit
from polytask.estimators._bagged import LearningData, Split
from polytask.exceptions import DataError, OptionError
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]


def inner_folds(data: LearningData, rows: Array, folds: Any, *, seed: int) -> list[Split]:
    """Divide training rows into folds, each held out once.

    Parameters
    ----------
    rows : int array
        Positions in the table of ``data``; those without any label are in no fold.
    folds : int or splitter
        A number means folds stratified over all tasks, fewer where there are fewer rows or groups; with times, windows in their
        order, so that the first rows are never held out. A scikit-learn splitter is used as it is.
    seed : int

    Returns
    -------
    splits : list of (train, held)
        Positions in the table.

    Raises
    ------
    OptionError
        If ``folds`` is neither a number of at least 2 nor a splitter, or the splitter trains on what it holds out.
    DataError
        If there are not two rows, groups or times.
    """
    usable = rows[data.weight[rows].sum(axis=1) > 0]
    groups = None if data.groups is None else np.asarray(data.groups)[usable]
    nothing = np.zeros((len(usable), 1))
    if hasattr(folds, "split") and not isinstance(folds, str):
        pairs = [(np.asarray(train), np.asarray(held)) for train, held in folds.split(nothing, _strata(data, usable), groups)]
        if any(len(np.intersect1d(train, held)) for train, held in pairs):
            raise OptionError(f"`folds` must not train on rows that they hold out; {folds!r} does. Use k folds.")
        return [(usable[train], usable[held]) for train, held in pairs]
    if isinstance(folds, bool) or not isinstance(folds, Integral) or folds < 2:
        raise OptionError(f"`folds` must be a whole number >= 2, or a splitter; got {folds!r}.")
    if data.times is not None:
        return _windows(data, usable, groups, int(folds))
    n_units = len(usable) if groups is None else len(np.unique(groups))
    if n_units < 2:
        raise DataError(f"Inner folds need at least 2 {'rows with a label' if groups is None else 'groups'}; got {n_units}.")
    splitter = StratifiedTaskKFold(min(int(folds), n_units), strata=_strata(data, usable), random_state=seed_of(seed, 7) % 2**32)
    return [(usable[train], usable[held]) for train, held in splitter.split(nothing, groups=groups)]


def fold_of_rows(splits: list[Split], n: int) -> Array:
    """Fold that holds each of ``n`` rows out; -1 where none does."""
    found = np.full(n, -1)
    for fold, (_, held) in enumerate(splits):
        found[held] = fold
    return found


def _strata(data: LearningData, rows: Array) -> Array:
    """True/False columns of what the folds balance, [n, n_strata]."""
    slices = data.labels.slices
    return np.concatenate([task.strata(data.labels.target[rows][:, slices[task.name]]) for task in data.labels.tasks], axis=1)


def _windows(data: LearningData, rows: Array, groups: Any, folds: int) -> list[Split]:
    """As many windows as the times allow."""
    assert data.times is not None
    order = data.times.of_rows(rows)
    for n_windows in range(folds, 0, -1):
        try:
            pairs = list(TimeSplit(n_windows, times=order.times, gap=order.gap).split(groups=groups))
        except DataError:
            if n_windows == 1:
                raise
        else:
            return [(rows[train], rows[held]) for train, held in pairs]
    raise AssertionError("unreachable")
