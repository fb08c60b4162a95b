"""Recipes: settings that build a module, again and again."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal

from sklearn.base import BaseEstimator
from torch import nn

from polytask.exceptions import OptionError
from polytask.networks._task_product import TaskProduct
from polytask.tasks import FittedTask


class Recipe(BaseEstimator, ABC):
    """Settings of one part of a network; ``build`` makes the module and never changes the recipe.

    A recipe has ``get_params`` and ``set_params``, so that scikit-learn's ``clone`` and searches reach its settings
    (``sharing__n_experts``).

    Attributes
    ----------
    reads : {"features", "stages", "encoders"}
        What a sharing takes in: the features that one encoder makes, by ``build(in_features, n_tasks)``; or prepared inputs,
        which it sends through one encoder, whose stages it reads, or through several, by ``build_on(make_encoder, n_tasks)``.
    in_stacks : bool
        Whether networks of it may be trained several at once: False where that takes much memory and no less time.
    width_multiple : int
        What the width of the encoders that a sharing holds must be a multiple of.
    """

    reads: Literal["features", "stages", "encoders"] = "features"
    in_stacks: bool = True
    width_multiple: int = 1

    @abstractmethod
    def build(self, *args: Any) -> nn.Module:
        """Make a fresh module with random parameters."""

    def build_on(self, make_encoder: Callable[[], nn.Module], n_tasks: int) -> nn.Module:
        """Make a fresh sharing that holds its encoders itself, and gives a representation per task of prepared inputs."""
        raise OptionError(f"{type(self).__name__} reads features: it is built by `build(in_features, n_tasks)`.")

    def of_twin(self) -> "Recipe":
        """The sharing of a network of one of many tasks: another one where this would run parts that nothing uses."""
        return self

    def product_of(self, tasks: Sequence[FittedTask]) -> TaskProduct | None:
        """Two of the tasks of which the product of probabilities is learned; None, as in all but one sharing, for none."""
        return None


class ModuleRecipe(Recipe):
    """The recipe that :func:`recipe_of` makes of a user's own module class."""

    def __init__(self, module_class: type[nn.Module], settings: dict[str, Any] | None = None) -> None:
        self.module_class = module_class
        self.settings = settings

    @property
    def reads(self) -> Literal["features", "stages", "encoders"]:  # type: ignore[override]
        """What the class says that it reads; features by default."""
        return getattr(self.module_class, "reads", "features")

    def build_on(self, make_encoder: Callable[[], nn.Module], n_tasks: int) -> nn.Module:
        """Call the class with a function that makes an encoder, and the number of tasks, then the settings."""
        return self.module_class(make_encoder, n_tasks, **(self.settings or {}))

    def build(self, *args: Any) -> nn.Module:
        """Call the class with what the network supplies, then the settings."""
        return self.module_class(*args, **(self.settings or {}))


def recipe_of(module_class: type[nn.Module], **settings: Any) -> ModuleRecipe:
    """Make a recipe of your own module class in one call.

    Parameters
    ----------
    module_class : type
        An encoder is called as ``module_class(table_shape, **settings)``. It has ``prepare(numeric, categorical)``, which gives a
        tuple of tensors, and ``forward`` of these. A sharing is called as ``module_class(in_features, n_tasks, **settings)``;
        its ``forward`` gives one tensor per task. Both have an attribute ``out_features``. A sharing with the attribute
        ``reads = "encoders"`` is called as ``module_class(make_encoder, n_tasks, **settings)`` and reads prepared inputs.

    Examples
    --------
    >>> from torch import nn
    >>> class Same(nn.Identity):
    ...     def __init__(self, in_features, n_tasks):
    ...         super().__init__()
    ...         self.out_features = in_features
    >>> recipe_of(Same).build(8, 3).out_features
    8
    """
    if not (isinstance(module_class, type) and issubclass(module_class, nn.Module)):
        raise OptionError(
            f"`recipe_of` needs a subclass of torch.nn.Module; got {module_class!r}. Pass the class, not an object."
        )
    return ModuleRecipe(module_class, settings)
