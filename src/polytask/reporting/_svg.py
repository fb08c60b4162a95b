"""Small pieces to draw with: escaped SVG elements, a linear scale, round ticks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from polytask.reporting._numbers import printable

SvgValue = str | int | float | None


def element(tag: str, *children: str, **attributes: SvgValue) -> Markup:
    """Build one element; text and attribute values are escaped, ``Markup`` children are kept.

    ``class_`` becomes ``class`` and other underscores become hyphens; an attribute of None is left out.

    Examples
    --------
    >>> element("text", "a < b", class_="name", text_anchor="end", x=1.50)
    Markup('<text class="name" text-anchor="end" x="1.5">a &lt; b</text>')
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"' for key, value in attributes.items() if value is not None
    )
    inner = Markup("").join(child if isinstance(child, Markup) else escape(printable(child)) for child in children)
    # every part was escaped above
    return Markup(f"<{tag}{written}>{inner}</{tag}>" if inner else f"<{tag}{written}/>")


def _text(value: SvgValue) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else printable(value)


@dataclass(frozen=True)
class Scale:
    """A linear map from the values ``low..high`` to the places ``start..stop``."""

    low: float
    high: float
    start: float = 0.0
    stop: float = 100.0

    def __call__(self, value: float) -> float:
        """Place of a value; values outside are placed outside."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)

    def percent(self, value: float) -> str:
        """Place of a value as an SVG percentage.

        Examples
        --------
        >>> Scale(-1.0, 1.0).percent(0.5)
        '75%'
        """
        return f"{_text(float(self(value)))}%"

    def holds(self, value: float) -> bool:
        """Whether a value lies on the scale."""
        return self.low <= value <= self.high

    def clamp(self, value: float) -> float:
        """The nearest value that lies on the scale."""
        return min(max(value, self.low), self.high)


def round_ticks(low: float, high: float, *, about: int = 5) -> list[float]:
    """Choose round numbers inside ``low..high``, about as many as asked.

    Examples
    --------
    >>> round_ticks(-0.031, 0.052)
    [-0.02, 0.0, 0.02, 0.04]
    """
    raw = (high - low) / max(about, 1)
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 12) + 0.0 for k in range(first, last + 1)]


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """Write ticks with the same, smallest sufficient number of decimals.

    Examples
    --------
    >>> tick_texts([0.0, 2.5, 5.0])
    ['0', '2.5', '5']
    """
    step = min((b - a for a, b in pairwise(ticks)), default=abs(ticks[0]) if ticks else 1.0) or 1.0
    decimals = max(0, math.ceil(-math.log10(step) - 1e-9) + (0 if _is_round(step) else 1))
    return [f"{tick:,.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{tick:,.0f}" for tick in ticks]


def _is_round(step: float) -> bool:
    mantissa = step / 10 ** math.floor(math.log10(step))
    return abs(mantissa - round(mantissa)) < 1e-6
