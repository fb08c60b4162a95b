"""Writing a study as YAML: what is set, and in a first study what could be set, as comments."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel

from polytask.automatic._study import CompareOptions, FitOptions, Study

_SECTIONS: dict[str, type[BaseModel]] = {"fit": FitOptions, "compare": CompareOptions}
_WIDTH = 120
_HEADINGS = {  # before these fields
    "group": "How rows are divided",
    "sample": "Reading the table",
    "encoder": "The network and its training",
}


class StudyLine(NamedTuple):
    """An item of a list in a study, with a comment; one that is ``out`` is there as a comment only."""

    text: str
    comment: str = ""
    out: bool = False


def study_text(study: Study) -> str:
    """Write a study: what is not by default, and the seed.

    >>> print(study_text(Study(table="train.csv", target=["price", "y_*"])), end="")
    table:
    - train.csv
    target:
    - price
    - y_*
    seed: 0
    """
    return yaml.safe_dump(study.to_dict(), sort_keys=False, allow_unicode=True, width=_WIDTH)


def commented_study(
    study: Study, *, head: str = "", targets: list[StudyLine] | None = None, ignored: list[StudyLine] | None = None
) -> str:
    """Write a study with every field explained; fields that are not set are there as comments.

    Parameters
    ----------
    study : Study
    head : str
        Lines at the top.
    targets, ignored : list of StudyLine, optional
        What stands in ``target`` and ``ignore`` instead of those of ``study``, each with its comment.

    Returns
    -------
    text : str
        YAML that :func:`parse_yaml` reads.
    """
    lists = {"target": targets, "ignore": ignored}
    lines = [*_comment(head), ""]
    given = study.to_dict()
    for name, field in Study.model_fields.items():
        if name in _HEADINGS:
            lines += [f"# ---- {_HEADINGS[name]}", ""]
        if name in _SECTIONS:
            lines += _section(name, given.get(name, {}))
            continue
        lines += _comment(field.description or "")
        items = lists.get(name)
        if items:
            lines += [f"{name}:" if any(not item.out for item in items) else f"# {name}:", *map(_item, items), ""]
        else:
            lines += [*_value(name, given.get(name), field.get_default(call_default_factory=True), indent=""), ""]
    return "\n".join(lines).rstrip() + "\n"


def _section(name: str, given: Mapping[str, Any]) -> list[str]:
    lines = [f"# ---- Of polytask {name} alone", "", f"{name}:"]
    for own, field in _SECTIONS[name].model_fields.items():
        lines += [f"  {line}" for line in _comment(field.description or "")]
        lines += _value(
            field.alias or own, given.get(field.alias or own), field.get_default(call_default_factory=True), indent="  "
        )
    return [*lines, ""]


def _value(name: str, value: Any, default: Any, *, indent: str) -> list[str]:
    if value is None:
        shown = "" if default is None else f" {_scalar(default)}"
        return [f"{indent}# {name}:{shown}"]
    text = yaml.safe_dump({name: value}, sort_keys=False, allow_unicode=True, width=_WIDTH).rstrip("\n")
    return [f"{indent}{line}" for line in text.splitlines()]


def _item(item: StudyLine) -> str:
    mark, comment = "# " if item.out else "", f"  # {' '.join(item.comment.split())}" if item.comment else ""
    return f"{mark}- {_scalar(item.text)}{comment}"


def _scalar(value: Any) -> str:
    style = '"' if isinstance(value, str) and len(value.splitlines()) > 1 else None  # in one line whatever it holds
    text: str = yaml.safe_dump([value], default_style=style, allow_unicode=True, width=float("inf"))
    return text.strip().removeprefix("- ")


def _comment(text: str) -> Iterator[str]:
    for paragraph in text.splitlines():
        yield from textwrap.wrap(paragraph, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False) or ["#"]
