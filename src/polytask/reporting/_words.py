"""The answer of a comparison in plain sentences."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from polytask.reporting._numbers import plural, points, printable
from polytask.reporting._readings import Gain, check_format, mean_gain, task_gain

_SHOWN_NAMES = 3
_OF_ONE = {
    "helped": "better",
    "harmed": "worse",
    "equivalent": "as good",
    "undecided": "neither better nor worse as far as can be seen",
    "none": "not judged",
}


def summary_sentence(result: Mapping[str, Any]) -> str:
    """Say in one sentence whether learning together helped.

    Parameters
    ----------
    result : dict
        A comparison (format ``polytask.comparison``, version 1).

    Returns
    -------
    str
        How many tasks were helped, which were harmed, and the mean gain in points of skill with its interval. Of one task, that
        there is nothing to learn together, and by how much two fits of the same network differ.

    Raises
    ------
    DataError
        If ``result`` is not such a comparison.

    Examples
    --------
    >>> gain = {"gain": 0.021, "low": 0.004, "high": 0.038, "verdict": "helped"}
    >>> summary_sentence({"format": "polytask.comparison", "version": 1, "repeats": 5,
    ...                   "tasks": dict.fromkeys(["price", "sold"], {"gains": {"alone": gain}}),
    ...                   "mean": {"gains": {"alone": gain}}})
    'Learning together helped 2 of 2 tasks and harmed none; mean gain +2.1 points of skill [+0.4, +3.8].'
    """
    check_format(result, "polytask.comparison")
    return f"{verdict_clause(result)}; {mean_clause(result, 'alone')}."


def verdict_clause(result: Mapping[str, Any], *, brief: bool = False) -> str:
    """Say how many tasks were helped and harmed, against the matched separate models; no full stop.

    Unless ``brief``, the harmed tasks are named and the other verdicts counted.
    """
    if is_single(result):
        return "With one task there is nothing to learn together"
    gains = task_gains(result, "alone")
    counts = Counter(gain.verdict for gain in gains)
    if counts["none"] == len(gains):
        return "One repeat is too few for a verdict on any task" if result.get("repeats") == 1 else "No task has a verdict"
    helped = counts["helped"] or "none"
    if brief:
        clause = f"Learning together helped {helped} of {plural(len(gains), 'task')} and harmed {counts['harmed'] or 'none'}"
        return f"{clause}; all are undecided" if counts["undecided"] == len(gains) > 1 else clause
    others = [f"{counts[verdict]} {verdict}" for verdict in ("equivalent", "undecided") if counts[verdict]]
    if counts["none"]:
        others.append(f"{counts['none']} without a verdict")
    clause = f"Learning together helped {helped} of {plural(len(gains), 'task')} and harmed {_harmed(gains)}"
    return f"{clause} ({', '.join(others)})" if others else clause


def is_single(result: Mapping[str, Any]) -> bool:
    """Whether there is one task only: then "together" and "alone" are two fits of the same network, which differ by chance."""
    return len(result["tasks"]) == 1


def worth_clause(result: Mapping[str, Any]) -> str | None:
    """Say for how many tasks learning together beats the best separate model of any kind; None if that was not run."""
    gains = task_gains(result, "best_separate")
    if not gains:
        return None
    counts = Counter(gain.verdict for gain in gains)
    if counts["none"] == len(gains):
        return "Whether it beats the best separate model of any kind has no verdict"
    worth, worse = counts["helped"] or "none", counts["harmed"] or "none"
    against = "Against the best separate model of any kind"
    if is_single(result):
        return f"{against}, the network is {_OF_ONE[gains[0].verdict]}"
    return f"{against}, learning together is worth it for {worth} of {plural(len(gains), 'task')} and worse for {worse}"


def mean_clause(result: Mapping[str, Any], rival: str) -> str:
    """Say the mean gain over tasks with its interval; no full stop. Of one task, how much it differs."""
    mean = mean_gain(result, rival)
    if is_single(result):
        size = "" if mean is None or mean.gain is None else f"{mean.gain_text} points of skill {mean.interval_text}".rstrip()
        if rival == "alone":
            return f"two fits of the same network, from different random starts, differ by {size or 'an undefined amount'}"
        return f"gain {size}" if size else "the gain is undefined"
    if mean is None or mean.gain is None:
        return "the mean gain is undefined"
    return f"mean gain {mean.gain_text} points of skill {mean.interval_text}".rstrip()


def undecided_sentence(result: Mapping[str, Any]) -> str | None:
    """Say what gain could have been seen where the verdict is undecided, or for what else it is so; None if no task is."""
    undecided = [gain for gain in task_gains(result, "alone") if gain.verdict == "undecided" and gain.reason is None]
    seen, told = [gain.detectable for gain in undecided if gain.detectable is not None], []
    if seen:
        low, high = points(min(seen)), points(max(seen))
        size = f"{low} points" if low == high else f"{low} to {high} points"
        sure = f"with this much data, only gains of about {size} would be seen reliably"
        told.append(f"Undecided does not mean no effect: {sure}.")
    told += [sentence] if (sentence := reasons_sentence(result)) else []
    return " ".join(told) or None


def reasons_sentence(result: Mapping[str, Any]) -> str | None:
    """Say which tasks, and which means, are undecided for another reason than their interval; None if none is.

    >>> gain = {"gain": 0.3, "verdict": "undecided", "reason": "only 3 positives among the held-out rows"}
    >>> reasons_sentence({"tasks": {"sold": {"gains": {"alone": gain}}}})
    "Undecided whatever the interval says: 'sold' (only 3 positives among the held-out rows)."
    """
    rivals = ("alone", "best_separate")
    gains = [gain for rival in rivals for gain in [*task_gains(result, rival), mean_gain(result, rival)] if gain is not None]
    told = dict.fromkeys((gain.name, gain.reason) for gain in gains if gain.verdict == "undecided" and gain.reason)
    names = {name: f"'{short_name(name)}'" for name in result["tasks"]}
    shown = [f"{names.get(name, f'the {name}')} ({reason})" for name, reason in told]
    if not shown:
        return None
    more = f" and {len(shown) - _SHOWN_NAMES} more" if len(shown) > _SHOWN_NAMES else ""
    return f"Undecided whatever the interval says: {', '.join(shown[:_SHOWN_NAMES])}{more}."


def task_gains(result: Mapping[str, Any], rival: str) -> list[Gain]:
    """Read the gains of all tasks over a rival arm, in the order of the tasks; empty if that arm was not run."""
    read = (task_gain(name, task, rival) for name, task in result["tasks"].items())
    return [gain for gain in read if gain is not None]


def _harmed(gains: list[Gain]) -> str:
    names = [f"'{short_name(gain.name)}'" for gain in gains if gain.verdict == "harmed"]
    if not names:
        return "none"
    shown = ", ".join(names[:_SHOWN_NAMES])
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return f"{len(names)}: {shown}{more}"


def short_name(name: str, *, length: int = 40) -> str:
    """Cut a long name in the middle, so that its start and end stay.

    Examples
    --------
    >>> short_name("a" * 30 + "b" * 30, length=9)
    'aaaa…bbbb'
    """
    text = printable(name)
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return f"{text[: length - 1 - tail]}…{text[len(text) - tail :]}"
