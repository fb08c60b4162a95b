"""The frame of a plot: axes linear or logarithmic, ticks, names of the axes, and marks that many plots share.

A view box of 320 pixels, so that a plot takes the width it is given and stays readable on a phone.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from polytask.reporting._numbers import significant
from polytask.reporting._svg import Scale, element, round_ticks, tick_texts

WIDTH, HEIGHT = 320, 236
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 22, 38
Point = Sequence[float]


@dataclass(frozen=True)
class Axis:
    """A scale from values to places in the view box, linear or logarithmic."""

    scale: Scale
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """Place of a value, rounded to a tenth of a pixel."""
        return round(self.scale(_log(value) if self.is_log else value), 1)

    def holds(self, value: float) -> bool:
        """Whether a value lies on the axis."""
        return (not self.is_log or value > 0) and self.scale.holds(_log(value) if self.is_log else value)

    def clamp(self, value: float) -> float:
        """The nearest value on the axis."""
        if not self.is_log:
            return self.scale.clamp(value)
        return 10 ** self.scale.clamp(_log(value)) if value > 0 else 10**self.scale.low

    def ticks(self, *, about: int = 5) -> list[tuple[float, str]]:
        """Round values on the axis, with their texts."""
        if not self.is_log:
            values = round_ticks(self.scale.low, self.scale.high, about=about)
            return list(zip(values, _short(values), strict=True))
        exponents = range(math.ceil(self.scale.low - 1e-9), math.floor(self.scale.high + 1e-9) + 1)
        steps = (1, 2, 5) if len(exponents) < 3 else (1,)
        inside = [step * 10.0**k for k in range(exponents.start - 1, exponents.stop + 1) for step in steps]
        stride = max(1, round(len(exponents) / about)) if steps == (1,) else 1
        return [(value, significant(value)) for value in inside[::stride] if self.holds(value)]


def x_axis(values: Iterable[float], *, is_log: bool = False, room: float = 0.04) -> Axis:
    """Choose the horizontal axis that holds all values."""
    return Axis(_around(values, is_log, room, LEFT, WIDTH - RIGHT), is_log)


def y_axis(values: Iterable[float], *, is_log: bool = False, room: float = 0.04, height: int = HEIGHT) -> Axis:
    """Choose the vertical axis that holds all values."""
    return Axis(_around(values, is_log, room, height - BOTTOM, TOP), is_log)


def unit_axes(*, height: int = HEIGHT) -> tuple[Axis, Axis]:
    """Axes of shares, from 0 to 1 both ways."""
    return Axis(Scale(0.0, 1.0, LEFT, WIDTH - RIGHT)), Axis(Scale(0.0, 1.0, height - BOTTOM, TOP))


def wants_log(values: Sequence[float]) -> bool:
    """Whether positive values spread so unevenly that a linear axis would squeeze most of them into a corner."""
    ordered = sorted(values)
    if len(ordered) < 10 or ordered[0] <= 0:
        return False
    low, middle, high = (ordered[int(share * (len(ordered) - 1))] for share in (0.05, 0.5, 0.95))
    return high / low > 30 and (middle - ordered[0]) < 0.2 * (ordered[-1] - ordered[0])


def plot(
    *parts: Markup,
    x: Axis,
    y: Axis,
    title: str,
    description: str,
    x_name: str,
    y_name: str,
    height: int = HEIGHT,
    x_ticks: Sequence[tuple[float, str]] | None = None,
    y_ticks: Sequence[tuple[float, str]] | None = None,
) -> Markup:
    """Put marks into a frame with ticks and names.

    Parameters
    ----------
    *parts : Markup
        Marks, in view box places; what leaves the frame is cut.
    x, y : Axis
    title, description : str
        The accessible name, and the reading in words.
    x_name, y_name : str
        What the axes are, with the unit.
    height : int
        Of the view box.
    x_ticks, y_ticks : sequence of (value, text), optional
        Instead of round numbers.
    """
    frame = element(
        "svg",
        *parts,
        x=LEFT - 6,
        y=TOP - 6,
        width=WIDTH - LEFT - RIGHT + 12,
        height=height - TOP - BOTTOM + 12,
        viewBox=f"{LEFT - 6} {TOP - 6} {WIDTH - LEFT - RIGHT + 12} {height - TOP - BOTTOM + 12}",
    )
    return element(
        "svg",
        element("title", title),
        element("desc", description),
        *_grid(x, y, height, x.ticks() if x_ticks is None else x_ticks, y.ticks() if y_ticks is None else y_ticks),
        frame,
        element("text", y_name, x=2, y=11, class_="axis-name"),
        element("text", x_name, x=WIDTH - RIGHT, y=height - 5, text_anchor="end", class_="axis-name"),
        class_="plot",
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
    )


def cloud(points: Iterable[Point], x: Axis, y: Axis) -> Markup:
    """Many points as one path of round dots."""
    places = (f"M{x(a):g} {y(b):g}h0" for a, b in points if x.holds(a) and y.holds(b))
    return element("path", d="".join(places), class_="cloud")


def line(points: Iterable[Point], x: Axis, y: Axis, *, style: str) -> Markup:
    """A line through points."""
    places = [f"{x(a):g} {y(b):g}" for a, b in points]
    return element("path", d="M" + "L".join(places) if places else "", class_=style)


def area(lower: Sequence[Point], upper: Sequence[Point], x: Axis, y: Axis, *, style: str = "area") -> Markup:
    """The band between two lines."""
    places = [f"{x(a):g} {y(b):g}" for a, b in [*lower, *reversed(upper)]]
    return element("path", d=f"M{'L'.join(places)}Z" if places else "", class_=style)


def whiskers(
    marks: Iterable[tuple[float, float, float | None, float | None]], x: Axis, y: Axis, *, style: str = "bins"
) -> Markup:
    """Dots with vertical intervals: (x, y, low, high)."""
    parts = []
    for a, b, low, high in marks:
        if low is not None and high is not None:
            ends = y(y.clamp(low)), y(y.clamp(high))
            parts.append(element("line", x1=x(a), x2=x(a), y1=ends[0], y2=ends[1]))
        parts.append(element("circle", cx=x(a), cy=y(y.clamp(b)), r=3.2))
    return element("g", *parts, class_=style)


def _grid(
    x: Axis, y: Axis, height: int, x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[tuple[float, str]]
) -> list[Markup]:
    parts: list[Markup] = []
    for value, text in y_ticks:
        place = y(value)
        parts.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=place, y2=place, class_="grid"))
        parts.append(element("text", _minus(text), x=LEFT - 6, y=place + 4, text_anchor="end"))
    parts.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=height - BOTTOM, y2=height - BOTTOM, class_="tick"))
    for value, text in x_ticks:
        place = x(value)
        parts.append(element("line", x1=place, x2=place, y1=height - BOTTOM, y2=height - BOTTOM + 4, class_="tick"))
        anchor = "end" if place > WIDTH - RIGHT - 8 else "middle"
        parts.append(
            element(
                "text",
                _minus(text),
                x=min(place + (6 if anchor == "end" else 0), WIDTH - 2),
                y=height - BOTTOM + 16,
                text_anchor=anchor,
            )
        )
    return parts


def _around(values: Iterable[float], is_log: bool, room: float, start: float, stop: float) -> Scale:
    known = [_log(value) if is_log else value for value in values]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if low == high:
        half = 0.5 * abs(low) or 0.5
        low, high = low - half, high + half
    margin = room * (high - low)
    return Scale(low - margin, high + margin, start, stop)


def _log(value: float) -> float:
    return math.log10(max(value, 1e-300))


def _short(values: Sequence[float]) -> list[str]:
    """Texts of ticks; large or tiny numbers in powers of ten, which fit beside the axis."""
    size = max((abs(value) for value in values), default=0.0)
    if size and not 1e-3 <= size < 1e6:
        return ["0" if value == 0 else f"{value:.2g}".replace("e+0", "e").replace("e-0", "e-") for value in values]
    return tick_texts(values)


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")
