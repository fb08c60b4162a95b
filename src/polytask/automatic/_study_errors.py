"""What is wrong with a study, as sentences that name the field and what it must be."""

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from polytask.automatic._study import CompareOptions, FitOptions, Study, names_of
from polytask.data import did_you_mean
from polytask.data._names import nearest_names
from polytask.exceptions import OptionError

Place = tuple[str | int, ...]

_MUST = {
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a whole number of fewer digits",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "list_type": "must be a list",
    "dict_type": "must be a mapping (NAME: VALUE)",
    "model_type": "must be a mapping of options",
    "finite_number": "must be a finite number",
    "greater_than": "must be a number > {gt:g}",
    "greater_than_equal": "must be a whole number >= {ge}",
    "less_than": "must be a whole number < {lt}",
    "less_than_equal": "must be a whole number <= {le}",
    "literal_error": "must be {expected}",
}
_BOUNDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
_SECTIONS: dict[str, type[BaseModel]] = {"fit": FitOptions, "compare": CompareOptions}
_MOST = 5


def study_error(error: ValidationError, *, name: Callable[[Place], str]) -> OptionError:
    """Turn what pydantic found into one error, a sentence each.

    Parameters
    ----------
    error : ValidationError
        Of :class:`Study`.
    name : callable
        From the place of a value, such as ``("compare", "folds")``, to what a reader calls it.
    """
    found = error.errors(include_url=False)
    sentences = [_sentence(one, name) for one in found[:_MOST]]
    more = [f"And {len(found) - _MOST} more."] if len(found) > _MOST else []
    return OptionError(" ".join([*sentences, *more]))


def field_name(place: Place) -> str:
    """Name the field of a place.

    >>> field_name(("compare", "folds")), field_name(("target", 1)), field_name(("compare", "metric", "sold"))
    ('`folds` of `compare`', 'item 2 of `target`', "'sold' of `metric` of `compare`")
    """
    parts: list[str] = []
    model: Any = Study
    for key in place:
        fields = list(names_of(model)) if model is not None else []
        parts.append(
            f"item {key + 1}" if isinstance(key, int) else f"`{key}`" if key in fields or model is not None else repr(key)
        )
        model = _SECTIONS.get(key) if model is Study and isinstance(key, str) else None
    return " of ".join(reversed(parts)) or "the study"


def _sentence(error: Any, name: Callable[[Place], str]) -> str:
    place, kind, value = tuple(error["loc"]), error["type"], error["input"]
    if kind == "extra_forbidden":
        return _unknown(place, name)
    if kind == "value_error":  # ours: it says what was given
        told = str(error["ctx"]["error"])
        return f"{name(place)} {told}{'' if told.endswith('?') else '.'}"
    must = _MUST.get(kind, f"cannot be used ({error['msg']})")
    if kind in _BOUNDS and any(isinstance(bound, float) for bound in error["ctx"].values()):  # a field of any numbers
        must = must.replace("whole number", "number").replace("e}", "e:g}").replace("t}", "t:g}")
    must = must.format(**error.get("ctx", {}))
    choices = str(error.get("ctx", {}).get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
    hint = (
        did_you_mean(value, choices)
        if kind == "literal_error" and isinstance(value, str) and nearest_names(value, choices)
        else ""
    )
    shown = str(value) if kind in _BOUNDS else _shown(value)
    return f"{name(place)} {must}; got {shown}.{hint}"


def _unknown(place: Place, name: Callable[[Place], str]) -> str:
    model: type[BaseModel] = _SECTIONS.get(str(place[0]), Study) if len(place) > 1 else Study
    fields, key = list(names_of(model)), str(place[-1]).replace("-", "_")
    homes = [section for section, other in _SECTIONS.items() if other is not model and key in names_of(other)]
    homes += ["the study itself"] if model is not Study and key in names_of(Study) else []
    hint = did_you_mean(key, fields)
    if homes and "Did you mean" not in hint:
        hint = f" It is a field of {' and of '.join(homes)}."
    elif "Did you mean" not in hint:
        near = [(name, section) for section, other in _SECTIONS.items() for name in nearest_names(key, names_of(other), limit=1)]
        hint = f" Did you mean {' or '.join(f'{name!r} of {section!r}' for name, section in near)}?" if near else hint
    return f"{name(place)} is not a field.{hint}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def all_places() -> Iterator[Place]:
    """The places of all fields: ``("seed",)``, ``("compare", "folds")``."""
    for name in names_of(Study):
        if name in _SECTIONS:
            yield from ((name, inner) for inner in names_of(_SECTIONS[name]))
        else:
            yield (name,)
