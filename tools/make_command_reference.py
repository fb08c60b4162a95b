"""Write docs/commands.md, the options of every command, from the code: python tools/make_command_reference.py"""

import inspect
import typing
from pathlib import Path
from typing import Any

import typer

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
HEAD = """# Commands and options

Made from the code by `tools/make_command_reference.py`. What the words mean is told in [the command line](cli.md); the options of
`fit`, `compare`, `tasks` and `init` may also stand in a [study](study.md). `polytask COMMAND --help` prints the same, and
`polytask --version` the version.
"""


def command_reference() -> str:
    """The page, as Markdown."""
    from polytask.cli._app import app

    functions: list[Any] = [command.callback for command in app.registered_commands]
    index = [
        f"| [`{function.__name__}`](#polytask-{function.__name__}) | {_text(inspect.getdoc(function))} |"
        for function in functions
    ]
    return "\n".join([HEAD, "| command | what it does |", "|---|---|", *index, "", *map(_command, functions)])


def _command(function: Any) -> str:
    arguments: list[tuple[Any, inspect.Parameter]] = []
    panels: dict[str, list[tuple[Any, inspect.Parameter]]] = {}
    for parameter in inspect.signature(function).parameters.values():
        info = next(iter(getattr(parameter.annotation, "__metadata__", ())), None)
        if isinstance(info, typer.models.ArgumentInfo):
            arguments.append((info, parameter))
        elif isinstance(info, typer.models.OptionInfo):
            panels.setdefault(str(info.rich_help_panel or "Options"), []).append((info, parameter))
    usage = " ".join(["polytask", function.__name__, *(_argument(*argument) for argument in arguments), "[OPTIONS]"])
    lines = [f"## polytask {function.__name__}", "", _text(inspect.getdoc(function)), "", "```text", usage, "```", ""]
    lines += [f"- `{info.metavar}`: {_text(info.help)}" for info, _ in arguments] + [""] * bool(arguments)
    for panel, options in panels.items():
        lines += [f"**{panel}**", "", "| option | meaning |", "|---|---|"]
        lines += [f"| {_names(*option)} | {_meaning(*option)} |" for option in options] + [""]
    return "\n".join(lines)


def _argument(info: Any, parameter: inspect.Parameter) -> str:
    (kind, *_) = typing.get_args(parameter.annotation)
    if parameter.default is inspect.Parameter.empty:
        return str(info.metavar)
    return f"[{info.metavar}]..." if "list" in str(kind) else f"[{info.metavar}]"


def _names(info: Any, parameter: inspect.Parameter) -> str:
    (kind, *_) = typing.get_args(parameter.annotation)
    is_flag = kind is bool or bool in typing.get_args(kind)
    value = "" if is_flag else " " + str(info.metavar or "|".join(_choices(kind))).replace("|", " or ")
    declared = [info.default, *(info.param_decls or ())]  # the first name is where a default would be without Annotated
    names = [name for names in declared for name in str(names).split("/") if name.startswith("-")]
    return ", ".join(f"`{name}{value}`" for name in names)


def _choices(kind: Any) -> list[str]:
    if typing.get_origin(kind) is typing.Literal:
        return list(typing.get_args(kind))
    return [text for inner in typing.get_args(kind) for text in _choices(inner)]


def _meaning(info: Any, parameter: inspect.Parameter) -> str:
    shown = info.show_default and parameter.default not in (None, False)
    return _text(info.help) + (f" By default `{parameter.default}`." if shown else "")


def _text(text: str | None) -> str:
    """One line of Markdown in which the signs stand for themselves."""
    line = " ".join(str(text).partition("\n\n")[0].split())
    for sign in "|*<>":
        line = line.replace(sign, f"\\{sign}")
    return line


if __name__ == "__main__":
    PAGE.write_text(command_reference(), encoding="utf-8")
