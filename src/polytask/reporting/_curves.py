"""Learning curves as small drawings: one panel, one line per way of learning."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from polytask.reporting._numbers import finite, printable
from polytask.reporting._svg import Scale, element, round_ticks, tick_texts

WIDTH, HEIGHT = 320, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 10, 10, 26
_MOST_POINTS = 160


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line of a panel: ``values`` over ``epochs``, None where a value is undefined."""

    label: str
    style: str  # CSS class: "together", "alone", "training"
    epochs: Sequence[float]
    values: Sequence[float | None]
    marked: float | None = None  # the epoch to mark, e.g. the one whose weights were kept
    _points: list[tuple[float, float | None]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Thin long curves, keeping the last and the marked epoch."""
        pairs = [(float(epoch), finite(value)) for epoch, value in zip(self.epochs, self.values, strict=True)]
        stride = -(-len(pairs) // _MOST_POINTS)
        kept = [p for i, p in enumerate(pairs) if i % stride == 0 or i == len(pairs) - 1 or p[0] == self.marked] if pairs else []
        object.__setattr__(self, "_points", kept)

    @property
    def points(self) -> list[tuple[float, float | None]]:
        """The (epoch, value) pairs that are drawn."""
        return self._points


def curve_scales(curves: Sequence[Curve], *, factor: float = 1.0) -> tuple[Scale, Scale] | None:
    """Choose the scales of epochs and values that all curves of a panel share; None where nothing is defined.

    A few wild values of the first epochs do not flatten the rest: the value axis leaves out what lies far beyond the
    middle nine tenths, and the lines leave the panel there.
    """
    values = sorted(factor * value for curve in curves for _, value in curve.points if value is not None)
    epochs = [epoch for curve in curves for epoch, _ in curve.points]
    if not values:
        return None
    low, high = values[0], values[-1]
    inner_low, inner_high = values[len(values) // 20], values[-1 - len(values) // 20]
    spread = 2 * (inner_high - inner_low)
    low, high = max(low, inner_low - spread), min(high, inner_high + spread)
    room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    first, last = min(epochs), max(epochs)
    if first == last:
        first, last = first - 1, last + 1
    x = Scale(first, last, _LEFT + 4, WIDTH - _RIGHT)
    return x, Scale(low - room, high + room, HEIGHT - _BOTTOM, _TOP)


def learning_curve(curves: Sequence[Curve], *, title: str, description: str = "", factor: float = 1.0) -> Markup:
    """Draw one panel of learning curves.

    Parameters
    ----------
    curves : sequence of Curve
        Later ones are drawn above earlier ones.
    title : str
        What is drawn, of which task; the accessible name.
    description : str
        The reading in words, for those who do not see the lines.
    factor : float, default=1.0
        Multiplies the values (100 to draw skill in points).

    Returns
    -------
    Markup
        One ``<svg>`` with a view box of 320 x 150; a sentence in its place where nothing is defined.
    """
    scales = curve_scales(curves, factor=factor)
    if scales is None:
        return element("p", "Nothing to draw: undefined in every epoch.", class_="quiet")
    x, y = scales
    return element(
        "svg",
        element("title", title),
        *([element("desc", description)] if description else []),
        *_axes(x, y),
        element(
            "svg",
            *(part for curve in curves for part in _line(curve, x, y, factor)),
            x=0,
            y=_TOP - 6,
            width=WIDTH,
            height=HEIGHT - _TOP - _BOTTOM + 12,
            viewBox=f"0 {_TOP - 6} {WIDTH} {HEIGHT - _TOP - _BOTTOM + 12}",
        ),
        class_="curves",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
    )


def _axes(x: Scale, y: Scale) -> list[Markup]:
    parts: list[Markup] = []
    y_ticks = round_ticks(y.low, y.high, about=4)
    for tick, text in zip(y_ticks, tick_texts(y_ticks), strict=True):
        place = round(y(tick), 1)
        parts.append(element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=place, y2=place, class_="zero" if tick == 0 else "grid"))
        parts.append(element("text", text.replace("-", "\N{MINUS SIGN}"), x=_LEFT - 6, y=place + 4, text_anchor="end"))
    x_ticks = [tick for tick in round_ticks(x.low, x.high, about=4) if tick == int(tick)]
    for i, (tick, text) in enumerate(zip(x_ticks, tick_texts(x_ticks), strict=True)):
        label = f"epoch {text}" if i == len(x_ticks) - 1 else text
        anchor = "end" if i == len(x_ticks) - 1 and x(tick) > WIDTH - 50 else "middle"
        parts.append(
            element("text", label, x=round(x(tick) + (6 if anchor == "end" else 0), 1), y=HEIGHT - 8, text_anchor=anchor)
        )
    return parts


def _line(curve: Curve, x: Scale, y: Scale, factor: float) -> list[Markup]:
    """The path (broken where a value is undefined), and a dot at the marked epoch or where a point stands alone."""
    path, dots, pen_down = [], [], False
    points = curve.points
    for i, (epoch, value) in enumerate(points):
        if value is None:
            pen_down = False
            continue
        place = (round(x(epoch), 1), round(y(factor * value), 1))
        path.append(f"{'L' if pen_down else 'M'}{place[0]:g} {place[1]:g}")
        alone = not pen_down and (i + 1 == len(points) or points[i + 1][1] is None)
        if alone or epoch == curve.marked:
            dots.append(element("circle", cx=place[0], cy=place[1], r=4.0 if epoch == curve.marked else 2.0, class_="best"))
        pen_down = True
    style = printable(curve.style)
    return [element("g", element("title", curve.label), element("path", d="".join(path)), *dots, class_=f"line {style}")]
