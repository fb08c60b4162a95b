"""Points of a learning curve with their intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.evaluation._arms import ALONE, TOGETHER
from polytask.evaluation._folds import FoldPlan
from polytask.evaluation._gain import Gain, TaskGain, UndefinedGain, mean_gain, task_gain
from polytask.evaluation._intervals import simultaneous_intervals

Array = np.ndarray[Any, np.dtype[Any]]

_GAIN = "gain"


@dataclass(frozen=True)
class Losses:
    """Held-out losses [n_repeats, n_rows] per task at one share: of both arms, and of the constant of all labels."""

    together: dict[str, Array]
    alone: dict[str, Array]
    constant: dict[str, Array]


@dataclass(frozen=True)
class CurvePoints:
    """How points are measured.

    A skill is the gain over the constant, so its interval is that of :func:`~polytask.evaluation.task_gain`; the gain of
    together over alone at a share is a third such number.

    Attributes
    ----------
    plan : FoldPlan
    units : array of shape (n_rows,) or None
        Rows of one unit count as one.
    confidence : float
    """

    plan: FoldPlan
    units: Array | None
    confidence: float

    def curves(
        self, losses: Sequence[Losses], weights: Mapping[str, Array | None], n_labels: Sequence[Mapping[str, float]]
    ) -> dict[str, Any]:
        """Return ``{"tasks": {name: curves}, "mean": curves}``, one entry per share in every list."""
        measured = [self._measure(own, weights) for own in losses]
        tasks = {name: self._lists([own[name] for own in measured], [n[name] for n in n_labels]) for name in weights}
        kinds = (TOGETHER, ALONE, _GAIN)
        means = [{kind: self._mean([own[kind] for own in point.values()]) for kind in kinds} for point in measured]
        return {"tasks": tasks, "mean": self._lists(means, [float(np.mean([*n.values()])) for n in n_labels])}

    def _measure(self, losses: Losses, weights: Mapping[str, Array | None]) -> dict[str, dict[str, TaskGain | None]]:
        return {
            name: {
                TOGETHER: self._gain(losses.together[name], losses.constant[name], losses.constant[name], weight),
                ALONE: self._gain(losses.alone[name], losses.constant[name], losses.constant[name], weight),
                _GAIN: self._gain(losses.together[name], losses.alone[name], losses.constant[name], weight),
            }
            for name, weight in weights.items()
        }

    def _gain(self, joint: Array, separate: Array, constant: Array, weight: Array | None) -> TaskGain | None:
        try:
            return task_gain(joint, separate, constant, fold=self.plan.held, groups=self.units, weight=weight)
        except UndefinedGain:
            return None

    def _mean(self, gains: Sequence[TaskGain | None]) -> Gain | None:
        known = [gain for gain in gains if gain is not None]
        return mean_gain(known, fold=self.plan.held, groups=self.units) if known else None

    def _lists(self, points: Sequence[Mapping[str, Gain | None]], n_labels: Sequence[float]) -> dict[str, Any]:
        found: dict[str, Any] = {"n_labels": list(n_labels)}
        for kind, word in ((TOGETHER, "skill"), (ALONE, "skill"), (_GAIN, _GAIN)):
            ends = [self._interval(point[kind]) for point in points]
            values = [None if (gain := point[kind]) is None else gain.gain for point in points]
            found[kind] = {word: values, "low": [low for low, _ in ends], "high": [high for _, high in ends]}
        return found

    def _interval(self, gain: Gain | None) -> tuple[float | None, float | None]:
        if gain is None or len(gain.influence) == 1:
            return None, None
        own = simultaneous_intervals([gain.gain], se=[gain.se], df=[gain.df], confidence=self.confidence)
        return float(own.low[0]), float(own.high[0])
