"""From the words of a command to the study it runs: a study file, and the options given besides, which go before it."""

import functools
import glob
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from polytask.exceptions import OptionError

if TYPE_CHECKING:
    from polytask.automatic import Study

STUDY_SUFFIXES = (".yaml", ".yml")

Options = Mapping[str, tuple[Any, Any]]


def takes_study(*groups: Options) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command options that make a study.

    Parameters
    ----------
    *groups : mapping of name to (annotation, default)
        From :mod:`polytask.cli._options`; together with the command's own parameters they are what typer sees.

    Returns
    -------
    decorator : callable
        The command is called with ``study`` and those of its own parameters that typer knows.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = [p for p in inspect.signature(command).parameters.values() if p.name != "study"]
        options = {name: setting for group in groups for name, setting in group.items()}

        @functools.wraps(command)
        def run(context: typer.Context, **values: Any) -> None:
            with told_of(context, command.__name__, names=options) as study:
                command(study=study, **{p.name: context if p.name == "context" else values[p.name] for p in own})

        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, (annotation, default) in options.items()
        ]
        first = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        rest = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own if p.name != "context"]
        signature = inspect.Signature([first, *added, *rest])
        run.__signature__ = signature  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
        return run

    return decorate


@contextmanager
def told_of(context: typer.Context, command: str, *, names: Iterable[str]) -> Iterator["Study"]:
    """The study that the words of a command say; errors inside name its file and line, or its options.

    Parameters
    ----------
    context : typer.Context
    command : str
    names : iterable of str
        The parameters that belong to the study.

    Raises
    ------
    OptionError
        If the study file or an option cannot be used, or two study files are given.
    """
    from polytask._reworded import reworded
    from polytask.automatic import YAMLText, in_fields, in_options, read_study_text, study_from

    tables = [Path(table) for table in context.params.get("table") or []]
    file = tables.pop(0) if tables and tables[0].suffix.lower() in STUDY_SUFFIXES else None
    if more := [table for table in tables if table.suffix.lower() in STUDY_SUFFIXES]:
        raise OptionError(f"'{more[0]}' is a study, which must be the first file and the only study. Run them one after another.")
    given: dict[tuple[str | int, ...], Any] = {
        place_of(name, command): context.params[name] for name in names if name != "table" and _is_given(context, name)
    }
    if tables:
        given[("table",)] = tables
    text = YAMLText({}) if file is None else read_study_text(file)
    study = study_from(text, given, path=file, name_given=lambda place: option_name(context, place))
    if study.fit.preset is None and file is not None and (file.parent / "manifest.json").exists():
        study = study.with_preset("network")  # an early model, which does not name what was the default then
    if not (study.table or study.data):
        usage = f"See '{context.command_path} --help'"
        raise OptionError(f"No table is given: name the file to learn from, or a study that names it (`table`). {usage}.")
    with reworded(lambda said: in_options(said) if file is None else in_fields(in_options(said), text, path=file, given=given)):
        yield study


def files_read(context: typer.Context, study: "Study") -> tuple[Path, ...]:
    """The files that a command reads, and must not write over."""
    named = [*map(str, context.params.get("table") or []), *study.table, *study.data.values()]
    return tuple(Path(file) for name in named for file in (name, *glob.glob(name, recursive=True)))


def place_of(name: str, command: str) -> tuple[str, ...]:
    """Where the value of a parameter stands in a study."""
    from polytask.automatic import Study

    return (name,) if name in Study.model_fields else (command, name)


def option_name(context: typer.Context, place: tuple[str | int, ...]) -> str:
    """The option that gave what stands at a place, such as ``--folds``."""
    name = next(str(key) for key in place if key not in ("fit", "compare"))
    found = next((p for p in context.command.params if p.name == name), None)
    return "TABLE" if found is None or not found.opts[0].startswith("-") else max(found.opts, key=len)


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"
