"""PCGrad: projecting conflicting gradients."""

import numpy as np
import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._solvers import as_weights, two_without_conflict


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
    orders = torch.rand(n_tasks, n_tasks, dtype=torch.float64, generator=generator)
    if n_tasks == 2:  # where there is one order only; something is drawn, so that more tasks get theirs whenever they come
        return as_weights(two_without_conflict(gramian), gramian)
    inner = gramian.detach().to("cpu", torch.float64).numpy()
    norms = inner.diagonal()
    scale = np.divide(1.0, norms, out=np.zeros(n_tasks), where=norms > 0)
    weights = np.eye(n_tasks)  # row i: the projected gradient of task i
    products = inner.copy()  # of the gradient of i as it is now, with that of j
    rows = np.arange(n_tasks)
    for others in orders.argsort(1).T.numpy():  # all tasks take their next projection at once
        product = products[rows, others]
        hit = np.flatnonzero((product < 0) & (others != rows))
        step, other = -product[hit] * scale[others[hit]], others[hit]
        weights[hit, other] += step
        products[hit] += step[:, None] * inner[other]
    return as_weights(weights.sum(0), gramian)


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
