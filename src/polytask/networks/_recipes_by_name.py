"""Recipes by name, with settings: ``mmoe:n_experts=8``, ``mlp:n_layers=1,width=64``."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch

from polytask._named import check_settings, named, setting_text, settings_of_text
from polytask.exceptions import OptionError
from polytask.networks._recipe import Recipe


def recipe_by_name(
    given: Any,
    known: Mapping[str, type[Recipe]],
    *,
    option: str,
    what: str,
    example: str,
    check: Callable[[Recipe], Any],
    read: Mapping[str, Callable[[Any], Any]] | None = None,
) -> Recipe:
    """The recipe of what a user gives: a recipe, a name, or a name with settings.

    Parameters
    ----------
    known : mapping of name to class
    option, what, example : str
        What errors call the option, and one of its recipes; a name with a setting.
    check : callable
        Builds a small module of a recipe, and so refuses values.
    read : mapping of setting to callable, optional
        What makes the value of a setting of the one that is in the text.

    Raises
    ------
    OptionError
        If the name, or a setting, is not known or out of its range; the message names the closest ones.
    """
    if isinstance(given, Recipe):
        return given
    if not isinstance(given, str):
        raise OptionError(
            f"{option} must be a recipe, such as {known[example.partition(':')[0]].__name__}(), or a name, such as {example!r}; "
            f"got {given!r}. A module class of your own becomes one by `recipe_of(YourModule)`."
        )
    name, _, rest = given.partition(":")
    own = named(name.strip(), known, option=option, what=what)
    settings = settings_of_text(rest, option=option, example=example, of=own)
    for setting in (read or {}).keys() & settings.keys():
        settings[setting] = (read or {})[setting](settings[setting])
    check_settings(own, [*own._get_param_names()], settings, option=option)
    recipe: Recipe = own(**settings)
    with torch.random.fork_rng(devices=[]):
        try:
            check(recipe)
        except OptionError:
            raise
        except (TypeError, ValueError, RuntimeError) as error:
            raise OptionError(f"{own.__name__} in {option} cannot take {settings}: {error}.") from error
    return recipe


def recipe_text(recipe: Recipe, known: Mapping[str, type[Recipe]], read: Callable[[str], Recipe]) -> str | None:
    """The text that ``read`` takes as this recipe; None where no text does, as for a module of the user's own."""
    names = [name for name, own in known.items() if own is type(recipe)]
    if not names:
        return None
    defaults = inspect.signature(type(recipe).__init__).parameters
    own = recipe.get_params(deep=False).items()
    text = names[0] + ":" + ",".join(setting_text(name, value) for name, value in own if value != defaults[name].default)
    text = text.removesuffix(":")
    try:
        return text if repr(read(text)) == repr(recipe) else None
    except OptionError:
        return None
