"""What each task is predicted from: a bar per input column with its interval, over one axis per task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from polytask.reporting._figures import Table
from polytask.reporting._forest_plot import forest_axis
from polytask.reporting._numbers import finite, interval, interval_decimals, plural, points, probability
from polytask.reporting._svg import Scale, element

IN_SIGHT = 12  # columns of a task; more are folded
OPEN_TASKS = 3  # more are folded
_HEIGHT, _MIDDLE, _HALF = 30, 15, 6
_WORDS = {
    "matters": "matters",
    "misleads": "better without",
    "undecided": "undecided",
    "unused": "not used",
    "undefined": "undefined",
}
_STYLES = {"matters": "helped", "misleads": "harmed"}
_ROWS = {
    "held-out": "held-out rows, each asked of a model that has not learned from it",
    "new": "rows that the model has not learned from",
    "validation": "validation rows (optimistic: they chose the epoch)",
    "test": "test rows, neither learned from nor used to choose anything",
}


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One column, drawn; ``verdict`` is the style that tells it by colour."""

    name: str
    kind: str
    importance: str
    interval: str
    verdict: str
    words: str
    drawing: Markup


def importance_view(result: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read the importance of columns into what a report shows; None where it was not measured.

    Parameters
    ----------
    result : dict
        A fit or a comparison; its ``importance`` is what :meth:`polytask.evaluation.Importance.to_dict` gives.
    """
    found = result.get("importance")
    if not found or not found.get("tasks"):
        return None
    kinds = {column["name"]: column.get("kind") or "" for column in found.get("columns") or []}
    tasks = [_task_view(name, own, kinds) for name, own in found["tasks"].items()]
    mean: dict[str, Any] = {"columns": found.get("mean") or [], "kind": ""}
    several = len(tasks) > 1 and any(finite(entry.get("importance")) is not None for entry in mean["columns"])
    return {
        "confidence": finite(found.get("confidence")) or 0.95,
        "rows": _rows_words(found),
        "tasks": [*([_task_view("Mean over tasks", mean, kinds)] if several else []), *tasks],
        "alike": [entry["words"] for entry in found.get("alike") or [] if entry.get("words")],
        "is_grouped": bool(found.get("grouped")),
        "notes": list(found.get("notes") or []),
        "in_sight": IN_SIGHT,
        "open_tasks": OPEN_TASKS,
    }


def importance_words(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say which columns a task is predicted from.

    >>> importance_words([{"name": "area", "importance": 0.5, "verdict": "matters"}, {"name": "id", "verdict": "unused"}])
    ["1 of 2 columns matters: 'area' (50.0 points)."]
    """
    known = [entry for entry in entries if finite(entry.get("importance")) is not None]
    if not known:
        reasons = dict.fromkeys(str(entry["undefined"]) for entry in entries if entry.get("undefined"))
        return [f"Undefined: {'; '.join(reasons)}." if reasons else "Undefined."]
    told = []
    for verdict, one, many in (("matters", "matters", "matter"), ("misleads", "misleads", "mislead")):
        own = sorted((entry for entry in known if entry.get("verdict") == verdict), key=lambda e: -abs(e["importance"]))
        if own:
            named = ", ".join(f"{entry['name']!r} ({points(entry['importance'])} points)" for entry in own[:3])
            more = f" and {len(own) - 3} more" if len(own) > 3 else ""
            count = f"{len(own)} of {plural(len(entries), 'column')} {one if len(own) == 1 else many}"
            told.append(f"{count}: {named}{more}.")
    return told or [f"None of {plural(len(entries), 'column')} can be told from one that does not matter."]


def importance_bar(entry: Mapping[str, Any], scale: Scale) -> Markup:
    """Draw one column: a bar from 0 to its importance, and the interval across its end."""
    value, low, high = (finite(entry.get(key)) for key in ("importance", "low", "high"))
    verdict = str(entry.get("verdict") or "undefined")
    ends = interval(low, high)
    words = _WORDS.get(verdict, verdict)
    title = f"{entry.get('name')}: {points(value)} points of skill{f', interval {ends}' if ends else ''}, {words}"
    zero = element("line", x1=scale.percent(0), x2=scale.percent(0), y1=0, y2="100%", class_="zero")
    parts: list[Markup] = []
    if value is None:
        parts.append(element("text", "undefined", x="50%", y=_MIDDLE + 4, text_anchor="middle", class_="undefined"))
    else:
        start, stop = sorted((scale(0.0), scale(scale.clamp(value))))
        style = "bar" if verdict == "matters" else "often"
        parts.append(
            element("rect", x=f"{start:.2f}%", width=f"{stop - start:.2f}%", y=_MIDDLE - _HALF, height=2 * _HALF, class_=style)
        )
        if low is not None and high is not None:
            left, right = (scale.percent(scale.clamp(end)) for end in (low, high))
            parts.append(element("line", x1=left, x2=right, y1=_MIDDLE, y2=_MIDDLE, class_="whisker"))
            parts += [element("line", x1=x, x2=x, y1=_MIDDLE - 4, y2=_MIDDLE + 4, class_="whisker") for x in (left, right)]
    return element("svg", element("title", title), *parts, zero, class_="strip", width="100%", height=_HEIGHT, role="img")


def importance_table(name: str, entries: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]) -> Table:
    """The numbers behind the bars of a task."""
    rows = [
        [
            str(entry.get("name")),
            kinds.get(str(entry.get("name")), ""),
            points(entry.get("importance"), decimals=_decimals(entry)),
            interval(entry.get("low"), entry.get("high"), decimals=_decimals(entry)) or "–",
            probability(entry.get("p_adjusted")),
            _WORDS.get(str(entry.get("verdict")), ""),
        ]
        for entry in entries
    ]
    header = ["Column", "Kind", "Importance", "Interval", "p, adjusted (Holm)", "Verdict"]
    return Table(caption=f"{name}: points of skill lost without the column", header=header, rows=rows)


def _task_view(name: str, own: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    entries = sorted(own.get("columns") or [], key=_by_importance)
    scale = _scale(entries)
    return {
        "name": name,
        "kind": own.get("kind") or "",
        "skill": finite(own.get("skill")),
        "words": importance_words(entries),
        "entries": entries,
        "bars": [_bar(entry, kinds, scale) for entry in entries],
        "axis": forest_axis(scale),
        "table": importance_table(name, entries, kinds),
    }


def _bar(entry: Mapping[str, Any], kinds: Mapping[str, str], scale: Scale) -> Bar:
    name, verdict = str(entry.get("name")), str(entry.get("verdict") or "undefined")
    decimals = _decimals(entry)
    return Bar(
        name=name,
        kind=kinds.get(name, ""),
        importance=points(entry.get("importance"), decimals=decimals),
        interval=interval(entry.get("low"), entry.get("high"), decimals=decimals),
        verdict=_STYLES.get(verdict, "undecided" if verdict != "undefined" else "none"),
        words=_WORDS.get(verdict, verdict),
        drawing=importance_bar(entry, scale),
    )


def _decimals(entry: Mapping[str, Any]) -> int:
    return interval_decimals(finite(entry.get("low")), finite(entry.get("high")))


def _scale(entries: Sequence[Mapping[str, Any]]) -> Scale:
    values = [v for entry in entries for key in ("importance", "low", "high") if (v := finite(entry.get(key))) is not None]
    low, high = min([0.0, *values]), max([0.01, *values])
    room = 0.03 * (high - low)
    return Scale(low - room, high + room)


def _rows_words(found: Mapping[str, Any]) -> str:
    which = str(found.get("rows") or "")
    n, repeats = int(finite(found.get("n_rows")) or 0), int(finite(found.get("n_repeats")) or 1)
    told = [f"{n:,} {_ROWS.get(which, f'{which} rows'.strip())}", f"{plural(repeats, 'permutation')} of each column"]
    if (groups := finite(found.get("n_groups"))) is not None:
        told.append(f"intervals count rows of one group as belonging together ({plural(int(groups), 'group')})")
    if found.get("holds_for"):
        told.append(f"intervals hold for {found['holds_for']}")
    return "; ".join(told)


def _by_importance(entry: Mapping[str, Any]) -> float:
    value = finite(entry.get("importance"))
    return float("inf") if value is None else -value
