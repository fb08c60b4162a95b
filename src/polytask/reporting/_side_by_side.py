"""All ways of learning side by side: a strip per task with a mark for the skill of each."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from polytask.reporting._forest_plot import forest_axis
from polytask.reporting._numbers import finite, points
from polytask.reporting._readings import ARM_LABELS
from polytask.reporting._svg import Scale, element, round_ticks
from polytask.reporting._words import short_name

HEIGHT = 30
_MOST_BEYOND = 6  # skills below the axis that are told by name
_MARKS = {  # shape as well as colour tells the arm
    "together": "M0-7A7 7 0 1 1 0 7 7 7 0 1 1 0-7Z",
    "alone": "M-6-6H6V6H-6Z",
    "best_separate": "M0-7 7 0 0 7-7 0Z",
}
_DRAWN = ("best_separate", "alone", "together")  # the last one on top


def side_by_side(result: Mapping[str, Any], arms: list[str]) -> dict[str, Any] | None:
    """A row per task; None with a single arm or no skill at all."""
    skills = {
        name: {arm: finite(((task.get("arms") or {}).get(arm) or {}).get("skill")) for arm in arms}
        for name, task in result["tasks"].items()
    }
    known = [value for own in skills.values() for value in own.values() if value is not None]
    if len(arms) < 2 or not known:
        return None
    low, high = max(-0.5, min([0.0, *known])), min(1.0, max([0.05, *known]))
    room = 0.05 * (high - low)
    scale = Scale(low - room, high + room)
    rows = [{"name": name, "strip": _strip(name, own, scale), "skill": own} for name, own in skills.items()]
    rows.sort(key=lambda row: -(row["skill"].get("together") if row["skill"].get("together") is not None else -9))
    told = {"words": words(skills, arms), "beyond": beyond_words(skills, scale)}
    return {"rows": rows, "axis": forest_axis(scale), "arms": arms, **told}


def words(skills: Mapping[str, Mapping[str, float | None]], arms: list[str]) -> list[str]:
    """How often each way of learning has the largest skill; told with the reminder that this is not a verdict.

    >>> words({"a": {"together": 0.2, "alone": 0.1}, "b": {"together": 0.3, "alone": 0.2}}, ["together", "alone"])
    ['Largest skill: learned together in 2 of 2 tasks. Only the intervals above tell which differences are more than chance.']
    """
    best = []
    for own in skills.values():
        known = {arm: own[arm] for arm in arms if own.get(arm) is not None}
        if len(known) > 1:
            best.append(max(known, key=lambda arm: known[arm] or 0.0))
    counts = [f"{ARM_LABELS[arm]} in {best.count(arm)}" for arm in arms if best.count(arm)]
    if not counts:
        return []
    told = ", ".join(counts) + f" of {len(best)} tasks"
    told = told.replace(" of 1 tasks", " of 1 task")
    told_lowest = [
        short_name(name) for name, own in skills.items() if own.get("together") is not None and (own["together"] or 0) < 0
    ]
    worse = f" Worse than a constant when learned together: {', '.join(told_lowest[:4])}." if told_lowest else ""
    return [f"Largest skill: {told}. Only the intervals above tell which differences are more than chance.{worse}"]


def beyond_words(skills: Mapping[str, Mapping[str, float | None]], scale: Scale) -> list[str]:
    """Which skills lie below the axis, with their values, so that a mark at the edge is not read as one.

    >>> beyond_words({"price": {"together": 0.2, "alone": -0.9}}, Scale(-0.5, 1.0))
    ['An arrow at the left edge stands for a skill below the axis: price -90.0 (learned alone).']
    """
    told = [
        f"{short_name(name)} {points(value)} ({ARM_LABELS[arm]})"
        for name, own in skills.items()
        for arm, value in own.items()
        if value is not None and value < scale.low
    ]
    if not told:
        return []
    more = f" and {len(told) - _MOST_BEYOND} more" if len(told) > _MOST_BEYOND else ""
    return [f"An arrow at the left edge stands for a skill below the axis: {', '.join(told[:_MOST_BEYOND])}{more}."]


def arm_mark(arm: str) -> Markup:
    """The mark of an arm alone, for the legend."""
    mark = element("path", d=_MARKS[arm], class_=f"armmark {arm}")
    return element("svg", mark, class_="key", width=18, height=18, viewBox="-9 -9 18 18", aria_hidden="true")


def _beyond(arms: list[str]) -> list[Markup]:
    """An arrow at the left edge, and right of it the marks of what lies below the axis."""
    if not arms:
        return []
    shapes = [element("path", d="M9-6 1 0 9 6", class_="beyond")]
    shapes += [
        element("path", d=_MARKS[arm], class_=f"armmark {arm}", transform=f"translate({20 + 18 * k} 0)")
        for k, arm in enumerate(arms)
    ]
    return [element("svg", *shapes, x="0%", y=HEIGHT / 2, width=1, height=1, overflow="visible")]


def _strip(name: str, skills: Mapping[str, float | None], scale: Scale) -> Markup:
    known = {arm: value for arm, value in skills.items() if value is not None}
    told = ", ".join(f"{ARM_LABELS[arm]} {points(value)}" for arm, value in skills.items())
    middle = HEIGHT / 2
    grid = [
        element("line", x1=scale.percent(t), x2=scale.percent(t), y1=0, y2="100%", class_="grid" if t else "zero")
        for t in round_ticks(scale.low, scale.high, about=6)
    ]
    places = [scale(scale.clamp(value)) for value in known.values()]
    link = (
        [element("line", x1=f"{min(places):.2f}%", x2=f"{max(places):.2f}%", y1=middle, y2=middle, class_="link")]
        if places
        else []
    )
    marks = [
        element(
            "svg",
            element("path", d=_MARKS[arm], class_=f"armmark {arm}"),
            x=scale.percent(known[arm]),
            y=middle,
            width=1,
            height=1,
            overflow="visible",
        )
        for arm in _DRAWN
        if arm in known and known[arm] >= scale.low
    ]
    marks += _beyond([arm for arm in _DRAWN if arm in known and known[arm] < scale.low])
    title = element("title", f"{name}: skill {told}")
    return element("svg", title, *grid, *link, *marks, class_="strip", width="100%", height=HEIGHT, role="img")
