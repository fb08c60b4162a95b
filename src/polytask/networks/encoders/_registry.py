"""Encoders and embeddings of numbers by name: for the command line and study files."""

from typing import Any

from polytask.networks._recipe import Recipe
from polytask.networks._recipes_by_name import recipe_by_name, recipe_text
from polytask.networks.encoders._ft_transformer import FTTransformer
from polytask.networks.encoders._mlp import MLP
from polytask.networks.encoders._periodic import Periodic
from polytask.networks.encoders._piecewise import PiecewiseLinear
from polytask.networks.encoders._resnet import ResNet
from polytask.networks.encoders._table_inputs import TableShape

ENCODERS: dict[str, type[Recipe]] = {"mlp": MLP, "resnet": ResNet, "ft_transformer": FTTransformer}
EMBEDDINGS: dict[str, type[Recipe]] = {"periodic": Periodic, "piecewise": PiecewiseLinear}


def encoder_of(given: Any, *, option: str = "`encoder`") -> Recipe:
    """The recipe of what a user gives: a recipe, a name, or a name with settings.

    Parameters
    ----------
    given : Recipe or str
        Such as ``MLP(width=64)``, ``"resnet"``, ``"mlp:n_layers=1,width=64"`` or ``"mlp:embedding=periodic"``.
    option : str
        What errors call it.

    Raises
    ------
    OptionError
        If the name, or a setting, is not known or out of its range; the message names the closest ones.

    Examples
    --------
    >>> encoder_of("mlp:n_layers=1,width=64")
    MLP(n_layers=1, width=64)
    >>> encoder_of("mlp:widht=64")
    Traceback (most recent call last):
    ...
    polytask.exceptions.OptionError: MLP in `encoder` has no setting 'widht'. Did you mean 'width'?
    """
    return recipe_by_name(
        given,
        ENCODERS,
        option=option,
        what="an encoder",
        example="mlp:width=64",
        check=lambda recipe: recipe.build(TableShape(2, cardinalities=(20,))),
        read={"embedding": lambda own: embedding_of(own, option=f"'embedding' in {option}")},
    )


def embedding_of(given: Any, *, option: str = "`embedding`") -> Recipe | None:
    """The recipe of an embedding of numbers, as of :func:`encoder_of`; None for ``"plain"`` and None.

    >>> embedding_of("periodic:n_frequencies=8")
    Periodic(n_frequencies=8)
    """
    if given is None or (isinstance(given, str) and given.strip().lower() == "plain"):
        return None
    what, example = "plain or an embedding of numbers", "periodic:n_frequencies=8"
    return recipe_by_name(given, EMBEDDINGS, option=option, what=what, example=example, check=lambda recipe: recipe.build(2))


def encoder_text(recipe: Recipe) -> str | None:
    """The text that :func:`encoder_of` reads as this recipe without its embedding; None where no text does.

    >>> encoder_text(MLP(width=64, embedding=Periodic()))
    'mlp:width=64'
    """
    settings = recipe.get_params(deep=False)
    plain = type(recipe)(**{**settings, "embedding": None}) if "embedding" in settings else recipe
    return recipe_text(plain, ENCODERS, encoder_of)


def embedding_text(recipe: Recipe | None) -> str | None:
    """The text that :func:`embedding_of` reads as this recipe; None where no text does.

    >>> embedding_text(Periodic(n_frequencies=8)), embedding_text(None)
    ('periodic:n_frequencies=8', 'plain')
    """
    if recipe is None:
        return "plain"

    def read(text: str) -> Any:
        return embedding_of(text)

    return recipe_text(recipe, EMBEDDINGS, read)
