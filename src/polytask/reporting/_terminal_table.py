"""A plain table for the terminal: no colour needed, no number cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.table import Table
from rich.text import Text

from polytask.reporting._words import short_name

_GAP = 2  # between two columns


@dataclass(frozen=True)
class Column:
    """A column of a terminal table; the last cell is the mean over tasks."""

    header: str
    cells: list[Text]
    justify: Literal["left", "right"] = "right"

    @property
    def width(self) -> int:
        """Character cells of the widest content."""
        return max(len(self.header), *(cell.cell_len for cell in self.cells))


def columns_width(columns: Sequence[Column]) -> int:
    """Character cells that columns take, with the gaps after them."""
    return sum(column.width + _GAP for column in columns)


def table_of(columns: Sequence[Column], width: int) -> Table:
    """Lay out columns; the first (names) takes what room is left, on two lines at most, and the last row is set apart."""
    room = max(12, width - columns_width(columns[1:]) - _GAP)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(Text(column.header), justify=column.justify, no_wrap=i > 0, overflow="fold")
    last = len(columns[0].cells) - 1
    for i, (name, *cells) in enumerate(zip(*(column.cells for column in columns), strict=True)):
        shown = Text(short_name(name.plain, length=2 * room))
        table.add_row(shown, *cells, end_section=i == last - 1, style="bold" if i == last else None)
    return table
