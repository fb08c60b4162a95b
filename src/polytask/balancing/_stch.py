"""STCH: smooth Tchebycheff scalarization."""

from collections.abc import Hashable, Mapping

import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed


def stch_weights(losses: Tensor, preference: Tensor, *, ideal: Tensor | float = 0.0, mu: float = 0.1) -> Tensor:
    r"""Weigh tasks by the slope of the smooth greatest of the weighted losses.

    .. math:: g(L) = \mu \log \sum_t \exp\!\big(\lambda_t (L_t - z_t) / \mu\big), \qquad
        w_t = \lambda_t \, \mathrm{softmax}_t\big(\lambda (L - z) / \mu\big)

    Unlike a weighted sum, its minima reach every point of a front, concave parts among them.

    Parameters
    ----------
    losses : Tensor of shape (n_tasks,)
    preference : Tensor of shape (n_tasks,)
        Positive, summing to 1.
    ideal : Tensor of shape (n_tasks,) or float, default=0.0
        Least values of the losses.
    mu : float > 0, default=0.1
        Smoothness, in the unit of the losses; towards 0 only the worst task counts.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)

    References
    ----------
    Lin et al., "Smooth Tchebycheff Scalarization for Multi-Objective Optimization", ICML 2024. arXiv:2402.19078

    Examples
    --------
    >>> stch_weights(torch.tensor([1.0, 1.0]), torch.tensor([0.25, 0.75]), mu=1.0)
    tensor([0.0944, 0.4668])
    """
    return preference * torch.softmax(preference * (losses - ideal) / mu, dim=0)


class STCH(BalancingMethod):
    """Smooth Tchebycheff scalarization; see :func:`stch_weights`. Losses should be on one scale.

    Parameters
    ----------
    mu : float > 0, default=0.1
    preference : mapping from task to float > 0, optional
        Equal by default; rescaled to sum to 1 over the tasks present.
    ideal : mapping from task to float, optional
        Least value of each loss; 0 by default.
    """

    by_task = ("preference", "ideal")

    def __init__(
        self,
        *,
        mu: float = 0.1,
        preference: Mapping[Hashable, float] | None = None,
        ideal: Mapping[Hashable, float] | None = None,
    ) -> None:
        super().__init__()
        if not mu > 0:
            raise ValueError(f"`mu` of STCH must be positive; got {mu}.")
        if preference is not None and not all(value > 0 for value in preference.values()):
            raise ValueError(f"`preference` of STCH must be positive; got {dict(preference)}.")
        self.mu = mu
        self.preference = None if preference is None else dict(preference)
        self.ideal = dict(ideal or {})

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks], times the number of tasks, so that equal losses and preferences give 1 / n_tasks each."""
        given = self.preference or {}
        preference = seen.losses.new_tensor([given.get(task, 1.0) for task in seen.tasks])
        ideal = seen.losses.new_tensor([self.ideal.get(task, 0.0) for task in seen.tasks])
        preference = preference / preference.sum()
        return stch_weights(seen.losses, preference, ideal=ideal, mu=self.mu) * len(seen.tasks)
