"""The portfolio as an estimator: reads the table, makes the split, fits within a time limit, predicts."""

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

import numpy as np

from polytask.automatic._apart import skills_apart
from polytask.automatic._clock import Clock
from polytask.automatic._deploy import distilled, measured, refitted, spare_share
from polytask.automatic._portfolio import Portfolio, fit_portfolio
from polytask.automatic._portfolio_importance import portfolio_importance
from polytask.automatic._portfolio_parts import size_in_folder, size_of
from polytask.automatic._presets import PATIENCE, candidates_of
from polytask.automatic._shared_split import fewer_folds, number_of_folds, shared_split
from polytask.data import TableArrays
from polytask.data.splits import TimeOrder
from polytask.estimators import Bagged, CodedTable, LearningData, MultiTaskEstimator, MultiTaskNetwork
from polytask.tasks import FittedTask
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]

RESERVE = 0.02  # share of the time for the report and all else after the models
RESERVE_SECONDS = 1.0
MOST_SLOWNESS = 5.0
SEEN_SECONDS = 3.0  # of work, before it tells how slow the machine is
LEAST_PER_FILE = 0.005  # seconds; temporary files may be on a faster disk
ASKING = 0.05  # share of the time for what columns matter
ASKING_PER_FIT = 0.25  # of what the fits took, at most
ASKING_SECONDS = 3.0  # but at least, where they are quick
SLOWNESS = 0.25  # of what imports and reading took: the report takes long where they do
CHECKED_ROWS = 5_000  # tables with more rows get folds by the time that they take
TIMED_ROWS = 500  # for what predictions take
COLD_SECONDS = 0.02  # of a boosted model on 1,000 rows and 10 columns, about


class Keeper(Protocol):
    """Where models of a run are kept while it is under way."""

    def found(self) -> Mapping[str, Bagged]:
        """Models that are there already."""
        ...

    def keep(self, bagged: Bagged) -> None:
        """Keep one more."""
        ...


class PortfolioModel(MultiTaskEstimator):
    """All models of a preset, mixed per task.

    Parameters
    ----------
    tasks : sequence of Task
    preset : {"fast", "balanced", "best"}
    network : MultiTaskNetwork
        Settings of the networks.
    random_state : int
    n_workers : int, optional
        Fits side by side; one per core by default.
    n_folds : int, optional
        By the number of rows by default.

    Attributes
    ----------
    tasks_, codec_ : as of every estimator here
    portfolio_ : Portfolio
    splits_ : list of pairs of int arrays
    apart_ : dict of task name to float
        Skill of a mixture without the models that learned the tasks together; empty where there are none. Not kept in a folder.
    importance_ : dict or None
        Importance of raw columns per task on held-out rows, plain JSON; None where there was no time for it.
    training_rows_ : int array
        Rows that some model learned from; not kept in a model folder.
    held_rows_ : int array
        Rows that were held out from some model, and so score the mixture; not kept in a model folder.
    """

    def __init__(
        self,
        tasks: Any = None,
        *,
        preset: str = "balanced",
        network: MultiTaskNetwork | None = None,
        random_state: int = 0,
        n_workers: int | None = None,
        n_folds: int | None = None,
    ) -> None:
        self.tasks = tasks
        self.preset = preset
        self.network = network
        self.random_state = random_state
        self.n_workers = n_workers
        self.n_folds = n_folds

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        groups: Any = None,
        times: TimeOrder | None = None,
        reserved: Array | None = None,
        clock: Clock | None = None,
        deploy: str | None = None,
        keeper: Keeper | None = None,
        earlier: Mapping[str, Bagged] | None = None,
        on_model: Callable[[str, Bagged | None], None] | None = None,
    ) -> Self:
        """Fit what there is time for; see :meth:`MultiTaskEstimator.fit`.

        Parameters
        ----------
        times : TimeOrder, optional
            Then the latest rows are held out.
        reserved : bool array of shape (n,), optional
            Rows that are held out from all models, instead of folds.
        clock : Clock, optional
            Saving included.
        deploy : {"folds", "refit", "distill"}, optional
            What predicts new rows: the models of all folds; the same kinds fitted once on all rows; or one network that has
            learned from them. ``deployed_`` tells its size and time.
        keeper : Keeper, optional
        earlier : mapping of name to Bagged, optional
            Models of an earlier fit on the same rows and folds.
        on_model : callable, optional
            Told the name of every candidate, and its model or None.
        """
        clock = Clock() if clock is None else clock
        self.column_kinds = None if self.network is None else self.network.column_kinds
        arrays, labels = self._read_training_data(X, y)
        labels, weight = labels.weighed(sample_weight)
        table = CodedTable(arrays, self.codec_.cardinalities)
        data = LearningData(table, labels, weight, groups=None if groups is None else np.asarray(groups), times=times)
        n_workers = self.n_workers or available_cores()
        self.n_folds_ = self.n_folds or self._folds(data, clock, n_workers)
        self.splits_ = shared_split(data, n_folds=self.n_folds_, seed=self.random_state, reserved=reserved)
        network = MultiTaskNetwork() if self.network is None else self.network
        candidates = candidates_of(
            self.preset,
            network,
            n_folds=len(self.splits_),
            n_rows=len(weight),
            n_tasks=len(labels.tasks),
            seed=self.random_state,
        )
        watch = _Watch(arrays, clock, keeper, on_model, spare=spare_share(deploy, len(self.splits_)), n_workers=n_workers)
        known = {**(earlier or {}), **(keeper.found() if keeper is not None else {})}
        known = {name: own for name, own in known.items() if _is_of_split(own, self.splits_)}
        self.portfolio_ = fit_portfolio(
            data,
            candidates,
            self.splits_,
            seed=self.random_state,
            deadline=watch.deadline,
            n_workers=n_workers,
            patience=PATIENCE[self.preset],
            earlier=known,
            on_model=watch.told,
        )
        self.portfolio_.measured = watch.measured
        self.tasks_ = self.portfolio_.tasks
        over = watch.deadline() + watch.asking
        self.apart_ = skills_apart(self.portfolio_, data, self.splits_, seed=self.random_state, until=over)
        fits = sum(own.seconds for own in self.portfolio_.bagged.values()) / n_workers  # those of earlier runs too
        may_ask = min(time.monotonic() + max(ASKING_PER_FIT * fits, ASKING_SECONDS), over)
        self.importance_, note = portfolio_importance(
            self.portfolio_, data, self.splits_, self.codec_, seed=self.random_state, until=may_ask
        )
        self.portfolio_.notes += [note] if note else []
        self._deploy(deploy, data, network, watch)
        self.held_rows_ = np.unique(np.concatenate([rows for rows, _ in self.portfolio_.mixed.values()]))
        learned = np.unique(np.concatenate([train for train, _ in self.splits_]))
        self.training_rows_ = learned[weight[learned].sum(axis=1) > 0]
        self.n_train_ = len(self.training_rows_)
        self.n_rows_ = len(weight)
        return self

    def held_out(self, task: FittedTask) -> Array:
        """Outputs of the mixture for all rows, each by models and weights that have not seen it; NaN for rows without a label."""
        rows, outputs = self.portfolio_.mixed[task.name]
        found = np.full((self.n_rows_, *outputs.shape[1:]), np.nan)
        found[rows] = outputs
        return found

    def held_outputs(self) -> dict[str, Array]:
        """Those of all held-out rows per task; rows without a label have the constant prediction."""
        found = {}
        for task in self.tasks_:
            outputs = self.held_out(task)[self.held_rows_]
            missing = np.isnan(outputs.reshape(len(outputs), -1)).any(axis=1)
            outputs[missing] = task.constant_outputs(int(missing.sum()))
            found[task.name] = outputs
        return found

    @property
    def predicting(self) -> Portfolio:
        """What predicts new rows: the portfolio, or what was made of it to be deployed."""
        return getattr(self, "in_place_", None) or self.portfolio_

    def _outputs(self, arrays: TableArrays) -> dict[str, Array]:
        return self.predicting.outputs(arrays)

    def _deploy(self, how: str | None, data: LearningData, network: MultiTaskNetwork, watch: "_Watch") -> None:
        """Make what predicts new rows, and measure it."""
        self.in_place_: Portfolio | None = None
        self.deployed_: dict[str, Any] | None = None
        if how is None:
            return
        more: dict[str, Any] = {}
        if how == "refit":
            self.in_place_ = refitted(self.portfolio_, self.portfolio_.made, data, seed=seed_of(self.random_state, 17) % 2**31)
        elif how == "distill":
            until = watch.deadline() + watch.spare
            self.in_place_, more["tasks"] = distilled(
                self.portfolio_, network, data, self.splits_, seed=seed_of(self.random_state, 19) % 2**31, until=until
            )
        self.deployed_ = measured(self.predicting, watch.few, size_in_folder(self.predicting), how) | more

    def _folds(self, data: LearningData, clock: Clock, n_workers: int) -> int:
        """By the number of rows, and fewer where not even the cheap models would end with so many."""
        n_rows = int((data.weight.sum(axis=1) > 0).sum())
        n_folds, left = number_of_folds(n_rows), clock.left()
        if n_rows > CHECKED_ROWS or len(data.labels.tasks) > 8:
            n_columns = data.table.arrays.numeric.shape[1] + sum(data.table.cardinalities)
            labelled = sum(_columns_of(task) * own for task, own in _label_counts(data))
            seconds = COLD_SECONDS * labelled / 1_000 * max(n_columns, 10) ** 0.7 / 10**0.7 / n_workers
            while n_folds > 1 and seconds * n_folds > 0.25 * left:
                n_folds = fewer_folds(n_folds)
        return n_folds


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Watch:
    """Learns from each model what it weighs and takes to predict, and keeps time for saving it."""

    def __init__(
        self,
        arrays: TableArrays,
        clock: Clock,
        keeper: Keeper | None,
        on_model: Callable[[str, Bagged | None], None] | None,
        *,
        spare: float,
        n_workers: int,
    ) -> None:
        self.n_workers, self.started, self.busy_before = n_workers, time.monotonic(), time.process_time()
        self.few = arrays.take(np.resize(np.arange(len(arrays.numeric)), TIMED_ROWS))
        self.clock, self.keeper, self.on_model = clock, keeper, on_model
        self.kept = {name for name, own in keeper.found().items() if own.is_whole} if keeper is not None else set()
        self.saving, self.before = 0.0, clock.spent()
        self.measured: dict[str, dict[str, float]] = {}
        self.n_files, self.per_file = 0, max(seconds_per_file(), LEAST_PER_FILE)
        self.spare = spare * clock.limit if np.isfinite(clock.limit) and spare else 0.0
        self.asking = ASKING * clock.limit if np.isfinite(clock.limit) else 0.0

    def deadline(self) -> float:
        if not np.isfinite(self.clock.limit):
            return float("inf")
        slowness = min(machine_slowness(), self._own_slowness())
        reserve = (RESERVE_SECONDS + RESERVE * self.clock.limit) * slowness + SLOWNESS * self.before
        saving = self.saving * slowness + self.n_files * self.per_file
        kept = min(reserve, 0.3 * self.clock.limit) + min(saving, 0.4 * self.clock.limit)
        return self.clock.end - kept - self.asking - self.spare

    def _own_slowness(self) -> float:
        """How many times as long the work since the start took as it would have with all cores of this process."""
        wall, busy = time.monotonic() - self.started, time.process_time() - self.busy_before
        return float("inf") if wall < SEEN_SECONDS else max(1.0, self.n_workers * wall / max(busy, 1e-3))

    def told(self, name: str, bagged: Bagged | None) -> None:
        if bagged is not None:
            started = time.thread_time()  # while models are saved, no others are fitted beside
            size, n_files = (own * len(bagged.models) for own in size_of(bagged.models[0]))
            self.n_files += n_files
            self.saving += 1.5 * (time.thread_time() - started) * len(bagged.models)
            self.measured[name] = {"megabytes": size / 1e6, "latency": self._latency(bagged)}
            if self.keeper is not None and name not in self.kept:
                self.keeper.keep(bagged)
        if self.on_model is not None:
            self.on_model(name, bagged)

    def _latency(self, bagged: Bagged) -> float:
        """Milliseconds of predicting 1,000 rows by all folds."""
        started = time.perf_counter()
        bagged.models[0].outputs(self.few)
        return 1e6 * (time.perf_counter() - started) * len(bagged.models) / len(self.few.numeric)


def machine_slowness() -> float:
    """How many times as long work takes, since more processes want the cores than there are; 1 where the system does not tell."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return float(np.clip(load / (os.cpu_count() or 1), 1.0, MOST_SLOWNESS))


def seconds_per_file() -> float:
    """What it takes until a small file is on the disk, which saving waits for; of three the middle one."""
    found = []
    with tempfile.TemporaryFile() as file:
        for _ in range(3):
            started = time.perf_counter()
            file.write(b"0" * 4096)
            file.flush()
            os.fsync(file.fileno())
            found.append(time.perf_counter() - started)
    return sorted(found)[1]


def _label_counts(data: LearningData) -> list[tuple[FittedTask, int]]:
    slices = data.labels.slices
    return [(task, int((data.weight[:, slices[task.name]] > 0).any(axis=1).sum())) for task in data.labels.tasks]


def _columns_of(task: FittedTask) -> int:
    return max(1, task.n_codes if task.n_codes > 2 else 1) * task.n_targets


def _is_of_split(bagged: Bagged, splits: list[tuple[Array, Array]]) -> bool:
    """Whether a model of an earlier run held out the rows of these folds: only then has it not seen them."""
    if len(bagged.models) != len(splits):
        return False
    held = np.unique(np.concatenate([rows for _, rows in splits]))
    return all(
        np.array_equal(np.flatnonzero(~np.isnan(own.reshape(len(own), -1)).any(axis=1)), held) for own in bagged.held_out.values()
    )
