"""What may differ between networks that are trained as one stack."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from polytask._parts import is_matrix, part_of
from polytask.exceptions import OptionError
from polytask.optim import Adam, optimizers_of
from polytask.training._settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Replica:
    """Settings of one network of a stack, such as one trial of a search; None for those that all have.

    Parameters
    ----------
    learning_rate : float > 0, optional
    weight_decay : float >= 0, optional
    dropout : float in [0, 1), optional
        Of the encoder: for what builds the networks, such as the jobs of an estimator. :func:`~polytask.training.fit` gets them
        built, each with its own rate, and refuses it.

    Examples
    --------
    >>> Replica(learning_rate=0.01)
    Replica(learning_rate=0.01, weight_decay=None, dropout=None)
    """

    learning_rate: float | None = None
    weight_decay: float | None = None
    dropout: float | None = None

    def __post_init__(self) -> None:
        rate, decay, share = self.learning_rate, self.weight_decay, self.dropout
        if rate is not None and not (isinstance(rate, int | float | np.number) and 0 < rate < math.inf):
            raise OptionError(f"`learning_rate` of a Replica must be positive and finite; got {rate!r}.")
        if decay is not None and not (isinstance(decay, int | float | np.number) and 0 <= decay < math.inf):
            raise OptionError(f"`weight_decay` of a Replica must be >= 0 and finite; got {decay!r}.")
        if share is not None and not (isinstance(share, int | float | np.number) and 0 <= share < 1):
            raise OptionError(f"`dropout` of a Replica must be in [0, 1); got {share!r}.")

    def of(self, settings: TrainingSettings) -> TrainingSettings:
        """The settings of a network that is trained alone."""
        own: dict[str, Any] = {"learning_rate": self.learning_rate, "weight_decay": self.weight_decay}
        return replace(settings, **{name: value for name, value in own.items() if value is not None})


class OwnRates:
    """Learning rates and weight decays of the networks of a stack.

    The optimizer runs with the largest rate and without decay. Every step is a multiple of its learning rate, so of that of each
    network a share is made; decay follows.

    Attributes
    ----------
    settings : TrainingSettings
        For the optimizer.
    shares, decays : Tensor of shape (R,)
        Rate as a share of the largest one; decay.
    """

    def __init__(self, replicas: Sequence[Replica], settings: TrainingSettings) -> None:
        chosen = optimizers_of(settings.optimizer)
        for name in ("learning_rate", "weight_decay"):
            if any(getattr(own, name) is not None for own in replicas) and any(
                getattr(own, name) is not None for own in chosen.values()
            ):
                raise OptionError(
                    f"Networks of a stack cannot have a `{name}` of their own where `optimizer` names one. Leave it out there."
                )
        every = [own.of(settings) for own in replicas]
        rates = torch.tensor([float(own.learning_rate) for own in every], dtype=torch.float64)
        self.shares = (rates / rates.max()).float()
        self.decays = torch.tensor([float(own.weight_decay) for own in every])
        self.settings = replace(settings, learning_rate=float(rates.max()), weight_decay=0.0)
        self._in_gradient = {part for part, own in chosen.items() if isinstance(own, Adam)}
        self._left = {part for part, own in chosen.items() if own.weight_decay is not None}

    def keep(self, kept: Tensor) -> None:
        """Go on with some of the networks only."""
        self.shares, self.decays = self.shares[kept.cpu()], self.decays[kept.cpu()]

    @torch.no_grad()
    def decay_gradients_(self, parameters: Mapping[str, Tensor]) -> None:
        """Add decayed weights to the gradients, for optimizers whose decay is a part of these."""
        for name, p in parameters.items():
            if part_of(name) in self._in_gradient and self._is_decayed(name) and p.grad is not None:
                p.grad.add_(p * _beside(self.decays, p))

    @torch.no_grad()
    def decay_(self, name: str, p: Tensor, before: Tensor, *, rate: float, share: Tensor) -> None:
        """Subtract the decay of what a parameter was before the step, at a learning rate of which ``share`` is made."""
        if part_of(name) not in self._in_gradient and self._is_decayed(name):
            p.addcmul_(before, share * _beside(self.decays, p), value=-rate)

    def _is_decayed(self, name: str) -> bool:
        return is_matrix(name) and part_of(name) not in self._left


def _beside(values: Tensor, p: Tensor) -> Tensor:
    """Values [R] in the shape that multiplies a stacked parameter [R, ...]."""
    return values.to(p).reshape(-1, *[1] * (p.dim() - 1))
