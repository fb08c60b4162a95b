"""What the parameters of a predictor must be, told where they are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from polytask.automatic._deploy import check_deployment
from polytask.automatic._preset_choice import check_preset
from polytask.automatic._study_run import as_gap
from polytask.estimators import MultiTaskNetwork
from polytask.exceptions import OptionError

if TYPE_CHECKING:
    from polytask.automatic._predictor import MultiTaskPredictor


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


def check_options(predictor: MultiTaskPredictor) -> None:
    """Refuse settings of a predictor that cannot be used, or would be without effect.

    Raises
    ------
    OptionError
    """
    named = {name: getattr(predictor, name) for name in ("ignore", "group", "split", "weight", "task_by", "time")}
    check_columns(**named)
    check_numbers(time_limit=predictor.time_limit, max_steps=predictor.max_steps, threads=predictor.threads)
    if predictor.network is not None and not isinstance(predictor.network, MultiTaskNetwork):
        raise OptionError(f"`network` must be a MultiTaskNetwork, an object of it; got {predictor.network!r}.")
    if predictor.unlearnable not in ("error", "skip"):
        raise OptionError(f"`unlearnable` must be 'error' or 'skip'; got {predictor.unlearnable!r}.")
    check_deployment(predictor.deploy)
    check_preset(predictor)
    if predictor.time_limit is not None and not 0 < predictor.time_limit < float("inf"):
        raise OptionError(f"`time_limit` must be positive seconds, a finite number; got {predictor.time_limit!r}.")
    if predictor.max_steps is not None and predictor.max_steps < 1:
        raise OptionError(f"`max_steps` must be >= 1; got {predictor.max_steps!r}.")
    if isinstance(predictor.seed, bool) or not isinstance(predictor.seed, int | np.integer) or not 0 <= predictor.seed < 2**32:
        raise OptionError(f"`seed` must be a whole number from 0 to 2**32 - 1; got {predictor.seed!r}.")
    if predictor.time is None and as_gap(predictor.gap):
        raise OptionError(f"`gap` is between rows in order of `time`, which is not given; got gap={predictor.gap!r}.")
    if predictor.threads is not None and predictor.threads < 1:
        raise OptionError(f"`threads` must be >= 1; got {predictor.threads!r}.")
