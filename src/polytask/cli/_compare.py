"""``polytask compare``: does learning the targets together help, and whom?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polytask.cli import _options as option
from polytask.exceptions import OptionError

if TYPE_CHECKING:
    from polytask.automatic import Roles

_PANEL = "Comparison"


def compare(
    context: typer.Context,
    table: option.TrainingTable,
    target: option.Target = None,
    ignore: option.Ignore = None,
    group: option.Group = None,
    split: option.Split = None,
    weight: option.Weight = None,
    unlearnable: option.Unlearnable = "error",
    folds: Annotated[
        int | None,
        typer.Option(
            "--folds", help="Parts to hold out in turn; 5 by default.", rich_help_panel=_PANEL, metavar="N", show_default=False
        ),
    ] = None,
    repeats: Annotated[
        int,
        typer.Option("--repeats", help="Times to draw the folds; one gives no verdict.", rich_help_panel=_PANEL, metavar="N"),
    ] = 5,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            help="TARGET=roc_auc measures the skill of a binary target by its AUC instead of log loss; as often as needed.",
            show_default=False,
            rich_help_panel=_PANEL,
            metavar="TARGET=METRIC",
        ),
    ] = None,
    json: option.Json = None,
    report: option.Report = None,
    seed: option.Seed = 0,
    epochs: option.Epochs = None,
    max_steps: option.MaxSteps = None,
    threads: option.Threads = None,
    device: option.Device = "cpu",
    sep: option.Separator = None,
    decimal: option.Decimal = ".",
    missing: option.Missing = None,
    no_default_missing: option.NoDefaultMissing = False,
    quiet: option.Quiet = False,
) -> None:
    """Compare learning all targets together with learning each alone, on the same folds."""
    from polytask.automatic import divide_table, warn_of_copies
    from polytask.cli._output import check_output
    from polytask.cli._read import read, warn_of_missing_texts

    for path, name in ((json, "--json"), (report, "--report")):
        check_output(path, option=name, inputs=(table,))
    if folds is not None and split is not None:
        raise OptionError(
            f"--folds and --split both say what is held out; give one of them, not --folds {folds} and --split {split}."
        )
    read_table = read(table, sep=sep, decimal=decimal, missing=missing, default_missing=not no_default_missing)
    roles = divide_table(
        read_table.frame,
        targets=target or [],
        ignore=ignore or [],
        group=group,
        split=split,
        weight=weight,
        unlearnable=unlearnable,
    )
    metrics = _metrics(metric or [], names=[task.name for task in roles.tasks])
    warn_of_missing_texts(read_table, roles.labels.columns)
    warn_of_copies(roles)
    settings = {"max_epochs": epochs, "max_steps": max_steps, "device": device}
    result = run_comparison(
        roles,
        folds=5 if folds is None else folds,
        repeats=repeats,
        seed=seed,
        threads=threads,
        network={name: value for name, value in settings.items() if value is not None},
        about={"source": str(table), "command": context.obj},
        metrics=metrics,
        quiet=quiet,
    )
    show_comparison(result, json=json, report=report, quiet=quiet)


def _metrics(given: list[str], *, names: list[str]) -> dict[str, str]:
    """``TARGET=METRIC`` as a mapping; split at the last ``=``."""
    from polytask.data import did_you_mean

    found: dict[str, str] = {}
    for text in given:
        target, _, metric = text.rpartition("=")
        if not target:
            raise OptionError(f"--metric must be TARGET=METRIC, such as sold=roc_auc; got {text!r}.")
        if target not in names:
            raise OptionError(f"--metric names {target!r}, which is no target.{did_you_mean(target, names)}")
        if target in found:
            raise OptionError(f"--metric names {target!r} twice; a target has one metric.")
        found[target] = metric
    return found


def run_comparison(
    roles: "Roles",
    *,
    folds: int,
    repeats: int,
    seed: int,
    threads: int | None,
    network: dict[str, Any],
    about: dict[str, Any],
    metrics: dict[str, str] | None = None,
    quiet: bool,
) -> dict[str, Any]:
    """Compare, with live progress, and give the JSON-ready result; ``about`` holds the ``source`` and the ``command``."""
    from polytask.cli._progress import fold_progress
    from polytask.cli._threads import threads_for, use_threads
    from polytask.data.splits import ColumnSplit
    from polytask.estimators import MultiTaskNetwork
    from polytask.evaluation import compare as compare_tasks

    use_threads(threads_for(threads, n_rows=len(roles.inputs)))
    total = folds * repeats if roles.split is None else None
    try:
        with fold_progress(total, quiet=quiet) as on_fold:
            found = compare_tasks(
                roles.inputs,
                roles.labels,
                roles.tasks,
                joint=MultiTaskNetwork(**network),
                folds=folds if roles.split is None else ColumnSplit(roles.split),
                repeats=repeats,
                groups=roles.groups,
                sample_weight=roles.weight,
                skill_metrics=metrics,
                random_state=seed,
                on_fold=on_fold,
            )
    except KeyboardInterrupt as stop:
        stop.add_note("No repeat was finished, so nothing is written; files of earlier runs are as they were.")
        raise
    result = found.to_dict()
    result["data"]["source"] = about["source"]
    result["settings"]["command"] = about["command"]
    result["notes"] += [f"Left out: {why}" for why in roles.skipped.values()]
    return result


def show_comparison(result: dict[str, Any], *, json: Path | None, report: Path | None, quiet: bool) -> None:
    """Print the table and write the files; where Ctrl-C ended the comparison, of the repeats that were finished.

    Raises
    ------
    KeyboardInterrupt
        If not all repeats were finished.
    """
    from polytask.cli._console import console, say
    from polytask.cli._output import write_bytes, write_json
    from polytask.reporting import comparison_html, comparison_table, summary_sentence

    if not quiet:
        console().print(comparison_table(result))
    say(f"\n{summary_sentence(result)}", quiet=quiet)
    for told in result["notes"]:
        say(told, quiet=quiet)
    if json is not None:
        write_json(json, result)
        say(f"JSON: {json}", quiet=quiet)
    if report is not None:
        write_bytes(report, comparison_html(result).encode())
        say(f"Report: {report}", quiet=quiet)
    if result["repeats"] < result["planned_repeats"]:
        stop = KeyboardInterrupt()
        stop.add_note(f"What is shown and written is of {result['repeats']} of {result['planned_repeats']} repeats.")
        raise stop
