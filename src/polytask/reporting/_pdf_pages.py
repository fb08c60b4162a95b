"""Pages of A4 filled from top to bottom: headings, paragraphs, tables and plots, by matplotlib."""

import textwrap
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from polytask.reporting._figures import Table
from polytask.reporting._numbers import printable
from polytask.reporting._words import short_name

INK, QUIET, RULE, CARD = "#1c2126", "#565f69", "#c9cdd1", "#ffffff"
HELPED, HARMED, ALONE, DOT, BAND = "#0b62a8", "#ac4300", "#7a5c00", "#8b95a0", "#e6e9ec"
_WIDTH, _HEIGHT, _MARGIN = 595.3, 841.9, 48.0  # points of A4
_LINE = 1.38  # of the font size
_LETTER = 0.515  # mean width of a letter, of the font size; bold is wider


class Pages:
    """A cursor that goes down the page and opens a new one where something has no room.

    Parameters
    ----------
    pdf : matplotlib.backends.backend_pdf.PdfPages
    footer : str
        At the bottom of every page, before its number.
    """

    def __init__(self, pdf: Any, *, footer: str) -> None:
        self.pdf, self.footer = pdf, footer
        self.page: Any = None
        self.count = 0
        self._open()

    @property
    def width(self) -> float:
        """Points between the margins."""
        return _WIDTH - 2 * _MARGIN

    @property
    def room(self) -> float:
        """Points left on this page."""
        return self.y - _MARGIN

    def heading(self, text: str, *, size: float = 15.0, keep: float = 90.0) -> None:
        """A heading that stays with ``keep`` points of what follows."""
        lines = self._wrapped(text, size * 1.1)
        self.need(len(lines) * size * _LINE + keep)
        self.space(size * 0.9)
        self._lines(lines, size=size, weight="bold")
        self.space(size * 0.25)

    def paragraph(self, text: str, *, size: float = 9.5, color: str = INK) -> None:
        """Wrapped lines."""
        for line in self._wrapped(text, size):
            self.need(size * _LINE)
            self._lines([line], size=size, color=color)
        self.space(3.0)

    def table(self, table: Table, *, size: float = 8.0, n_texts: int = 1) -> None:
        """A table whose columns take the width that their texts need; the header is repeated on a new page."""
        rows = [[_clean(cell) for cell in row] for row in [table.header, *table.rows]]
        widths, size = _column_widths(rows, self.width, size)
        rows = [
            [short_name(cell, length=max(4, int(w / (size * _LETTER)))) for cell, w in zip(row, widths, strict=True)]
            for row in rows
        ]
        step = size * 1.75
        self.need(4 * step)
        if table.caption:
            self.paragraph(table.caption, size=size, color=QUIET)
        self._row(rows[0], widths, size, n_texts, header=True)
        for k, row in enumerate(rows[1:]):
            if self.room < step:
                self._open()
                self._row(rows[0], widths, size, n_texts, header=True)
            self._row(row, widths, size, n_texts, shades=table.shades[k] if table.shades else None)
        self.space(8.0)

    def plots(self, draw: Sequence[Callable[[Any], None]], *, height: float = 165.0, across: int = 2) -> None:
        """Plots beside each other, ``across`` in a row; every function draws into one matplotlib axes."""
        gap, left, bottom = 22.0, 34.0, 30.0
        wide = (self.width - (across - 1) * gap) / across
        for start in range(0, len(draw), across):
            self.need(height + 4)
            for k, one in enumerate(draw[start : start + across]):
                place = (_MARGIN + k * (wide + gap) + left, self.y - height + bottom, wide - left, height - bottom - 26)
                axes = self.page.add_axes([place[0] / _WIDTH, place[1] / _HEIGHT, place[2] / _WIDTH, place[3] / _HEIGHT])
                one(axes)
                _plain_axes(axes)
            self.y -= height + 4

    def wide_plot(self, draw: Callable[[Any], None], *, height: float, left: float) -> None:
        """One plot over the whole width, with ``left`` points for the names of its rows."""
        self.need(height)
        place = (_MARGIN + left, self.y - height + 30, self.width - left, height - 36)
        axes = self.page.add_axes([place[0] / _WIDTH, place[1] / _HEIGHT, place[2] / _WIDTH, place[3] / _HEIGHT])
        draw(axes)
        _plain_axes(axes)
        self.y -= height

    def space(self, points: float) -> None:
        """Go down."""
        self.y -= points

    def need(self, points: float) -> None:
        """Open a new page where fewer points are left; what is taller than a page stays where it is."""
        if self.room < min(points, _HEIGHT - 2 * _MARGIN - 20):
            self._open()

    def close(self) -> None:
        """Write the last page."""
        if self.page is not None:
            self.count += 1
            self._text(_MARGIN, 26, self.footer, size=7.5, color=QUIET)
            self._text(_WIDTH - _MARGIN, 26, str(self.count), size=7.5, color=QUIET, align="right")
            self.pdf.savefig(self.page)
            self.page = None

    def _open(self) -> None:
        from matplotlib.figure import Figure as MatplotlibFigure

        self.close()
        self.page = MatplotlibFigure(figsize=(_WIDTH / 72, _HEIGHT / 72))
        self.y = _HEIGHT - _MARGIN

    def _wrapped(self, text: str, size: float) -> list[str]:
        return textwrap.wrap(_clean(text), max(10, int(self.width / (size * _LETTER)))) or [""]

    def _lines(self, lines: Sequence[str], *, size: float, color: str = INK, weight: str = "normal") -> None:
        for line in lines:
            self.y -= size * _LINE
            self._text(_MARGIN, self.y, line, size=size, color=color, weight=weight)

    def _row(
        self,
        cells: Sequence[str],
        widths: Sequence[float],
        size: float,
        n_texts: int,
        *,
        header: bool = False,
        shades: Sequence[int | None] | None = None,
    ) -> None:
        from matplotlib.patches import Rectangle

        step, x = size * 1.75, _MARGIN
        self.y -= step
        for k, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            shade = shades[k - 1] if shades and k else None
            if shade:
                corner = x / _WIDTH, (self.y - 0.4 * size) / _HEIGHT
                patch = Rectangle(corner, width / _WIDTH, step / _HEIGHT, transform=self.page.transFigure, edgecolor="none")
                patch.set(facecolor=HELPED if shade > 0 else HARMED, alpha=0.045 * abs(shade))
                self.page.add_artist(patch)
            is_text = k < n_texts
            place, align = (x + 2, "left") if is_text else (x + width - 4, "right")
            weight = "bold" if header else "normal"
            self._text(place, self.y, cell, size=size, color=QUIET if header else INK, weight=weight, align=align)
            x += width
        self._rule(self.y - 0.4 * size)

    def _rule(self, y: float) -> None:
        from matplotlib.lines import Line2D

        ends = [_MARGIN / _WIDTH, (_WIDTH - _MARGIN) / _WIDTH]
        self.page.add_artist(Line2D(ends, [y / _HEIGHT] * 2, color=RULE, linewidth=0.4, transform=self.page.transFigure))

    def _text(
        self, x: float, y: float, text: str, *, size: float, color: str = INK, weight: str = "normal", align: str = "left"
    ) -> None:
        self.page.text(
            x / _WIDTH, y / _HEIGHT, _clean(text), fontsize=size, color=color, fontweight=weight, ha=align, parse_math=False
        )


def _column_widths(rows: Sequence[Sequence[str]], width: float, size: float) -> tuple[list[float], float]:
    """Widths of columns that fill the width given, and a size of letters at which they do."""
    longest = [min(60.0, max(1.2 * len(rows[0][k]), *(len(row[k]) for row in rows))) + 2.5 for k in range(len(rows[0]))]
    needed = sum(longest) * size * _LETTER
    if needed > width and len(longest) > 3:
        size = max(5.0, size * width / needed)
        needed = sum(longest) * size * _LETTER
    factor = width / needed if needed > width else 1.0
    return [own * size * _LETTER * factor for own in longest], size


def _plain_axes(axes: Any) -> None:
    axes.tick_params(labelsize=6.5, colors=QUIET, length=2, width=0.5, pad=2)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(RULE)
        spine.set_linewidth(0.6)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(size=7, color=QUIET)


def _clean(text: Any) -> str:
    """Text that the font can write; what it lacks becomes a box-like mark."""
    known = _glyphs()
    return "".join(character if ord(character) in known else "\N{WHITE SQUARE}" for character in printable(text))


def clean(text: Any, *, length: int = 40) -> str:
    """A name for a plot: what the font can write, cut in the middle where it is long."""
    return _clean(short_name(text, length=length))


@cache
def _glyphs() -> frozenset[int]:
    """Characters that matplotlib's own font has."""
    import matplotlib
    from matplotlib.ft2font import FT2Font

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return frozenset(FT2Font(str(path)).get_charmap())
