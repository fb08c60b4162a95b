"""What every optimizer by name is: settings, and a function of parameters to an optimizer of torch."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from polytask._parts import is_matrix
from polytask._settings import NamedSettings
from polytask.exceptions import OptionError


class Optimizer(NamedSettings, ABC):
    """Settings of an optimizer.

    Attributes
    ----------
    elementwise : bool
        Whether the step of each number depends on its own gradients only. Then many networks can be trained as one stack; if
        not they are trained one after another.
    usual_rate : float or None
        The learning rate where neither it nor the network names one; None for the network's, which is made for AdamW and its kin.
    """

    elementwise: ClassVar[bool] = True
    usual_rate: ClassVar[float | None] = None
    learning_rate: float | None
    weight_decay: float | None

    @abstractmethod
    def build(
        self, parameters: Mapping[str, Tensor], *, learning_rate: float, weight_decay: float, part: str
    ) -> list[torch.optim.Optimizer]:
        """Make optimizers that together move these parameters, of one part of a network."""

    def moves(self, parameters: Mapping[str, Tensor], *, part: str) -> bool:
        """Whether there is anything among these parameters that it moves as its name says."""
        return bool(parameters)

    def _check(self) -> None:
        """Refuse settings out of their range."""
        for name, value in self.get_params(deep=False).items():
            if name == "ns_steps":
                is_right, must = isinstance(value, int) and value >= 1, "a whole number >= 1"
            elif name in ("nesterov", "centered"):
                is_right, must = isinstance(value, bool), "True or False"
            elif name in ("learning_rate", "eps"):
                is_right, must = (value is None and name != "eps") or _is_number(value, above=0), "positive"
            elif name == "weight_decay":
                is_right, must = value is None or (_is_number(value) and value >= 0), ">= 0"
            else:
                is_right, must = _is_number(value) and 0 <= value < 1, "in [0, 1)"
            if not is_right:
                raise OptionError(f"`{name}` of {type(self).__name__} must be {must}; got {value!r}.")


class SimpleOptimizer(Optimizer):
    """One optimizer of torch for all parameters; matrices are decayed apart: ``p -= lr * decay * p`` before the step."""

    def build(
        self, parameters: Mapping[str, Tensor], *, learning_rate: float, weight_decay: float, part: str
    ) -> list[torch.optim.Optimizer]:
        """Make the optimizer; see :class:`Optimizer`."""
        rate = learning_rate if self.learning_rate is None else self.learning_rate
        decay = weight_decay if self.weight_decay is None else self.weight_decay
        own = {
            name: value for name, value in self.get_params(deep=False).items() if name not in ("learning_rate", "weight_decay")
        }
        return [self._of_torch(_groups(parameters, decoupled_decay=decay), lr=rate, settings=own)]

    @abstractmethod
    def _of_torch(self, groups: list[dict[str, Any]], *, lr: float, settings: dict[str, Any]) -> torch.optim.Optimizer:
        """The optimizer of torch over these groups, without decay."""


def _groups(parameters: Mapping[str, Tensor], **of_matrices: float) -> list[dict[str, Any]]:
    """Decayed parameters and those that are not, each a group if there are any."""
    matrices = [p for name, p in parameters.items() if is_matrix(name)]
    others = [p for name, p in parameters.items() if not is_matrix(name)]
    groups: list[dict[str, Any]] = [{"params": matrices, **of_matrices}, {"params": others, **dict.fromkeys(of_matrices, 0.0)}]
    return [group for group in groups if group["params"]]


def _is_number(value: Any, *, above: float = -math.inf) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and above < value < math.inf
