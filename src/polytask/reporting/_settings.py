"""What is needed to run it again: settings as flat rows, and a command line."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from polytask.reporting._numbers import printable

_LEARNED_FROM = ("numeric", "categorical", "boolean", "datetime", "text", "list")


def flat_rows(settings: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Flatten nested settings to (dotted name, text) rows in their own order.

    Examples
    --------
    >>> flat_rows({"sharing": {"kind": "hard"}, "seed": 0, "ignore": ["id", "date"], "limit": None})
    [('sharing.kind', 'hard'), ('seed', '0'), ('ignore', 'id, date'), ('limit', 'none')]
    """
    return list(_walk(settings or {}, ""))


def compare_command(result: Mapping[str, Any]) -> str | None:
    """Give the command line that runs a comparison again, quoted for a POSIX shell.

    The ``command`` of the result or of its settings is used where there is one. Otherwise it is put together from the data's
    source, the tasks, folds, repeats and seed; None where the source is unknown or a task's columns cannot be told.
    """
    settings = result.get("settings") or {}
    if command := stored_command(result):
        return command
    source = (result.get("data") or {}).get("source")
    targets = settings.get("targets") or _targets(result["tasks"])
    if not isinstance(source, str) or not targets:
        return None
    words = ["polytask", "compare", source]
    for target in targets:
        words += ["--target", str(target)]
    for option in ("folds", "repeats", "seed"):
        if result.get(option) is not None:
            words += [f"--{option}", str(result[option])]
    return shlex.join(printable(word) for word in words)


def stored_command(result: Mapping[str, Any]) -> str | None:
    """The command line a result remembers, as a string or a list of words."""
    command = result.get("command") or (result.get("settings") or {}).get("command")
    if isinstance(command, list | tuple):
        return shlex.join(printable(word) for word in command)
    return printable(command) if isinstance(command, str) else None


def input_row(column: Mapping[str, Any]) -> dict[str, Any]:
    """One input column: its kind, why, and whether it is learned from."""
    row = {key: column.get(key) for key in ("name", "kind", "reason", "n_missing", "n_unique")}
    return row | {"is_used": column.get("kind") in _LEARNED_FROM}


def _targets(tasks: Mapping[str, Any]) -> list[str]:
    if any(task.get("kind") == "multilabel" for task in tasks.values()):
        return []  # its columns are not in the comparison
    return [f"{name}:{task['kind']}" if task.get("kind") else name for name, task in tasks.items()]


def _walk(settings: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _walk(value, f"{name}.")
        else:
            yield name, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    return "none" if isinstance(value, Mapping) else str(value)
