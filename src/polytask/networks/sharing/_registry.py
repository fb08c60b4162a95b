"""Sharing architectures by name: for the command line and study files."""

import inspect
from typing import Any

import torch

from polytask._named import check_settings, named, setting_text, settings_of_text
from polytask.exceptions import OptionError
from polytask.networks._recipe import Recipe
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
    if isinstance(given, Recipe):
        return given
    if not isinstance(given, str):
        raise OptionError(
            f"{option} must be a recipe, such as HardSharing(), or a name, such as 'hard:tower_width=32'; got {given!r}. "
            "A module class of your own becomes one by `recipe_of(YourModule)`."
        )
    name, _, rest = given.partition(":")
    own = named(name, SHARING, option=option, what="a sharing architecture")
    settings = settings_of_text(rest, option=option, example="hard:tower_width=32", of=own)
    if "sharing" in settings and settings["sharing"] is None:  # here 'none' is the architecture of that name
        settings["sharing"] = "none"
    check_settings(own, [*own._get_param_names()], settings, option=option)
    recipe: Recipe = own(**settings)
    _check_values(recipe, settings, option)
    return recipe


def sharing_text(recipe: Recipe) -> str | None:
    """The text that :func:`sharing_of` reads as this recipe; None where no text does, as for a module of the user's own.

    >>> sharing_text(HardSharing(tower_width=8))
    'hard:tower_width=8'
    """
    names = [name for name, own in SHARING.items() if own is type(recipe)]
    if not names:
        return None
    defaults = inspect.signature(type(recipe).__init__).parameters
    own = recipe.get_params(deep=False).items()
    text = names[0] + ":" + ",".join(setting_text(name, value) for name, value in own if value != defaults[name].default)
    text = text.removesuffix(":")
    try:
        return text if repr(sharing_of(text)) == repr(recipe) else None
    except OptionError:
        return None


def _check_values(recipe: Recipe, settings: dict[str, Any], option: str) -> None:
    """Build a tiny one, which checks the values."""
    shape = TableShape(1, cardinalities=(20,))
    with torch.random.fork_rng(devices=[]):
        try:
            if recipe.reads == "features":
                recipe.build(2, 2)
            else:
                width = 4 * max(1, recipe.width_multiple)
                recipe.build_on(lambda: MLP(n_layers=2, width=width).build(shape), 2)
        except OptionError:
            raise
        except (TypeError, ValueError, RuntimeError) as error:
            raise OptionError(f"{type(recipe).__name__} in {option} cannot take {settings}: {error}.") from error
