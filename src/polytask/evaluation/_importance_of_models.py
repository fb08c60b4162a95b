"""How much worse each model predicts its held-out rows with a column permuted, per task, with intervals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from polytask.evaluation._donated_columns import CodedRows, FrameRows, Outputs
from polytask.evaluation._donors import donor_rows
from polytask.evaluation._dyadic_variance import Pairs
from polytask.evaluation._intervals import simultaneous_intervals
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]
Columns = Mapping[str, Sequence[str]]  # name of what is permuted together, and its raw columns

_ROUNDING = 1e-12  # of the constant's error


@dataclass(frozen=True)
class HeldOutRows:
    """Rows that a fitted model has not seen.

    Attributes
    ----------
    inputs : CodedRows or FrameRows
        The model, and its inputs of these rows.
    rows : int array of shape (n,)
        Which rows of the table they are; at least 2.
    tasks : dict of task name to FittedTask
        With the statistics of the model's training rows.
    repeat : int, default=0
        Of the cross-validation. Within a repeat, a row is held out once at most.
    """

    inputs: CodedRows | FrameRows
    rows: Array
    tasks: Mapping[str, FittedTask]
    repeat: int = 0


@dataclass(frozen=True)
class TaskLosses:
    """Losses of the labels of a task as they are, one entry per held-out row of every model, flat."""

    model: Array
    constant: Array
    weight: Array
    observed: Array

    @property
    def base(self) -> float:
        """Sum of weighted errors of the constant."""
        return float((self.weight * np.where(self.observed, self.constant, 0.0)).sum())

    @property
    def skill(self) -> float:
        """Skill of the models."""
        return 1 - float((self.weight * np.where(self.observed, self.model, 0.0)).sum()) / self.base

    @cached_property
    def undefined(self) -> str:
        """Why nothing can be said of this task; empty if something can."""
        seen = self.observed & (self.weight > 0)
        if seen.sum() < 2:
            return "fewer than two held-out rows have a label"
        if not np.isfinite(self.model[seen]).all():
            return "a held-out loss is infinite or not a number"
        if not self.base > 0:
            return "predicting a constant makes no error on the held-out labels, so there is no skill to lose"
        return ""


def measure(
    models: Sequence[HeldOutRows],
    columns: Columns,
    *,
    targets: Mapping[str, Array],
    weights: Mapping[str, Array],
    units: Array | None,
    groups: Array | None,
    n_repeats: int,
    confidence: float,
    seed: int,
    on_column: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    r"""Permute columns among the held-out rows of every model.

    With the loss :math:`L(j)_i` of row i if its value of the column is that of row j, over the pairs that were looked at,

    .. math:: I = \frac{\sum w_i (L(j)_i - L_i)}{\sum w_i c_i}, \qquad \psi_{ij} \propto w_i (L(j)_i - L_i - I c_i)

    and the variance is that of :class:`Pairs`.

    Parameters
    ----------
    models : sequence of HeldOutRows
    columns : dict of name to raw columns
    targets : dict of task name to array of shape (n_rows, n_targets)
        Of the whole table; NaN where missing.
    weights : dict of task name to array of shape (n_rows,)
    units, groups : int arrays of shape (n_rows,), optional
        What counts as one in intervals; what never lends to itself.
    n_repeats, confidence, seed
        As in :func:`permutation_importance`.
    on_column : callable, optional
        Called with columns done and columns in all, over all models.

    Returns
    -------
    dict
        ``tasks``, ``mean`` and ``shared_groups`` (models whose rows are mostly of one group).
    """
    rng = np.random.default_rng(seed)
    drawn = [donor_rows(len(own.rows), n_repeats, groups=None if groups is None else groups[own.rows], rng=rng) for own in models]
    pairs = _pairs(models, [donors for donors, _ in drawn], units)
    plain = [own.inputs.outputs() for own in models]
    base = {name: _losses_of(models, plain, name, target, weights[name]) for name, target in targets.items()}
    cells = _Cells(pairs, n_repeats, [len(own.rows) for own in models], base)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in targets}
    means = []
    for done, (name, raw) in enumerate(columns.items()):
        permuted: dict[str, list[Array]] = {task: [] for task in targets}
        for k, own in enumerate(models):
            used = [column for column in raw if column in own.inputs.columns]
            outputs = own.inputs.donated(used, drawn[k][0]) if used else _repeated(plain[k], n_repeats)
            for task, target in targets.items():
                permuted[task].append(_permuted_losses(own, task, outputs, target, n_repeats))
            if on_column is not None:
                on_column(done * len(models) + k + 1, len(columns) * len(models))
        estimates = {task: cells.estimate(task, np.concatenate(losses)) for task, losses in permuted.items()}
        for task, (entry, _) in estimates.items():
            found[task].append({"name": name, **entry})
        means.append({"name": name, **cells.mean([own for own in estimates.values() if own[1] is not None])})
    tasks = {
        name: {
            "n_observed": int((losses.observed & (losses.weight > 0)).sum()),
            "skill": None if losses.undefined else losses.skill,
            "undefined": losses.undefined or None,
            "columns": judged(found[name], confidence),
        }
        for name, losses in base.items()
    }
    return {"tasks": tasks, "mean": judged(means, confidence), "shared_groups": sum(not apart for _, apart in drawn)}


def judged(entries: list[dict[str, Any]], confidence: float) -> list[dict[str, Any]]:
    """Add intervals adjusted for the number of columns (Holm), and what they say, to importances with standard errors."""
    known = [entry for entry in entries if entry["importance"] is not None]
    for entry in entries:
        entry |= {"matters": False, "verdict": "undefined"}
    if not known:
        return entries
    values = [[entry[key] for entry in known] for key in ("importance", "se", "df")]
    found = simultaneous_intervals(values[0], se=values[1], df=values[2], confidence=confidence)
    for k, entry in enumerate(known):
        own = {key: float(getattr(found, key)[k]) for key in found.__dataclass_fields__}
        decided = own["p_adjusted"] <= 1 - confidence
        unused = entry["importance"] == 0 and entry["se"] == 0
        verdict = ("matters" if entry["importance"] > 0 else "misleads") if decided else "unused" if unused else "undecided"
        entry |= own | {"matters": verdict == "matters", "verdict": verdict}
    return entries


@dataclass(frozen=True)
class _Cells:
    """All pairs with the losses of their receivers, so that each column only brings the losses that it changes."""

    pairs: Pairs
    n_repeats: int
    lengths: list[int]
    losses: dict[str, TaskLosses]

    def estimate(self, task: str, permuted: Array) -> tuple[dict[str, Any], tuple[Array, Array] | None]:
        """Importance with its standard error, and the influence of every pair; ``permuted`` has a loss per pair."""
        own = self.losses[task]
        empty: dict[str, Any] = {"importance": None, "se": None, "df": None, "undefined": own.undefined}
        if own.undefined:
            return empty, None
        observed = self._per_pair(own.observed & (own.weight > 0))
        if not np.isfinite(permuted[observed]).all():
            return empty | {"undefined": "a loss with this column permuted is infinite or not a number"}, None
        weight, constant = self._per_pair(own.weight), np.where(observed, self._per_pair(own.constant), 0.0)
        scale = self.n_repeats * own.base
        drop = np.where(observed, permuted - self._per_pair(own.model), 0.0)
        drop[np.abs(drop) <= _ROUNDING * np.maximum(constant, own.base / len(own.model))] = 0.0
        value = float((weight * drop).sum()) / scale
        influence = weight * (drop - value * constant) / scale
        return self._entry(value, influence, observed), (influence, observed)

    def mean(self, parts: Sequence[tuple[dict[str, Any], Any]]) -> dict[str, Any]:
        """Mean over tasks; influences are averaged pair by pair, so tasks whose losses move together count as such."""
        if not parts:
            return {"importance": None, "se": None, "df": None, "undefined": "no task has an importance"}
        value = float(np.mean([entry["importance"] for entry, _ in parts]))
        influence = np.mean([own[0] for _, own in parts], axis=0)
        return self._entry(value, influence, np.any([own[1] for _, own in parts], axis=0))

    def _entry(self, value: float, influence: Array, observed: Array) -> dict[str, Any]:
        variance = self.pairs.variance(influence, observed)
        return {"importance": value, "se": float(np.sqrt(variance.total)), "df": float(variance.df), "undefined": None}

    def _per_pair(self, values: Array) -> Array:
        """What each row of each model has, for every pair it receives in."""
        parts = np.split(values, np.cumsum(self.lengths)[:-1])
        return np.concatenate([np.tile(part, self.n_repeats) for part in parts])


def _repeated(outputs: Outputs, n_repeats: int) -> Outputs:
    return {name: np.concatenate([values] * n_repeats) for name, values in outputs.items()}


def _pairs(models: Sequence[HeldOutRows], donors: Sequence[Array], units: Array | None) -> Pairs:
    own_units = [own.rows if units is None else units[own.rows] for own in models]
    sizes = [own.size for own in donors]
    return Pairs(
        receiver=np.concatenate([np.tile(unit, len(own)) for unit, own in zip(own_units, donors, strict=True)]),
        donor=np.concatenate([unit[own].ravel() for unit, own in zip(own_units, donors, strict=True)]),
        model=np.repeat(np.arange(len(models)), sizes),
        repeat=np.repeat([own.repeat for own in models], sizes),
    )


def _losses_of(models: Sequence[HeldOutRows], outputs: Sequence[Outputs], task: str, target: Array, weight: Array) -> TaskLosses:
    found, constants = [], []
    for own, predicted in zip(models, outputs, strict=True):
        labels, fitted = target[own.rows], own.tasks[task]
        found.append(fitted.row_losses(predicted[task], labels))
        constants.append(fitted.row_losses(fitted.constant_outputs(len(labels)), labels))
    rows, constant = np.concatenate([own.rows for own in models]), np.concatenate(constants)
    return TaskLosses(np.concatenate(found), constant, weight[rows], ~np.isnan(constant))


def _permuted_losses(own: HeldOutRows, task: str, outputs: Outputs, target: Array, n_repeats: int) -> Array:
    return own.tasks[task].row_losses(outputs[task], np.tile(target[own.rows], (n_repeats, 1)))
