"""Checks that the settings of recipes have in common."""

from numbers import Integral, Real
from typing import Any

from polytask.exceptions import OptionError


def check_counts(owner: str, *, at_least: int = 1, **settings: Any) -> None:
    """Raise an :class:`OptionError` if a setting is no integer of at least so much."""
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < at_least:
            raise OptionError(f"`{name}` of {owner} must be an integer >= {at_least}; got {value!r}.")


def check_share(owner: str, **settings: Any) -> None:
    """Raise an :class:`OptionError` if a setting is not in [0, 1)."""
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) < 1:
            raise OptionError(f"`{name}` of {owner} must be in [0, 1); got {value!r}.")


def check_number(owner: str, *, low: float = 0.0, high: float = float("inf"), **settings: Any) -> None:
    """Raise an :class:`OptionError` if a setting is no finite number between two bounds."""
    for name, value in settings.items():
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if not is_number or not low <= float(value) <= high or float(value) == float("inf"):
            bounds = f">= {low:g}" if high == float("inf") else f"between {low:g} and {high:g}"
            raise OptionError(f"`{name}` of {owner} must be a number {bounds}; got {value!r}.")


def check_flag(owner: str, **settings: Any) -> None:
    """Raise an :class:`OptionError` if a setting is neither True nor False."""
    for name, value in settings.items():
        if not isinstance(value, bool):
            raise OptionError(f"`{name}` of {owner} must be True or False; got {value!r}.")
