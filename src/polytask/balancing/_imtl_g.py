"""IMTL-G: impartial multi-task learning, gradient balance."""

import numpy as np
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._solvers import as_weights, cosines_and_norms, eigen

_RANK = 1e-12  # eigenvalues below this share of the largest one are rounding


def imtl_g_weights(gramian: Tensor) -> Tensor:
    r"""Weigh gradients so that the direction has the same projection on each of them.

    .. math:: d = \sum_t w_t g_t, \qquad d^\top g_t / \|g_t\| \text{ equal for all } t, \qquad \sum_t w_t = 1

    Parameters
    ----------
    gramian : Tensor of shape (n_tasks, n_tasks)
        Inner products of the tasks' gradients.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        Summing to 1; may be negative. Where gradients are linearly dependent, those of least squares. A task whose gradient is
        zero gets 0.

    References
    ----------
    Liu et al., "Towards Impartial Multi-task Learning", ICLR 2021.

    Examples
    --------
    >>> import torch
    >>> imtl_g_weights(torch.tensor([[1.0, 0.0], [0.0, 4.0]]))
    tensor([0.6667, 0.3333])
    """
    cosines, norms = cosines_and_norms(gramian)
    has_gradient = norms > 0
    if not has_gradient.any():
        return as_weights(np.full(len(norms), 1 / len(norms)), gramian)
    values, vectors = eigen(cosines)
    kept = np.abs(values) > _RANK * np.abs(values).max()
    found = vectors[:, kept] @ ((has_gradient @ vectors[:, kept]) / values[kept])  # the pseudo-inverse, times ones
    weights = np.divide(found * norms[has_gradient].min(), norms, out=np.zeros(len(norms)), where=has_gradient)
    total = weights.sum()
    if abs(total) <= 1e-12 * np.abs(weights).sum():  # opposite gradients: no direction has equal projections
        return as_weights(has_gradient / has_gradient.sum(), gramian)
    return as_weights(weights / total, gramian)


class IMTLG(BalancingMethod):
    """Impartial gradients: equal projections on all tasks; see :func:`imtl_g_weights`."""

    needs = frozenset({"gramian"})
    weights_last = True

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        assert seen.gramian is not None
        return imtl_g_weights(seen.gramian)
