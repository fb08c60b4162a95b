"""All tasks of a comparison: gains, intervals, verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from polytask.evaluation._gain import Gain, TaskGain, UndefinedGain, mean_gain, task_gain
from polytask.evaluation._intervals import Intervals, simultaneous_intervals
from polytask.evaluation._verdict import verdict


@dataclass(frozen=True)
class LossArrays:
    """Held-out losses of one task in both arms; arrays as in :func:`task_gain`."""

    joint: ArrayLike
    separate: ArrayLike
    constant: ArrayLike
    weight: ArrayLike | None = None


@dataclass(frozen=True)
class GainTable:
    """Gains of all tasks and their mean, ready for JSON; see :func:`gain_table`.

    Attributes
    ----------
    tasks : dict of task name to dict
        ``gain, se, df, low, high, low_unadjusted, high_unadjusted, p_value, p_adjusted, verdict, detectable, nadeau_bengio,
        delta, se_rows_repeats, error_joint, error_separate, error_constant, saturated``; for a task without a gain only
        ``verdict: "none"`` and ``reason``, the numbers None. ``reason`` is also there if a task, or the mean, is undecided for
        another reason than its interval.
    mean : dict
        The same for the mean over tasks (``p_adjusted`` and errors left out, ``delta_m`` for ``delta``), and ``n_tasks``.
    """

    tasks: dict[str, dict[str, Any]]
    mean: dict[str, Any]
    confidence: float = 0.95
    margin: float = 0.01
    gains: dict[str, TaskGain] = field(default_factory=dict, repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object: ``tasks``, ``mean``, ``confidence``, ``margin``."""
        return {"tasks": self.tasks, "mean": self.mean, "confidence": self.confidence, "margin": self.margin}


def gain_table(
    losses: Mapping[str, LossArrays],
    *,
    fold: ArrayLike,
    groups: ArrayLike | None = None,
    resampled: bool = True,
    confidence: float = 0.95,
    margin: float = 0.01,
    too_few: Mapping[str, str] | None = None,
) -> GainTable:
    """Compare two arms over several tasks: gain, interval and verdict of each, and of the mean.

    Intervals and p values of tasks are Holm's over the tasks that have a gain; the mean is one more statement, at its own
    ``confidence``. With one repeat nothing is known about how repeats differ: only the corrected resampled t-test is given, and
    the verdict is "none".

    Parameters
    ----------
    losses : mapping of task name to LossArrays
        Arrays (n_repeats, n_rows) over the same rows.
    fold : int array of shape (n_repeats, n_rows)
        Which fold of its repeat held the row out.
    groups : array of shape (n_rows,), optional
        Rows of one group were split as one and count as one.
    resampled : bool, default=True
        Whether every fold was learned from all rows that it does not hold out; if not (an order of time, a gap), the corrected
        resampled t-test, which is about such folds, is left out.
    confidence, margin : float
        Of the intervals, in (0, 1); the gain below which two arms are called equivalent.
    too_few : mapping of task name to text, optional
        Tasks with too few labels for a verdict, and why; see :func:`too_few_labels`. They are undecided whatever the interval
        says, and the mean is too where it would be told otherwise without them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> fold = np.tile(np.arange(300) % 5, (5, 1))
    >>> alone, noise, constant = rng.random((5, 300)), rng.normal(0, 0.05, (5, 300)), np.ones((5, 300))
    >>> table = gain_table(
    ...     {"price": LossArrays(alone - 0.1 + noise, alone, constant), "sold": LossArrays(alone + noise, alone, constant)},
    ...     fold=fold,
    ... )
    >>> table.tasks["price"]["verdict"], table.tasks["sold"]["verdict"], round(table.mean["gain"], 2)
    ('helped', 'equivalent', 0.05)
    """
    if not 0 < confidence < 1:
        raise ValueError(f"`confidence` must lie between 0 and 1; got {confidence}.")
    tasks, gains = task_entries(losses, fold=fold, groups=groups, confidence=confidence, margin=margin, too_few=too_few)
    (mean,) = mean_entries([gains], fold=fold, groups=groups, confidence=confidence, margin=margin, too_few=too_few)
    if not resampled:
        for entry in (*tasks.values(), mean):
            entry["nadeau_bengio"] = None
    return GainTable(tasks, mean, confidence, margin, gains)


def task_entries(
    losses: Mapping[str, LossArrays],
    *,
    fold: ArrayLike,
    groups: ArrayLike | None,
    confidence: float,
    margin: float,
    too_few: Mapping[str, str] | None,
) -> tuple[dict[str, dict[str, Any]], dict[str, TaskGain]]:
    """Give ``GainTable.tasks``, and the gains of those that have one; adjusted over all of ``losses``. As :func:`gain_table`."""
    gains: dict[str, TaskGain] = {}
    reasons: dict[str, str] = {}
    for name, arrays in losses.items():
        try:
            gains[name] = task_gain(
                arrays.joint, arrays.separate, arrays.constant, fold=fold, groups=groups, weight=arrays.weight
            )
        except UndefinedGain as error:
            reasons[name] = str(error)
    intervals = _intervals(list(gains.values()), confidence) if gains else None
    place = {name: i for i, name in enumerate(gains)}
    entries = {
        name: _task_entry(gains[name], intervals, place[name], confidence, margin, (too_few or {}).get(name))
        if intervals is not None and name in gains
        else _empty_entry(TASK_KEYS, reasons[name])
        for name in losses
    }
    return entries, gains


def mean_entries(
    points: Sequence[Mapping[str, TaskGain]],
    *,
    fold: ArrayLike,
    groups: ArrayLike | None,
    confidence: float,
    margin: float,
    too_few: Mapping[str, str] | None,
) -> list[dict[str, Any]]:
    """Give ``GainTable.mean`` of each of several points, such as shares of the labels; adjusted over the points."""
    few = [{name: why for name, why in (too_few or {}).items() if name in gains} for gains in points]
    entries = _means(points, fold, groups, confidence, margin)
    rest = [{name: gain for name, gain in gains.items() if name not in own} for gains, own in zip(points, few, strict=True)]
    surer = _means(rest, fold, groups, confidence, margin) if any(few) else entries
    for entry, other, own, gains in zip(entries, surer, few, points, strict=True):
        if own and entry["verdict"] not in ("none", other["verdict"]):
            entry |= {"verdict": "undecided", "reason": _mean_reason(own, n_tasks=len(gains))}
    return entries


ESTIMATE_KEYS = ("gain", "se", "df", "se_rows_repeats", "nadeau_bengio")
INTERVAL_KEYS = ("low", "high", "low_unadjusted", "high_unadjusted", "p_value", "p_adjusted", "detectable")
TASK_KEYS = (*ESTIMATE_KEYS, *INTERVAL_KEYS, "delta", "error_joint", "error_separate", "error_constant", "saturated")
MEAN_KEYS = (*ESTIMATE_KEYS, "low", "high", "p_value", "detectable", "delta_m")


def _intervals(gains: list[Gain] | list[TaskGain], confidence: float) -> Intervals:
    columns = ([getattr(gain, key) for gain in gains] for key in ("gain", "se", "df"))
    gain, se, df = columns
    return simultaneous_intervals(gain, se=se, df=df, confidence=confidence)


def _estimate(gain: Gain, confidence: float) -> dict[str, Any]:
    entry: dict[str, Any] = dict.fromkeys(ESTIMATE_KEYS) | {"gain": gain.gain}
    if len(gain.influence) > 1:
        entry |= {"se": gain.se, "df": gain.df, "se_rows_repeats": float(np.sqrt(gain.variance.rows_and_repeats))}
    if gain.variance.n_models > 1 and np.isfinite(gain.test_to_train):  # the test is about splits that are drawn again
        entry["nadeau_bengio"] = gain.corrected_t(confidence=confidence).to_dict()
    return entry


def _interval(gain: Gain, intervals: Intervals, i: int, keys: tuple[str, ...], margin: float) -> dict[str, Any]:
    if len(gain.influence) == 1:
        return dict.fromkeys(keys) | {"verdict": "none", "reason": "one repeat cannot say how repeats differ"}
    entry: dict[str, Any] = {key: float(getattr(intervals, key)[i]) for key in keys}
    return entry | {"verdict": verdict(entry["low"], entry["high"], margin=margin)}


def _mean_reason(too_few: Mapping[str, str], *, n_tasks: int) -> str:
    name, why = next(iter(too_few.items()))
    if len(too_few) == n_tasks:
        return f"no task has enough labels; task {name!r} has {why}"
    more = f" and {len(too_few) - 1} more" if len(too_few) > 1 else ""
    return f"it rests on tasks with too few labels: {name!r} ({why}){more}"


def _task_entry(
    gain: TaskGain, intervals: Intervals, i: int, confidence: float, margin: float, too_few: str | None
) -> dict[str, Any]:
    errors = {"error_joint": gain.error_joint, "error_separate": gain.error_separate, "error_constant": gain.error_constant}
    interval = _interval(gain, intervals, i, INTERVAL_KEYS, margin)
    if interval["verdict"] == "helped" and gain.error_joint >= gain.error_constant:  # less bad than bad is no help
        interval |= {"verdict": "undecided", "reason": "learned together it is no better than a constant"}
    if too_few is not None and interval["verdict"] != "none":
        interval |= {"verdict": "undecided", "reason": too_few}
    return _estimate(gain, confidence) | interval | {"delta": gain.delta, "saturated": gain.saturated} | errors


def _means(
    points: Sequence[Mapping[str, TaskGain]], fold: ArrayLike, groups: ArrayLike | None, confidence: float, margin: float
) -> list[dict[str, Any]]:
    means = {k: mean_gain(list(gains.values()), fold=fold, groups=groups) for k, gains in enumerate(points) if gains}
    intervals = _intervals(list(means.values()), confidence) if means else None
    place = {k: i for i, k in enumerate(means)}
    return [
        _mean_entry(means[k], gains, intervals, place[k], confidence, margin)
        if intervals is not None and k in means
        else _empty_entry(MEAN_KEYS, "no task has a gain") | {"n_tasks": 0}
        for k, gains in enumerate(points)
    ]


def _mean_entry(
    mean: Gain, gains: Mapping[str, TaskGain], intervals: Intervals, i: int, confidence: float, margin: float
) -> dict[str, Any]:
    interval = _interval(mean, intervals, i, ("low", "high", "p_value", "detectable"), margin)
    if interval["verdict"] == "helped" and np.mean([gain.error_joint / gain.error_constant for gain in gains.values()]) >= 1:
        interval |= {"verdict": "undecided", "reason": "learned together tasks are on the mean no better than a constant"}
    return _estimate(mean, confidence) | interval | {"delta_m": mean.delta, "n_tasks": len(gains)}


def _empty_entry(keys: tuple[str, ...], reason: str) -> dict[str, Any]:
    return dict.fromkeys(keys) | {"verdict": "none", "reason": reason}
