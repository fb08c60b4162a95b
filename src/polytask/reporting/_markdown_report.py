"""The reports as Markdown, readable on GitHub and in a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from polytask.reporting import _markdown as md
from polytask.reporting._comparison_view import comparison_view
from polytask.reporting._fit_view import fit_view
from polytask.reporting._numbers import duration, finite, percent, points, significant
from polytask.reporting._readings import ARM_LABELS, Gain, check_format

_IN_SIGHT = 3  # tasks whose figures are not folded


def comparison_markdown(result: Mapping[str, Any]) -> str:
    """Write a comparison as Markdown.

    Parameters
    ----------
    result : dict
        A comparison (format ``polytask.comparison``, version 1).

    Returns
    -------
    str
        Headings, sentences and tables; tables of single tasks are folded. It has no drawings: GitHub shows none that are inside
        a Markdown file.

    Raises
    ------
    DataError
        If ``result`` is not such a comparison.
    """
    check_format(result, "polytask.comparison")
    view = comparison_view(result)
    answer = view["answer"]
    parts = [
        f"# {md.text(answer['verdict'])}.",
        md.prose([answer["single"]]) if answer["single"] else _mean_line(answer["mean"], view["confidence"]),
        md.prose([answer["worth"]]) if answer["worth"] else "",
        md.prose([answer["undecided"]]) if answer["undecided"] else "",
        md.prose([" · ".join([*view["facts"], *([duration(view["seconds"])] if view["seconds"] else [])])]),
        "## Skill, gain and verdict per task",
        "In points of skill: 0 is no better than a constant, 100 is perfect.",
        _gain_table(view),
        *_label_curves(view["label_curves"], view["label_notes"]),
        *(["## Side by side", md.prose(view["beside"]["words"])] if view["beside"] else []),
        *_importance(view["importance"]),
        *_diagnosed(view["diagnosed"], view["confidence"]),
        *_metrics(view),
        *_notes(view),
        *_costs(view["costs"]),
        *_again(view),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def fit_markdown(result: Mapping[str, Any]) -> str:
    """Write a fit as Markdown; see :func:`comparison_markdown`.

    Raises
    ------
    DataError
        If ``result`` is not a fit.
    """
    check_format(result, "polytask.fit")
    view = fit_view(result)
    mean, test, whose = points(view["mean_skill"]), view["test"], " of the portfolio" if view["is_distilled"] else ""
    tasks = [
        [
            row["name"],
            row["kind"],
            row["reason"],
            _count(row["n_observed"]),
            _count(row["n_missing"]),
            row["left_out"] or row["classes"],
        ]
        for row in view["tasks"]
    ]
    parts = [
        f"# {md.text(view['learned'])}.",
        (f"Mean test skill **{md.cell(points(view['mean_test_skill']))} points** (rows that were not learned from).")
        if test
        else "",
        f"Mean validation skill{whose} **{md.cell(mean)} points** ({view['how_scored']})."
        if view["mean_skill"] is not None
        else "The mean validation skill is undefined.",
        md.prose([" ".join(view["deployed"])]) if view["deployed"] else "",
        f"**Did learning together help?** {md.text(view['together'])}" if view["together"] else "",
        md.prose([" · ".join([*view["facts"], *([duration(view["seconds"])] if view["seconds"] else [])])]),
        "## Tasks",
        md.table(["Task", "Kind", "Why", "Labels", "Missing", "Values"], tasks, n_texts=3),
        *(["## Test skill", _scores(test["scores"])] if test else []),
        *_student(view["student"]),
        *([_validation_heading(view), _scores(view["scores"])] if view["scores"] else []),
        *_leaderboard(view),
        *_importance(view["importance"]),
        *_diagnosed(view["diagnosed"], 0.95),
        *_figures("What do the tasks share?", view["sharing"]),
        *_figures("How were the tasks balanced?", view["balancing"]),
        *_figures("What did regularization leave?", view["sparsity"]),
        *_inputs(view["inputs"]),
        *_notes(view),
        *_again(view),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _figures(title: str, found: Mapping[str, Any] | None) -> list[str]:
    if not found:
        return []
    figures = [md.figure(figure, level=3) for figure in found["figures"]]
    return [f"## {title}", md.prose([found["words"]]), *figures]


def _validation_heading(view: Mapping[str, Any]) -> str:
    return "## Validation skill (optimistic)" if view["is_optimistic"] else "## Held-out skill"


def _student(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The skill of a distilled network beside that of its portfolio."""
    if not rows:
        return []
    cells = [[row["name"], *(points(row[key]) for key in ("student", "teacher", "lost")), _count(row["n_rows"])] for row in rows]
    return ["## What distilling loses", md.table(["Task", "Network", "Portfolio", "Lost", "Rows"], cells)]


def _leaderboard(view: Mapping[str, Any]) -> list[str]:
    """The models of a portfolio, a table per task."""
    if not view["leaderboard"]:
        return []
    parts = ["## Leaderboard", f"Skill in points, {view['how_scored']}; `together`: one model learned all tasks."]
    if len(view["mixtures"]) > 1:
        parts.append(
            md.table(
                ["Task", "Taught by" if view["is_distilled"] else "Predicted by"],
                [[name, told] for name, told in view["mixtures"]],
                n_texts=2,
            )
        )
    for name, rows in view["leaderboard"]:
        cells = [
            [
                row["model"],
                "yes" if row.get("together") else "",
                points(row.get("skill")),
                points(row.get("weight")),
                *(significant(row.get(column)) for column in ("seconds", "megabytes", "latency")),
            ]
            for row in rows
        ]
        header = ["Model", "Together", "Skill", "Weight in %", "Seconds", "MB", "ms for 1,000 rows"]
        parts += [f"### {md.text(name)}", md.table(header, cells, n_texts=2)]
    if view["left_out_models"]:
        parts.append("\n".join(f"- {md.text(name)} was left out: {md.text(why)}" for name, why in view["left_out_models"]))
    return parts


def _mean_line(mean: Gain | None, confidence: float) -> str:
    if mean is None or mean.gain is None:
        return "The mean gain over the tasks is undefined."
    ends = f", {percent(confidence, decimals=0)} interval {md.cell(mean.interval_text)}" if mean.interval_text else ""
    return f"**{md.cell(mean.gain_text)} points** mean gain in skill over the tasks{ends}."


def _gain_table(view: Mapping[str, Any]) -> str:
    with_best = "best_separate" in view["arms"]
    header = [
        "Task",
        "Kind",
        "Labels",
        "Alone",
        "Together",
        "Gain",
        "Verdict",
        *(["Best separate", "Gain over it", "Worth it?"] * with_best),
    ]
    rows = []
    for row in view["rows"]:
        cells = [
            row["name"],
            row["kind"],
            _count(row["n_observed"]),
            points(row["skill"]["alone"]),
            points(row["skill"]["together"]),
        ]
        cells += [_gain(row["alone"]), row["alone"].verdict_text if row["alone"] else "–"]
        if with_best:
            best = row["best_separate"]
            cells += [points(row["skill"]["best_separate"]), _gain(best), best.worth_text if best else "–"]
        rows.append(cells)
    mean, skill = view["mean"], view["mean"]["skill"]
    total = ["Mean over tasks", "", "", points(skill["alone"]), points(skill["together"]), _gain(mean.get("alone"))]
    total.append(mean["alone"].verdict_text if mean.get("alone") else "–")
    if with_best:
        best = mean.get("best_separate")
        total += [points(skill["best_separate"]), _gain(best), best.worth_text if best else "–"]
    return md.table(header, [*rows, total], n_texts=2)


def _label_curves(figures: Sequence[Any], notes: Sequence[str]) -> list[str]:
    if not figures:
        return []
    first, rest = figures[0], figures[1:]
    shown = [md.prose([f"{first.title}:", *first.words]), *(md.titled(own) for own in first.numbers)]
    return [
        "## How many labels does it take?",
        md.prose(notes),
        *shown,
        *(md.folded("Task by task", *(md.figure(one) for one in rest)) for _ in rest[:1]),
    ]


def _importance(found: Mapping[str, Any] | None) -> list[str]:
    if not found:
        return []
    parts = ["## What is it predicted from?", f"Points of skill lost when a column is shuffled; {md.prose([found['rows']])}."]
    parts += [md.prose([sentence]) for sentence in (*found["alike"], *found["notes"])]
    for task in found["tasks"]:
        parts.append(md.folded(task["name"], md.prose(task["words"]), md.titled(task["table"])))
    return parts


def _diagnosed(tasks: Sequence[Mapping[str, Any]], confidence: float) -> list[str]:
    if not tasks:
        return []
    lines = [[task["name"], task["headline"], task["fails"] or "nowhere that could be seen"] for task in tasks]
    parts = [
        "## How and where it is wrong",
        (
            f"All intervals are {percent(confidence, decimals=0)}; those of bins and of parts of a column hold for "
            "all of them at once."
        ),
        md.table(["Task", "In short", "Fails most clearly where"], lines, n_texts=3),
    ]
    for k, task in enumerate(tasks):
        inside = [md.prose([f"{task['rows']}."]), *(md.figure(one) for one in task["figures"]), *_slices(task)]
        parts += [f"### {md.text(task['name'])}", *inside] if k < _IN_SIGHT else [md.folded(task["name"], *inside)]
    return parts


def _slices(task: Mapping[str, Any]) -> list[str]:
    parts = []
    for key, title in (("columns", "Where does it fail? By input column"), ("groups", "Error by group")):
        if view := task[key]:
            worst = view.get("worst")
            tables = [md.titled(column.table) for column in view["columns"]]
            parts += [f"#### {title}", md.prose(view["words"]), md.titled(worst) if worst else ""]
            parts.append(md.folded("Part by part", *tables) if tables else "")
    return parts


def _metrics(view: Mapping[str, Any]) -> list[str]:
    rows = [
        [own["name"] if k == 0 else "", metric, *(significant(value) for value in values)]
        for own in view["metrics"]
        for k, (metric, values) in enumerate(own["rows"])
    ]
    header = ["Task", "Metric", *(ARM_LABELS[arm] for arm in view["arms"])]
    found = [md.folded("Usual metrics of every task", md.table(header, rows, n_texts=2))] if rows else []
    if view["undefined"]:
        found.append("Undefined:\n\n" + "\n".join(f"- {md.text(name)}: {md.text(reason)}" for name, reason in view["undefined"]))
    return found


def _notes(view: Mapping[str, Any]) -> list[str]:
    return ["## Told while running", "\n".join(f"- {md.text(note)}" for note in view["notes"])] if view["notes"] else []


def _costs(costs: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        [row["arm"], row["label"], significant(row["parameters"]) if finite(row["parameters"]) is not None else "–",
         duration(row["train_seconds"]) if finite(row["train_seconds"]) is not None else "–"]
        for row in costs
    ]  # fmt: skip
    return ["## Cost", md.table(["Way of learning", "Model", "Parameters", "Training time"], rows, n_texts=2)] if rows else []


def _scores(scores: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [row["name"], points(row["skill"]), ", ".join(f"{metric} {significant(value)}" for metric, value in row["metrics"])]
        for row in scores
    ]
    return md.table(["Task", "Skill", "Metrics"], rows)


def _inputs(inputs: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [[row["name"], row["kind"] or "", "yes" if row["is_used"] else "no", row["reason"] or ""] for row in inputs]
    return (
        [md.folded(f"The input columns ({len(rows)})", md.table(["Column", "Kind", "Learned from", "Why"], rows, n_texts=4))]
        if rows
        else []
    )


def _again(view: Mapping[str, Any]) -> list[str]:
    pairs = [*(view.get("data") or []), *view["settings"], *view["versions"]]
    table = md.table(["Name", "Value"], [[str(name), str(value)] for name, value in pairs], n_texts=2)
    return [
        "## To run it again",
        md.code(view["command"]) if view["command"] else "",
        md.folded("The study file that does the same", md.lines(view["study"])) if view["study"] else "",
        md.folded("Data, settings and versions", table),
    ]


def _gain(gain: Gain | None) -> str:
    return "–" if gain is None else f"{gain.gain_text} {gain.interval_text}".strip()


def _count(value: Any) -> str:
    return "–" if finite(value) is None else significant(value)
