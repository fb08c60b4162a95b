"""``polytask init``: a study to begin with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polytask.cli import _options as option
from polytask.cli._study import files_read, takes_study
from polytask.exceptions import OptionError

if TYPE_CHECKING:
    from polytask.automatic import Study


def _print_schema(wanted: bool) -> None:
    if wanted:
        import json

        from polytask.automatic import Study

        typer.echo(json.dumps(Study.model_json_schema(), indent=2, ensure_ascii=False))
        raise typer.Exit


@takes_study(option.TABLE, option.COLUMNS, option.READING)
def init(
    study: "Study",
    context: typer.Context,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The study to write, .yaml.", metavar="FILE", rich_help_panel="Output")
    ] = Path("study.yaml"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the study that is there.", rich_help_panel="Output")
    ] = False,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            help="Print the JSON schema of studies, for editors, and nothing else.",
            callback=_print_schema,
            is_eager=True,
            rich_help_panel="Output",
        ),
    ] = False,
    quiet: option.Quiet = False,
) -> None:
    """Write a commented study of a table: what would be learned and why, and every option; it runs as it is."""
    from polytask.automatic import first_study, read_study_table
    from polytask.cli._console import say
    from polytask.cli._output import check_output, write_bytes
    from polytask.cli._study import STUDY_SUFFIXES

    if out.suffix.lower() not in STUDY_SUFFIXES:
        raise OptionError(f"--out must end in {' or '.join(STUDY_SUFFIXES)}; got '{out}'.")
    check_output(out, option="--out", inputs=files_read(context, study))
    if out.exists() and not overwrite:
        raise OptionError(f"'{out}' is there already. Choose another --out, or replace it with --overwrite.")
    table = read_study_table(study)
    own = study.seen_from(out.parent).model_dump(by_alias=True, exclude_unset=True)
    own["fit"] = {"out": "model"} | own.get("fit", {})
    own["compare"] = {"report": "comparison.html"} | own.get("compare", {})
    text = first_study(type(study).model_validate(own), table.frame, file=out.name)
    write_bytes(out, text.encode())
    say(f"Study: {out}\nRead it, then run: polytask compare {out}", quiet=quiet)
