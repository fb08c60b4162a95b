"""Live progress on stderr: a display in a terminal, plain lines elsewhere, nothing when quiet."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from polytask.cli._console import console, note

if TYPE_CHECKING:
    from rich.console import RenderableType

    from polytask.estimators import Bagged
    from polytask.training import EpochRecord

_SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def fold_progress(total: int | None, *, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Give the function that is told after every fold how many are done, and of how many; ``total`` may be known before."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (TextColumn("training on folds"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left:"))
        with Progress(*columns, TimeRemainingColumn(), console=console(stderr=True), transient=True) as progress:
            row = progress.add_task("folds", total=total)
            yield lambda done, total: progress.update(row, completed=done, total=total)
    else:
        lines = _Lines()
        yield lambda done, total: lines.show(f"fold {done} of {total} done", last=done == total)


@contextmanager
def epoch_progress(names: Sequence[str], *, quiet: bool) -> "Iterator[Callable[[EpochRecord], None] | None]":
    """Give the function that is told after every epoch of training.

    Parameters
    ----------
    names : sequence of str
        The tasks, in order; if some of them turn out to be skipped, the display shows their mean only.
    """
    if quiet:
        yield None
    elif sys.stderr.isatty():
        from rich.live import Live

        with Live(console=console(stderr=True), transient=True, refresh_per_second=8) as live:
            best: list[float] = []
            yield lambda record: live.update(_epoch_display(record, names, best))
    else:
        lines = _Lines()

        def show(record: "EpochRecord") -> None:
            skill = float(record.mean_skill.mean())
            where = f"epoch {record.epoch} of at most {record.max_epochs}, step {record.steps}"
            lines.show(f"{where}: mean validation skill {100 * skill:.1f}", last=record.epoch == record.max_epochs)

        yield show


def model_progress(*, quiet: bool) -> "Callable[[str, Bagged | None], None] | None":
    """Give the function that is told of every model of a portfolio: a line for each that was fitted."""
    if quiet:
        return None

    def told(name: str, bagged: "Bagged | None") -> None:
        if bagged is not None:
            note(f"{name}: fitted in {len(bagged.models)} folds, {bagged.seconds:.1f} s of work")

    return told


class _Lines:
    """Plain lines, the first and the last always, between them one every few seconds."""

    def __init__(self) -> None:
        self.next = 0.0

    def show(self, text: str, *, last: bool) -> None:
        if last or time.monotonic() >= self.next:
            note(text)
            self.next = time.monotonic() + _SECONDS_BETWEEN_LINES


def _epoch_display(record: "EpochRecord", names: Sequence[str], best: list[float]) -> "RenderableType":
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    skill = float(record.mean_skill.mean())
    best[:] = [max([skill, *best])]
    head = f"epoch {record.epoch} of at most {record.max_epochs}, step {record.steps}: mean validation skill {100 * skill:.1f}, "
    table = Table(box=None, padding=(0, 2, 0, 0))
    for header, justify in (("task", "left"), ("training loss", "right"), ("validation skill", "right")):
        table.add_column(header, justify=justify)  # type: ignore[arg-type]
    skills, losses = record.skills.reshape(-1, record.skills.shape[-1]).mean(0), record.train_losses
    losses = losses.reshape(-1, losses.shape[-1]).mean(0)
    shown = names if len(names) == len(skills) else []
    for name, loss, own in zip(shown, losses.tolist(), skills.tolist(), strict=False):
        table.add_row(Text(name), _shown(loss, "{:.3f}"), _shown(100 * own, "{:.1f}"))
    bar = Table.grid()
    bar.add_row(ProgressBar(total=record.max_epochs, completed=record.epoch, width=60))
    return Group(Text(f"{head}best {100 * best[0]:.1f}"), bar, table)


def _shown(value: float, pattern: str) -> str:
    return "-" if value != value else pattern.format(value)
