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


def settings_of_text(text: str, *, option: str, example: str, of: type | None = None) -> dict[str, Any]:
    """Settings in the form ``c=0.5,max_iter=20``; ``weights.price=2`` is an entry of a mapping, and quotes keep a comma.

    Parameters
    ----------
    text : str
    option : str
        What errors call it.
    example : str
        One that is right, for errors.
    of : type, optional
        Whose settings they are: what its constructor has as ``str``, such as the name of a task, stays text.

    Raises
    ------
    OptionError
        If a setting has no name or no value, or is given twice.

    Examples
    --------
    >>> settings_of_text("c=0.5,gate=top_k", option="`balancing`", example="cagrad:c=0.5")
    {'c': 0.5, 'gate': 'top_k'}
    >>> settings_of_text("parent='buy, later'", option="`sharing`", example="mmoe:n_experts=4")
    {'parent': 'buy, later'}
    """
    texts = [] if of is None else [name for name, kind in _hints(of).items() if kind is str]
    found: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in _between_commas(text))):
        name, equals, value = (own.strip() for own in part.partition("="))
        if not equals:
            hint = f"Write such as {example!r}, and a value with a comma in quotes."
            raise OptionError(f"A setting in {option} must be name=value; got {part!r}. {hint}")
        name, dot, entry = name.partition(".")
        if not name or (dot and not entry):
            raise OptionError(f"A setting in {option} must have a name; got {part!r}. Write such as {example!r}.")
        before = found.setdefault(name, {}) if entry else found
        if not isinstance(before, dict) or (not entry and isinstance(found.get(name), dict)):
            raise OptionError(f"{name!r} in {option} is given as a value and by entries, as {part!r}. Give one of them.")
        if (entry or name) in before:
            raise OptionError(f"{part.partition('=')[0].strip()!r} in {option} is given twice. Give it once.")
        before[entry or name] = value[1:-1] if _is_quoted(value) else value if name in texts else _value(value)
    return found


def setting_text(name: str, value: Any) -> str:
    """A setting as :func:`settings_of_text` reads it.

    >>> setting_text("parent", "buy, later"), setting_text("c", 0.5)
    ("parent='buy, later'", 'c=0.5')
    """
    return f"{name}={value!r}" if isinstance(value, str) and ("," in value or _is_quoted(value)) else f"{name}={value}"


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


def _between_commas(text: str) -> list[str]:
    """What stands between commas, of which those inside quotes are none."""
    return [found[0] for found in re.finditer(r"""(?:=\s*(?P<quote>['"]).*?(?P=quote)(?=\s*(?:,|$))|[^,])+""", text)]


def _is_quoted(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] and text[0] in "'\""


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
