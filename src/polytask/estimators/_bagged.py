"""Bagging over folds: a model per fold, and for every row the outputs of the model that has not seen it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from sklearn.base import clone

from polytask.data import TableArrays
from polytask.data.splits import TimeOrder
from polytask.estimators._best_per_task import alone_jobs
from polytask.estimators._fit_networks import CodedTable, FittedNetwork, NetworkJob
from polytask.estimators._labels import LabelTable
from polytask.estimators._multi_task_network import MultiTaskNetwork
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]
Split = tuple[Array, Array]


@dataclass(frozen=True)
class LearningData:
    """What models of one run learn from.

    Attributes
    ----------
    table : CodedTable
    labels : LabelTable
    weight : array of shape (n, C)
        Label weights.
    groups : array of shape (n,), optional
        Rows of one group are not divided by inner splits.
    times : TimeOrder, optional
        Then inner splits hold the latest rows out.
    """

    table: CodedTable
    labels: LabelTable
    weight: Array
    groups: Array | None = None
    times: TimeOrder | None = None


class FoldModel(Protocol):
    """A model fitted on the training rows of one fold."""

    def outputs(self, arrays: TableArrays) -> dict[str, Array]:
        """Outputs in natural scale of the tasks that it has learned."""
        ...


class AloneModels:
    """Separate models of one kind, one per task."""

    def __init__(self, models: Mapping[str, Any]) -> None:
        self.models = dict(models)

    def outputs(self, arrays: TableArrays) -> dict[str, Array]:
        """Outputs in natural scale per task."""
        return {name: model.outputs(arrays) for name, model in self.models.items()}


class NetworkModel:
    """A network that has learned all tasks."""

    def __init__(self, network: FittedNetwork) -> None:
        self.network = network

    def outputs(self, arrays: TableArrays) -> dict[str, Array]:
        """Outputs in natural scale per task."""
        return self.network.outputs(arrays)


@dataclass
class Bagged:
    """Models of one kind, one per fold.

    Attributes
    ----------
    name : str
    together : bool
        Whether the tasks were learned by one model.
    models : list of FoldModel
        Of the folds that were reached, in their order.
    held_out : dict of task name to array of shape (n, ...)
        Outputs of the model that has not seen the row; NaN where there is none.
    seconds : float
        Of fitting and of the held-out outputs.
    is_whole : bool
        Whether all folds were reached.
    """

    name: str
    together: bool
    models: list[FoldModel] = field(default_factory=list)
    held_out: dict[str, Array] = field(default_factory=dict)
    seconds: float = 0.0
    is_whole: bool = False

    def outputs(self, arrays: TableArrays) -> dict[str, Array]:
        """Mean over the folds' models of their outputs in natural scale."""
        found = [model.outputs(arrays) for model in self.models]
        return {name: np.mean([own[name] for own in found], axis=0) for name in found[0]}

    def put(self, rows: Array, outputs: Mapping[str, Array], n: int) -> None:
        """Keep held-out outputs of these rows."""
        for name, values in outputs.items():
            if name not in self.held_out:
                self.held_out[name] = np.full((n, *values.shape[1:]), np.nan)
            self.held_out[name][rows] = values


def bag_alone(
    name: str,
    candidate: Any,
    data: LearningData,
    splits: Sequence[Split],
    *,
    seed: int,
    deadline: float = np.inf,
    only: Sequence[str] | None = None,
    on_fold: Callable[[int], None] | None = None,
) -> Bagged:
    """Fit a separate model per task and fold.

    Parameters
    ----------
    candidate : estimator, or dict of estimator type to estimator
        What :class:`PerTaskEstimator` takes; a :class:`MultiTaskNetwork` stands for its single-task twins.
    splits : sequence of pairs of int arrays
        Training and held-out rows of every fold.
    deadline : float, default=inf
        Of ``time.monotonic()``. A fold is not begun if, by the time of the slowest one before, it would end later.
    only : sequence of str, optional
        Names of the tasks; all by default.
    """
    bagged, slowest = Bagged(name, together=False), 0.0
    for fold, (rows, held) in enumerate(splits):
        started = time.monotonic()
        if fold and started + slowest > deadline:
            break
        jobs = alone_jobs(
            candidate,
            data.table,
            data.labels,
            data.weight,
            rows=rows,
            seed=seed_of(seed, fold) % 2**31,
            groups=data.groups,
            times=data.times,
            reserved=None,
            only=None if only is None else list(only),
        )
        model = AloneModels({task: own for job in jobs for task, own in job().items()})
        bagged.models.append(model)
        bagged.put(held, model.outputs(data.table.arrays.take(held)), len(data.weight))
        slowest = max(slowest, time.monotonic() - started)
        bagged.seconds += time.monotonic() - started
        if on_fold is not None:
            on_fold(fold)
    bagged.is_whole = len(bagged.models) == len(splits)
    return bagged


def bag_network(
    name: str,
    network: MultiTaskNetwork,
    data: LearningData,
    splits: Sequence[Split],
    *,
    seed: int,
    deadline: float = np.inf,
) -> Bagged:
    """Fit a network of all tasks per fold, all folds at once where that is faster.

    A deadline ends the training of all folds; the best epochs until then are kept.
    """
    started = time.monotonic()
    bagged = Bagged(name, together=True)
    jobs = []
    for fold, (rows, _) in enumerate(splits):
        own = seed_of(seed, fold)
        train, valid = network.inner_split(
            data.labels, data.weight, groups=data.groups, times=data.times, seed=own, rows=rows, reserved=None
        )
        jobs.append(NetworkJob(train, valid, np.ones(len(data.labels.tasks), dtype=bool), own % 2**31))
    if np.isfinite(deadline):
        n_stacks = network.n_stacks(jobs, data.table, data.labels)  # which are trained one after the other
        share = max(deadline - time.monotonic(), 0.1) / n_stacks
        network = clone(network).set_params(time_limit=share if network.time_limit is None else min(share, network.time_limit))
    for (_, held), fitted in zip(splits, network.fit_jobs(jobs, data.table, data.labels, data.weight), strict=True):
        model = NetworkModel(fitted)
        bagged.models.append(model)
        bagged.put(held, model.outputs(data.table.arrays.take(held)), len(data.weight))
    bagged.seconds, bagged.is_whole = time.monotonic() - started, True
    return bagged
