"""The best separate model: for every task the kind of model that does best on rows held out inside the training rows."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils import check_random_state

from polytask.data import TableArrays
from polytask.data.splits import TimeOrder, as_time_order, holdout, latest_holdout
from polytask.estimators._base import MultiTaskEstimator
from polytask.estimators._candidates import boosted_trees, linear_models
from polytask.estimators._fit_networks import CodedTable, NetworkJob
from polytask.estimators._labels import LabelTable, task_slices
from polytask.estimators._multi_task_network import MultiTaskNetwork
from polytask.estimators._parallel import run_all
from polytask.estimators._per_task import PerTaskEstimator, TaskModel
from polytask.exceptions import DataError, OptionError
from polytask.tasks import FittedTask
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]


class TwinModel:
    """A task of a single-task twin, in the manner of :class:`TaskModel`."""

    def __init__(self, network: Any, task: FittedTask) -> None:
        self.network = network
        self.fitted_task_ = next(own for own in network.tasks if own.name == task.name)

    def outputs(self, arrays: TableArrays, rows: Array | slice = slice(None)) -> Array:
        """Natural outputs of these rows."""
        part = arrays.take(rows)
        return np.asarray(self.network.outputs(part, only=self.fitted_task_.name)[self.fitted_task_.name])


class BestPerTask(MultiTaskEstimator):
    """For each task the best of several separate models, chosen on rows held out inside the training rows, then fitted on all.

    Parameters
    ----------
    candidates : dict of name to estimator, optional
        Each a :class:`MultiTaskNetwork` (its single-task twins are used) or what :class:`PerTaskEstimator` takes.
        By default a network, LightGBM and linear models.
    tasks : sequence of Task or str, optional
    selection : float in (0, 1), default=0.2
        Share of rows that choose; they are used for nothing else, so the choice is not optimistic.
    random_state : int, RandomState or None
    n_jobs : int, optional
        Processes that fit side by side; -1 for one per core. The numbers are those of one process.

    Attributes
    ----------
    chosen_ : dict of task name to candidate name
    selection_skills_ : dict of candidate name to dict of task name to float

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(80, 3))
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.dummy import DummyRegressor
    >>> model = BestPerTask({"mean": DummyRegressor(), "ridge": Ridge()}, random_state=0).fit(X, X @ [1.0, 2.0, 0.0])
    >>> model.chosen_
    {'y0': 'ridge'}
    """

    _defaults: ClassVar = {"candidates": lambda: default_candidates()}

    def __init__(
        self,
        candidates: Mapping[str, Any] | None = None,
        tasks: Any = None,
        *,
        selection: float = 0.2,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.candidates = candidates
        self.tasks = tasks
        self.selection = selection
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None, *, sample_weight: Any = None, groups: Any = None, times: Any = None) -> Self:
        """Choose and fit; see :meth:`MultiTaskEstimator.fit`.

        Parameters
        ----------
        times : array-like of shape (n_samples,) or TimeOrder, optional
            When rows happened: then the latest rows choose, and stop networks.
        """
        arrays, labels = self._read_training_data(X, y)
        labels, weight = labels.weighed(sample_weight)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        if not isinstance(self.candidates, Mapping | None):
            raise OptionError(
                "`candidates` of BestPerTask must be a mapping of name to estimator; "
                f"got {type(self.candidates).__name__}. Pass tasks by name: BestPerTask(tasks=...)."
            )
        candidates = default_candidates() if self.candidates is None else dict(self.candidates)
        if not candidates:
            raise OptionError("`candidates` of BestPerTask must name at least one estimator; got none.")
        table = CodedTable(arrays, self.codec_.cardinalities)
        best = choose_per_task(
            candidates,
            table,
            labels,
            weight,
            rows=np.arange(len(weight)),
            groups=groups,
            times=as_time_order(times, len(weight)),
            selection=self.selection,
            seed=seed,
            n_jobs=self.n_jobs,
        )
        self.models_, self.chosen_, self.selection_skills_ = best.models, best.chosen, best.skills
        self.tasks_ = [model.fitted_task_ for model in self.models_.values()]
        return self

    def _outputs(self, arrays: TableArrays) -> dict[str, Array]:
        return {name: model.outputs(arrays) for name, model in self.models_.items()}


def default_candidates() -> dict[str, Any]:
    """A network, LightGBM and linear models.

    >>> list(default_candidates())
    ['network', 'LightGBM', 'linear']
    """
    return {"network": MultiTaskNetwork(), "LightGBM": boosted_trees(), "linear": linear_models()}


class Choice:
    """What :func:`choose_per_task` found: ``models``, ``chosen`` and ``skills`` per task."""

    def __init__(self) -> None:
        self.models: dict[str, Any] = {}
        self.chosen: dict[str, str] = {}
        self.skills: dict[str, dict[str, float]] = {}


def choose_per_task(
    candidates: Mapping[str, Any],
    table: CodedTable,
    labels: LabelTable,
    weight: Array,
    *,
    rows: Array,
    groups: Any = None,
    times: TimeOrder | None = None,
    reserved: Array | None = None,
    selection: float = 0.2,
    seed: int,
    split: tuple[Array, Array] | None = None,
    trained: Mapping[str, Mapping[str, Any]] | None = None,
    trained_for_selection: Mapping[str, Mapping[str, Any]] | None = None,
    n_jobs: int | None = None,
) -> Choice:
    """Choose the best candidate of each task on rows held out from ``rows``, then fit it on all of them.

    Parameters
    ----------
    times : TimeOrder of all rows, optional
        Then the latest rows choose, and stop networks.
    reserved : bool array of shape (n,), optional
        Rows kept for early stopping of networks.
    split : pair of int arrays, optional
        The two parts of ``rows`` of :func:`selection_split`, where they are made already.
    trained, trained_for_selection : mapping of candidate name to {task name: model}, optional
        Models that are fitted already, on all ``rows`` and on the first part, such as the twins of a comparison.
    n_jobs : int, optional
        Processes that fit side by side.
    """
    choice = Choice()
    rest, held = split or selection_split(labels, weight, rows=rows, groups=groups, times=times, selection=selection, seed=seed)
    inner = {"groups": groups, "times": times, "reserved": reserved}

    def fitted(known: Mapping[str, Any] | None, wanted: dict[str, list[str]], rows: Array, seed: int) -> dict[str, Any]:
        """Models of the candidates and tasks wanted: those known, and the others fitted side by side."""
        known = known or {}
        jobs = {
            name: alone_jobs(candidates[name], table, labels, weight, rows=rows, seed=seed, only=only, **inner)
            for name, only in wanted.items()
            if name not in known
        }
        parts = iter(run_all([job for own in jobs.values() for job in own], n_jobs=n_jobs))
        found = {name: {task: model for _ in own for task, model in next(parts).items()} for name, own in jobs.items()}
        return {**found, **{name: known[name] for name in wanted if name in known}}

    every = [task.name for task in labels.tasks]
    first = fitted(trained_for_selection, dict.fromkeys(candidates, every), rest, seed_of(seed, 1))
    for name in candidates:
        choice.skills[name] = {
            task.name: _skill(first[name][task.name], table, labels.target[:, part], weight[:, part], held)
            for task, part in _parts(labels)
        }
    for task in labels.tasks:
        choice.chosen[task.name] = max(candidates, key=lambda name, task=task: choice.skills[name][task.name])  # type: ignore[misc]
    wanted = {name: [task for task in every if choice.chosen[task] == name] for name in set(choice.chosen.values())}
    wanted = {name: wanted[name] for name in candidates if name in wanted}  # in the order of the candidates
    last = fitted(trained, wanted, rows, seed_of(seed, 2))
    choice.models = {task: last[choice.chosen[task]][task] for task in every}
    return choice


def selection_split(
    labels: LabelTable,
    weight: Array,
    *,
    rows: Array,
    groups: Any,
    times: TimeOrder | None = None,
    selection: float,
    seed: int,
) -> tuple[Array, Array]:
    """Rows that fit the candidates, and rows that choose among them; stratified over all tasks, groups whole.

    With ``times`` (of all rows) the latest rows choose.
    """
    usable = rows[weight[rows].sum(axis=1) > 0]
    if times is not None:
        return latest_holdout(times, test_size=selection, rows=usable, groups=groups)
    strata = np.concatenate([task.strata(labels.target[usable][:, part]) for task, part in _parts(labels)], axis=1)
    own_groups = None if groups is None else np.asarray(groups)[usable]
    if own_groups is not None and len(np.unique(own_groups)) < 2:
        raise DataError(
            "The choice among separate models keeps groups whole and needs at least 2 groups; got 1. Pass more groups."
        )
    rest, held = holdout(strata, test_size=selection, groups=own_groups, random_state=seed_of(seed, 3) % 2**32)
    return usable[rest], usable[held]


def fit_alone(
    candidate: Any,
    table: CodedTable,
    labels: LabelTable,
    weight: Array,
    *,
    rows: Array,
    groups: Any,
    times: TimeOrder | None = None,
    reserved: Array | None = None,
    seed: int,
    only: list[str] | None = None,
    n_jobs: int | None = None,
) -> dict[str, Any]:
    """Fit one model per task on some rows; a network is trained as its single-task twins, in one stack."""
    inner = {"groups": groups, "times": times, "reserved": reserved}
    jobs = alone_jobs(candidate, table, labels, weight, rows=rows, seed=seed, only=only, **inner)
    return {task: model for models in run_all(jobs, n_jobs=n_jobs) for task, model in models.items()}


def alone_jobs(
    candidate: Any,
    table: CodedTable,
    labels: LabelTable,
    weight: Array,
    *,
    rows: Array,
    groups: Any,
    times: TimeOrder | None,
    reserved: Array | None,
    seed: int,
    only: list[str] | None,
) -> list[Callable[[], dict[str, Any]]]:
    """What :func:`fit_alone` does, as jobs that do not need each other: one for the twins of a network, else one per task."""
    wanted = [task for task in labels.tasks if only is None or task.name in only]
    if isinstance(candidate, MultiTaskNetwork):
        train, held = candidate.inner_split(labels, weight, groups=groups, seed=seed, rows=rows, times=times, reserved=reserved)
        twins = [NetworkJob(train, held, twin_mask(labels, task), seed_of(seed, k)) for k, task in enumerate(wanted)]
        return [partial(_fit_twins, candidate, twins, wanted, table, labels, weight)]
    slices, per_task = task_slices(labels.tasks), PerTaskEstimator(candidate)
    jobs: list[Callable[[], dict[str, Any]]] = []
    for task in wanted:
        part, model = slices[task.name], TaskModel(task, per_task._estimator_of(task))
        jobs.append(partial(_fit_task, model, table, labels.target[:, part], weight[:, part], rows, groups, times))
    return jobs


def _fit_twins(
    candidate: MultiTaskNetwork,
    jobs: list[NetworkJob],
    tasks: list[FittedTask],
    table: CodedTable,
    labels: LabelTable,
    weight: Array,
) -> dict[str, Any]:
    networks = candidate.fit_jobs(jobs, table, labels, weight)
    return {task.name: TwinModel(network, task) for task, network in zip(tasks, networks, strict=True)}


def _fit_task(
    model: TaskModel,
    table: CodedTable,
    target: Array,
    weight: Array,
    rows: Array,
    groups: Any,
    times: TimeOrder | None,
) -> dict[str, Any]:
    return {model.task.name: model.fit(table, target, weight, rows, groups, times)}


def twin_mask(labels: LabelTable, task: FittedTask) -> Array:
    """Which tasks the twin of ``task`` may see: only that one."""
    return np.array([own.name == task.name for own in labels.tasks])


def _parts(labels: LabelTable) -> list[tuple[FittedTask, slice]]:
    return [(task, labels.slices[task.name]) for task in labels.tasks]


def _skill(model: Any, table: CodedTable, target: Array, weight: Array, rows: Array) -> float:
    """Skill on the held-out rows; minus infinity where there is no label, or labels of one value only."""
    task: FittedTask = model.fitted_task_
    own = target[rows]
    row_weight = weight[rows].max(axis=1)
    losses = task.row_losses(model.outputs(table.arrays, rows), own)
    constant = task.row_losses(task.constant_outputs(len(rows)), own)
    seen = ~np.isnan(losses) & (row_weight > 0)
    if not seen.any() or not (constant[seen] > 0).any() or not task.labels_vary(own, row_weight):
        return -np.inf
    return float(1 - np.average(losses[seen], weights=row_weight[seen]) / np.average(constant[seen], weights=row_weight[seen]))
