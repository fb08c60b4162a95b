"""``polytask evaluate``: scores on labelled rows."""

from collections.abc import Iterator
from typing import Any

from polytask.cli import _options as option

_SHOWN_UNLABELLED = 5  # more tasks without a label are told in one sentence


def evaluate(
    model: option.ModelFolder,
    table: option.NewTables,
    json: option.Json = None,
    missing_columns: option.MissingColumns = "error",
    threads: option.Threads = None,
    sep: option.Separator = None,
    decimal: option.NewDecimal = None,
    missing: option.NewMissing = None,
    default_missing: option.DefaultMissing = None,
    quiet: option.Quiet = False,
) -> None:
    """Score a model on labelled rows that it was not fitted on."""
    from polytask.automatic import MultiTaskPredictor
    from polytask.cli._console import say
    from polytask.cli._output import check_output, write_json
    from polytask.cli._read import read_like, warn_of_missing_texts
    from polytask.cli._threads import use_threads

    check_output(json, option="--json", inputs=tuple(table))
    use_threads(threads)
    predictor = MultiTaskPredictor.load(model)
    read_table = read_like(
        predictor.report_.get("data", {}), table, sep=sep, decimal=decimal, missing=missing, default_missing=default_missing
    )
    warn_of_missing_texts(read_table, predictor.target_columns_)
    scores = predictor.evaluate(read_table.frame, missing_columns=missing_columns)
    if not quiet:
        _print(scores)
    if json is not None:
        write_json(json, scores)
        say(f"\nJSON: {json}", quiet=quiet)


def _print(scores: dict[str, Any]) -> None:
    """A table for the tasks of each set of metrics, and why a metric is undefined."""
    from polytask.cli._console import console, print_table, say
    from polytask.data._names import quoted

    say(f"{scores['n_rows']} rows. Skill in points: 0 is no better than the constant of the training rows, 100 is perfect.")
    tasks = {f"{name}, all groups": pooled for name, pooled in scores.get("pooled", {}).items()} | scores["tasks"]
    unlabelled = [name for name, task in tasks.items() if not task["n_observed"]]
    if len(unlabelled) > _SHOWN_UNLABELLED:
        say(f"{len(unlabelled)} tasks have no labels here: {quoted(unlabelled)}.")
        tasks = {name: task for name, task in tasks.items() if task["n_observed"]}
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, task in tasks.items():
        groups.setdefault((task["kind"], tuple(task["metrics"])), []).append(name)
    for (kind, metrics), names in groups.items():
        say("")
        for some in _parts(metrics, room=console().width - max(map(len, (*names, kind))) - 24):
            rows = [_row(name, tasks[name], some) for name in names]
            print_table([kind, "labels", "skill", *some], rows, numbers=range(1, len(some) + 3))
    if summary := scores["summary"]:
        say("")
        rows = [_summary_row(name, values) for name, values in summary.items()]
        print_table(["over tasks", "tasks", "mean", "least", "greatest"], rows, numbers=range(1, 5))
    for name, task in tasks.items():
        for metric, why in task["undefined"].items():
            say(f"{name}: {metric} is undefined: {why}")


def _summary_row(name: str, values: dict[str, float]) -> list[str]:
    """Skill in points, as in the tables above; metrics as they are."""
    numbers = [values[key] for key in ("mean", "min", "max")]
    return [name, str(values["n_tasks"]), *(f"{100 * own:.1f}" if name == "skill" else f"{own:.4g}" for own in numbers)]


def _parts(metrics: tuple[str, ...], *, room: int) -> Iterator[tuple[str, ...]]:
    """Divide metrics so that the columns of each part fit into ``room``."""
    part: list[str] = []
    for metric in metrics:
        if part and sum(_width(other) for other in (*part, metric)) > room:
            yield tuple(part)
            part = []
        part.append(metric)
    yield tuple(part)


def _width(metric: str) -> int:
    return max(len(metric), 9) + 3


def _row(name: str, task: dict[str, Any], metrics: tuple[str, ...]) -> list[str]:
    skill = "-" if task["skill"] is None else f"{100 * task['skill']:.1f}"
    values = [task["metrics"][metric] for metric in metrics]
    return [name, str(task["n_observed"]), skill, *("-" if value is None else f"{value:.4g}" for value in values)]
