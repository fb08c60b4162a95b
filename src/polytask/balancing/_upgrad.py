"""UPGrad: unconflicting projection of gradients."""

import numpy as np
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._solvers import as_weights, cosines_and_norms, nonnegative_quadratics, two_without_conflict


def upgrad_weights(gramian: Tensor) -> Tensor:
    r"""Weigh gradients by the mean of their projections onto the cone of directions that harm no task.

    .. math:: d = \frac1T \sum_t \pi_J(g_t), \qquad \pi_J(g) = \arg\min_{d:\ J d \ge 0} \|d - g\|

    Each projection is :math:`g_t + J^\top u` with :math:`u \ge 0` from an exact quadratic program.

    Parameters
    ----------
    gramian : Tensor of shape (n_tasks, n_tasks)
        Inner products of the tasks' gradients.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        At least ``1 / n_tasks`` each.

    References
    ----------
    Quinton & Rey, "Jacobian Descent for Multi-Objective Optimization", 2024. arXiv:2406.16232

    Examples
    --------
    >>> import torch
    >>> upgrad_weights(torch.tensor([[1.0, -0.5], [-0.5, 1.0]]))
    tensor([0.7500, 0.7500])
    """
    if len(gramian) == 2:
        return as_weights([w / 2 for w in two_without_conflict(gramian)], gramian)
    cosines, norms = cosines_and_norms(gramian)
    n_tasks, weights = len(norms), np.ones(len(norms))
    conflicted = np.flatnonzero(cosines.min(1) < 0)  # the others conflict with none: they are their own projections
    if len(conflicted):
        found = nonnegative_quadratics(cosines, -cosines[conflicted])  # in units of the gradient of the task
        weights += np.divide(norms[conflicted] @ found, norms, out=np.zeros(n_tasks), where=norms > 0)
    return as_weights(weights / n_tasks, gramian)


class UPGrad(BalancingMethod):
    """Mean of the gradients' projections onto the cone where no task gets worse; see :func:`upgrad_weights`."""

    needs = frozenset({"gramian"})
    weights_last = True

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        assert seen.gramian is not None
        return upgrad_weights(seen.gramian)
