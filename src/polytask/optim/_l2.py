"""L2: decoupled decay of the weights of a part."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from polytask.exceptions import OptionError
from polytask.optim._regularizers import Rates, Regularizer


class L2(Regularizer):
    r"""Decoupled weight decay of a part: its weights are multiplied before each step of the optimizer.

    .. math:: w \leftarrow (1 - \eta_t \lambda) \, w

    with the strength :math:`\lambda` and the learning rate :math:`\eta_t` of the part at this step. So ``L2(0.01, on="all")``
    with an optimizer without decay is AdamW's decay of 0.01. It comes on top of the optimizer's ``weight_decay``, which is of all
    parts, and is no part of the loss: epochs are compared without it. Where the learning rate of a task or network is another,
    such as after a :class:`Plateau`, the decay is by that; heads and towers of tasks that have stopped stay as they are.

    Parameters
    ----------
    strength : float >= 0, default=1e-2
    on : {"shared", "encoder", "sharing", "heads", "all"}, default="shared"

    References
    ----------
    Loshchilov & Hutter, "Decoupled Weight Decay Regularization", ICLR 2019. arXiv:1711.05101

    Examples
    --------
    >>> L2(0.1, on="heads")
    L2(strength=0.1, on='heads')
    """

    def __init__(self, strength: float = 1e-2, *, on: str = "shared") -> None:
        self.strength = strength
        self.on = on
        self._check()

    def check_rates(self, parameters: Mapping[str, Tensor], rates: Callable[[str], float]) -> None:
        """Refuse a decay by which weights would pass 0."""
        rate = max(map(rates, self._own(parameters)), default=0.0)
        if self.strength * rate >= 1:
            raise OptionError(
                f"L2 decays weights by the learning rate times its strength in each step, here {rate:g} times {self.strength:g}, "
                f"which must be below 1. Take a `strength` below {1 / rate:g}, or a lower `learning_rate`."
            )

    def decay_(self, parameters: Mapping[str, Tensor], rates: Rates) -> None:
        """Multiply the weights of the part; rates in shapes that are broadcast to the parameters."""
        with torch.no_grad():
            for name, p in self._own(parameters).items():
                p.mul_(1 - self.strength * rates(name))
