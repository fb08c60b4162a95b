"""How much of each model goes into the prediction of a task, by what they say of rows that they have not seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.estimators import Bagged, LearningData, bagged_selection
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]

CHOOSING_ROWS = 20_000  # more rows do not change the weights, but take long
BAGS = ((1_000, 5), (3_000, 3))  # rows below which weights are the mean of so many selections
LEAST_DRAWN = 10  # labels other than the most common one, without which a sample of the rows may hold one class only
LEAST_SHARE = 0.02  # smaller ones are not worth a model to keep


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
        Skill of the mixture, its weights chosen on other parts of the rows than those that score it.
    """

    weights: dict[str, float]
    skills: dict[str, float]
    skill: float


class TaskRows:
    """The held-out rows of one task that have a label.

    Parameters
    ----------
    task : FittedTask
        With the statistics of all training rows.
    data : LearningData
    part : slice
        Columns of the task among the targets.
    parts : int array of shape (n,)
        Part of every row; -1 where it is not held out.
    """

    def __init__(self, task: FittedTask, data: LearningData, part: slice, parts: Array) -> None:
        weight = data.weight[:, part].max(axis=1)
        self.task = task
        self.rows = np.flatnonzero((parts >= 0) & (weight > 0))
        self.weight, self.parts = weight[self.rows], parts[self.rows]
        self.target = data.labels.target[self.rows, part]
        varies = task.labels_vary(self.target, self.weight)  # else there is no skill, and nothing to choose by
        self.constant = (
            self._mean(task.row_losses(task.constant_outputs(len(self.rows)), self.target)) if varies else float("nan")
        )

    def skill(self, outputs: Array) -> float:
        """Skill of outputs of these rows; NaN where it is undefined."""
        losses = self._mean(self.task.row_losses(outputs, self.target)) if len(self.rows) else float("nan")
        return 1 - losses / self.constant if self.constant > 0 else float("nan")

    def outputs_of(self, bagged: Mapping[str, Bagged]) -> dict[str, Array]:
        """Held-out outputs of these rows, of the models that have learned the task."""
        return {name: own.held_out[self.task.name][self.rows] for name, own in bagged.items() if self.task.name in own.held_out}

    def choose(self, outputs: Mapping[str, Array], among: Array, *, is_quick: bool = False) -> Array:
        """Weights of the models, chosen on the rows ``among`` (positions here)."""
        if len(among) > CHOOSING_ROWS:
            among = among[np.linspace(0, len(among) - 1, CHOOSING_ROWS).astype(np.int64)]
        if not self.task.labels_vary(self.target[among], self.weight[among]):
            return np.full(len(outputs), 1 / len(outputs))
        losses: Callable[[Array], Array] = lambda values: self.task.row_losses(values, self.target[among])  # noqa: E731
        found = [own[among] for own in outputs.values()]
        has_few = bool(self.task.few_labels(self.target[among], self.weight[among], least=LEAST_DRAWN))
        n_bags = 1 if is_quick or has_few else _bags(len(among))
        return bagged_selection(found, losses, self.weight[among], n_bags=n_bags, max_rounds=25 if is_quick else 50)

    @property
    def n_selections(self) -> int:
        """Selections that :func:`mix` makes at most."""
        return max(len(np.unique(self.parts)), 1) * _bags(len(self.rows))

    def _mean(self, losses: Array) -> float:
        seen = ~np.isnan(losses)
        return float(np.average(losses[seen], weights=self.weight[seen])) if seen.any() else float("nan")


def _bags(n_rows: int) -> int:
    """Samples of so many rows to select on."""
    return next((bags for below, bags in BAGS if n_rows < below), 1)


def mix(rows: TaskRows, bagged: Mapping[str, Bagged]) -> tuple[TaskEnsemble, Array]:
    """Choose the mixture of a task, and score it.

    Every part of the rows is mixed by weights that were chosen on the other parts, which is what the skill is of; the mixture
    of new rows has the mean of these weights.

    Returns
    -------
    ensemble : TaskEnsemble
    outputs : array of shape (len(rows.rows), ...)
        The mixture that scored each row.
    """
    found = rows.outputs_of(bagged)
    skills = {name: rows.skill(own) for name, own in found.items()}
    every, mixed = np.arange(len(rows.rows)), np.full_like(next(iter(found.values())), np.nan, dtype=np.float64)
    parts, shares, crossed = np.unique(rows.parts), [], float("nan")
    if len(parts) > 1:
        for part in parts:
            own = rows.choose(found, every[rows.parts != part])
            mixed[rows.parts == part] = _weighed(own, found, rows.parts == part)
            shares.append(own)
        crossed = rows.skill(mixed)
    else:
        shares.append(rows.choose(found, every) if len(every) else np.full(len(found), 1 / len(found)))
        mixed = _weighed(shares[0], found, slice(None))
    mean = np.mean(shares, axis=0)
    mean = np.where(mean >= min(LEAST_SHARE, mean.max()), mean, 0.0)
    weights = {name: float(share) for name, share in zip(found, mean / mean.sum(), strict=True) if share > 0}
    return TaskEnsemble(weights, skills, crossed), mixed


def chosen_skill(rows: TaskRows, bagged: Mapping[str, Bagged]) -> float:
    """Skill of the mixture on the rows that chose it: optimistic, but quick, and enough to see whether a model adds something.

    It is 0, that of the constant, where time has left the task without a model.
    """
    if not (found := rows.outputs_of(bagged)):
        return 0.0
    shares = rows.choose(found, np.arange(len(rows.rows)), is_quick=True)
    return rows.skill(_weighed(shares, found, slice(None)))


def _weighed(shares: Array, outputs: Mapping[str, Array], rows: Any) -> Array:
    used = [share * own[rows] for share, own in zip(shares, outputs.values(), strict=True) if share > 0]
    return np.asarray(np.sum(used, axis=0), dtype=np.float64)
