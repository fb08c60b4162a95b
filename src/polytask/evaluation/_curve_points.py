"""Points of a learning curve with their intervals and verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.evaluation._arms import ALONE, TOGETHER
from polytask.evaluation._folds import FoldPlan
from polytask.evaluation._gain import Gain, TaskGain, UndefinedGain, mean_gain, task_gain
from polytask.evaluation._gain_table import LossArrays, mean_entries, task_entries
from polytask.evaluation._intervals import simultaneous_intervals

Array = np.ndarray[Any, np.dtype[Any]]

_GAIN = "gain"
_ADJUSTED = ("low", "high", "p_value", "verdict", "reason")


@dataclass(frozen=True)
class CurvePoint:
    """Held-out losses [n_repeats, n_rows] per task at one share.

    Attributes
    ----------
    together, alone : dict of task name to array
    constant : dict of task name to array
        Of the constant of all labels.
    plan : FoldPlan
        Whose repeats these are.
    units : array of shape (n_rows,) or None
        Rows of one unit count as one.
    n_labels : dict of task name to float
    """

    together: dict[str, Array]
    alone: dict[str, Array]
    constant: dict[str, Array]
    plan: FoldPlan
    units: Array | None
    n_labels: Mapping[str, float]


@dataclass(frozen=True)
class CurveRules:
    """How points are measured and judged.

    A skill is the gain over the constant, so its interval is that of :func:`~polytask.evaluation.task_gain`, by itself; the gain
    of together over alone is judged as a comparison judges it, adjusted over all tasks and points that are given together.

    Attributes
    ----------
    weights : dict of task name to array of shape (n_rows,) or None
    too_few : dict of task name to text
        Tasks of which no verdict is given, and why.
    confidence, margin : float
    """

    weights: Mapping[str, Array | None]
    too_few: Mapping[str, str]
    confidence: float
    margin: float

    def measure(self, points: Sequence[CurvePoint]) -> list[dict[str, Any]]:
        """Give per point ``{"tasks": {name: entry}, "mean": entry}``; the points are of one plan and judged together."""
        if not points:
            return []
        plan, units = points[0].plan, points[0].units
        rules: dict[str, Any] = {"fold": plan.held, "groups": units, "confidence": self.confidence, "margin": self.margin}
        losses = {
            f"{k} {name}": LossArrays(point.together[name], point.alone[name], point.constant[name], weight)
            for k, point in enumerate(points)
            for name, weight in self.weights.items()
        }
        few = {f"{k} {name}": why for k in range(len(points)) for name, why in self.too_few.items()}
        judged, gains = task_entries(losses, too_few=few, **rules)
        per_point = [{t: gains[f"{k} {t}"] for t in self.weights if f"{k} {t}" in gains} for k in range(len(points))]
        means = mean_entries(per_point, too_few=self.too_few, **rules)
        found = []
        for k, (point, own, mean) in enumerate(zip(points, per_point, means, strict=True)):
            skills = {t: self._skills(point, t) for t in self.weights}
            tasks = {
                t: _entry(point.n_labels[t], {**skills[t], _GAIN: own.get(t)}, judged[f"{k} {t}"], self.confidence)
                for t in self.weights
            }
            of_arm = {arm: _mean([skills[t][arm] for t in self.weights], point) for arm in (TOGETHER, ALONE)}
            n_labels = float(np.mean([*point.n_labels.values()]))
            whole = {**of_arm, _GAIN: _mean([*own.values()], point)}
            found.append({"tasks": tasks, "mean": _entry(n_labels, whole, mean, self.confidence)})
        return found

    def _skills(self, point: CurvePoint, task: str) -> dict[str, TaskGain | None]:
        own, constant = {TOGETHER: point.together[task], ALONE: point.alone[task]}, point.constant[task]
        return {arm: _gain(losses, constant, point, self.weights[task]) for arm, losses in own.items()}


def as_lists(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One entry with a list per number, from one entry per point.

    >>> as_lists([{"n_labels": 5.0, "gain": {"low": 0.1}}, {"n_labels": 9.0, "gain": {"low": 0.2}}])
    {'n_labels': [5.0, 9.0], 'gain': {'low': [0.1, 0.2]}}
    """
    return {
        key: {name: [entry[key][name] for entry in entries] for name in value}
        if isinstance(value, dict)
        else [entry[key] for entry in entries]
        for key, value in entries[0].items()
    }


def _gain(losses: Array, constant: Array, point: CurvePoint, weight: Array | None) -> TaskGain | None:
    try:
        return task_gain(losses, constant, constant, fold=point.plan.held, groups=point.units, weight=weight)
    except UndefinedGain:
        return None


def _mean(gains: Sequence[TaskGain | None], point: CurvePoint) -> Gain | None:
    known = [gain for gain in gains if gain is not None]
    return mean_gain(known, fold=point.plan.held, groups=point.units) if known else None


def _entry(n_labels: float, gains: Mapping[str, Gain | None], judged: Mapping[str, Any], confidence: float) -> dict[str, Any]:
    found: dict[str, Any] = {"n_labels": n_labels}
    for kind, word in ((TOGETHER, "skill"), (ALONE, "skill"), (_GAIN, _GAIN)):
        low, high = _own_interval(gains[kind], confidence)
        found[kind] = {word: None if (gain := gains[kind]) is None else gain.gain, "low": low, "high": high}
    plain = found[_GAIN]
    unadjusted = {"low_unadjusted": plain["low"], "high_unadjusted": plain["high"]}
    found[_GAIN] = plain | {key: judged.get(key) for key in _ADJUSTED} | unadjusted
    return found


def _own_interval(gain: Gain | None, confidence: float) -> tuple[float | None, float | None]:
    if gain is None or len(gain.influence) == 1:
        return None, None
    own = simultaneous_intervals([gain.gain], se=[gain.se], df=[gain.df], confidence=confidence)
    return float(own.low[0]), float(own.high[0])
