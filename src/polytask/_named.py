"""Things that users name in text, with settings: ``cagrad:c=0.5``, ``mmoe:n_experts=8,gate=top_k``."""

import difflib
import inspect
import re
from collections.abc import Mapping
from numbers import Integral, Real
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from polytask.exceptions import OptionError


def named(name: str, known: Mapping[str, Any], *, option: str, what: str) -> Any:
    """What is known by this name, whatever its capitals and underscores.

    >>> named("Nash-MTL", {"nash_mtl": 1}, option="`balancing`", what="a method")
    1

    Raises
    ------
    OptionError
        If there is none; the message names the closest ones.
    """
    plain = {_plain(own): own for own in known}
    if _plain(name) in plain:
        return known[plain[_plain(name)]]
    close = [plain[own] for own in difflib.get_close_matches(_plain(name), plain, n=3, cutoff=0.6)]
    if close:
        meant = " or ".join(f"{own!r}{_mark(known[own])}" for own in close)
        raise OptionError(f"{option} must be {what}; got {name!r}. Did you mean {meant}?")
    listed = ", ".join(f"{own}{_mark(known[own])}" for own in sorted(known))
    raise OptionError(f"{option} must be {what}; got {name!r}. There are {listed}.")


def settings_of_text(text: str, *, option: str, example: str) -> dict[str, Any]:
    """Settings in the form ``c=0.5,max_iter=20``; ``weights.price=2`` is an entry of a mapping.

    >>> settings_of_text("c=0.5,gate=top_k", option="`balancing`", example="cagrad:c=0.5")
    {'c': 0.5, 'gate': 'top_k'}
    """
    found: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (own.strip() for own in part.partition("="))
        if not equals:
            raise OptionError(f"A setting in {option} must be name=value; got {part!r}. Write such as {example!r}.")
        name, _, entry = name.partition(".")
        if entry and not isinstance(found.setdefault(name, {}), dict):
            raise OptionError(f"{name!r} in {option} is given as a value and by entries, as {part!r}. Give one of them.")
        if entry:
            found[name][entry] = _value(value)
        else:
            found[name] = _value(value)
    return found


def check_settings(own: type, names: list[str], settings: Mapping[str, Any], *, option: str) -> None:
    """Refuse settings that a class does not have, values of a wrong kind, and settings that it needs and were not given."""
    title = own.__name__
    for name in settings:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=2)
            known = f" It has {', '.join(map(repr, names)) or 'none'}."
            hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else known
            raise OptionError(f"{title} in {option} has no setting {name!r}.{hint}")
    parameters = inspect.signature(own.__init__).parameters.values()  # type: ignore[misc]
    missing = [p.name for p in parameters if p.name in names and p.default is p.empty and p.name not in settings]
    if missing:
        raise OptionError(f"{title} in {option} needs {', '.join(map(repr, missing))}.")
    hints = _hints(own)
    for name, value in settings.items():
        if name in hints and (must := _must_be(hints[name], value)):
            raise OptionError(f"{name!r} of {title} in {option} must be {must}; got {value!r}.")


def _hints(own: type) -> dict[str, Any]:
    """The kinds of values that the constructor names; empty where they cannot be read."""
    try:
        return get_type_hints(own.__init__)  # type: ignore[misc]
    except (NameError, TypeError):
        return {}


def _must_be(hint: Any, value: Any) -> str:
    """What a setting must be, where a value is of none of the plain kinds it may have; empty where it may be this value."""
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    words = [_words(kind) for kind in kinds]
    if "" in words or any(_is_of(kind, value) for kind in kinds):
        return ""
    return " or ".join(words)


def _words(kind: Any) -> str:
    """A plain kind in words; empty for one that only its class can judge, such as a text or an object."""
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, get_args(kind)))
    if get_origin(kind) is Mapping:
        return "given by entries (NAME.TASK=NUMBER)"
    return {int: "a whole number", float: "a number", bool: "true or false", type(None): "none"}.get(kind, "")


def _is_of(kind: Any, value: Any) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) is Mapping:
        return isinstance(value, Mapping)
    if kind is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    if kind is float:
        return isinstance(value, Real) and not isinstance(value, bool) and value == value
    return isinstance(value, kind)


def _mark(own: Any) -> str:
    return " (experimental)" if getattr(own, "experimental", False) else ""


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _value(text: str) -> Any:
    plain = {"none": None, "true": True, "false": False}
    if text.lower() in plain:
        return plain[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
