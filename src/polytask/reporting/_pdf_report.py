"""The reports as PDF, for printing and for those who archive files."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from polytask.reporting._comparison_view import comparison_view
from polytask.reporting._figures import Figure, Table
from polytask.reporting._fit_view import fit_view
from polytask.reporting._numbers import duration, finite, percent, points, significant
from polytask.reporting._pdf_importance import importance_pages
from polytask.reporting._pdf_pages import QUIET, Pages, clean
from polytask.reporting._pdf_plots import draws_of, forest
from polytask.reporting._readings import check_format

MOST_TASKS = 24  # with pages of their own
_IN_A_FOREST = 30


def comparison_pdf(result: Mapping[str, Any]) -> bytes:
    """Write a comparison as PDF.

    Parameters
    ----------
    result : dict
        A comparison (format ``polytask.comparison``, version 1).

    Returns
    -------
    bytes
        A4 pages. The first 24 tasks have plots of their own; the pages say where more is to be found. The same result gives the
        same bytes.

    Raises
    ------
    DataError
        If ``result`` is not such a comparison.
    """
    check_format(result, "polytask.comparison")
    view = comparison_view(result)
    return _written(view, lambda pages: _comparison(pages, view))


def fit_pdf(result: Mapping[str, Any]) -> bytes:
    """Write a fit as PDF; see :func:`comparison_pdf`.

    Raises
    ------
    DataError
        If ``result`` is not a fit.
    """
    check_format(result, "polytask.fit")
    view = fit_view(result)
    return _written(view, lambda pages: _fit(pages, view))


def _written(view: Mapping[str, Any], fill: Any) -> bytes:
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import PdfPages

    place = io.BytesIO()
    about = {"Title": view["title"], "Creator": f"polytask {view['polytask']}".strip(), "CreationDate": None}
    settings: Any = {"font.family": ["DejaVu Sans"], "pdf.fonttype": 3, "axes.unicode_minus": True}
    with rc_context(settings), PdfPages(place, metadata=about) as pdf:
        pages = Pages(pdf, footer=f"polytask {view['polytask']} · {view['title']}")
        fill(pages)
        pages.close()
    return place.getvalue()


def _comparison(pages: Pages, view: Mapping[str, Any]) -> None:
    answer = view["answer"]
    pages.heading(f"{answer['verdict']}.", size=19)
    mean = answer["mean"]
    if mean is not None and mean.gain is not None:
        ends = f", {percent(view['confidence'], decimals=0)} interval {mean.interval_text}" if mean.interval_text else ""
        pages.paragraph(_minus(f"{mean.gain_text} points mean gain in skill over the tasks{ends}."), size=11.5)
    for sentence in (answer["single"], answer["worth"], answer["undecided"]):
        if sentence:
            pages.paragraph(_minus(sentence))
    pages.paragraph(" · ".join([*view["facts"], *([duration(view["seconds"])] if view["seconds"] else [])]), color=QUIET)
    for plot in view["forests"]:
        _forest(pages, plot)
    _gains(pages, view)
    if view["beside"]:
        pages.paragraph(_minus(" ".join(view["beside"]["words"])))
    if view["label_curves"]:
        pages.heading("How many labels does it take?", keep=200)
        pages.paragraph(" ".join(["Solid: learned together. Dashed: learned alone.", *view["label_notes"]]), color=QUIET)
        _figures(pages, view["label_curves"][:MOST_TASKS])
    importance_pages(pages, view["importance"], most_tasks=MOST_TASKS)
    _diagnosed(pages, view["diagnosed"])
    _end(pages, view)


def _fit(pages: Pages, view: Mapping[str, Any]) -> None:
    pages.heading(f"{view['learned']}.", size=19)
    if view["mean_test_skill"] is not None:
        pages.paragraph(
            _minus(f"Mean test skill {points(view['mean_test_skill'])} points (rows that were not learned from)."), size=11.5
        )
    if view["mean_skill"] is not None:
        whose = " of the portfolio" if view["is_distilled"] else ""
        pages.paragraph(_minus(f"Mean validation skill{whose} {points(view['mean_skill'])} points ({view['how_scored']})."))
    if view["deployed"]:
        pages.paragraph(_minus(" ".join(view["deployed"])))
    pages.paragraph(" · ".join([*view["facts"], *([duration(view["seconds"])] if view["seconds"] else [])]), color=QUIET)
    if view["together"]:
        pages.paragraph(_minus(f"Did learning together help? {view['together']}"))
    pages.heading("The tasks")
    rows = [
        [row["name"], row["kind"], _count(row["n_observed"]), _count(row["n_missing"]), row["left_out"] or row["reason"]]
        for row in view["tasks"]
    ]
    pages.table(Table(caption="", header=["Task", "Kind", "Labels", "Missing", "Why"], rows=rows), n_texts=2)
    _student(pages, view["student"])
    scored = [("Validation skill (optimistic)" if view["is_optimistic"] else "Held-out skill", view["scores"])]
    for title, scores in ([("Test skill", view["test"]["scores"])] if view["test"] else []) + scored:
        if scores:
            pages.heading(title)
            told = [
                [row["name"], points(row["skill"]), ", ".join(f"{name} {significant(value)}" for name, value in row["metrics"])]
                for row in scores
            ]
            pages.table(Table(caption="In points of skill", header=["Task", "Skill", "Metrics"], rows=told))
    _leaderboard(pages, view)
    importance_pages(pages, view["importance"], most_tasks=MOST_TASKS)
    _diagnosed(pages, view["diagnosed"])
    for title, found in (
        ("What do the tasks share?", view["sharing"]),
        ("How were the tasks balanced?", view["balancing"]),
        ("What did regularization leave?", view["sparsity"]),
    ):
        if found:
            pages.heading(title, keep=200)
            pages.paragraph(found["words"])
            _figures(pages, found["figures"])
    _end(pages, view)


def _student(pages: Pages, found: Sequence[Mapping[str, Any]]) -> None:
    """The skill of a distilled network beside that of its portfolio."""
    if found:
        pages.heading("What distilling loses")
        names = ("student", "teacher", "lost")
        rows = [[row["name"], *(_minus(points(row[key])) for key in names), _count(row["n_rows"])] for row in found]
        header = ["Task", "Network", "Portfolio", "Lost", "Rows"]
        pages.table(Table(caption="In points of skill", header=header, rows=rows))


def _leaderboard(pages: Pages, view: Mapping[str, Any]) -> None:
    """What each task is predicted by, and what every model is worth: the mean over the tasks, or the only task."""
    if not view["leaderboard"]:
        return
    pages.heading("Leaderboard")
    if len(view["mixtures"]) > 1:
        mixtures = [list(row) for row in view["mixtures"]]
        pages.table(
            Table(
                caption="Models by weight",
                header=["Task", "Taught by" if view["is_distilled"] else "Predicted by"],
                rows=mixtures,
            ),
            n_texts=2,
        )
    name, models = view["leaderboard"][0]
    rows = [
        [
            row["model"],
            "yes" if row.get("together") else "",
            _minus(points(row.get("skill"))),
            points(row.get("weight")),
            *(significant(row.get(column)) for column in ("seconds", "megabytes", "latency")),
        ]
        for row in models
    ]
    header = ["Model", "Together", "Skill", "Weight in %", "Seconds", "MB", "ms for 1,000 rows"]
    caption = "Skill in points, mean over the tasks" if name == "(mean)" else "Skill in points"
    pages.table(Table(caption=caption, header=header, rows=rows), n_texts=2)
    for own, why in view["left_out_models"]:
        pages.paragraph(f"{own} was left out: {why}.", color=QUIET, size=8.5)


def _forest(pages: Pages, plot: Mapping[str, Any]) -> None:
    titles = {
        "alone": "Two fits of the same network" if plot["is_single"] else "Gain of every task from learning together",
        "best_separate": "Is it worth it? Gain over the best separate model",
    }
    gains = [row["gain"] for row in plot["rows"]] + ([plot["mean"]["gain"]] if plot["mean"] else [])
    margin = finite(plot["margin"]) if not isinstance(plot["margin"], str) else float(plot["margin"])
    for start in range(0, len(gains), _IN_A_FOREST):
        part = gains[start : start + _IN_A_FOREST]
        pages.heading(titles[plot["rival"]] + (" (continued)" if start else ""), keep=17.0 * len(part) + 50)
        pages.wide_plot(
            lambda axes, part=part: forest(axes, part, margin=None if margin is None else margin / 100),  # type: ignore[misc]
            height=17.0 * len(part) + 46,
            left=135.0,
        )


def _gains(pages: Pages, view: Mapping[str, Any]) -> None:
    with_best = "best_separate" in view["arms"]
    rows = []
    for row in view["rows"]:
        cells = [
            row["name"],
            points(row["skill"]["alone"]),
            points(row["skill"]["together"]),
            *_gain(row["alone"], "verdict_text"),
        ]
        if with_best:
            cells += [points(row["skill"]["best_separate"]), *_gain(row["best_separate"], "worth_text")]
        rows.append([_minus(cell) for cell in cells])
    header = [
        "Task",
        "Alone",
        "Together",
        "Gain",
        "Verdict",
        *(["Best separate", "Gain over it", "Worth it?"] if with_best else []),
    ]
    pages.heading("The numbers")
    pages.table(Table(caption="In points of skill: 0 is no better than a constant, 100 is perfect.", header=header, rows=rows))


def _diagnosed(pages: Pages, tasks: Sequence[Mapping[str, Any]]) -> None:
    if not tasks:
        return
    pages.heading("How and where it is wrong")
    rows = [[task["name"], task["headline"], task["fails"] or "nowhere that could be seen"] for task in tasks]
    for name, headline, fails in rows:
        pages.paragraph(_minus(f"{name}: {headline} Fails most clearly: {fails}."), size=8.5)
    for task in tasks[:MOST_TASKS]:
        pages.heading(f"{task['name']} ({task['kind']})", size=13, keep=230)
        pages.paragraph(f"{task['rows']}.", size=8, color=QUIET)
        _figures(pages, task["figures"])
        for key, title in (("columns", "Where does it fail? By input column"), ("groups", "Error by group")):
            if view := task[key]:
                pages.heading(title, size=10, keep=40)
                pages.paragraph(_minus(" ".join(view["words"])), size=8.5)
                if view.get("worst"):
                    pages.table(view["worst"], size=7.5, n_texts=2)
    if len(tasks) > MOST_TASKS:
        pages.paragraph(
            f"Plots of {len(tasks) - MOST_TASKS} more tasks are in the HTML report; the JSON holds all numbers.", color=QUIET
        )


def _figures(pages: Pages, figures: Sequence[Figure]) -> None:
    """Words, then plots; two figures of one plot each share a row."""
    waiting: list[tuple[Figure, Any]] = []
    drawn = [(figure, draws_of(figure)) for figure in figures]
    for figure, draws in sorted(drawn, key=lambda pair: len(pair[1]) != 1 and not pair[0].shown):
        if len(draws) == 1:
            waiting.append((figure, draws[0]))
            if len(waiting) == 2:
                _row_of(pages, waiting)
                waiting = []
            continue
        pages.heading(figure.title, size=10, keep=60 if not draws else 195)
        pages.paragraph(_minus(" ".join(figure.words)), size=8.5)
        if draws:
            pages.plots(draws)
        for table in figure.shown:
            pages.table(table, size=7.5)
    if waiting:
        _row_of(pages, waiting)


def _row_of(pages: Pages, pair: Sequence[tuple[Figure, Any]]) -> None:
    pages.need(230)
    for figure, _ in pair:
        stop = "" if figure.title.endswith("?") else "."
        pages.paragraph(_minus(f"{figure.title}{stop} {' '.join(figure.words)}"), size=8.5)

    def titled(figure: Figure, draw: Any) -> Any:
        def both(axes: Any) -> None:
            draw(axes)
            axes.set_title(clean(figure.title), loc="left", fontsize=8, fontweight="bold", parse_math=False)

        return both

    pages.plots([titled(figure, draw) for figure, draw in pair])


def _end(pages: Pages, view: Mapping[str, Any]) -> None:
    if view["notes"]:
        pages.heading("Told while running")
        for note in view["notes"]:
            pages.paragraph(f"– {note}", size=8.5)
    pages.heading("To run it again")
    if view["command"]:
        pages.paragraph(view["command"], size=8.5)
    if view["study"]:
        pages.heading("The study file that does the same", size=10.0)
        for line in view["study"]:
            pages.paragraph(line.replace("  ", "\u2003"), size=7.5)
    rows = [[str(name), str(value)] for name, value in [*view["settings"], *view["versions"]]]
    pages.table(Table(caption="Settings and versions", header=["Name", "Value"], rows=rows), size=7.5, n_texts=2)


def _gain(gain: Any, words: str) -> list[str]:
    return ["–", "–"] if gain is None else [f"{gain.gain_text} {gain.interval_text}".strip(), getattr(gain, words)]


def _count(value: Any) -> str:
    return "–" if finite(value) is None else significant(value)


def _minus(text: str) -> str:
    from polytask.reporting._render import minus

    return str(minus(text))
