"""What each task of a portfolio is predicted from: columns shuffled among held-out rows, within the time that is left."""

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from polytask.automatic._portfolio import Portfolio
from polytask.data import TableArrays, TableCodec
from polytask.estimators import LearningData
from polytask.evaluation import CodedRows, FoldPlan, HeldOutRows, importance_of, time_blocks

Array = np.ndarray[Any, np.dtype[Any]]
Split = tuple[Array, Array]

REPEATS = (5, 3, 2)  # permutations of a column: as many as there is time for
MOST_ROWS, LEAST_ROWS = 2_000, 100
HASTE = 0.7  # of the time, by what one prediction takes

NOT_MEASURED = "What columns matter was not measured"
MORE_TIME = "A longer time limit gives it time, and so does `importance` of a predictor in Python."
HOLDS_FOR = "the models of each fold, mixed as told, on rows drawn like these"


def portfolio_importance(
    portfolio: Portfolio, data: LearningData, splits: Sequence[Split], codec: TableCodec, *, seed: int, until: float
) -> tuple[dict[str, Any] | None, str]:
    """Measure the importance of raw columns per task, each fold's models asked about the rows that they have not seen.

    Parameters
    ----------
    splits : sequence of pairs of int arrays
        Training and held-out rows of every fold.
    seed : int
    until : float
        Of ``time.monotonic()``. Where time is short there are fewer permutations, then fewer folds, then fewer rows of one, or
        nothing is measured.

    Returns
    -------
    importance : dict or None
        Plain JSON of :class:`~polytask.evaluation.Importance`.
    note : str
        Why there is none; empty if there is.
    """
    n_columns, n_folds = len(codec.used), len(next(iter(portfolio.bagged.values())).models)
    parts = _parts(portfolio, data, splits[:n_folds], codec, MOST_ROWS, seed)
    if not parts or not n_columns:
        return None, f"{NOT_MEASURED}: too few rows were held out."
    started = time.perf_counter()
    parts[0].inputs.outputs()
    once = (time.perf_counter() - started) * sum(len(own.rows) for own in parts) / len(parts[0].rows)
    may_take = HASTE * (until - time.monotonic())
    n_repeats = next((n for n in REPEATS if once * (1 + n * n_columns) <= may_take), REPEATS[-1])
    holds_for = HOLDS_FOR
    if (share := may_take / (once * (1 + n_repeats * n_columns))) < 1:
        n_all, n_rows = len(parts), sum(len(own.rows) for own in parts)
        parts = parts[: max(1, int(share * n_all))]  # a prediction of few rows takes nearly as long as one of many
        n_rows = int(min(share * n_rows, sum(len(own.rows) for own in parts)))
        if n_rows < LEAST_ROWS:
            return None, f"{NOT_MEASURED}: no time was left for it. {MORE_TIME}"
        if len(parts) == 1:
            parts = _parts(portfolio, data, splits[:n_folds], codec, n_rows, seed, only=parts[0].rows)
        holds_for = (
            HOLDS_FOR if len(parts) == n_all else f"the models of {len(parts)} of {n_all} folds, {HOLDS_FOR.partition(', ')[2]}"
        )
    try:
        found = importance_of(
            parts,
            data.labels,
            data.weight,
            data.labels.tasks,
            units=_units(data, splits[:n_folds]),
            groups=_codes(data.groups),
            n_repeats=n_repeats,
            random_state=seed,
            on_column=_Watch(until),
            about={"rows": "held-out", "holds_for": holds_for},
        )
    except _TimeIsOver:
        return None, f"{NOT_MEASURED}: the time was over before all columns were. {MORE_TIME}"
    return found.to_dict(), ""


class _TimeIsOver(Exception):
    pass


class _Watch:
    """Ends the measurement when the time is over."""

    def __init__(self, until: float) -> None:
        self.until = until

    def __call__(self, done: int, n: int) -> None:
        if done < n and time.monotonic() > self.until:
            raise _TimeIsOver


def _parts(
    portfolio: Portfolio,
    data: LearningData,
    splits: Sequence[Split],
    codec: TableCodec,
    most_rows: int,
    seed: int,
    *,
    only: Array | None = None,
) -> list[HeldOutRows]:
    """Every fold's mixture with labelled rows that it has not seen, ``most_rows`` of them in all, or of those in ``only``."""
    labelled = [held[data.weight[held].sum(axis=1) > 0] for _, held in splits]
    labelled = labelled if only is None else [np.intersect1d(held, only) for held in labelled]
    rows = np.concatenate(labelled)
    kept = np.zeros(len(data.weight), dtype=bool)
    kept[np.random.default_rng([seed, 1]).permutation(rows)[:most_rows]] = True
    slices, found = data.labels.slices, []
    for fold, ((train, _), held) in enumerate(zip(splits, labelled, strict=True)):
        own = held[kept[held]]
        if len(own) < 2:
            continue
        tasks = {
            task.name: task.with_statistics(data.labels.target[train, slices[task.name]], data.weight[train, slices[task.name]])
            for task in data.labels.tasks
        }
        predict = partial(_outputs, portfolio, fold)
        found.append(HeldOutRows(CodedRows(predict, codec, data.table.arrays.take(own)), own, tasks))
    return found


def _outputs(portfolio: Portfolio, fold: int, arrays: TableArrays) -> dict[str, Array]:
    return portfolio.outputs(arrays, fold=fold)


def _codes(groups: Array | None) -> Array | None:
    return None if groups is None else np.unique(np.asarray(groups).astype(str), return_inverse=True)[1]


def _units(data: LearningData, splits: Sequence[Split]) -> Array | None:
    """What counts as one in intervals: groups, or neighbours in time."""
    if data.groups is not None or data.times is None:
        return _codes(data.groups)
    held = np.full((1, len(data.weight)), -1)
    for fold, (_, rows) in enumerate(splits):
        held[0, rows] = fold
    return time_blocks(data.times, FoldPlan(held))[0]
