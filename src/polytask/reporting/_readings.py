"""What a comparison says about one task: the gain, its interval and the verdict, read from the JSON with its gaps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from polytask.exceptions import DataError
from polytask.reporting._numbers import UNDEFINED, finite, interval, interval_decimals, points

VERDICT_WORDS = {
    "helped": "helped",
    "harmed": "harmed",
    "equivalent": "equivalent",
    "undecided": "undecided",
    "none": "no verdict",
}
WORTH_WORDS = {
    "helped": "worth it",
    "harmed": "not worth it",
    "equivalent": "as good",
    "undecided": "undecided",
    "none": "no verdict",
}
ARM_LABELS = {"together": "learned together", "alone": "learned alone", "best_separate": "best separate model"}


@dataclass(frozen=True, kw_only=True)
class Gain:
    """The gain of one task (or of the mean over tasks) over one way of learning it separately.

    ``gain``, ``low``, ``high``, ``detectable`` and ``fold_gains`` are in units of skill; None where undefined.
    ``is_from_folds`` tells that the interval is Nadeau & Bengio's, because one repeat gives no other.
    """

    name: str
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: str = "none"
    detectable: float | None = None
    fold_gains: tuple[float, ...] = ()
    is_from_folds: bool = False
    reason: str | None = None
    decimals: int = 1

    @property
    def gain_text(self) -> str:
        """The gain in points with its sign, or "undefined"."""
        return points(self.gain, decimals=self.decimals, sign=True)

    @property
    def interval_text(self) -> str:
        """The interval in points, empty where there is none."""
        return interval(self.low, self.high, decimals=self.decimals)

    @property
    def verdict_text(self) -> str:
        """The verdict in words; an undefined gain says so."""
        return UNDEFINED if self.gain is None else VERDICT_WORDS[self.verdict]

    @property
    def worth_text(self) -> str:
        """The verdict in words where the rival is the best separate model."""
        return UNDEFINED if self.gain is None else WORTH_WORDS[self.verdict]


def check_format(result: Any, expected: str) -> None:
    """Refuse what is not a result of the expected format, version 1.

    Raises
    ------
    DataError
        If ``result`` is not a mapping, has another ``format``, or a version this polytask cannot read.
    """
    if not isinstance(result, Mapping) or result.get("format") != expected:
        got = result.get("format") if isinstance(result, Mapping) else type(result).__name__
        raise DataError(f"`result` of a report must be a dict with format '{expected}'; got {got!r}.")
    if result.get("version") != 1:
        raise DataError(
            f"`result` of a report must be version 1 of '{expected}'; got {result.get('version')!r}. Update polytask."
        )


def task_gain(name: str, task: Mapping[str, Any], rival: str) -> Gain | None:
    """Read the gain of one task over a rival arm ("alone" or "best_separate"); None where that arm was not run."""
    gains = task.get("gains") or {}
    if rival not in gains:
        return None
    return _gain(name, gains[rival] or {}, _fold_gains(task.get("arms") or {}, rival))


def mean_gain(result: Mapping[str, Any], rival: str) -> Gain | None:
    """Read the mean gain over tasks against a rival arm; None where that arm was not run."""
    gains = (result.get("mean") or {}).get("gains") or {}
    return _gain("mean over tasks", gains[rival] or {}, ()) if rival in gains else None


def has_arm(result: Mapping[str, Any], arm: str) -> bool:
    """Tell whether an arm was run."""
    return arm in (result.get("arms") or {}) or any(arm in (task.get("arms") or {}) for task in result["tasks"].values())


def _gain(name: str, numbers: Mapping[str, Any], fold_gains: tuple[float, ...]) -> Gain:
    gain, low, high = (finite(numbers.get(key)) for key in ("gain", "low", "high"))
    is_from_folds = low is None and high is None and bool(numbers.get("nadeau_bengio"))
    if is_from_folds:
        low, high = (finite(numbers["nadeau_bengio"].get(key)) for key in ("low", "high"))
    verdict = numbers.get("verdict")
    return Gain(
        name=name,
        gain=gain,
        low=low,
        high=high,
        verdict=verdict if gain is not None and verdict in VERDICT_WORDS else "none",
        detectable=finite(numbers.get("detectable")),
        fold_gains=fold_gains,
        is_from_folds=is_from_folds,
        reason=numbers.get("reason"),
        decimals=interval_decimals(low, high),
    )


def _fold_gains(arms: Mapping[str, Any], rival: str) -> tuple[float, ...]:
    together, separate = ((arms.get(arm) or {}).get("fold_skills") or [] for arm in ("together", rival))
    pairs = (
        (finite(ours), finite(theirs))
        for our_repeat, their_repeat in zip(together, separate, strict=False)
        for ours, theirs in zip(our_repeat or [], their_repeat or [], strict=False)
    )
    return tuple(ours - theirs for ours, theirs in pairs if ours is not None and theirs is not None)
