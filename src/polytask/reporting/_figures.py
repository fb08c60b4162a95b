"""A figure of the report before it is HTML, Markdown or PDF: drawings, the words beside them, the numbers as tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of texts, the first column naming the rows.

    ``shades`` has per row and column (without the first) a strength from 0 to 9, negative for wrong answers, or None.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    shades: Sequence[Sequence[int | None]] | None = None


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One thing to look at.

    Attributes
    ----------
    key : str
        The part of the diagnostics it is made of.
    title : str
    words : list of str
        Sentences made from the numbers.
    drawings : list of Markup
        SVG.
    shown : list of Table
        Tables that are the figure themselves.
    numbers : list of Table
        The numbers behind the drawings.
    part : dict
        What it was made of, for other formats.
    """

    key: str
    title: str
    words: list[str]
    drawings: list[Markup] = field(default_factory=list)
    shown: list[Table] = field(default_factory=list)
    numbers: list[Table] = field(default_factory=list)
    part: Any = None
