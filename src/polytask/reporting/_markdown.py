"""Pieces of Markdown as GitHub reads it: escaped texts, tables, folded parts."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import escape

from polytask.reporting._figures import Figure, Table
from polytask.reporting._numbers import printable
from polytask.reporting._words import short_name

_SPECIAL = re.compile(r"([\\`*|~$])|(?<![^\W_])(_)|(_)(?![^\W_])|(?<=\])([(:])")
_BLOCK = re.compile(r"^(\s*)([-+=#]|\d+[.)])")  # what begins a list, a heading or a rule
_LINK = re.compile(r"(?i)(https?|ftp|mailto)(:)|\b(www)(\.)|@")
_NUMBER_MINUS = re.compile(r"(?<![\w.\-])-(?=[\d.])")


def text(value: Any) -> str:
    r"""Escape a text that may begin a line, so that no name makes markup, a link or a mention.

    Examples
    --------
    >>> text("a|b <i> *x* of math_grade"), text("@team"), text("# no heading")
    ('a\\|b &lt;i&gt; \\*x\\* of math_grade', '&#64;team', '\\# no heading')
    """
    return _BLOCK.sub(lambda m: f"{m[1]}{m[2][:-1]}\\{m[2][-1]}", inline(value))


def inline(value: Any) -> str:
    """Escape a text inside a line."""
    safe = printable(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = _SPECIAL.sub(lambda m: f"\\{m[0]}", safe)
    return _LINK.sub(lambda m: f"{m[1]}&#58;" if m[1] else f"{m[3]}&#46;" if m[3] else "&#64;", safe)


def prose(sentences: Iterable[str]) -> str:
    """Sentences as one paragraph; numbers get a true minus sign."""
    return _NUMBER_MINUS.sub("\N{MINUS SIGN}", text(" ".join(sentences)))


def cell(value: Any) -> str:
    """A cell of a table: escaped, on one line, long names cut in the middle."""
    return _NUMBER_MINUS.sub("\N{MINUS SIGN}", inline(short_name(str(value), length=160))).strip() or " "


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, n_texts: int = 1) -> str:
    """A table; the first ``n_texts`` columns are aligned to the left, the others to the right."""
    lines = [
        f"| {' | '.join(cell(name) for name in header)} |",
        f"|{'|'.join(':--' if k < n_texts else '--:' for k in range(len(header)))}|",
    ]
    return "\n".join([*lines, *(f"| {' | '.join(cell(value) for value in row)} |" for row in rows)])


def folded(summary: str, *parts: str) -> str:
    """A part that is folded away until it is asked for."""
    inside = "\n\n".join(part for part in parts if part)
    return f"<details>\n<summary>{escape(printable(summary))}</summary>\n\n{inside}\n\n</details>"


def code(command: str) -> str:
    """A block of code, fenced by more backticks than it holds."""
    longest = max((len(run) for run in re.findall(r"`+", command)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{printable(command)}\n{fence}"


def lines(texts: Sequence[str]) -> str:
    """A block of several lines, fenced by more backticks than they hold."""
    fence = code("".join(texts)).partition("\n")[0]
    return "\n".join([fence, *map(printable, texts), fence])


def figure(one: Figure, *, level: int = 4) -> str:
    """A figure without its drawings: the words, the tables it is, the numbers behind it folded."""
    numbers = [titled(own) for own in one.numbers]
    parts = [f"{'#' * level} {text(one.title)}", prose(one.words), *(titled(own) for own in one.shown)]
    return "\n\n".join([*parts, folded("The numbers", *numbers)] if numbers else parts)


def titled(own: Table) -> str:
    """A table with its caption above it."""
    return f"{text(own.caption)}:\n\n{table(own.header, own.rows)}"
