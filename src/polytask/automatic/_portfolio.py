"""The portfolio: models of many kinds on one shared split, mixed per task by what they give for rows they have not seen."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from polytask.data import TableArrays
from polytask.estimators import (
    Bagged,
    LearningData,
    MultiTaskNetwork,
    bag_alone,
    bag_network,
    cross_fitted_outputs,
    greedy_selection,
)
from polytask.exceptions import DataError
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]
Split = tuple[Array, Array]


@dataclass(frozen=True)
class Candidate:
    """A kind of model to try.

    Attributes
    ----------
    name : str
    model : estimator, dict of estimator type to estimator, or MultiTaskNetwork
        What :class:`PerTaskEstimator` takes; a network is learned by all tasks together if ``together``, else by its twins.
    together : bool
    max_rows, max_columns : int, optional
        Larger tables leave it out: it would not end, or has never paid there.
    """

    name: str
    model: Any
    together: bool = False
    max_rows: int | None = None
    max_columns: int | None = None

    def suits(self, n_rows: int, n_columns: int) -> bool:
        """Whether the table is within its limits."""
        return n_rows <= (self.max_rows or np.inf) and n_columns <= (self.max_columns or np.inf)


@dataclass
class TaskEnsemble:
    """How one task is predicted.

    Attributes
    ----------
    weights : dict of model name to float
        Shares in the mixture, positive and summing to 1.
    skills : dict of model name to float
        Held-out skill of each model that has learned the task.
    skill : float
        Skill of the mixture, its weights chosen on other folds than those that score it.
    """

    weights: dict[str, float]
    skills: dict[str, float]
    skill: float


@dataclass
class Portfolio:
    """Fitted models and how each task mixes them.

    Attributes
    ----------
    tasks : list of FittedTask
        With the statistics of all training rows.
    bagged : dict of name to Bagged
        Models that are whole, in the order in which they were fitted.
    ensembles : dict of task name to TaskEnsemble
    left_out : dict of name to str
        Why a candidate is not there.
    seconds : float
    """

    tasks: list[FittedTask]
    bagged: dict[str, Bagged] = field(default_factory=dict)
    ensembles: dict[str, TaskEnsemble] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def outputs(self, arrays: TableArrays) -> dict[str, Array]:
        """Outputs in natural scale per task; models that no task uses are not run."""
        used = {name for own in self.ensembles.values() for name in own.weights}
        found = {name: bagged.outputs(arrays) for name, bagged in self.bagged.items() if name in used}
        return {
            task.name: np.sum([w * found[name][task.name] for name, w in self.ensembles[task.name].weights.items()], axis=0)
            for task in self.tasks
        }

    def leaderboard(self) -> pd.DataFrame:
        """Held-out skill of every model per task, its weight, and what it took.

        Returns
        -------
        frame : DataFrame
            Columns ``task``, ``model``, ``skill``, ``weight``, ``together``, ``seconds``; the mixture is the model "ensemble",
            its skill cross-fitted. Best first within a task.
        """
        rows = []
        for task in self.tasks:
            own = self.ensembles[task.name]
            rows.append({"task": task.name, "model": "ensemble", "skill": own.skill, "weight": 1.0, "together": None})
            for name in sorted(own.skills, key=lambda name: -own.skills[name]):
                bagged = self.bagged[name]
                rows.append(
                    {
                        "task": task.name,
                        "model": name,
                        "skill": own.skills[name],
                        "weight": own.weights.get(name, 0.0),
                        "together": bagged.together,
                        "seconds": bagged.seconds,
                    }
                )
        return pd.DataFrame(rows)

    def joint_weight(self) -> dict[str, float]:
        """Share of each task's mixture that models which learned the tasks together have."""
        return {
            name: sum(w for model, w in own.weights.items() if self.bagged[model].together)
            for name, own in self.ensembles.items()
        }


def fit_portfolio(
    data: LearningData,
    candidates: Sequence[Candidate],
    splits: Sequence[Split],
    *,
    seed: int,
    deadline: float = np.inf,
    on_model: Callable[[str, Bagged | None], None] | None = None,
) -> Portfolio:
    """Fit the candidates in order on one shared split, while there is time, then weigh them per task.

    Parameters
    ----------
    data : LearningData
    candidates : sequence of Candidate
        Cheap and sure ones first.
    splits : sequence of pairs of int arrays
        Training and held-out rows of every fold, the same for all candidates.
    seed : int
    deadline : float, default=inf
        Of ``time.monotonic()``. The first candidate that suits is fitted in any case.
    on_model : callable, optional
        Called with the name and the fitted model (None if it was left out).

    Raises
    ------
    DataError
        If no candidate could be fitted.
    """
    started = time.monotonic()
    labels, weight = data.labels, data.weight
    tasks = [task.with_statistics(labels.target[:, part], weight[:, part]) for task, part in _parts(labels)]
    found = Portfolio(tasks)
    n_rows, n_columns = data.table.arrays.numeric.shape[0], _n_columns(data)
    for candidate in candidates:
        if not candidate.suits(n_rows, n_columns):
            found.left_out[candidate.name] = f"not for {n_rows:,} rows and {n_columns:,} columns"
        elif found.bagged and time.monotonic() >= deadline:
            found.left_out[candidate.name] = "no time was left"
        else:
            bagged = _fit(candidate, data, splits, seed=seed, deadline=deadline if found.bagged else np.inf)
            if bagged.is_whole:
                found.bagged[candidate.name] = bagged
            else:
                found.left_out[candidate.name] = f"time ended after {len(bagged.models)} of {len(splits)} folds"
        if on_model is not None:
            on_model(candidate.name, found.bagged.get(candidate.name))
    if not found.bagged:
        raise DataError("No candidate suits this table. Give one without limits, such as linear models.")
    _weigh(found, data, splits)
    found.seconds = time.monotonic() - started
    return found


def _fit(candidate: Candidate, data: LearningData, splits: Sequence[Split], *, seed: int, deadline: float) -> Bagged:
    if candidate.together and isinstance(candidate.model, MultiTaskNetwork):
        return bag_network(candidate.name, candidate.model, data, splits, seed=seed, deadline=deadline)
    return bag_alone(candidate.name, candidate.model, data, splits, seed=seed, deadline=deadline)


def _weigh(found: Portfolio, data: LearningData, splits: Sequence[Split]) -> None:
    """Mixtures of every task, and what they are worth."""
    fold_of = np.full(len(data.weight), -1)
    for fold, (_, held) in enumerate(splits):
        fold_of[held] = fold
    held = np.flatnonzero(fold_of >= 0)
    for task, (_, part) in zip(found.tasks, _parts(data.labels), strict=True):
        target, weight = data.labels.target[held, part], data.weight[held, part].max(axis=1)
        outputs = {
            name: bagged.held_out[task.name][held] for name, bagged in found.bagged.items() if task.name in bagged.held_out
        }
        found.ensembles[task.name] = _mix(task, outputs, target, weight, fold_of[held])


def _mix(task: FittedTask, outputs: dict[str, Array], target: Array, weight: Array, fold: Array) -> TaskEnsemble:
    """Weights of the models for one task, from held-out outputs [n, ...]."""

    def losses_of(rows: Array) -> Callable[[Array], Array]:
        return lambda values: task.row_losses(values, target[rows])

    def skill(values: Array) -> float:
        constant = _mean(task.row_losses(task.constant_outputs(len(target)), target), weight)
        return 1 - _mean(task.row_losses(values, target), weight) / constant if constant > 0 else float("nan")

    models = list(outputs.values())
    shares = greedy_selection(models, losses_of(np.arange(len(target))), weight)
    # with one part, the same rows would choose and score
    crossed = skill(cross_fitted_outputs(models, losses_of, weight, fold)) if len(np.unique(fold)) > 1 else float("nan")
    return TaskEnsemble(
        {name: float(share) for name, share in zip(outputs, shares, strict=True) if share > 0},
        {name: skill(values) for name, values in outputs.items()},
        crossed,
    )


def _parts(labels: Any) -> list[tuple[FittedTask, slice]]:
    return [(task, labels.slices[task.name]) for task in labels.tasks]


def _n_columns(data: LearningData) -> int:
    return data.table.arrays.numeric.shape[1] + sum(data.table.cardinalities)


def _mean(losses: Array, weight: Array) -> float:
    seen = ~np.isnan(losses) & (weight > 0)
    return float(np.average(losses[seen], weights=weight[seen])) if seen.any() else float("nan")
