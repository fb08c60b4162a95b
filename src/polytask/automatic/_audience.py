"""Errors in the words of who reads them: options on the command line, fields and lines of a study, parameters in Python."""

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from polytask.automatic._study import CompareOptions, FitOptions, Study, names_of
from polytask.automatic._study_yaml import Place, YAMLText

_SECTIONS = {"fit": FitOptions, "compare": CompareOptions}
_FIELDS = {*names_of(Study), *names_of(FitOptions), *names_of(CompareOptions)} - {*_SECTIONS}
_PARAMETERS = {name: name for name in ("group", "split", "weight", "task_by", "time", "gap", "ignore", "unlearnable")} | {
    "target": "targets",
    "loss": "losses",
    "class_weight": "class_weights",
    "column": "column_kinds",
}
_OPTIONS = {name: f"--{name.replace('_', '-')}" for name in _FIELDS} | {
    "times": "--time",
    "threshold": "--similar",
    "n_splits": "--folds",
    "losses": "--loss",
    "class_weights": "--class-weight",
    "max_epochs": "--epochs",
    "random_state": "--seed",
    "skill_metrics": "--metric",
}
_SPLITTERS = "TimeSplit|TimeOrder|ClusterKFold|ColumnSplit|LeaveOneGroupOut|StratifiedTaskKFold"
_ONLY_IN_PYTHON = {
    " A function of your own is taken too.": "",
    "timedelta(days=30) or ": "",
    "a float in the unit": "a number in the unit",
    ", or use `polytask.balancing.MicroBatches` in a loop of your own": "",
}
_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")
_IN_TICKS = re.compile(r"`(\w+)`")
_QUOTED = re.compile(r"'([^']*)'")


def in_parameters(text: str) -> str:
    """The text as who calls :class:`~polytask.MultiTaskPredictor` reads it.

    >>> in_parameters("Column 'aa' of --ignore is not in the table.")
    "Column 'aa' of `ignore` is not in the table."
    >>> in_parameters("Leave it out, or let it be skipped (--unlearnable skip, unlearnable='skip').")
    "Leave it out, or let it be skipped (unlearnable='skip')."
    """
    text = re.sub(r"\(--[a-z][^()]*?, (\w+=[^()]+)\)", r"(\1)", text)
    return _OPTION.sub(lambda found: _tick(_PARAMETERS.get(found[1].replace("-", "_")), found[0]), text)


def in_options(text: str) -> str:
    """The text as who types a command reads it.

    >>> in_options("Raise `threshold`, or use fewer folds.")
    'Raise --similar, or use fewer folds.'
    >>> in_options("--out must name a folder (`out` of `fit` in a study).")
    '--out must name a folder (`out` of `fit` in a study).'
    """
    if "in a study)" in text:
        return text
    for words, instead in _ONLY_IN_PYTHON.items():
        text = text.replace(words, instead)
    text = re.sub(rf"` of (?:{_SPLITTERS}|MultiTaskNetwork)\b", "`", text)
    text = re.sub(rf"\bof (?:{_SPLITTERS}) ", "", text)
    return _IN_TICKS.sub(lambda found: _OPTIONS.get(found[1], found[0]), text)


def in_fields(text: str, study: YAMLText, *, path: str | os.PathLike[str], given: Collection[Place] = ()) -> str:
    """The text as who wrote a study file reads it: with the line that it is about, and its fields where they are from there.

    Parameters
    ----------
    text : str
        As :func:`in_options` gives it.
    study : YAMLText
    path : path
        The study file.
    given : collection of places
        What was given besides, and so is not from the file.

    Examples
    --------
    >>> from polytask.automatic import parse_yaml
    >>> study = parse_yaml("target: [price]\\nignore: [id, aa]\\n", where="s.yaml")
    >>> in_fields("Column 'aa' of --ignore is not in the table.", study, path="s.yaml")
    "s.yaml, line 2: Column 'aa' of `ignore` is not in the table."
    """
    if f"{os.fspath(path)}, line" in text:
        return text
    own = [place for place in study.lines if _field(place) and not any(place[: len(other)] == other for other in given)]
    place = _blamed(text, study, own, folder=Path(path).parent)
    if place is None:
        return text
    fields = {_field(other) for other in own}
    shown = re.sub(
        rf"{_OPTION.pattern}(?! [A-Z]+\b)",
        lambda found: f"`{name}`" if (name := found[1].replace("-", "_")) in fields else found[0],
        text,
    )
    return f"{os.fspath(path)}, line {study.line(place)}: {shown}"


def _blamed(text: str, study: YAMLText, places: list[Place], *, folder: Path) -> Place | None:
    """The place that the text says most of: its field, the name of an item, its value; of equals the one named first."""
    words = _IN_TICKS.sub(lambda found: f"--{found[1]}", text)
    named = {found[1].replace("-", "_"): found.start() for found in reversed([*_OPTION.finditer(words)])}
    quoted = {found[1]: found.start() for found in reversed([*_QUOTED.finditer(words)])}
    best: tuple[int, int, Place] | None = None
    for place in places:
        value = _value(study.content, place)
        said = [named[field] for field in [_field(place)] if field in named]
        said += [quoted[name] for name in _names(place, value) if name in quoted]
        if _field(place) in ("table", "data") and isinstance(value, str):  # a file, which need not be in quotes
            said += [at for at in [words.find(str(folder / value))] if at >= 0]
        if said and (best is None or (len(said), -min(said)) > best[:2]):
            best = (len(said), -min(said), place)
    return None if best is None else best[2]


def _names(place: Place, value: Any) -> Iterator[str]:
    """What a text may quote of a place: the key of an item, and its value."""
    inner = place[1:] if place[0] in _SECTIONS else place
    if len(inner) > 1 and isinstance(inner[-1], str):
        yield inner[-1]
    if isinstance(value, str):
        yield value


def _field(place: Place) -> str | None:
    """The field of a place; None where it is a section or the whole."""
    inner = place[1:] if place and place[0] in _SECTIONS else place
    return str(inner[0]).replace("-", "_") if inner else None


def _value(content: Any, place: Place) -> Any:
    for key in place:
        if isinstance(content, dict):
            content = content.get(key, content.get(str(key).replace("_", "-")))
        elif isinstance(content, list) and isinstance(key, int) and key < len(content):
            content = content[key]
        else:
            return None
    return content


def _tick(name: str | None, otherwise: str) -> str:
    return otherwise if name is None else f"`{name}`"
