"""The portfolio: models of many kinds on one shared split, mixed per task by what they give for rows they have not seen."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from polytask.automatic._candidate import Candidate
from polytask.automatic._mixtures import TaskEnsemble, TaskRows, chosen_skill, mix
from polytask.automatic._portfolio_run import PortfolioRun
from polytask.automatic._shared_split import parts_of_rows
from polytask.data import TableArrays
from polytask.estimators import Bagged, LearningData
from polytask.exceptions import DataError
from polytask.tasks import FittedTask

__all__ = ["Candidate", "Portfolio", "TaskEnsemble", "fit_portfolio"]

Array = np.ndarray[Any, np.dtype[Any]]
Split = tuple[Array, Array]

LEAST_GAIN = 0.001  # of mean skill, for a model that is worth its time
MIXINGS = 2  # that time is kept for: of all models, and of those that learned each task alone
LEAST_MODELS = 5  # before a run may end for want of gains

COLUMNS = ["task", "model", "skill", "weight", "together", "seconds", "megabytes", "latency"]


@dataclass
class Portfolio:
    """Fitted models and how each task mixes them.

    Attributes
    ----------
    tasks : list of FittedTask
        With the statistics of all training rows.
    bagged : dict of name to Bagged
        Models that are whole, in the order of the candidates.
    ensembles : dict of task name to TaskEnsemble
    left_out : dict of name to str
        Why a candidate is not there.
    seconds : float
    ended_by : {"candidates", "gain", "time"}
        Whether all candidates were tried, the last ones no longer gained, or something was left out for want of time.
    notes : list of str
    mixed : dict of task name to (rows, outputs)
        Held-out rows with a label, int [k], and their outputs [k, ...] by mixtures chosen on other rows.
    measured : dict of name to dict
        ``megabytes`` in a model folder, about, and ``latency``, milliseconds of predicting 1,000 rows.
    made : dict of name to Candidate
        Kinds of the models, as they were fitted; empty for one from a model folder.
    """

    tasks: list[FittedTask]
    bagged: dict[str, Bagged] = field(default_factory=dict)
    ensembles: dict[str, TaskEnsemble] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    ended_by: str = "candidates"
    notes: list[str] = field(default_factory=list)
    mixed: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    measured: dict[str, dict[str, float]] = field(default_factory=dict)
    made: dict[str, Candidate] = field(default_factory=dict)

    @property
    def used(self) -> list[str]:
        """Names of the models that some task gives weight."""
        wanted = {name for own in self.ensembles.values() for name in own.weights}
        return [name for name in self.bagged if name in wanted]

    def outputs(self, arrays: TableArrays, *, fold: int | None = None) -> dict[str, Array]:
        """Outputs in natural scale per task, of all folds' models or those of one; models that no task uses are not run."""
        used = {name: self.bagged[name] for name in self.used}
        found = {name: own.outputs(arrays) if fold is None else own.models[fold].outputs(arrays) for name, own in used.items()}
        return {
            task.name: np.sum([w * found[name][task.name] for name, w in self.ensembles[task.name].weights.items()], axis=0)
            for task in self.tasks
        }

    def leaderboard(self) -> pd.DataFrame:
        """Held-out skill of every model per task, its weight, and what it took.

        Returns
        -------
        frame : DataFrame
            Columns ``task``, ``model``, ``skill``, ``weight``, ``together``, ``seconds`` (of fitting all folds and tasks),
            ``megabytes`` and ``latency`` (milliseconds per 1,000 rows, all folds and tasks). The mixture is the model "ensemble",
            its skill cross-fitted. Best first within a task; with several tasks the last rows, of task "(mean)", are means of
            models that have learned all of them.
        """
        rows: list[dict[str, Any]] = []
        for task in self.tasks:
            own = self.ensembles[task.name]
            rows.append({"task": task.name, "model": "ensemble", "skill": own.skill, "weight": 1.0, "together": None})
            for name in sorted(own.skills, key=lambda name: _order(own.skills[name])):
                rows.append(self._row(task.name, name, own.skills[name], own.weights.get(name, 0.0)))
        if len(self.tasks) > 1:
            every = list(self.ensembles.values())
            skill = _mean([own.skill for own in every])
            rows.append({"task": MEAN, "model": "ensemble", "skill": skill, "weight": 1.0, "together": None})
            whole = [name for name in self.bagged if all(name in own.skills for own in every)]
            means = {name: _mean([own.skills[name] for own in every]) for name in whole}
            for name in sorted(whole, key=lambda name: _order(means[name])):
                weight = float(np.mean([own.weights.get(name, 0.0) for own in every]))
                rows.append(self._row(MEAN, name, means[name], weight))
        return pd.DataFrame(rows, columns=COLUMNS)

    def _row(self, task: str, name: str, skill: float, weight: float) -> dict[str, Any]:
        bagged = self.bagged[name]
        told = {"task": task, "model": name, "skill": skill, "weight": weight, "together": bagged.together}
        return {**told, "seconds": bagged.seconds, **self.measured.get(name, {})}

    def joint_weight(self) -> dict[str, float]:
        """Share of each task's mixture that models which learned the tasks together have."""
        return {
            name: sum(w for model, w in own.weights.items() if self.bagged[model].together)
            for name, own in self.ensembles.items()
        }


MEAN = "(mean)"


def fit_portfolio(
    data: LearningData,
    candidates: Sequence[Candidate],
    splits: Sequence[Split],
    *,
    seed: int,
    deadline: float | Callable[[], float] = np.inf,
    n_workers: int = 1,
    patience: int | None = None,
    earlier: Mapping[str, Bagged] | None = None,
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
    deadline : float or callable, default=inf
        Of ``time.monotonic()``. The first candidate that suits is fitted in any case.
    n_workers : int, default=1
        Fits side by side, in threads. The numbers do not depend on it, but for what a deadline leaves out.
    patience : int, optional
        Models in a row that may raise the mean skill by less than 0.001 before the run ends; None tries all.
    earlier : mapping of name to Bagged, optional
        Models fitted before on the same data and splits.
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
    splits = list(splits)
    rows = _rows(data, tasks, splits, seed)
    judge = None if patience is None else _Judge(rows, patience)
    given = deadline if callable(deadline) else lambda: float(deadline)
    until = given if judge is None else lambda: given() - MIXINGS * judge.mixing
    settings: dict[str, Any] = {"seed": seed, "n_workers": n_workers, "judge": judge, "on_model": on_model}

    def best_skill(bagged: Bagged) -> float:
        skills = [own.skill(held) for own in rows for held in own.outputs_of({"": bagged}).values()]
        return max((skill for skill in skills if np.isfinite(skill)), default=float("nan"))

    run = PortfolioRun(data, candidates, splits, deadline=until, earlier=earlier, best_skill=best_skill, **settings)
    run.run()
    if not run.bagged and run.slow is not None:  # too slow for the time given, but there must be a model
        splits = splits[:1]
        rows = _rows(data, tasks, splits, seed)
        run = PortfolioRun(data, [run.slow], splits, deadline=lambda: np.inf, **settings | {"judge": None})
        run.ran_out = True
        run.run()
    if not run.bagged:
        why = "; ".join(f"{name}: {told}" for name, told in run.left_out.items())
        raise DataError(f"No candidate suits this table ({why}). Give one without limits, such as linear models.")
    ended_by = "time" if run.ran_out else "gain" if run.ended_early else "candidates"
    found = Portfolio(tasks, run.bagged, left_out=run.left_out, ended_by=ended_by, notes=run.notes)
    found.made = {own.name: own for own in candidates} | run.made
    for own in rows:
        ensemble, outputs = mix(own, found.bagged)
        found.ensembles[own.task.name], found.mixed[own.task.name] = ensemble, (own.rows, outputs)
    found.seconds = time.monotonic() - started
    return found


class _Judge:
    """Ends a run when several models in a row have added nothing."""

    def __init__(self, rows: Sequence[TaskRows], patience: int) -> None:
        self.rows, self.patience = list(rows), patience
        self.best, self.without_gain = -np.inf, 0
        self.mixing = 0.0  # seconds that choosing the mixtures in the end will take, about
        self._selections = float(np.mean([own.n_selections for own in self.rows]))

    def __call__(self, bagged: dict[str, Bagged]) -> bool:
        started = time.thread_time()
        skill = _mean([chosen_skill(own, bagged) for own in self.rows])
        self.mixing = (time.thread_time() - started) * self._selections
        if np.isnan(skill) or skill >= self.best + LEAST_GAIN:
            self.best, self.without_gain = max(self.best, skill if np.isfinite(skill) else -np.inf), 0
        else:
            self.without_gain += 1
        return len(bagged) >= LEAST_MODELS and self.without_gain >= self.patience


def _rows(data: LearningData, tasks: Sequence[FittedTask], splits: list[Split], seed: int) -> list[TaskRows]:
    parts = parts_of_rows(data, splits, seed=seed)
    return [TaskRows(task, data, part, parts) for task, (_, part) in zip(tasks, _parts(data.labels), strict=True)]


def _parts(labels: Any) -> list[tuple[FittedTask, slice]]:
    return [(task, labels.slices[task.name]) for task in labels.tasks]


def _mean(skills: Sequence[float]) -> float:
    known = [skill for skill in skills if np.isfinite(skill)]
    return float(np.mean(known)) if known else float("nan")


def _order(skill: float) -> float:
    return -skill if np.isfinite(skill) else np.inf
