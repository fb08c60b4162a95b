"""PCGrad: projecting conflicting gradients."""

import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed


def pcgrad_weights(gramian: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
    r"""Weigh gradients so that each is projected off the others that it conflicts with.

    Of every task's gradient, in a random order of the other tasks, the part that points against another is taken away:
    :math:`g_i \leftarrow g_i - \frac{g_i^\top g_j}{\|g_j\|^2} g_j` wherever :math:`g_i^\top g_j < 0`; the results are added up.
    All of it can be said in inner products, so that the gradients themselves are not needed.

    Parameters
    ----------
    gramian : Tensor of shape (n_tasks, n_tasks)
        Inner products of the tasks' gradients.
    generator : torch.Generator, optional
        Draws the order of projections, on the CPU; the global one by default.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        At least 1 each.

    References
    ----------
    Yu et al., "Gradient Surgery for Multi-Task Learning", NeurIPS 2020. arXiv:2001.06782

    Examples
    --------
    >>> pcgrad_weights(torch.tensor([[1.0, -0.5], [-0.5, 1.0]]))
    tensor([1.5000, 1.5000])
    """
    n_tasks = len(gramian)
    weights = torch.eye(n_tasks, dtype=gramian.dtype, device=gramian.device)  # row i: the projected gradient of task i
    norms = gramian.diagonal()
    scale = torch.where(norms > 0, 1 / norms, 0.0)
    orders = torch.stack([torch.randperm(n_tasks, generator=generator) for _ in range(n_tasks)]).to(gramian.device)
    rows = torch.arange(n_tasks, device=gramian.device)
    for others in orders.T:  # all tasks take their next projection at once
        inner = (weights * gramian[others]).sum(1)  # [T]: the gradient of i as it is now, with that of its next j
        step = torch.where((inner < 0) & (others != rows), -inner * scale[others], 0.0)
        weights[rows, others] += step
    return weights.sum(0)


class PCGrad(BalancingMethod):
    """Gradient surgery: conflicting gradients are projected off each other; see :func:`pcgrad_weights`.

    Parameters
    ----------
    random_state : int, default=0
        Seed of the order of projections.
    """

    needs = frozenset({"gramian"})
    weights_last = True

    def __init__(self, *, random_state: int = 0) -> None:
        super().__init__(random_state=random_state)

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        assert seen.gramian is not None
        return pcgrad_weights(seen.gramian, generator=self.generator)
