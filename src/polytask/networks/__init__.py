"""Networks: encoder -> sharing -> heads, from recipes.

A recipe (:class:`MLP`, :class:`HardSharing`) holds settings only; :func:`build_module` makes the module.
Inputs are a table's numbers [n, n_numeric] and codes [n, n_categorical]; outputs are raw, [n, outputs of all tasks].

>>> from polytask.networks import MLP
>>> MLP(width=64).get_params()["width"]
64
"""

from polytask.networks._input_columns import input_columns
from polytask.networks._multi_task_module import MultiTaskModule, build_module, output_slices, target_slices
from polytask.networks._recipe import ModuleRecipe, Recipe, recipe_of
from polytask.networks._recipe_json import recipe_from_dict, recipe_to_dict
from polytask.networks._task_product import TaskProduct
from polytask.networks.encoders import (
    MLP,
    FTTransformer,
    Periodic,
    PiecewiseLinear,
    ResNet,
    TableShape,
    embedding_of,
    embedding_text,
    encoder_of,
    encoder_text,
)
from polytask.networks.sharing import (
    CGC,
    ESMM,
    LTB,
    MTAN,
    PLE,
    STEM,
    AdaTT,
    CrossStitch,
    HardSharing,
    MMoE,
    NoSharing,
    Sluice,
    SoftSharing,
    TabM,
    TaskAdapters,
    sharing_names,
    sharing_of,
    sharing_text,
)

__all__ = [
    "CGC",
    "ESMM",
    "LTB",
    "MLP",
    "MTAN",
    "PLE",
    "STEM",
    "AdaTT",
    "CrossStitch",
    "FTTransformer",
    "HardSharing",
    "MMoE",
    "ModuleRecipe",
    "MultiTaskModule",
    "NoSharing",
    "Periodic",
    "PiecewiseLinear",
    "Recipe",
    "ResNet",
    "Sluice",
    "SoftSharing",
    "TabM",
    "TableShape",
    "TaskAdapters",
    "TaskProduct",
    "build_module",
    "embedding_of",
    "embedding_text",
    "encoder_of",
    "encoder_text",
    "input_columns",
    "output_slices",
    "recipe_from_dict",
    "recipe_of",
    "recipe_to_dict",
    "sharing_names",
    "sharing_of",
    "sharing_text",
    "target_slices",
]
