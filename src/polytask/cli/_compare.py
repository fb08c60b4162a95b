"""``polytask compare``: does learning the targets together help, and whom?"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from polytask.cli import _options as option
from polytask.cli._study import files_read, takes_study
from polytask.exceptions import OptionError, PolytaskError

if TYPE_CHECKING:
    import pandas as pd

    from polytask.automatic import Roles, Study
    from polytask.evaluation import Comparison

CURVE_REPEATS = 3  # of a learning curve, which has every share of the labels in every repeat


@takes_study(option.TABLE, option.COLUMNS, option.COMPARE, option.TRAINING, option.READING)
def compare(study: "Study", context: typer.Context, quiet: option.Quiet = False) -> None:
    """Compare learning all targets together with learning each alone, on the same folds."""
    from polytask.automatic import check_division, read_study_table, study_roles, warn_of_copies
    from polytask.cli._output import check_output, check_report
    from polytask.cli._read import warn_of_missing_texts

    asked = study.compare
    check_division(study)
    if asked.format is not None and asked.report is None:
        raise OptionError(f"--format {asked.format} is of --report, the file to write; got none.")
    json, report = (None if path is None else Path(path) for path in (asked.json_file, asked.report))
    check_output(json, option="--json", inputs=files_read(context, study))
    check_report(report, format=asked.format, inputs=files_read(context, study))
    table = read_study_table(study)
    roles = study_roles(study, table.frame)
    _check_metrics(asked.metric, names=[task.name for task in roles.tasks])
    warn_of_missing_texts(table, roles.label_columns)
    warn_of_copies(roles)
    about = {"source": ", ".join([*study.table, *study.data.values()]), "command": context.obj}
    found = run_comparison(study, roles, table.frame, about=about, quiet=quiet)
    result = found.to_dict()
    stopped: BaseException | None = None
    if asked.learning_curve and result["repeats"] == result["planned_repeats"]:
        try:
            result["learning_curve"] = run_learning_curve(study, roles, table.frame, found, quiet=quiet)
        except KeyboardInterrupt as stop:  # the comparison is whole, and shown
            stop.add_note("What is shown and written is without the learning curve, of which no repeat was finished.")
            stopped = stop
        except PolytaskError as error:  # such as a share of too few labels
            stopped = type(error)(f"There is no learning curve; the comparison itself is shown and written. {error}")
    result["study"] = study.seen_from((report or json or Path("-")).parent).to_dict()
    show_comparison(result, json=json, report=report, format=asked.format, quiet=quiet)
    if stopped is not None:
        raise stopped


def _check_metrics(metrics: dict[str, str], *, names: list[str]) -> None:
    from polytask.data import did_you_mean

    for target in metrics:
        if target not in names:
            raise OptionError(f"--metric names {target!r}, which is no target.{did_you_mean(target, names)}")


def run_comparison(study: "Study", roles: "Roles", frame: "pd.DataFrame", *, about: dict[str, Any], quiet: bool) -> "Comparison":
    """Compare, with live progress, with a JSON-ready result; ``about`` holds the ``source`` and the ``command``."""
    from polytask.automatic import study_comparison, study_network
    from polytask.cli._progress import fold_progress
    from polytask.cli._threads import threads_for, use_threads
    from polytask.evaluation import compare as compare_tasks

    use_threads(threads_for(study.threads, n_rows=len(roles.inputs)))
    settings = study_comparison(study, roles, frame)
    total = settings["folds"] * study.compare.repeats if isinstance(settings["folds"], int) else None
    try:
        with fold_progress(total, quiet=quiet) as on_fold:
            found = compare_tasks(
                roles.inputs, roles.labels, roles.tasks, joint=study_network(study), on_fold=on_fold, **settings
            )
    except KeyboardInterrupt as stop:
        stop.add_note("No repeat was finished, so nothing is written; files of earlier runs are as they were.")
        raise
    result = found.to_dict()
    result["data"]["source"] = about["source"]
    result["data"]["reasons"] = {name: roles.reasons.get(name, why) for name, why in result["data"]["reasons"].items()}
    result["settings"]["command"] = about["command"]
    result["notes"] += [f"Left out: {why}" for why in roles.skipped.values()]
    return found


def run_learning_curve(
    study: "Study", roles: "Roles", frame: "pd.DataFrame", comparison: "Comparison", *, quiet: bool
) -> dict[str, Any]:
    """Compare over shares of the labels, with live progress; JSON-ready. With all labels it is the comparison."""
    from polytask.automatic import study_comparison, study_network
    from polytask.cli._console import note
    from polytask.cli._progress import fold_progress
    from polytask.evaluation import learning_curve

    settings = study_comparison(study, roles, frame)
    settings["repeats"] = min(settings["repeats"], CURVE_REPEATS)
    note("Learning curve: the same over shares of the labels", quiet=quiet)
    settings |= {"joint": study_network(study), "comparison": comparison}
    with fold_progress(None, quiet=quiet) as on_fold:
        found = learning_curve(roles.inputs, roles.labels, roles.tasks, on_fold=on_fold, **settings)
    return found.to_dict()


def show_comparison(
    result: dict[str, Any], *, json: Path | None, report: Path | None, format: str | None = None, quiet: bool
) -> None:
    """Print the table and write the files; where Ctrl-C ended the comparison, of the repeats that were finished.

    Raises
    ------
    KeyboardInterrupt
        If not all repeats were finished.
    """
    from polytask.cli._console import console, say
    from polytask.cli._output import write_json, write_report
    from polytask.reporting import comparison_table, label_curve_lines, summary_sentence

    if not quiet:
        console().print(comparison_table(result))
    say(f"\n{summary_sentence(result)}", quiet=quiet)
    for told in result["notes"]:
        say(told, quiet=quiet)
    if curve := label_curve_lines(result):
        say("\n".join(["\nHow many labels does it take?", *curve]), quiet=quiet)
    if json is not None:
        write_json(json, result)
        say(f"JSON: {json}", quiet=quiet)
    if report is not None:
        write_report(report, result, format=format)
        say(f"Report: {report}", quiet=quiet)
    if result["repeats"] < result["planned_repeats"]:
        stop = KeyboardInterrupt()
        stop.add_note(f"What is shown and written is of {result['repeats']} of {result['planned_repeats']} repeats.")
        raise stop
