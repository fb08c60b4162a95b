"""Losses that a user writes as one function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from polytask.exceptions import OptionError
from polytask.losses._class_loss import ClassLoss
from polytask.losses._number_loss import Array, NumberLoss

LossFunction = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class OwnNumberLoss(NumberLoss):
    """A user's function of predictions and labels, both in the unit of the label.

    Parameters
    ----------
    function : callable
        ``function(preds, target)``, two tensors [..., n, 1], gives the loss of every label [..., n, 1]: finite and >= 0.

    Examples
    --------
    >>> def too_low_costs_triple(preds, target):
    ...     return torch.where(preds < target, 3.0, 1.0) * (preds - target).abs()
    >>> loss = OwnNumberLoss(too_low_costs_triple)
    >>> loss.best_constant(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.ones(5))  # the 0.75 quantile
    4.0
    """

    function: LossFunction
    name: ClassVar[str] = "own"

    @property
    def statistic(self) -> str:  # type: ignore[override]
        """What is predicted."""
        return f"least {self.metric_name}"

    @property
    def metric_name(self) -> str:
        """Name of the function."""
        return function_name(self.function)

    @property
    def title(self) -> str:
        """Name of the function."""
        return self.metric_name

    def per_label(self, preds: Tensor, target: Tensor) -> Tensor:
        """Call the function."""
        return _called(self.function, preds, target)

    def per_standardized_label(self, preds: Tensor, target: Tensor, *, center: float, scale: float) -> Tensor:
        """Call the function in the unit of the label."""
        return self.per_label(preds * scale + center, target * scale + center)

    def row_losses(self, target: Array, outputs: Array) -> Array:
        """Loss of every row; refuses negative ones, of which no skill can be made."""
        losses = super().row_losses(target, outputs)
        if np.nanmin(losses, initial=0.0) < 0:
            raise OptionError(
                f"The loss {self.metric_name!r} must be >= 0; got {np.nanmin(losses):g}. Add what makes 0 its least."
            )
        return losses

    def to_dict(self) -> dict[str, Any]:
        """The name of the function; the function itself must be given at load."""
        return {"function": self.metric_name, "of": "number"}


@dataclass(frozen=True)
class OwnClassLoss(ClassLoss):
    """A user's function of raw outputs and class codes.

    Parameters
    ----------
    function : callable
        ``function(outputs, target)`` gives one finite loss per label [..., n, n_targets]. Outputs are logits [..., n, 1] for a
        binary task, [..., n, n_classes] for a multiclass, [..., n, n_labels] for a multilabel one, and a score with raw
        thresholds [..., n, n_levels] for an ordinal one. Targets are [..., n, 1] codes, or [..., n, n_labels] of 0 and 1.
    """

    function: LossFunction
    name: ClassVar[str] = "own"

    @property
    def title(self) -> str:
        """Name of the function."""
        return function_name(self.function)

    def of_log_probabilities(self, log_probabilities: Tensor, target: Tensor) -> Tensor:
        """Not needed: the function takes raw outputs."""
        raise NotImplementedError("A loss of your own takes raw outputs.")

    def binary(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Call the function."""
        return _called(self.function, outputs, target)

    multiclass = ordered = binary

    def to_dict(self) -> dict[str, Any]:
        """The name of the function; the function itself must be given at load."""
        return {"function": self.title}


def function_name(function: Any) -> str:
    """Name under which a user's function is told and stored."""
    return str(getattr(function, "__name__", type(function).__name__))


def _called(function: LossFunction, preds: Tensor, target: Tensor) -> Tensor:
    losses = function(preds, target)
    if not torch.is_tensor(losses) or (losses.shape != target.shape and losses.shape != preds.shape[:-1] + target.shape[-1:]):
        got = f"shape {tuple(losses.shape)}" if torch.is_tensor(losses) else repr(losses)
        raise OptionError(
            f"The loss {function_name(function)!r} must give one loss per label, a tensor of shape {tuple(target.shape)}; "
            f"got {got}. Take no mean in it: missing labels and weights are applied afterwards."
        )
    return losses
