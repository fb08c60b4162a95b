"""Regularizations by name."""

from typing import Any

from polytask._by_name import ByName
from polytask.exceptions import OptionError
from polytask.optim._dropout import Dropout
from polytask.optim._l2 import L2
from polytask.optim._regularizers import L1, ElasticNet, GroupLasso, Regularizer, SoftOrthogonality

REGULARIZERS: ByName[Regularizer] = ByName(
    Regularizer,
    {
        "l1": L1,
        "l2": L2,
        "elastic_net": ElasticNet,
        "group_lasso": GroupLasso,
        "soft_orthogonality": SoftOrthogonality,
        "dropout": Dropout,
    },
    what="a regularization",
    example="l1:strength=0.01",
)


def regularizers_of(given: Any, *, option: str = "`regularization`") -> list[Regularizer]:
    """The regularizations of what a user gives: None, one, or several as a list or as text with ``;`` between.

    Raises
    ------
    OptionError
        If a name or a setting is not known or out of its range, or the same is given twice.

    Examples
    --------
    >>> regularizers_of("l1:strength=0.01;dropout:on=heads")
    [L1(strength=0.01), Dropout(on='heads')]
    """
    found = [] if given is None else REGULARIZERS.several(given, option=option)
    for k, own in enumerate(found):
        if any(type(own) is type(other) and own.on == other.on for other in found[:k]):
            summed = "" if own.of_modules else ", of the sum of strengths"
            raise OptionError(f"{type(own).__name__} of {own.on!r} is given twice in {option}. Give one{summed}.")
    return found
