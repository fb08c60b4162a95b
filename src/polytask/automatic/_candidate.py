"""Kinds of models to try, and the work that each of them is."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polytask.data import TableArrays
from polytask.estimators import (
    AloneModels,
    Bagged,
    FitsOnRows,
    LearningData,
    MultiTaskNetwork,
    PerTaskEstimator,
    TableMatrix,
    TaskModel,
    alone_jobs,
    bag_network,
    fit_on_rows,
)
from polytask.tasks import FittedTask
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]
Split = tuple[Array, Array]

PILOT_ROWS = 3_000  # tables with more rows are tried on a part first
PILOT_ROWS_WHOLE = 1_000  # by models that learn all tasks in one fit, which no time limit ends between tasks
PILOT_SIZES = (750, 1_500)  # on so many rows, or a quarter and half of them where there are fewer than twice as many
FIRST_LOOK = 200  # rows
PILOT_SHARE = 0.1  # of the seconds that a fold may take
LEAST_GROWTH, MOST_GROWTH = 0.8, 3.0  # power of the rows that seconds grow with


@dataclass(frozen=True)
class Candidate:
    """A kind of model to try.

    Attributes
    ----------
    name : str
    model : estimator, dict of estimator type to estimator, or MultiTaskNetwork
        What :class:`PerTaskEstimator` takes; a network is learned by all tasks together if ``together``, else by its twins. Or an
        estimator that fits on rows of a coded table, such as :class:`StackedAcrossTasks`.
    together : bool
    max_rows, max_columns : int, optional
        Larger tables leave it out: it would not end, or has never paid there.
    min_columns : int, default=0
        Narrower tables leave it out.
    least_skill : float, optional
        Tables of which the first models have less skill of every task leave it out: it pays where labels have little noise.
    share : float in (0, 1], default=0.5
        Of the time that is left, what it may take at most.
    pilot_rows : int, default=3000
        Tables with more rows are tried on a part first, to see how long it takes; less for one whose time grows steeply.
    sized : callable, optional
        A share in (0, 1] to a smaller model, for tables on which ``model`` would take too long.
    """

    name: str
    model: Any
    together: bool = False
    max_rows: int | None = None
    max_columns: int | None = None
    min_columns: int = 0
    least_skill: float | None = None
    share: float = 0.5
    pilot_rows: int = PILOT_ROWS
    sized: Callable[[float], Any] | None = None

    def suits(self, n_rows: int, n_columns: int) -> bool:
        """Whether the table is within its limits."""
        fits = n_rows <= (self.max_rows or np.inf) and n_columns <= (self.max_columns or np.inf)
        return bool(fits and n_columns >= self.min_columns)

    def needs_pilot(self, n_rows: int) -> bool:
        """Whether a fit on so many rows may take long, and nothing but a look at fewer of them tells."""
        if isinstance(self.model, MultiTaskNetwork | Constants):
            return False  # one asks the time itself, the other takes none
        return n_rows > (min(self.pilot_rows, PILOT_ROWS_WHOLE) if isinstance(self.model, FitsOnRows) else self.pilot_rows)

    def smaller(self, share: float) -> "Candidate | None":
        """About as much faster as ``share`` says; None where it cannot be."""
        return None if self.sized is None or share < SMALLEST else replace(self, model=self.sized(share), sized=None)


def learnable(candidate: Candidate, data: LearningData) -> list[str] | None:
    """Names of the tasks of the kinds that a dict of estimators has one for; None for all."""
    if not isinstance(candidate.model, Mapping):
        return None
    keys = set(candidate.model) | ({"counter"} if "regressor" in candidate.model else set())
    return [task.name for task in data.labels.tasks if task.estimator_type in keys]


SMALLEST = 0.2  # of its size, for a model that is worth it


@dataclass
class Fitted:
    """What one job gave: models of some tasks (or one of them all) on one fold, and what they say of its held-out rows."""

    models: Any
    held_out: dict[str, Array]
    seconds: float
    predicting: float


def jobs_of(
    candidate: Candidate, data: LearningData, splits: Sequence[Split], *, seed: int, until: float
) -> list[tuple[int, Callable[[], Any]]]:
    """The fold and the work of each job of a candidate; a joint network is one job of all folds, which gives a Bagged.

    All folds of a task come before the next task, so that what is whole when time ends is whole tasks.
    """
    if isinstance(candidate.model, MultiTaskNetwork) and (candidate.together or len(data.labels.tasks) == 1):

        def network() -> Bagged:
            bagged = bag_network(candidate.name, candidate.model, data, splits, seed=seed, deadline=until)
            bagged.together = candidate.together
            return bagged

        return [(-1, network)]
    found: list[list[tuple[int, Callable[[], Any]]]] = []  # of every fold
    for fold, (rows, held) in enumerate(splits):
        if isinstance(candidate.model, FitsOnRows):
            found.append([(fold, _fitting_whole(candidate.model, data, rows, held, seed_of(seed, fold) % 2**31))])
            continue
        jobs = alone_jobs(
            candidate.model,
            data.table,
            data.labels,
            data.weight,
            rows=rows,
            seed=seed_of(seed, fold) % 2**31,
            groups=data.groups,
            times=data.times,
            reserved=None,
            only=learnable(candidate, data),
        )
        found.append([(fold, _fitting(job, data.table.arrays, held)) for job in jobs])
    return [job for same_task in zip(*found, strict=True) for job in same_task]


def bagged_of(
    candidate: Candidate, results: Sequence[tuple[int, Fitted]], splits: Sequence[Split], n: int, tasks: Sequence[FittedTask]
) -> Bagged:
    """Put together what the jobs of all folds gave, in the order of folds and tasks whatever was done first.

    A task that some fold lacks is left out.
    """
    bagged = Bagged(candidate.name, together=candidate.together, is_whole=True)
    whole = tasks_of_all_folds(results, len(splits))
    for fold, (_, held) in enumerate(splits):
        own = [result for k, result in results if k == fold]
        if isinstance(own[0].models, dict):
            models = {task: model for result in own for task, model in result.models.items()}
            bagged.models.append(AloneModels({task.name: models[task.name] for task in tasks if task.name in whole}))
        else:
            bagged.models.append(own[0].models)
        for result in own:
            bagged.put(held, {task: values for task, values in result.held_out.items() if task in whole}, n)
            bagged.seconds += result.seconds
    return bagged


def tasks_of_all_folds(results: Sequence[tuple[int, Fitted]], n_folds: int) -> set[str]:
    """Names of the tasks for which there are results of every fold."""
    of_folds = [{task for k, result in results if k == fold for task in result.held_out} for fold in range(n_folds)]
    return set.intersection(*of_folds)


def pilot_seconds(candidate: Candidate, data: LearningData, rows: Array, *, seed: int, most: float = np.inf) -> float:
    """Seconds that all tasks of one fold would take, from fits on few rows, one task of each kind.

    Parameters
    ----------
    rows : int array
        Training rows of the fold.
    most : float
        Seconds that a fold may take. A fit on more rows that would take a tenth of it is not made: from the last one before it
        seconds are then taken to grow with the rows.
    """
    drawn = np.random.default_rng(seed).permutation(rows)
    sizes = pilot_sizes(len(rows))
    if isinstance(candidate.model, FitsOnRows):
        pilots: list[float] = []
        for size, following in zip((min(FIRST_LOOK, sizes[0]), *sizes), (*sizes, None), strict=True):
            pilots.append(_seconds_of_whole(candidate.model, data, np.sort(drawn[:size]), seed))
            if following is not None and pilots[-1] * following / size > PILOT_SHARE * most:
                return float(pilots[-1] * len(rows) / size)
        return _grown(pilots[-2:], sizes[1], len(rows))
    per_task, slices, found = PerTaskEstimator(candidate.model), data.labels.slices, 0.0
    timed: dict[tuple[str, int], float] = {}
    names = learnable(candidate, data)
    for task in data.labels.tasks:
        if names is not None and task.name not in names:
            continue
        part = slices[task.name]
        kind = (task.estimator_type, task.n_codes)
        if kind not in timed:
            n_seen = np.count_nonzero(~np.isnan(data.labels.target[rows][:, part]).all(axis=1))
            seconds = [
                _seconds_of(TaskModel(task, per_task._estimator_of(task)), data, part, np.sort(drawn[:size])) for size in sizes
            ]
            timed[kind] = _grown(seconds, sizes[1], int(n_seen)) / task.n_targets
        found += timed[kind] * task.n_targets
    return found


def pilot_sizes(n_rows: int) -> tuple[int, int]:
    """Rows of the two pilots, the second twice as many as the first.

    >>> pilot_sizes(20_000), pilot_sizes(1_200)
    ((750, 1500), (300, 600))
    """
    most = min(PILOT_SIZES[1], max(n_rows // 2, 2))
    return most // 2, most


def _grown(seconds: Sequence[float], seen: int, n: int) -> float:
    """Seconds on ``n`` rows, of those that the pilots took, the second on ``seen`` rows and the first on half of them."""
    grows = float(np.clip(np.log2(max(seconds[1], 1e-4) / max(seconds[0], 1e-4)), LEAST_GROWTH, MOST_GROWTH))
    return float(seconds[1] * (max(n, seen) / seen) ** grows)


def _seconds_of_whole(model: Any, data: LearningData, rows: Array, seed: int) -> float:
    started = time.perf_counter()
    fit_on_rows(model, data, rows, seed=seed)
    return time.perf_counter() - started


def _seconds_of(model: TaskModel, data: LearningData, part: slice, rows: Array) -> float:
    started = time.perf_counter()
    model.fit(data.table, data.labels.target[:, part], data.weight[:, part], rows, data.groups, data.times)
    return time.perf_counter() - started


def _fitting(job: Callable[[], dict[str, Any]], arrays: TableArrays, held: Array) -> Callable[[], Fitted]:
    def run() -> Fitted:
        started = time.perf_counter()
        models = job()
        fitted = time.perf_counter()
        outputs = AloneModels(models).outputs(arrays.take(held))
        now = time.perf_counter()
        return Fitted(models, outputs, now - started, now - fitted)

    return run


def _fitting_whole(model: Any, data: LearningData, rows: Array, held: Array, seed: int) -> Callable[[], Fitted]:
    def run() -> Fitted:
        started = time.perf_counter()
        found = fit_on_rows(model, data, rows, seed=seed)
        fitted = time.perf_counter()
        outputs = found.outputs(data.table.arrays.take(held))
        now = time.perf_counter()
        return Fitted(found, outputs, now - started, now - fitted)

    return run


class Constants:
    """No model at all: the mean or the class shares of the training rows. A share of it draws weak models to the mean."""

    def fit_on_rows(self, data: LearningData, rows: Array, *, seed: int) -> AloneModels:
        """Take the statistics of some rows."""
        models = {}
        for task in data.labels.tasks:
            part = data.labels.slices[task.name]
            own = TaskModel(task, None)
            own.fitted_task_ = task.with_statistics(data.labels.target[rows][:, part], data.weight[rows][:, part])
            own.matrix_ = TableMatrix(data.table.cardinalities, keep_missing=True).fit(data.table.arrays.take(rows[:1]), rows[:0])
            own.models_, own.shifts_ = [None] * task.n_targets, [0.0] * task.n_targets
            models[task.name] = own
        return AloneModels(models)
