"""The table of a comparison in the terminal: readable at 80 columns and without colour."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from polytask.reporting._numbers import finite, percent, points, printable
from polytask.reporting._readings import Gain, check_format, has_arm, mean_gain, task_gain
from polytask.reporting._terminal_table import Column, columns_width, table_of
from polytask.reporting._words import is_single, reasons_sentence

_STYLES = {"helped": "bold green", "harmed": "bold red", "equivalent": "", "undecided": "dim", "none": "dim"}
_NAME_ROOM = 18  # character cells that names get before columns are spread over two tables


def comparison_table(result: Mapping[str, Any]) -> "ComparisonTable":
    """Lay out a comparison for the terminal.

    Parameters
    ----------
    result : dict
        A comparison (format ``polytask.comparison``, version 1).

    Returns
    -------
    ComparisonTable
        A rich renderable: a row per task (skill alone, skill together, gain with interval, verdict, and where it was run
        the best separate model), the mean over tasks, and Delta-m. Fits any width from 80 columns.

    Raises
    ------
    DataError
        If ``result`` is not such a comparison.

    Examples
    --------
    >>> from rich.console import Console
    >>> gain = {"gain": 0.021, "low": 0.004, "high": 0.038, "verdict": "helped"}
    >>> task = {"kind": "binary", "arms": {"together": {"skill": 0.31}, "alone": {"skill": 0.289}}, "gains": {"alone": gain}}
    >>> result = {"format": "polytask.comparison", "version": 1, "tasks": {"sold": task}, "mean": {"gains": {"alone": gain}}}
    >>> Console(width=80, color_system=None).print(comparison_table(result))
    <BLANKLINE>
     task             alone  together  gain [interval]    verdict
     ...
     sold              28.9      31.0  +2.1 [+0.4, +3.8]  helped
    <BLANKLINE>
     mean over tasks      -         -  +2.1 [+0.4, +3.8]  helped
    <BLANKLINE>
    Skill and gain in points: 0 is no better than a constant, 100 is perfect.
    """
    check_format(result, "polytask.comparison")
    return ComparisonTable(result)


class ComparisonTable:
    """A rich renderable that chooses its columns by the width it gets; see :func:`comparison_table`."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        self.result = result

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the tables (one where the width allows) and the lines under them."""
        for columns in self.tables(options.max_width):
            yield table_of(columns, options.max_width)
        for line in remarks(self.result):
            yield Text(line)

    def tables(self, width: int) -> list[list[Column]]:
        """The columns of one table, or of two where the best separate model has no place beside the rest."""
        names = Column("task", self._names(), justify="left")
        alone, together, best = (
            Column(header, self._skills(arm))
            for header, arm in (("alone", "alone"), ("together", "together"), ("best separate", "best_separate"))
        )
        gain, worth = self._gains("alone"), self._gains("best_separate")
        matched = [names, alone, together, *_gain_columns(gain, ("gain [interval]", "verdict"), "verdict_text")]
        if not has_arm(self.result, "best_separate"):
            return [matched]
        over, worth_it = _gain_columns(worth, ("gain over it", "worth it?"), "worth_text")
        best_short = Column("best", best.cells)
        room = min(names.width, _NAME_ROOM)
        for more in ([best, over, worth_it], [best_short, worth_it]):
            if columns_width(matched[1:]) + columns_width(more) + room <= width:
                return [[*matched, *more]]
        return [matched, [names, best, together, over, worth_it]]

    def _names(self) -> list[Text]:
        tasks = self.result["tasks"].items()
        return [Text(printable(name) + ("*" if task.get("saturated") else "")) for name, task in tasks] + [
            Text("mean over tasks")
        ]

    def _skills(self, arm: str) -> list[Text]:
        skills = [((task.get("arms") or {}).get(arm) or {}).get("skill") for task in self.result["tasks"].values()]
        mean = ((self.result.get("mean") or {}).get("skill") or {}).get(arm)
        return [Text("-" if finite(skill) is None else points(skill)) for skill in [*skills, mean]]

    def _gains(self, rival: str) -> list[Gain | None]:
        return [*(task_gain(name, task, rival) for name, task in self.result["tasks"].items()), mean_gain(self.result, rival)]


def remarks(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines under the table: units, Delta-m, and what else a reader must know."""
    yield "Skill and gain in points: 0 is no better than a constant, 100 is perfect."
    gains = (result.get("mean") or {}).get("gains") or {}
    told = [
        f"{percent(delta / 100, sign=True)} against {label}"
        for rival, label in (("alone", "learned alone"), ("best_separate", "the best separate models"))
        if (delta := finite((gains.get(rival) or {}).get("delta_m"))) is not None
    ]
    if told and not is_single(result):
        yield f"Delta-m (mean relative change of error, + is better): {', '.join(told)}."
    if reasons := reasons_sentence(result):
        yield reasons
    if any(task.get("saturated") for task in result["tasks"].values()):
        yield "* Already learned alone (saturated): little is left to gain."
    read = [task_gain(name, task, "alone") for name, task in result["tasks"].items()]
    if any(gain is not None and gain.is_from_folds for gain in read):
        yield "With one repeat the interval is Nadeau and Bengio's, and no verdict is given."


def _gain_columns(gains: Sequence[Gain | None], headers: tuple[str, str], words: str) -> tuple[Column, Column]:
    styles = [_STYLES[gain.verdict] if gain else "" for gain in gains]
    numbers = [f"{gain.gain_text} {gain.interval_text}" if gain and gain.gain is not None else "-" for gain in gains]
    verdicts = [getattr(gain, words) if gain else "-" for gain in gains]
    first, second = (
        [Text(text.rstrip(), style=style) for text, style in zip(texts, styles, strict=True)] for texts in (numbers, verdicts)
    )
    return Column(headers[0], first, justify="left"), Column(headers[1], second, justify="left")
