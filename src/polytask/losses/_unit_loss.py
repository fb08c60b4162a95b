"""Losses that turn from a square into a line at a distance that is counted in a unit of the labels."""

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Self

from torch import Tensor

from polytask.exceptions import OptionError
from polytask.losses._number_loss import NumberLoss


@dataclass(frozen=True)
class UnitLoss(NumberLoss):
    """What Huber's loss and log-cosh share: the distance ``delta``, and the unit that it is in.

    Parameters
    ----------
    delta : float > 0, default=1.0
    unit : float > 0, optional
        By default the robust spread of the training labels.
    """

    delta: float = 1.0
    unit: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("delta", self.delta), ("unit", 1.0 if self.unit is None else self.unit)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                raise OptionError(f"`{name}` of {type(self).__name__} must be positive and finite; got {value!r}.")

    @abstractmethod
    def beyond(self, preds: Tensor, target: Tensor, *, delta: float) -> Tensor:
        """Losses per label that turn into a line at ``delta``."""

    @property
    def threshold(self) -> float:
        """Where the square turns into the line, in the unit of the label."""
        return self.delta * (1.0 if self.unit is None else self.unit)

    @property
    def needs_unit(self) -> bool:
        """Unless it is given."""
        return self.unit is None

    def in_unit(self, unit: float) -> Self:
        """The same with this unit, unless one is given."""
        return self if self.unit is not None else replace(self, unit=unit)

    def per_label(self, preds: Tensor, target: Tensor) -> Tensor:
        """Losses in the unit of the label."""
        return self.beyond(preds, target, delta=self.threshold)

    def per_standardized_label(self, preds: Tensor, target: Tensor, *, center: float, scale: float) -> Tensor:
        """The same in units of ``scale``, so that no square overflows."""
        return self.beyond(preds, target, delta=self.threshold / scale)
