"""Sharing architectures by name: for the command line and study files."""

from typing import Any

from polytask.networks._recipe import Recipe
from polytask.networks._recipes_by_name import recipe_by_name, recipe_text
from polytask.networks.encoders import MLP, TableShape
from polytask.networks.sharing._adapters import TaskAdapters
from polytask.networks.sharing._adatt import AdaTT
from polytask.networks.sharing._cgc import CGC
from polytask.networks.sharing._cross_stitch import CrossStitch
from polytask.networks.sharing._esmm import ESMM
from polytask.networks.sharing._hard import HardSharing
from polytask.networks.sharing._ltb import LTB
from polytask.networks.sharing._mmoe import MMoE
from polytask.networks.sharing._mtan import MTAN
from polytask.networks.sharing._none import NoSharing
from polytask.networks.sharing._ple import PLE
from polytask.networks.sharing._sluice import Sluice
from polytask.networks.sharing._soft import SoftSharing
from polytask.networks.sharing._stem import STEM
from polytask.networks.sharing._tabm import TabM

SHARING: dict[str, type[Recipe]] = {
    "hard": HardSharing,
    "none": NoSharing,
    "soft": SoftSharing,
    "cross_stitch": CrossStitch,
    "sluice": Sluice,
    "mtan": MTAN,
    "ltb": LTB,
    "mmoe": MMoE,
    "cgc": CGC,
    "ple": PLE,
    "adatt": AdaTT,
    "adapters": TaskAdapters,
    "stem": STEM,
    "esmm": ESMM,
    "tabm": TabM,
}


def sharing_names() -> dict[str, type[Recipe]]:
    """Name to recipe class of every architecture of this room.

    >>> sharing_names()["hard"].__name__
    'HardSharing'
    """
    return dict(SHARING)


def sharing_of(given: Any, *, option: str = "`sharing`") -> Recipe:
    """The recipe of what a user gives: a recipe, a name, or a name with settings.

    Parameters
    ----------
    given : Recipe or str
        Such as ``MMoE(n_experts=8)``, ``"mmoe"`` or ``"mmoe:n_experts=8,gate=top_k"``.
    option : str
        What errors call it.

    Raises
    ------
    OptionError
        If the name, or a setting, is not known or out of its range; the message names the closest ones.

    Examples
    --------
    >>> sharing_of("hard:tower_width=8")
    HardSharing(tower_width=8)
    >>> sharing_of("heart")
    Traceback (most recent call last):
    ...
    polytask.exceptions.OptionError: `sharing` must be a sharing architecture; got 'heart'. Did you mean 'hard'?
    """
    return recipe_by_name(
        given,
        SHARING,
        option=option,
        what="a sharing architecture",
        example="hard:tower_width=32",
        check=_check_values,
        read={"sharing": lambda own: "none" if own is None else own},  # here 'none' is the architecture of that name
    )


def sharing_text(recipe: Recipe) -> str | None:
    """The text that :func:`sharing_of` reads as this recipe; None where no text does, as for a module of the user's own.

    >>> sharing_text(HardSharing(tower_width=8))
    'hard:tower_width=8'
    """
    return recipe_text(recipe, SHARING, sharing_of)


def _check_values(recipe: Recipe) -> None:
    """Build a tiny one, which checks the values."""
    if recipe.reads == "features":
        recipe.build(2, 2)
    else:
        shape, width = TableShape(1, cardinalities=(20,)), 4 * max(1, recipe.width_multiple)
        recipe.build_on(lambda: MLP(n_layers=2, width=width).build(shape), 2)
