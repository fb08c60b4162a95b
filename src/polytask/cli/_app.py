"""The commands under one name."""

from typing import Annotated

import typer

from polytask.cli._compare import compare
from polytask.cli._demo import demo
from polytask.cli._errors import telling_interrupts
from polytask.cli._evaluate import evaluate
from polytask.cli._fit import fit
from polytask.cli._init import init
from polytask.cli._predict import predict
from polytask.cli._tasks import tasks

app = typer.Typer(no_args_is_help=True, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


def _show_version(wanted: bool) -> None:
    if wanted:
        from polytask import __version__

        typer.echo(f"polytask {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Learn several columns of a table at once, some labels missing, and see honestly whether it helped."""


for _command in (fit, predict, evaluate, compare, tasks, init, demo):
    app.command()(telling_interrupts(_command))
