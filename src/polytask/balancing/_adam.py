"""Adam for the few numbers that a balancing method learns itself, one per task, whose tasks come and go."""

from collections.abc import Hashable, Sequence
from typing import Literal

import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod

Start = Literal["zero", "first_loss"]


def adam_step(
    method: BalancingMethod,
    name: str,
    tasks: Sequence[Hashable],
    values: Tensor,
    gradient: Tensor,
    *,
    learning_rate: float,
    weight_decay: float = 0.0,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> Tensor:
    """One step of Adam (Kingma & Ba 2015; weight decay added to the gradient) for these tasks; each counts its own steps.

    The moments are kept in the method's memory under ``name``; so is the result, under ``name`` itself.
    """
    zero = torch.zeros_like(values)
    gradient = gradient + weight_decay * values
    first = betas[0] * method.recall(f"{name}.first", tasks, default=zero) + (1 - betas[0]) * gradient
    second = betas[1] * method.recall(f"{name}.second", tasks, default=zero) + (1 - betas[1]) * gradient**2
    steps = method.recall(f"{name}.steps", tasks, default=zero) + 1
    corrected = (second / (1 - betas[1] ** steps)).sqrt() + eps
    found = values - learning_rate * first / (1 - betas[0] ** steps) / corrected
    for part, value in (("", found), (".first", first), (".second", second), (".steps", steps)):
        method.remember(f"{name}{part}", tasks, value)
    return found


def checked_start(start: str, *, name: str) -> Start:
    """Where the numbers of a method start, if it is a choice there is."""
    if start not in ("zero", "first_loss"):
        raise ValueError(f"`start` of {name} must be 'zero' or 'first_loss'; got {start!r}.")
    return start  # type: ignore[return-value]


def log_start(start: Start, losses: Tensor) -> Tensor:
    """Where the logs of scales start [n_tasks]: at 0, or at those of the losses; 0 for a loss that has no log."""
    return losses.clamp(min=0).log().nan_to_num(neginf=0.0) if start == "first_loss" else torch.zeros_like(losses)
