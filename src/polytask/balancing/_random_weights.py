"""RLW and RGW: random loss and gradient weighting."""

import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed


def random_weights(n_tasks: int, *, generator: torch.Generator | None = None) -> Tensor:
    """Softmax of independent standard normal numbers.

    Parameters
    ----------
    n_tasks : int
    generator : torch.Generator, optional
        On the CPU; the global one by default.

    Returns
    -------
    weights : float64 Tensor of shape (n_tasks,)
        In the simplex, equal on average.

    References
    ----------
    Lin et al., "Reasonable Effectiveness of Random Weighting: A Litmus Test for Multi-Task Learning", TMLR 2022.
    arXiv:2111.10603

    Examples
    --------
    >>> round(float(random_weights(3, generator=torch.Generator().manual_seed(0)).sum()), 6)
    1.0
    """
    return torch.softmax(torch.randn(n_tasks, generator=generator, dtype=torch.float64), dim=0)


class RLW(BalancingMethod):
    """Random loss weighting: every step draws weights of the losses, heads included; see :func:`random_weights`.

    Parameters
    ----------
    random_state : int, default=0
    """

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        return random_weights(len(seen.tasks), generator=self.generator).to(seen.losses)


class RGW(BalancingMethod):
    """Random gradient weighting: weights of the shared gradients only, each head learns from its own loss as it is.

    See :func:`random_weights`.

    Parameters
    ----------
    random_state : int, default=0
    """

    needs = frozenset({"gramian"})

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        assert seen.gramian is not None
        return random_weights(len(seen.tasks), generator=self.generator).to(seen.gramian)
