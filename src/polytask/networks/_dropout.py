"""Dropout of the parts of a network as it is built, in place of what its recipes say."""

from collections.abc import Mapping
from copy import deepcopy

from torch import nn

from polytask._parts import PARTS, part_of, parts_on
from polytask.exceptions import OptionError
from polytask.networks._recipe import Recipe

_DROPPED = {"encoder": "hidden units with a `dropout`", "sharing": "experts or towers"}

Rates = Mapping[str, float]  # by part, "shared" or "all"


def with_dropout(encoder: Recipe, rates: Rates) -> Recipe:
    """An encoder with the rate that is of it; the same where none is, or it has no ``dropout``."""
    rate = _by_part(rates).get("encoder")
    if rate is None or not _has_dropout(encoder):
        return encoder
    return deepcopy(encoder).set_params(dropout=rate)


def set_dropout_(module: nn.Module, encoder: Recipe, rates: Rates) -> None:
    """Set the rates of experts, towers and heads of a network, whose encoders have theirs by :func:`with_dropout`.

    Raises
    ------
    OptionError
        If a rate is of a part that has nothing to drop.
    """
    found = {name: own for name, own in module.named_modules() if isinstance(own, nn.Dropout)}
    parts = {part_of(name) for name in found} - (set() if _has_dropout(encoder) else {"encoder"})
    for on in rates:
        if not parts & {*parts_on(on)}:
            lacking = " and ".join(
                f"the {part} of this network has no {_DROPPED[part]}" for part in parts_on(on) if part in _DROPPED
            )
            raise OptionError(
                f"`on={on!r}` of Dropout reaches nothing: {lacking}. Take another, such as 'heads', or leave it out."
            )
    by_part = _by_part(rates)
    for name, own in found.items():
        if part_of(name) != "encoder":
            own.p = by_part.get(part_of(name), own.p)


def _by_part(rates: Rates) -> dict[str, float]:
    """Rates of parts; the narrower goes before."""
    return {part: rates[on] for on in ("all", "shared", *PARTS) if on in rates for part in parts_on(on)}


def _has_dropout(encoder: Recipe) -> bool:
    return "dropout" in encoder.get_params(deep=False)
