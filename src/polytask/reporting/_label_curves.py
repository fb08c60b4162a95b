"""Learning curves over the number of labelled rows: together against alone, and where sharing pays."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from polytask.reporting._figures import Figure, Table
from polytask.reporting._numbers import finite, interval, percent, plural, points, significant
from polytask.reporting._plot import area, line, plot, whiskers, x_axis, y_axis
from polytask.reporting._readings import VERDICT_WORDS

_ARMS = ("alone", "together")
_AHEAD = 0.01  # gains within a point of skill are too small to matter
_ONE_TASK = "With one task both are the same network from different random starts: they differ by chance."
_MEASURED_REPEATS = 5  # with which the error rates of verdicts were measured; see docs/comparison.md


def label_curve_figures(result: Mapping[str, Any]) -> list[Figure]:
    """The mean over tasks first, then every task; empty without ``learning_curve``."""
    curve = result.get("learning_curve") or {}
    shares = [float(share) for share in curve.get("shares") or []]
    mean, tasks = curve.get("mean") or {}, curve.get("tasks") or {}
    named = [("Mean over tasks", mean), *tasks.items()] if mean and len(tasks) != 1 else list(tasks.items())
    words = [_ONE_TASK] if len(tasks) == 1 else None
    return [figure for name, entry in named if (figure := _figure(name, entry or {}, shares, words)) is not None]


def label_curve_notes(result: Mapping[str, Any]) -> list[str]:
    """What was done, what the intervals are, and whether the last point is the comparison; empty without a curve."""
    curve = result.get("learning_curve") or {}
    if not curve:
        return []
    sure, taken = percent(finite(curve.get("confidence")) or 0.95, decimals=0), curve.get("comparison") or {}
    told = ["The same comparison with labels taken away from the training rows; held-out rows keep theirs."]
    if any(_verdicts(entry) for entry in (curve.get("mean") or {}, *(curve.get("tasks") or {}).values())):
        told.append(
            f"Intervals of skills are {sure} of each mark by itself. Whether sharing pays is told by the difference, by the "
            "rules of the verdicts above; its intervals are adjusted for all tasks and numbers of labels that were tried."
        )
    else:
        told.append(
            f"Intervals are {sure} of each mark by itself, not adjusted for their number; no verdicts were taken from them."
        )
    if taken:
        told.append("The point with all labels is the comparison itself, with its intervals and verdicts.")
    elif (curve.get("shares") or [0])[-1] == 1:
        told.append("The last point was trained anew, not taken from the comparison, so it may differ from the tables above.")
    repeats = finite(curve.get("repeats"))
    if repeats and repeats < _MEASURED_REPEATS:
        which = "The other points rest" if taken else "It rests"
        told.append(
            f"{which} on {plural(int(repeats), 'repeat')}; how often verdicts are wrong was measured with {_MEASURED_REPEATS}."
        )
    return told


def label_curve_lines(result: Mapping[str, Any], *, most: int = 8) -> list[str]:
    """The mean over tasks and every task in a line each, then what the reader should know; empty without a curve."""
    figures = label_curve_figures(result)
    if not figures:
        return []
    told = [f"{figure.title}: {' '.join(figure.words)}" for figure in figures[: most + 1]]
    more = [f"{plural(len(figures) - len(told), 'more task')} in the report and the JSON."] if len(figures) > len(told) else []
    return [*told, *more, " ".join(label_curve_notes(result))]


def label_curve_words(entry: Mapping[str, Any], x: Sequence[float], unit: str) -> list[str]:
    """Where together is ahead of alone by its verdict, and how many labels that is worth.

    >>> gain = {"verdict": ["helped", "undecided"]}
    >>> label_curve_words(
    ...     {"together": {"skill": [0.3, 0.5]}, "alone": {"skill": [0.1, 0.5]}, "gain": gain}, [50, 500], "labels"
    ... )  # doctest: +NORMALIZE_WHITESPACE
    ['With 50 labels, learning together is 20.0 points of skill ahead; with 500 labels, both are level.',
     'Sharing pays with 50 labels.']
    """
    known = [(k, at, gain) for k, (at, gain) in enumerate(zip(x, _gains(entry), strict=False)) if gain is not None]
    if not known:
        return ["Undefined at every number of labels."]
    told = [_states(entry, [known[0], known[-1]] if len(known) > 1 else known, unit)]
    verdicts = _verdicts(entry)
    if not verdicts:
        return [*told, "Without a verdict this may be chance."]
    places = {word: [at for k, at, _ in known if verdicts.get(k) == word] for word in ("helped", "harmed", "equivalent")}

    def where(own: Sequence[float]) -> str:
        return "at every number of labels tried" if len(own) == len(known) > 1 else f"with {_listed(own, unit)}"

    for own, words in zip(places.values(), ("Sharing pays", "Sharing harms", "Both are as good"), strict=True):
        told += [f"{words} {where(own)}."] if own else []
    reasons = _reasons(entry, [(k, at) for k, at, _ in known])
    for reason, own in reasons.items():
        is_all = len(own) == len(known)
        told.append(f"Undecided {'whatever the intervals say' if is_all else where(own)}: {reason}.")
    if not any(places.values()) and sum(map(len, reasons.values())) < len(known):
        told.append(f"{'Elsewhere the difference is not' if reasons else 'Nowhere is the difference'} more than chance allows.")
    if places["helped"] and (saved := _saving(entry, x)) is not None:
        told.append(f"Together reaches with about {_at(saved, unit)} what alone reaches with {_at(x[-1], unit)}.")
    return told


def _states(entry: Mapping[str, Any], ends: Sequence[tuple[int, float, float]], unit: str) -> str:
    """Both ends in a sentence.

    >>> entry = {"together": {"skill": [0.3, -0.2]}, "alone": {"skill": [0.3, -0.1]}}
    >>> _states(entry, [(0, 50, 0.0), (1, 500, -0.1)], "labels")  # doctest: +NORMALIZE_WHITESPACE
    'With 50 labels, both are level; with 500 labels, learning together is 10.0 points of skill behind, and neither is better
    than a constant.'
    """
    states, is_named = [], False
    for k, at, gain in ends:
        skills = [_item(entry, arm, "skill", k) for arm in _ARMS]
        poor = ", and neither is better than a constant" if all(s is not None and s <= 0 for s in skills) else ""
        states.append(f"with {_at(at, unit)}, {_state(gain, again=is_named)}{poor}")
        is_named = is_named or abs(gain) > _AHEAD
    return "; ".join([f"W{states[0][1:]}", *states[1:]]) + "."


def _verdicts(entry: Mapping[str, Any]) -> dict[int, str]:
    """Verdict per point, of those that have one."""
    found = (entry.get("gain") or {}).get("verdict") or []
    return {k: verdict for k, verdict in enumerate(found) if verdict not in (None, "none")}


def _reasons(entry: Mapping[str, Any], known: Sequence[tuple[int, float]]) -> dict[str, list[float]]:
    """Where a point is undecided for another reason than its interval."""
    found, told = (entry.get("gain") or {}).get("reason") or [], _verdicts(entry)
    reasons: dict[str, list[float]] = {}
    for k, at in known:
        if k < len(found) and found[k] and told.get(k) == "undecided":
            reasons.setdefault(found[k], []).append(at)
    return reasons


def label_curve_plot(name: str, entry: Mapping[str, Any], x_values: Sequence[float], x_name: str, description: str) -> Markup:
    """Skill in points over the number of labels (logarithmic), with the interval of every mark."""
    series = {arm: _series(entry.get(arm) or {}, x_values) for arm in _ARMS}
    everything = [100 * value for rows in series.values() for row in rows for value in row[1:] if value is not None]
    x, y = x_axis(x_values, is_log=True, room=0.06), y_axis(everything)
    parts: list[Markup] = []
    for arm, rows in series.items():
        banded = [(at, 100 * low, 100 * high) for at, _, low, high in rows if low is not None and high is not None]
        parts.append(
            area([(at, low) for at, low, _ in banded], [(at, high) for at, _, high in banded], x, y, style=f"area {arm}")
        )
    for arm, rows in series.items():
        parts.append(line([(at, 100 * skill) for at, skill, _, _ in rows], x, y, style=f"arm {arm}"))
        marks = [(at, 100 * skill, None, None) for at, skill, _, _ in rows]
        parts.append(whiskers(marks, x, y, style=f"bins {arm}"))
    return plot(
        *parts,
        x=x,
        y=y,
        title=f"{name}: skill over the number of labels",
        description=description,
        x_name=x_name,
        y_name="skill, points",
        x_ticks=_ticks(x_values, x_name),
    )


def _figure(name: str, entry: Mapping[str, Any], shares: Sequence[float], words: list[str] | None = None) -> Figure | None:
    counts = [finite(n) for n in entry.get("n_labels") or []]
    has_counts = len(set(counts)) == len(shares) and all(count for count in counts)
    if has_counts and len(shares) > 1:  # not a task that keeps all its labels, of which folds have about as many
        has_counts = (counts[0] or 0) < 0.99 * (counts[-1] or 0)
    x_values = [float(count) for count in counts if count] if has_counts else list(shares)
    if not x_values or not any((entry.get(arm) or {}).get("skill") for arm in _ARMS):
        return None
    unit, x_name = (
        ("labels", "labelled rows (logarithmic)") if has_counts else ("of the labels", "share of the labels (logarithmic)")
    )
    words = words or label_curve_words(entry, x_values, unit)
    rows = []
    for k, (at, gain) in enumerate(zip(x_values, _gains(entry), strict=False)):
        cells = [f"{points(_item(entry, arm, 'skill', k))} {interval_at(entry, arm, k)}".strip() for arm in _ARMS]
        ends = interval(_item(entry, "gain", "low", k), _item(entry, "gain", "high", k))
        rows.append(
            [_at(at, unit), *cells, f"{points(gain, sign=True)} {ends}".strip(), VERDICT_WORDS[_verdicts(entry).get(k, "none")]]
        )
    header = ["Labels", "Learned alone", "Learned together", "Difference", "Verdict"]
    return Figure(
        key="learning_curve",
        title=name,
        words=words,
        drawings=[label_curve_plot(name, entry, x_values, x_name, " ".join(words))],
        numbers=[Table(caption=f"{name}: skill in points over the number of labels", header=header, rows=rows)],
        part={"x": x_values, "x_name": x_name, "entry": entry, "ticks": [text for _, text in _ticks(x_values, x_name)]},
    )


def _ticks(x: Sequence[float], x_name: str) -> list[tuple[float, str]]:
    return [(at, percent(at, decimals=0) if x_name.startswith("share") else significant(at, 2)) for at in x]


def interval_at(entry: Mapping[str, Any], arm: str, k: int) -> str:
    """The interval of one mark, empty where there is none."""
    low, high = _item(entry, arm, "low", k), _item(entry, arm, "high", k)
    return interval(low, high).replace("+", "")


def _item(entry: Mapping[str, Any], arm: str, key: str, k: int) -> float | None:
    values = (entry.get(arm) or {}).get(key) or []
    return finite(values[k]) if k < len(values) else None


def _series(own: Mapping[str, Any], x: Sequence[float]) -> list[tuple[float, float, float | None, float | None]]:
    entry = {"": own}
    rows = [(at, _item(entry, "", "skill", k), _item(entry, "", "low", k), _item(entry, "", "high", k)) for k, at in enumerate(x)]
    return [(at, skill, low, high) for at, skill, low, high in rows if skill is not None]


def _gains(entry: Mapping[str, Any]) -> list[float | None]:
    together, alone = ([finite(v) for v in (entry.get(arm) or {}).get("skill") or []] for arm in ("together", "alone"))
    return [None if a is None or b is None else a - b for a, b in zip(together, alone, strict=False)]


def _saving(entry: Mapping[str, Any], x: Sequence[float]) -> float | None:
    """At how many labels together is as good as alone with all of them.

    None where it is not with clearly fewer, and where alone has learned nothing for sure: its interval is not above the constant.
    """
    alone = _series(entry.get("alone") or {}, x)
    if not alone or alone[-1][0] != x[-1] or (alone[-1][2] or 0) <= 0 or alone[-1][1] <= 0:
        return None
    goal = alone[-1][1]
    rows = _series(entry.get("together") or {}, x)
    for before, after in pairwise(rows):
        if before[1] < goal <= after[1] and after[1] > before[1]:
            reached = before[0] * (after[0] / before[0]) ** ((goal - before[1]) / (after[1] - before[1]))
            return reached if reached < 0.8 * x[-1] else None
    return rows[0][0] if rows and rows[0][1] >= goal and rows[0][0] < 0.8 * x[-1] else None


def _state(gain: float, *, again: bool = False) -> str:
    who = "it is" if again else "learning together is"
    if abs(gain) <= _AHEAD:
        return "both are level"
    return f"{who} {points(abs(gain))} points of skill {'ahead' if gain > 0 else 'behind'}"


def _listed(places: Sequence[float], unit: str) -> str:
    numbers = [_at(at, "").strip() if unit == "labels" else percent(at, decimals=0) for at in places]
    return f"{' and '.join([', '.join(numbers[:-1]), numbers[-1]]) if len(numbers) > 1 else numbers[0]} {unit}"


def _at(value: float, unit: str) -> str:
    return f"{significant(round(value))} {unit}" if unit in ("labels", "") else f"{percent(value, decimals=0)} {unit}"
