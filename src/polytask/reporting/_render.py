"""Turn a view (plain values, drawings) into one HTML file that asks nothing of the network."""

import base64
import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from polytask.reporting import _numbers
from polytask.reporting._forest_plot import verdict_mark
from polytask.reporting._side_by_side import arm_mark
from polytask.reporting._words import short_name


def render_template(template: str, view: Mapping[str, Any]) -> str:
    """Render a template of the room; every text is escaped, the style sheet is inlined and allowed by its hash."""
    environment = Environment(
        loader=PackageLoader("polytask.reporting", "templates"),
        autoescape=True,
        finalize=_safe,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(_FILTERS)
    style, _, _ = environment.loader.get_source(environment, "style.css")  # type: ignore[union-attr]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template(template).render(style=Markup(style), style_hash=f"sha256-{digest}", **view)


def write_text(text: str, path: str | os.PathLike[str]) -> Path:
    """Write a text as UTF-8; see :func:`write_content`."""
    return write_content(text.encode("utf-8"), path)


def write_content(content: bytes, path: str | os.PathLike[str]) -> Path:
    """Write a file beside its place and move it there, so that a full disk never leaves half a report."""
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        draft.write_bytes(content)
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
    return place


def breakable(text: Any) -> Markup:
    """Let a long name break after its joints (``_ . : / -``), not only anywhere."""
    parts: list[str] = []
    for character in _numbers.printable(text):
        parts.append(str(Markup.escape(character)))
        if character in "_.:/-":
            parts.append("<wbr>")
    return Markup("").join(map(Markup, parts))  # every character was escaped


def minus(text: Any) -> Any:
    """Set a true minus sign before numbers: a hyphen is too short to see in a table."""
    return _MINUS.sub("\N{MINUS SIGN}", text) if isinstance(text, str) and not isinstance(text, Markup) else text


def whole_intervals(text: Any) -> Markup:
    """Keep an interval such as "[-0.2, 1.3]" on one line of a narrow cell."""
    safe = str(Markup.escape(_numbers.printable(text)))
    return Markup(_INTERVAL.sub(r'<span class="nobreak">\g<0></span>', safe))  # escaped above


def signed_percent(value: Any) -> str:
    """Write a number that is already in percent, with its sign."""
    number = _numbers.finite(value)
    return _numbers.UNDEFINED if number is None else _unbroken(_numbers.percent(number / 100, sign=True))


def interval_of(numbers: Mapping[str, Any], low: str, high: str) -> str:
    """Write the interval that stands under two keys."""
    ends = _numbers.finite(numbers.get(low)), _numbers.finite(numbers.get(high))
    return _numbers.interval(*ends, decimals=_numbers.interval_decimals(*ends)) or _numbers.UNDEFINED


def span(counts: Sequence[float | None]) -> str:
    """Write the range of some counts."""
    known = [count for count in counts if count is not None]
    if not known:
        return "–"
    ends = dict.fromkeys([_numbers.significant(min(known)), _numbers.significant(max(known))])
    return "–".join(ends)


def cost(value: Any, unit: str = "") -> str:
    """Write a cost with its unit, a dash where it was not measured."""
    return "–" if _numbers.finite(value) is None else f"{_numbers.significant(value, 2)}\N{NO-BREAK SPACE}{unit}".strip()


_MINUS = re.compile(r"(?<![\w.])-(?=[\d.])")
_INTERVAL = re.compile(r"\[[^\s\[\],]{1,14}, [^\s\[\],]{1,14}\]")
_FILTERS: dict[str, Any] = {
    "arm_mark": arm_mark,
    "points": _numbers.points,
    "interval": _numbers.interval,
    "significant": _numbers.significant,
    "probability": _numbers.probability,
    "plural": _numbers.plural,
    "percent": lambda share, **how: _unbroken(_numbers.percent(share, **how)),
    "duration": lambda seconds: _unbroken(_numbers.duration(seconds)),
    "breakable": breakable,
    "cost": cost,
    "interval_of": interval_of,
    "minus": minus,
    "signed_percent": signed_percent,
    "short_name": short_name,
    "span": span,
    "verdict_mark": verdict_mark,
    "whole_intervals": whole_intervals,
}


def _unbroken(text: str) -> str:
    """Keep a number and its unit on one line."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _safe(value: Any) -> Any:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return _numbers.printable(value)
