"""What commands print: plain sentences and tables, whatever the terminal."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH_OF_A_FILE = 140  # where no terminal says how wide it is


def console(*, stderr: bool = False) -> "Console":
    """A console that prints column names as they are: no markup, no emoji, no colours invented from the text."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _WIDTH_OF_A_FILE
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)


def say(text: str, *, quiet: bool = False) -> None:
    """Print a line of the result on stdout, whole however long it is."""
    if not quiet:
        print(text)


def note(text: str, *, quiet: bool = False) -> None:
    """Print a line about the work on stderr."""
    if not quiet:
        print(text, file=sys.stderr)


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = (), title: str = "") -> None:
    """Print a table on stdout; the columns in ``numbers`` are flush right, the first is never cut.

    Parameters
    ----------
    headers : sequence of str
        One per column.
    rows : sequence of sequence of str
        As long as ``headers`` each.
    numbers : sequence of int
        Positions of the columns that hold numbers.
    title : str
        A line above the table.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for position, header in enumerate(headers):
        right = position in numbers
        table.add_column(
            Text(header), justify="right" if right else "left", no_wrap=right, overflow="fold", min_width=None if right else 6
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    if title:
        say(title)
    console().print(table)
