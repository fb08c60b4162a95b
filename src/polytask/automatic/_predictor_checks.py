"""What the parameters of a predictor must be, told where they are given."""

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

from polytask.exceptions import OptionError


def listed(name: str, value: Any) -> list[Any]:
    """One name, or several, as a list.

    >>> listed("targets", "price"), listed("targets", ("price", "sold"))
    (['price'], ['price', 'sold'])
    """
    if isinstance(value, str):
        return [value]
    if value is None or not isinstance(value, Iterable):
        raise OptionError(f"`{name}` must be a name of a column or a list of them; got {value!r}.")
    return list(value)


def mapped(name: str, value: Any, *, example: str) -> dict[str, Any]:
    """What is declared per target, as a dictionary.

    >>> mapped("losses", "mae", example="{'price': 'huber'}")
    Traceback (most recent call last):
    ...
    polytask.exceptions.OptionError: `losses` must be a mapping from targets, such as {'price': 'huber'}; got 'mae'.
    """
    if value is not None and not isinstance(value, Mapping):
        raise OptionError(f"`{name}` must be a mapping from targets, such as {example}; got {value!r}.")
    return dict(value or {})


def check_columns(**named: Any) -> None:
    """Refuse what cannot be the name of a column; ``ignore`` is a list of names."""
    for name, value in named.items():
        for column in value if name == "ignore" else [value]:
            if column is not None and not isinstance(column, str):
                raise OptionError(f"`{name}` must be the name of a column, a text; got {column!r}.")


def check_numbers(**named: Any) -> None:
    """Refuse what is no number; None is not given."""
    for name, value in named.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, Real)):
            raise OptionError(f"`{name}` must be a number; got {value!r}.")
