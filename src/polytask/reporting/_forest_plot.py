"""The forest plot: a strip per task with its gain, interval and fold gains, over a shared axis.

Each strip is an SVG whose x coordinates are percentages, so it takes whatever width the page gives it while its text,
lines and marks keep their size: readable on a phone and on a desk from the same markup.
"""

from collections.abc import Iterable, Sequence
from statistics import median

from markupsafe import Markup

from polytask.reporting._numbers import finite
from polytask.reporting._readings import Gain
from polytask.reporting._svg import Scale, element, round_ticks, tick_texts

STRIP_HEIGHT = 44
_MIDDLE = 17  # y of the interval
_DOTS = 34  # y of the fold gains
_OUTLIER = 4.0  # an interval that reaches this many times further than the median one is cut, with an arrow

_MARKS = {  # shape as well as colour tells the verdict
    "helped": "M0-7 7 5-7 5Z",
    "harmed": "M0 7 7-5-7-5Z",
    "equivalent": "M-5-5H5V5H-5Z",
    "undecided": "M0-6A6 6 0 1 1 0 6 6 6 0 1 1 0-6Z",
    "none": "M0-6 6 0 0 6-6 0Z",
}


def forest_scale(gains: Iterable[Gain], *, margin: float | None) -> Scale:
    """Choose one axis, in units of skill, that shows all gains well.

    Parameters
    ----------
    gains : iterable of Gain
    margin : float or None
        Half-width of the band of equivalence; always visible.

    Returns
    -------
    Scale
        From units of skill to percent of the strip's width. Holds 0 and every interval, except those that reach
        more than four times as far as the median one (they are drawn cut).
    """
    known = [[value for value in (gain.gain, gain.low, gain.high) if value is not None] for gain in gains]
    reaches = [max(map(abs, values)) for values in known if values]
    least = 2 * (finite(margin) or 0.005)
    limit = max(_OUTLIER * median(reaches), least) if reaches else least
    low = max(-limit, min([-least, *(min(values) for values in known if values)]))
    high = min(limit, max([least, *(max(values) for values in known if values)]))
    room = 0.06 * (high - low)
    return Scale(low - room, high + room)


def forest_strip(gain: Gain, scale: Scale, *, margin: float | None, words: str | None = None, label: str | None = None) -> Markup:
    """Draw one task: band of equivalence, zero line, interval, gain, and a dot per fold.

    Parameters
    ----------
    gain : Gain
    scale : Scale
        Shared by all strips; see :func:`forest_scale`.
    margin : float or None
        Half-width of the band of equivalence, in units of skill.
    words : str or None
        The verdict in words, for the strip's title; by default the gain's own.
    label : str or None
        What the mark is, for the strip's title; by default the gain in points.

    Returns
    -------
    Markup
        One ``<svg>`` of full width and 44 pixels height.
    """
    words = words or gain.verdict_text
    if label is None:
        label = f"{gain.name}: gain undefined" if gain.gain is None else f"{gain.name}: gain {gain.gain_text} points"
    title = ", ".join(part for part in (label, gain.interval_text and f"interval {gain.interval_text}", words) if part)
    return element(
        "svg",
        element("title", title),
        *_background(scale, margin),
        *_fold_dots(gain, scale),
        *_interval(gain, scale),
        *_mark(gain, scale),
        class_=f"strip {gain.verdict}",
        width="100%",
        height=STRIP_HEIGHT,
        role="img",
    )


def forest_axis(scale: Scale, *, height: int = 26) -> Markup:
    """Draw the axis under (or over) the strips: ticks in points of skill; hidden from screen readers."""
    ticks = round_ticks(scale.low, scale.high, about=6)
    parts: list[Markup] = []
    for tick, text in zip(ticks, tick_texts([100 * tick for tick in ticks]), strict=True):
        x = scale.percent(tick)
        parts.append(element("line", x1=x, x2=x, y1=0, y2=6, class_="tick"))
        place = scale(tick)
        anchor = "start" if place < 4 else "end" if place > 96 else "middle"
        parts.append(element("text", _signed(text), x=x, y=20, text_anchor=anchor))
    return element("svg", *parts, class_="axis", width="100%", height=height, aria_hidden="true")


def verdict_mark(verdict: str) -> Markup:
    """Draw the mark of a verdict alone, for legends; decorative, so hidden from screen readers."""
    mark = element("path", d=_MARKS[verdict], class_="mark")
    return element("svg", mark, class_=f"key {verdict}", width=18, height=18, viewBox="-9 -9 18 18", aria_hidden="true")


def _background(scale: Scale, margin: float | None) -> list[Markup]:
    lines = [
        element("line", x1=scale.percent(tick), x2=scale.percent(tick), y1=0, y2="100%", class_="grid")
        for tick in round_ticks(scale.low, scale.high, about=6)
        if tick
    ]
    zero = element("line", x1=scale.percent(0), x2=scale.percent(0), y1=0, y2="100%", class_="zero")
    half = finite(margin)
    if not half:
        return [*lines, zero]
    width = f"{scale(half) - scale(-half):.2f}%"
    return [element("rect", x=scale.percent(-half), width=width, y=0, height="100%", class_="band"), *lines, zero]


def _fold_dots(gain: Gain, scale: Scale) -> Sequence[Markup]:
    rim = 0.01 * (scale.high - scale.low)  # a dot beyond the axis stays whole, at its edge
    inner = Scale(scale.low + rim, scale.high - rim)
    return [element("circle", cx=scale.percent(inner.clamp(dot)), cy=_DOTS, r=2.5, class_="dot") for dot in gain.fold_gains]


def _interval(gain: Gain, scale: Scale) -> list[Markup]:
    if gain.low is None or gain.high is None or gain.low > scale.high or gain.high < scale.low:
        return []
    ends = [scale.percent(scale.clamp(end)) for end in (gain.low, gain.high)]
    whiskers = [
        element("line", x1=x, x2=x, y1=_MIDDLE - 5, y2=_MIDDLE + 5, class_="end") if scale.holds(end) else _arrow(x, end > 0)
        for x, end in zip(ends, (gain.low, gain.high), strict=True)
    ]
    return [element("line", x1=ends[0], x2=ends[1], y1=_MIDDLE, y2=_MIDDLE, class_="interval"), *whiskers]


def _mark(gain: Gain, scale: Scale) -> list[Markup]:
    if gain.gain is None:
        return [element("text", "undefined", x="50%", y=_MIDDLE + 4, text_anchor="middle", class_="undefined")]
    if not scale.holds(gain.gain):
        return [_arrow(scale.percent(scale.clamp(gain.gain)), gain.gain > 0)]
    mark = element("path", d=_MARKS[gain.verdict], class_="mark")
    return [element("svg", mark, x=scale.percent(gain.gain), y=_MIDDLE, width=1, height=1, overflow="visible", class_="point")]


def _arrow(x: str, to_the_right: bool) -> Markup:
    """The end of an interval that goes on beyond the axis."""
    shape = "M-9-5 0 0-9 5" if to_the_right else "M9-5 0 0 9 5"
    return element("svg", element("path", d=shape, class_="arrow"), x=x, y=_MIDDLE, width=1, height=1, overflow="visible")


def _signed(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}") if text.startswith("-") else text if text.strip("0.,") == "" else f"+{text}"
