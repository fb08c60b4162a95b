"""The table of a fit in the terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from polytask.reporting._deployed_view import deployed_words, is_distilled, student_means, student_rows
from polytask.reporting._fit_view import few_rows, how_scored, leaderboard_rows, mean_test_skill
from polytask.reporting._importance_bars import importance_words
from polytask.reporting._numbers import finite, points, printable, significant
from polytask.reporting._readings import check_format
from polytask.reporting._sparsity_figures import sparsity_words
from polytask.reporting._terminal_table import Column, table_of
from polytask.reporting._together_view import mixture_words, together_words

_MOST_TASKS = 8  # whose columns are named
_CUT, _NOT_ASKED = "before time ended.", "What columns matter was not measured"  # notes of a portfolio
_SHOWN_NAMES = 3
_TOGETHER = " Together: one model learned all tasks at once."
_ALIKE = "skill: all observed labels are alike"
_COUNTS = (("labels", "n_observed"), ("missing", "n_missing"))


def fit_table(result: Mapping[str, Any]) -> "FitTable":
    """Lay out a fit for the terminal.

    Parameters
    ----------
    result : dict
        A fit (format ``polytask.fit``, version 1).

    Returns
    -------
    FitTable
        A rich renderable: a row per task (kind, labels, missing, validation skill, test skill if there are test rows) and the
        means; validation is said to be optimistic.

    Raises
    ------
    DataError
        If ``result`` is not such a fit.

    Examples
    --------
    >>> from rich.console import Console
    >>> task = {"kind": "binary", "n_observed": 600, "n_missing": 62, "validation": {"skill": 0.31}}
    >>> result = {"format": "polytask.fit", "version": 1, "tasks": {"sold": task}, "mean_skill": 0.31}
    >>> Console(width=80, color_system=None).print(fit_table(result))
    <BLANKLINE>
     task             kind    labels  missing  skill
     ...
     sold             binary     600       62   31.0
    <BLANKLINE>
     mean over tasks                            31.0
    <BLANKLINE>
    Validation skill in points: 0 is no better than a constant, 100 is perfect.
    It is optimistic: these rows chose the epoch.
    """
    check_format(result, "polytask.fit")
    return FitTable(result)


class FitTable:
    """A rich renderable; see :func:`fit_table`."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        self.result = result

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table, what it means, and the tasks left out."""
        yield table_of(self.columns(), options.max_width)
        if self.result.get("test"):
            yield Text("Skill in points: 0 is no better than a constant, 100 is perfect.")
            yield Text(_told(self.result, "Validation is"))
            what = "Test is of the network that predicts, and" if is_distilled(self.result) else "Test is"
            yield Text(f"{what} the honest one: these rows were neither learned from nor chose anything.")
        else:
            yield Text("Validation skill in points: 0 is no better than a constant, 100 is perfect.")
            yield Text(_told(self.result, "It is"))
        if told := sparsity_words(self.result):
            yield Text(printable(" ".join(told)))
        if few := few_rows(self.result):
            yield Text(f"{few[0].upper()}{few[1:]}.")
        for name, task in self.result["tasks"].items():
            if task.get("left_out"):
                yield Text(f"Left out: '{printable(name)}': {printable(task['left_out'])}")
        for rows, names in _undefined(self.result).items():
            more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
            shown = ", ".join(f"'{printable(name)}'" for name in names[:_SHOWN_NAMES])
            yield Text(f"-: undefined; the {rows} labels of {shown}{more} are all alike.")
        yield from self._deployed(options.max_width)

    def _deployed(self, width: int) -> Iterator[Any]:
        """What predicts new rows; of a distilled network also its skill per task beside that of its portfolio."""
        for k, told in enumerate(deployed_words(self.result)):
            yield Text(("" if k else "\n") + printable(told))
        if rows := student_rows(self.result):
            means = student_means(self.result)
            student, teacher = (None, None) if means is None else means
            lost = None if means is None else means[1] - means[0]
            total = {"student": student, "teacher": teacher, "lost": lost}
            columns = [
                Column("task", [*(Text(printable(row["name"])) for row in rows), Text("mean over tasks")], justify="left"),
                *(
                    Column(header, [_skill(row[key]) for row in (*rows, total)])
                    for header, key in (("network", "student"), ("portfolio", "teacher"), ("lost", "lost"))
                ),
                Column("rows", [*(_count(row["n_rows"]) for row in rows), Text("")]),
            ]
            yield table_of(columns, width)

    def columns(self) -> list[Column]:
        """The columns, with the mean over tasks in the last cells."""
        tasks = self.result["tasks"]
        return [
            Column("task", [*map(Text, map(printable, tasks)), Text("mean over tasks")], justify="left"),
            Column("kind", [*(Text(str(task.get("kind", ""))) for task in tasks.values()), Text("")], justify="left"),
            *(Column(header, [*(_count(task.get(key)) for task in tasks.values()), Text("")]) for header, key in _COUNTS),
            *self._skill_columns(),
        ]

    def _skill_columns(self) -> list[Column]:
        """Validation skill and, where rows were kept apart for it, test skill."""
        tasks, test = self.result["tasks"], self.result.get("test")
        validation = [*((task.get("validation") or {}).get("skill") for task in tasks.values()), self.result.get("mean_skill")]
        if not test:
            return [Column("skill", [_skill(skill) for skill in validation])]
        scores = test.get("tasks") or {}
        tested = [*((scores.get(name) or {}).get("skill") for name in tasks), mean_test_skill(self.result)]
        return [Column(header, [_skill(s) for s in skills]) for header, skills in (("validation", validation), ("test", tested))]


def leaderboard_table(result: Mapping[str, Any]) -> "LeaderboardTable":
    """Lay out the models of a portfolio for the terminal: mean over tasks, or the only task; the rest is in the report.

    Parameters
    ----------
    result : dict
        A fit of a portfolio (format ``polytask.fit``, version 1, with ``leaderboard``).

    Examples
    --------
    >>> rows = [{"task": "sold", "model": name, "skill": 0.3, "weight": 1.0} for name in ("ensemble", "linear")]
    >>> result = {"format": "polytask.fit", "version": 1, "tasks": {"sold": {}}, "leaderboard": rows}
    >>> Console(width=60, color_system=None).print(leaderboard_table(result))
    <BLANKLINE>
     model     skill  weight  together  seconds
     ...
    """
    check_format(result, "polytask.fit")
    return LeaderboardTable(result)


class LeaderboardTable:
    """A rich renderable; see :func:`leaderboard_table`."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        self.result = result

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table, what was left out, and which columns matter."""
        _, rows = leaderboard_rows(self.result)[0]
        models, ensemble = [row for row in rows if row["model"] != "ensemble"], rows[0]
        rows = [*models, ensemble]
        columns = [
            Column("model", [Text(str(row["model"])) for row in rows], justify="left"),
            Column("skill", [_skill(row.get("skill")) for row in rows]),
            Column("weight", [_share(row.get("weight")) for row in rows]),
            Column("together", [Text("yes" if row.get("together") else "") for row in rows]),
            Column("seconds", [_seconds(row.get("seconds")) for row in rows]),
        ]
        yield table_of(columns, options.max_width)
        several = len({row["task"] for row in self.result["leaderboard"]}) > 1
        mean = ", mean over tasks; per task it is in the report" if several else ""
        yield Text(f"Skill on rows that a model has not seen{mean}.")
        what = "which taught the network that predicts" if is_distilled(self.result) else "which is what predicts"
        yield Text(f"Weight: its share in the ensemble, {what}." + (_TOGETHER if several else ""))
        for name, why in (self.result.get("left_out_models") or {}).items():
            yield Text(f"Left out: {printable(name)}: {printable(why)}")
        for told in self.result.get("notes") or ():
            if told.endswith(_CUT) or told.startswith(_NOT_ASKED):
                yield Text(printable(told))
        yield from self._mixtures()
        tasks = (self.result.get("importance") or {}).get("tasks") or {}
        if tasks:
            whose = "What the portfolio predicts from" if is_distilled(self.result) else "What it is predicted from"
            yield Text(f"\n{whose}: points of skill lost on unseen rows when a column is shuffled.")
        for name, own in list(tasks.items())[:_MOST_TASKS]:
            yield Text(printable(f"{name}: {' '.join(importance_words(own['columns']))}"))
        if len(tasks) > _MOST_TASKS:
            yield Text(f"{len(tasks) - _MOST_TASKS} more tasks are in the report.")

    def _mixtures(self) -> Iterator[Text]:
        """What each task is predicted by, and whether learning together helped."""
        mixtures = mixture_words(self.result)
        if len(mixtures) > 1:
            whose = "What taught the network each task" if is_distilled(self.result) else "What each task is predicted by"
            yield Text(f"\n{whose}:")
            for name, told in list(mixtures.items())[:_MOST_TASKS]:
                yield Text(printable(f"{name}: {told}"))
            if len(mixtures) > _MOST_TASKS:
                yield Text(f"{len(mixtures) - _MOST_TASKS} more tasks are in the report.")
        if told := together_words(self.result):
            yield Text(f"\nDid learning together help? {printable(told)}")


def _told(result: Mapping[str, Any], begin: str) -> str:
    return f"{begin} {'that of the portfolio, ' if is_distilled(result) else ''}{how_scored(result)}."


def _share(value: Any) -> Text:
    number = finite(value)
    return Text("-" if number is None else f"{100 * number:.0f} %")


def _undefined(result: Mapping[str, Any]) -> dict[str, list[str]]:
    """Tasks of which some rows say nothing, since their labels are all alike."""
    test = ((result.get("test") or {}).get("tasks") or {}).items()
    tested = {name: [f"{key}: {why}" for key, why in (task.get("undefined") or {}).items()] for name, task in test}
    chosen = {name: task.get("undefined") or [] for name, task in result["tasks"].items()}
    found = {rows: [n for n, why in told.items() if _ALIKE in why] for rows, told in (("validation", chosen), ("test", tested))}
    return {rows: names for rows, names in found.items() if names}


def _seconds(value: Any) -> Text:
    number = finite(value)
    return Text("" if number is None else f"{number:.1f}")


def _skill(value: Any) -> Text:
    return Text("-" if finite(value) is None else points(value))


def _count(value: Any) -> Text:
    return Text("-" if finite(value) is None else significant(value))
