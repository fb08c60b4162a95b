"""A bar for a skill: from a constant's 0 towards a perfect 100 points."""

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

from polytask.reporting._numbers import finite, points
from polytask.reporting._svg import Scale, element

BAR_HEIGHT = 22
_WORST = -0.5  # what is worse is cut here; the number beside the bar tells it


def skill_scale(skills: Iterable[Any]) -> Scale:
    """Choose one axis for all tasks: from 0, or the worst skill where one is below, to 1."""
    known = [value for skill in skills if (value := finite(skill)) is not None]
    return Scale(max(_WORST, min([0.0, *known])), 1.0)


def skill_bar(name: str, skill: Any, scale: Scale) -> Markup:
    """Draw one task; only the zero line where its skill is undefined."""
    value = finite(skill)
    zero = element("line", x1=scale.percent(0), x2=scale.percent(0), y1=0, y2="100%", class_="zero")
    track = element("rect", x=scale.percent(0), width=f"{100 - scale(0):.2f}%", y=6, height=BAR_HEIGHT - 12, class_="band")
    bars = []
    if value is not None:
        start, stop = sorted((scale(0.0), scale(scale.clamp(value))))
        bars = [element("rect", x=f"{start:.2f}%", width=f"{stop - start:.2f}%", y=6, height=BAR_HEIGHT - 12, class_="bar")]
    title = element("title", f"{name}: skill {points(value)}" + (" points" if value is not None else ""))
    return element("svg", title, track, *bars, zero, class_="skill", width="100%", height=BAR_HEIGHT, role="img")
