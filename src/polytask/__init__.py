"""Polytask: learn several things about the same subject at once, and see honestly whether it helped.

>>> import polytask
>>> polytask.MultiTaskPredictor(["price", "sold"]).targets
['price', 'sold']
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from polytask.automatic import MultiTaskPredictor, load
    from polytask.estimators import BestPerTask, MultiTaskNetwork, PerTaskEstimator
    from polytask.evaluation import compare, out_of_fold
    from polytask.tasks import Binary, Count, Multiclass, Multilabel, Ordinal, Regression

__all__ = [
    "BestPerTask",
    "Binary",
    "Count",
    "MultiTaskNetwork",
    "MultiTaskPredictor",
    "Multiclass",
    "Multilabel",
    "Ordinal",
    "PerTaskEstimator",
    "Regression",
    "compare",
    "load",
    "out_of_fold",
]

_ROOM_OF = {
    "automatic": ("MultiTaskPredictor", "load"),
    "estimators": ("BestPerTask", "MultiTaskNetwork", "PerTaskEstimator"),
    "evaluation": ("compare", "out_of_fold"),
    "tasks": ("Binary", "Count", "Multiclass", "Multilabel", "Ordinal", "Regression"),
}


def __getattr__(name: str) -> Any:
    """Import a name when it is used first, so that ``import polytask`` stays light."""
    from importlib import import_module

    for room, names in _ROOM_OF.items():
        if name in names:
            return getattr(import_module(f"polytask.{room}"), name)
    raise AttributeError(f"module 'polytask' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
