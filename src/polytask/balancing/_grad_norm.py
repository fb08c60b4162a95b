"""GradNorm: gradient normalization."""

import torch
from torch import Tensor

from polytask.balancing._adam import adam_step
from polytask.balancing._method import BalancingMethod, Observed


def grad_norm_targets(norms: Tensor, weights: Tensor, ratios: Tensor, *, alpha: float = 1.5) -> Tensor:
    r"""Norms that the weighted gradients should have: equal, but longer for tasks that train slowly.

    .. math:: \|w_t g_t\| \to \overline{\|w g\|} \cdot r_t^\alpha, \qquad
        r_t = \frac{L_t / L_t^{(0)}}{\mathrm{mean}_s\, L_s / L_s^{(0)}}

    Parameters
    ----------
    norms : Tensor of shape (n_tasks,)
        Norms of the tasks' gradients.
    weights : Tensor of shape (n_tasks,)
    ratios : Tensor of shape (n_tasks,)
        Losses divided by those of the first step.
    alpha : float, default=1.5
        Strength of the pull towards one training rate; 0 makes all norms equal.

    Returns
    -------
    targets : Tensor of shape (n_tasks,)

    References
    ----------
    Chen et al., "GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep Multitask Networks", ICML 2018.
    arXiv:1711.02257

    Examples
    --------
    >>> grad_norm_targets(torch.tensor([1.0, 3.0]), torch.ones(2), torch.tensor([1.0, 1.0]))
    tensor([2., 2.])
    """
    return (weights * norms).mean() * (ratios / ratios.mean()) ** alpha


class GradNorm(BalancingMethod):
    """Weights that bring the tasks' gradients to one norm and their losses to one rate; see :func:`grad_norm_targets`.

    Norms are taken where ``backward`` balances: give it the last shared layer's parameters as ``shared_params``, as the paper
    does, or ``features``.

    DIFFERS FROM PAPER: parameters that are not balanced get the gradient of the plain sum; pass all shared parameters, or
    ``features``, for weights on the whole trunk.

    Parameters
    ----------
    alpha : float, default=1.5
    learning_rate : float > 0, default=0.025
        Of the weights, by Adam.
    """

    needs = frozenset({"losses", "gramian"})

    def __init__(self, *, alpha: float = 1.5, learning_rate: float = 0.025) -> None:
        super().__init__()
        if not 0 < learning_rate < float("inf"):
            raise ValueError(f"`learning_rate` of GradNorm must be positive; got {learning_rate}.")
        self.alpha = alpha
        self.learning_rate = learning_rate

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks], 1 on the mean; those before this step's update."""
        assert seen.gramian is not None
        losses = seen.losses.to(seen.gramian)
        first = self.recall("first", seen.tasks, default=losses)
        self.remember("first", seen.tasks, first)
        raw = self.recall("weights", seen.tasks, default=torch.ones_like(losses))
        weights = raw * len(raw) / raw.sum()
        norms = seen.gramian.diagonal().sqrt()
        ratios = losses / first.clamp(min=1e-12)
        targets = grad_norm_targets(norms, weights, ratios, alpha=self.alpha)
        slope = torch.sign(weights * norms - targets) * norms  # of sum |w n - target|, the target held
        moved = adam_step(self, "weights", seen.tasks, weights, slope, learning_rate=self.learning_rate).clamp(min=1e-4)
        self.remember("weights", seen.tasks, moved * len(moved) / moved.sum())
        return weights
