"""``polytask demo``: the main job on a real data set that ships with the package."""

from pathlib import Path
from typing import Annotated

import typer

from polytask.cli import _options as option

REPORT = "polytask-demo-report.html"
FOLDS, REPEATS = 5, 3
NETWORK: dict[str, int] = {}  # options of the network other than the default ones


def demo(
    context: typer.Context,
    report: Annotated[
        Path | None,
        typer.Option("--report", help=f"The report; {REPORT} here by default.", show_default=False, metavar="FILE"),
    ] = None,
    json: option.Json = None,
    seed: option.Seed = 0,
    threads: option.Threads = None,
    quiet: option.Quiet = False,
) -> None:
    """Run a comparison on a data set that ships with the package: pupils of two schools, six tasks of five kinds."""
    from polytask.automatic import Study, study_roles
    from polytask.cli._compare import run_comparison, show_comparison
    from polytask.cli._console import note
    from polytask.cli._output import check_output, check_report
    from polytask.datasets import load_students

    place = report if report is not None else _place()
    check_report(place, format=None, has_format=False)
    check_output(json, option="--json")
    students = load_students()
    licence = students.licence.partition(",")[0]
    note(
        f"{len(students.frame)} pupils of two Portuguese schools, {len(students.targets)} tasks, labels missing by nature",
        quiet=quiet,
    )
    note(f"({licence}, {students.url}).", quiet=quiet)
    note(f"{FOLDS} folds x {REPEATS} repeats here, so that it is quick; 'polytask compare' does 5 x 5.", quiet=quiet)
    study = Study.model_validate(
        {
            "table": students.path,
            "target": students.targets,
            "ignore": students.ignore,
            "seed": seed,
            "threads": threads,
            "compare": {"folds": FOLDS, "repeats": REPEATS},
            **NETWORK,
        }
    )
    roles = study_roles(study, students.frame)
    about = {"source": str(students.path), "command": context.obj}
    result = run_comparison(study, roles, students.frame, about=about, quiet=quiet).to_dict()
    result["study"] = study.seen_from(place.parent).to_dict()
    show_comparison(result, json=json, report=place, quiet=quiet)


def _place() -> Path:
    """This folder, or the one for temporary files where this one cannot be written to."""
    import os
    import tempfile

    here = Path.cwd()
    return (here if os.access(here, os.W_OK) else Path(tempfile.gettempdir())) / REPORT
