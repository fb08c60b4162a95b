"""CR-MOGM: correlation-reduced multi-objective gradient manipulation."""

from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._mgda import MGDA
from polytask.exceptions import OptionError


def cr_mogm_weights(previous: Tensor, found: Tensor, *, alpha: float = 0.9) -> Tensor:
    r"""Smooth the weights that a method finds from step to step: :math:`w = \alpha w_{k-1} + (1 - \alpha) \hat w_k`.

    Weights that depend on the noise of the same batch as the gradients bias the step; smoothing makes them depend on it less.

    Parameters
    ----------
    previous, found : Tensor of shape (n_tasks,)
        Smoothed weights of the step before, and those that the method gives now.
    alpha : float, default=0.9
        In [0, 1]; 0 is the method itself.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)

    References
    ----------
    Zhou et al., "On the Convergence of Stochastic Multi-Objective Gradient Manipulation and Beyond", NeurIPS 2022.

    Examples
    --------
    >>> cr_mogm_weights(torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0]), alpha=0.5)
    tensor([0.7500, 0.2500])
    """
    return alpha * previous + (1 - alpha) * found


class CRMOGM(BalancingMethod):
    """Weights of another method, smoothed over steps; see :func:`cr_mogm_weights`.

    A task that is seen for the first time starts with the weight that the method gives it. Weights are smoothed as they are:
    take a method whose weights are on one scale from step to step, such as MGDA.

    Parameters
    ----------
    method : BalancingMethod, default=MGDA()
        One that gives weights, not a direction.
    alpha : float in [0, 1], default=0.9
        DIFFERS FROM PAPER: constant; the paper lets it grow to 1 as the learning rate falls. Set it between steps for that.
    """

    def __init__(self, method: BalancingMethod | None = None, *, alpha: float = 0.9) -> None:
        super().__init__()
        method = MGDA() if method is None else method
        if "jacobian" in method.needs:
            raise OptionError(f"CRMOGM smooths weights; {type(method).__name__} gives a direction. Use it without CRMOGM.")
        if "second_forward" in method.needs:
            raise OptionError(
                f"CRMOGM cannot smooth {type(method).__name__}, which makes its gradients itself: put CRMOGM inside it."
            )
        if not 0 <= alpha <= 1:
            raise ValueError(f"`alpha` of CRMOGM must be in [0, 1]; got {alpha}.")
        self.method = method
        self.alpha = alpha

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """Those of the method inside."""
        return self.method.needs

    @property
    def n_batches(self) -> int:  # type: ignore[override]
        """As many as the method inside takes."""
        return self.method.n_batches

    def look_ahead(self, ahead: Any) -> Any:
        """Pass on to the method inside."""
        return self.method.look_ahead(ahead)

    def asks_for_digits(self, gramian: Tensor) -> bool:
        """As the method inside."""
        return self.method.asks_for_digits(gramian)

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        found = self.method(seen).to(torch.float64)
        weights = cr_mogm_weights(self.recall("weights", seen.tasks, default=found), found, alpha=self.alpha)
        self.remember("weights", seen.tasks, weights)
        return weights

    def after_step(self, losses: Tensor, *, tasks: Sequence[Hashable] | None = None) -> None:
        """Pass on to the method inside."""
        self.method.after_step(losses, tasks=tasks)

    def end_epoch(self, losses: Tensor, *, tasks: Sequence[Hashable] | None = None) -> None:
        """Pass on to the method inside."""
        self.method.end_epoch(losses, tasks=tasks)
