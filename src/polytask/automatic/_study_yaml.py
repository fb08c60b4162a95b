"""YAML whose values are what is written, with the line of each.

A plain scalar stays the text it is: ``no``, ``007`` and ``2020-01-01`` may be names of columns or texts that mean missing, so the
field says what they become. Only ``null``, ``~`` and nothing are no value.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import yaml

from polytask.exceptions import OptionError

Place = tuple[str | int, ...]

_PLAIN_NULL = ("", "~", "null")
_NOT_FIRST = "*&%@`!"  # signs that a text may begin with in quotes only


@dataclass(frozen=True)
class YAMLText:
    """The content of a YAML text: mappings, lists, texts and None, and the line (from 1) of every place in it."""

    content: Any
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest thing around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def parse_yaml(text: str, *, where: str) -> YAMLText:
    """Read one YAML document.

    Parameters
    ----------
    text : str
    where : str
        The name of the file, for errors.

    Raises
    ------
    OptionError
        If it is no YAML, or has two documents, a key twice, an alias or a tag; the line is named.

    Examples
    --------
    >>> found = parse_yaml("target: [price, no]\\ncompare:\\n  folds: 3\\n", where="study.yaml")
    >>> found.content
    {'target': ['price', 'no'], 'compare': {'folds': '3'}}
    >>> found.line(("compare", "folds"))
    3
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise OptionError(_not_yaml(error, text, where)) from error
    except (yaml.YAMLError, RecursionError) as error:  # control characters; thousands of brackets
        raise OptionError(f"{where} is not YAML: {str(error).partition(chr(10))[0]}.") from error
    _check_no_tags(text, where)
    lines: dict[Place, int] = {}
    return YAMLText(None if root is None else _build(root, (), lines, where, seen=set()), lines)


def _check_no_tags(text: str, where: str) -> None:
    """Refuse ``!!int 3`` and ``!name``, of keys, lists and mappings too: what they ask for would not be done."""
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if tag := getattr(event, "tag", None):
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            line = 1 if event.start_mark is None else event.start_mark.line + 1
            raise OptionError(f"{where}, line {line}: tags ({shown}) have no meaning here; leave it out, or write it in quotes.")


def _build(node: yaml.Node, place: Place, lines: dict[Place, int], where: str, *, seen: set[int]) -> Any:
    lines.setdefault(place, node.start_mark.line + 1)
    if id(node) in seen:
        raise OptionError(f"{where}, line {lines[place]}: aliases (*NAME) have no meaning here; write it out, or in quotes.")
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*place, k), lines, where, seen=seen) for k, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[Hashable, Any] = {}
        for key_node, value in node.value:
            key, line = key_node.value, key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise OptionError(f"{where}, line {line}: the name of a field must be a text, not a list or a mapping.")
            if key in found:
                raise OptionError(f"{where}, line {line}: the field {key!r} is there twice; it can be there once.")
            lines[(*place, key)] = line
            lines.setdefault((*place, key.replace("-", "_")), line)
            found[key] = _build(value, (*place, key), lines, where, seen=seen)
        return found
    is_plain = isinstance(node, yaml.ScalarNode) and node.style is None
    return None if is_plain and node.value in _PLAIN_NULL else node.value


def _not_yaml(error: yaml.MarkedYAMLError, text: str, where: str) -> str:
    mark = error.problem_mark or error.context_mark
    line = 1 if mark is None else min(mark.line, len(text.splitlines()) - 1) + 1
    problem = (error.problem or "").replace("\\t", "a tab")
    around = text[max(mark.index - 1, 0) : mark.index + 1] if mark is not None else ""
    signs = _NOT_FIRST + ("," if problem.startswith("expected the node content") else "")
    first = next((sign for sign in reversed(around) if sign in signs), None)
    hint = f" A text that begins with {first!r} must be in quotes." if first else ""
    if problem == "mapping values are not allowed here":
        hint = " A text with ': ' in it must be in quotes."
    return f"{where}, line {line}: this is not YAML: {problem}.{hint}"
