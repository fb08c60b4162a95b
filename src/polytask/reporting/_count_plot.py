"""The hanging rootogram of counts."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from polytask.reporting._plot import HEIGHT, Axis, area, line, plot, x_axis, y_axis
from polytask.reporting._svg import element


def rootogram_plot(name: str, part: Mapping[str, Any], description: str) -> Markup:
    """Bars hang from the expected curve; a bar that ends off the zero line is a count seen too often (below) or too seldom.

    References
    ----------
    Kleiber & Zeileis, "Visualizing Count Data Regressions Using Rootograms", The American Statistician 70(3), 2016.
    """
    bars = part.get("bars") or []
    places = range(len(bars))
    expected = [bar["expected"] ** 0.5 for bar in bars]
    feet = [e - bar["observed"] ** 0.5 for e, bar in zip(expected, bars, strict=True)]
    # where a bar may end by chance: the root of the expected less that of the observed at either end of its range
    lower, upper = ([e - bar[key] ** 0.5 for e, bar in zip(expected, bars, strict=True)] for key in ("high", "low"))
    x, y = x_axis([-0.6, len(bars) - 0.4], room=0.0), y_axis([0.0, *expected, *feet, *lower])
    half = max(1.0, 0.4 * (x(1) - x(0)))
    hung = [
        element("rect", x=x(k) - half, width=2 * half, y=min(y(e), y(f)), height=abs(y(e) - y(f)), class_="hanging")
        for k, e, f in zip(places, expected, feet, strict=True)
    ]
    floor, ceiling = ([(k + side, value[k]) for k in places for side in (-0.5, 0.5)] for value in (lower, upper))
    return plot(
        *hung,
        area(floor, ceiling, x, y),
        line(list(zip(places, expected, strict=True)), x, y, style="reading"),
        x=x,
        y=y,
        title=f"{name}: rootogram, how often each count came and was expected",
        description=description,
        x_name="count",
        y_name="√ rows",
        x_ticks=_bar_ticks(x, part),
        height=HEIGHT,
    )


def bar_name(part: Mapping[str, Any], k: int) -> str:
    """What counts the bar ``k`` holds."""
    bars, width = part["bars"], int(part.get("width") or 1)
    start = int(bars[k]["from"])
    if k == len(bars) - 1:
        return f"{start} and more"
    return str(start) if width == 1 else f"{start} to {start + width - 1}"


def _bar_ticks(x: Axis, part: Mapping[str, Any]) -> list[tuple[float, str]]:
    bars = part["bars"]
    stride = max(1, -(-len(bars) // 7))
    ticks = [(float(k), str(bars[k]["from"])) for k in range(0, len(bars), stride)]
    return [(k, f"{text}+" if k == len(bars) - 1 else text) for k, text in ticks]
