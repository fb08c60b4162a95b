"""Recipes as JSON, for the model folder; only classes of this list, or given by the caller, are built again."""

from collections.abc import Iterable
from typing import Any

from torch import nn

from polytask.exceptions import ModelFolderError, OptionError
from polytask.networks._recipe import ModuleRecipe, Recipe
from polytask.networks.encoders import MLP, FTTransformer, Periodic, PiecewiseLinear, ResNet
from polytask.networks.sharing import sharing_names

_PARTS: tuple[type[Recipe], ...] = (MLP, ResNet, FTTransformer, Periodic, PiecewiseLinear, *sharing_names().values())
_KNOWN: dict[str, type[Recipe]] = {recipe.__name__: recipe for recipe in _PARTS}


def recipe_to_dict(recipe: Recipe) -> dict[str, Any]:
    """Write the class name and the settings of a recipe.

    >>> from polytask.networks import HardSharing
    >>> recipe_to_dict(HardSharing(tower_width=8))
    {'recipe': 'HardSharing', 'settings': {'tower_width': 8}}

    Raises
    ------
    OptionError
        If it is neither a recipe of this room nor made by :func:`recipe_of`.
    """
    if isinstance(recipe, ModuleRecipe):
        return {"module": recipe.module_class.__name__, "settings": dict(recipe.settings or {})}
    if type(recipe) not in _KNOWN.values():
        raise OptionError(
            f"{type(recipe).__name__} cannot be saved: make it by `recipe_of(YourModule, ...)`, or save its parameters."
        )
    settings = recipe.get_params(deep=False)
    return {
        "recipe": type(recipe).__name__,
        "settings": {key: recipe_to_dict(value) if isinstance(value, Recipe) else value for key, value in settings.items()},
    }


def recipe_from_dict(content: dict[str, Any], *, classes: Iterable[type[nn.Module]] = ()) -> Recipe:
    """Make a recipe again; a user's own module class must be among ``classes``.

    >>> recipe_from_dict({"recipe": "MLP", "settings": {"width": 8}})
    MLP(width=8)

    Raises
    ------
    ModelFolderError
        If the class is not known, or its settings are not.
    """
    try:
        if "recipe" in content:
            settings = {
                key: recipe_from_dict(value, classes=classes) if isinstance(value, dict) else value
                for key, value in content["settings"].items()
            }
            return _KNOWN[content["recipe"]](**settings)
        own = {module.__name__: module for module in classes if isinstance(module, type)}
        if content["module"] not in own:
            raise ModelFolderError(
                f"The model uses your own module {content['module']!r}: pass the class to load, `classes=[...]`."
            )
        return ModuleRecipe(own[content["module"]], content["settings"])
    except (KeyError, TypeError) as error:
        raise ModelFolderError(f"The network of this model is not known to this version ({error}). Upgrade polytask.") from error
