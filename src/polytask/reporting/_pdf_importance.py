"""The bars of importance on pages of a PDF."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from polytask.reporting._numbers import finite
from polytask.reporting._pdf_pages import INK, QUIET, Pages, clean

_FULL, _PALE = "#0b62a8", "#8b95a0"


def importance_pages(pages: Pages, found: Mapping[str, Any] | None, *, most_tasks: int) -> None:
    """Bars of the first tasks, two in a row, with what they say in words."""
    if not found:
        return
    pages.heading("What is it predicted from?", keep=230)
    pages.paragraph(f"Points of skill lost when a column is shuffled among the rows; {found['rows']}.", color=QUIET)
    for sentence in (*found["alike"][:8], *found["notes"]):
        pages.paragraph(sentence)
    tasks = found["tasks"][:most_tasks]
    for start in range(0, len(tasks), 2):
        pair = tasks[start : start + 2]
        pages.need(215)
        for task in pair:
            pages.paragraph(f"{task['name']}. {' '.join(task['words'])}", size=8.5)
        pages.plots([partial(draw_bars, entries=task["entries"][: found["in_sight"]]) for task in pair])


def draw_bars(axes: Any, entries: Sequence[Mapping[str, Any]]) -> None:
    """Bars of one task, the most important column at the top."""
    axes.axvline(0, color=QUIET, linewidth=0.8)
    for row, entry in enumerate(entries):
        value, low, high = (finite(entry.get(key)) for key in ("importance", "low", "high"))
        if value is not None:
            axes.barh(row, 100 * value, height=0.5, color=_FULL if entry.get("matters") else _PALE, linewidth=0)
        if low is not None and high is not None:
            axes.plot([100 * low, 100 * high], [row, row], color=INK, linewidth=1.0)
    axes.set(ylim=(len(entries) - 0.4, -0.6))
    axes.set_xlabel("points of skill lost")
    axes.set_yticks(range(len(entries)), [clean(entry.get("name"), length=22) for entry in entries], parse_math=False)
