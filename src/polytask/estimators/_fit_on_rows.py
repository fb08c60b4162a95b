"""Fit whatever can be a part of an ensemble, on some rows of a coded table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from sklearn.base import clone

from polytask.estimators._bagged import AloneModels, FoldModel, LearningData, NetworkModel
from polytask.estimators._base import MultiTaskEstimator
from polytask.estimators._best_per_task import BestPerTask, choose_per_task, default_candidates, fit_alone
from polytask.estimators._fit_networks import CodedTable, NetworkJob
from polytask.estimators._fold_models import JoinedModels, with_numbers
from polytask.estimators._labels import declared_tasks
from polytask.estimators._multi_task_network import MultiTaskNetwork
from polytask.estimators._per_task import PerTaskEstimator
from polytask.exceptions import OptionError
from polytask.tasks import FittedTask, Task
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]


@runtime_checkable
class FitsOnRows(Protocol):
    """An estimator that can be a part of an ensemble by a method of its own."""

    def fit_on_rows(self, data: LearningData, rows: Array, *, seed: int) -> FoldModel:
        """Learn all tasks of ``data`` from some of its rows; the estimator itself is not changed."""
        ...


def fit_on_rows(candidate: Any, data: LearningData, rows: Array, *, seed: int) -> FoldModel:
    """Fit a model on some rows of a coded table.

    Parameters
    ----------
    candidate : estimator, or dict of estimator type to estimator
        A :class:`MultiTaskNetwork` learns its tasks together, a :class:`PerTaskEstimator` and what it takes each alone; a
        :class:`BestPerTask` chooses inside of the rows; any estimator with the method of :class:`FitsOnRows` uses it. If it
        declares tasks, it learns these only.
    data : LearningData
    rows : int array
    seed : int
        Also of scikit-learn estimators whose ``random_state`` is None.

    Returns
    -------
    model : FoldModel

    Raises
    ------
    OptionError
        If it is something else, or declares a task that is not among those of ``data``.
    """
    data = data_of(candidate, data)
    if isinstance(candidate, MultiTaskNetwork):
        train, held = candidate.inner_split(
            data.labels, data.weight, groups=data.groups, times=data.times, seed=seed, rows=rows, reserved=None
        )
        job = NetworkJob(train, held, np.ones(len(data.labels.tasks), dtype=bool), seed % 2**31)
        return NetworkModel(candidate.fit_jobs([job], data.table, data.labels, data.weight)[0])
    if isinstance(candidate, FitsOnRows):
        return candidate.fit_on_rows(data, rows, seed=seed)
    if isinstance(candidate, BestPerTask):
        return AloneModels(_best(candidate, data, rows, seed=seed))
    if isinstance(candidate, PerTaskEstimator):
        own = candidate.estimator
        if isinstance(own, MultiTaskEstimator) and not isinstance(own, MultiTaskNetwork):
            names = [task.name for task in data.labels.tasks]
            each = [(of_tasks(data, [name]), seed_of(seed, k) % 2**31) for k, name in enumerate(names)]
            return JoinedModels([fit_on_rows(own, part, rows, seed=part_seed) for part, part_seed in each])
        candidate = own
    if isinstance(candidate, MultiTaskEstimator):
        raise OptionError(
            f"{type(candidate).__name__} cannot be a part of an ensemble: it has no method `fit_on_rows(data, rows, *, seed)`. "
            "Write one, or average its outputs by hand."
        )
    return AloneModels(
        fit_alone(
            seeded(candidate, seed),
            data.table,
            data.labels,
            data.weight,
            rows=rows,
            groups=data.groups,
            times=data.times,
            seed=seed % 2**31,
        )
    )


def learns_together(candidate: Any) -> bool:
    """Whether a model of this kind learns several tasks together, as far as its type tells."""
    if isinstance(candidate, MultiTaskNetwork):
        return True
    return bool(getattr(candidate, "learns_together", False))


def data_of(candidate: Any, data: LearningData) -> LearningData:
    """What a part of an ensemble learns from: the tasks that it declares, or all.

    Raises
    ------
    OptionError
        If it declares a task that is not there, or one of another kind.
    """
    given = declared_tasks(getattr(candidate, "tasks", None)) if isinstance(candidate, MultiTaskEstimator) else None
    if given is None:
        return data
    known = {task.name: task for task in data.labels.tasks}
    for task in given:
        name = task.name if isinstance(task, Task) else str(task)
        if name not in known:
            raise OptionError(f"{type(candidate).__name__} in the ensemble declares task {name!r}; there are {list(known)}.")
        if isinstance(task, Task) and task.kind != known[name].kind:
            raise OptionError(
                f"{type(candidate).__name__} declares task {name!r} as {task.kind}, the ensemble as {known[name].kind}. "
                "Declare the tasks of the ensemble."
            )
    return of_tasks(data, [task.name if isinstance(task, Task) else str(task) for task in given])


def of_tasks(data: LearningData, names: Sequence[str]) -> LearningData:
    """Return what is known of some of the tasks."""
    if list(names) == [task.name for task in data.labels.tasks]:
        return data
    slices, by_name = data.labels.slices, {task.name: task for task in data.labels.tasks}
    columns = np.concatenate([np.arange(data.weight.shape[1])[slices[name]] for name in names])
    labels = replace(
        data.labels,
        tasks=[by_name[name] for name in names],
        target=data.labels.target[:, columns],
        reasons={name: data.labels.reasons.get(name, "") for name in names},
    )
    return replace(data, labels=labels, weight=data.weight[:, columns])


def with_features(data: LearningData, numbers: Array, *, keep: bool = True) -> LearningData:
    """Return the same labels with columns of numbers added to the inputs, or with these alone."""
    arrays = with_numbers(data.table.arrays, numbers, keep=keep)
    return replace(data, table=CodedTable(arrays, data.table.cardinalities if keep else ()))


def fitted_tasks(data: LearningData, rows: Array) -> list[FittedTask]:
    """Tasks with the statistics of these rows."""
    slices = data.labels.slices
    return [
        task.with_statistics(data.labels.target[rows][:, slices[task.name]], data.weight[rows][:, slices[task.name]])
        for task in data.labels.tasks
    ]


def seeded(candidate: Any, seed: int) -> Any:
    """Return scikit-learn estimators with a seed where they have none."""
    if isinstance(candidate, Mapping):
        return {name: seeded(own, seed_of(seed, k) % 2**31) for k, (name, own) in enumerate(sorted(candidate.items()))}
    if isinstance(candidate, MultiTaskEstimator) or not hasattr(candidate, "get_params"):
        return candidate
    unset = sorted(
        name
        for name, value in candidate.get_params(deep=True).items()
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    )
    if not unset:
        return candidate
    return clone(candidate).set_params(**{name: seed_of(seed, k, 11) % 2**31 for k, name in enumerate(unset)})


def _best(candidate: BestPerTask, data: LearningData, rows: Array, *, seed: int) -> dict[str, Any]:
    candidates = default_candidates() if candidate.candidates is None else dict(candidate.candidates)
    found = choose_per_task(
        seeded(candidates, seed),
        data.table,
        data.labels,
        data.weight,
        rows=rows,
        groups=data.groups,
        times=data.times,
        selection=candidate.selection,
        seed=seed,
    )
    return found.models


Fit = Callable[[LearningData, Array, int], FoldModel]
