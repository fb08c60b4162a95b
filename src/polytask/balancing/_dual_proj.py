"""DualProj: projection of the mean gradient onto the dual cone, as in gradient episodic memory (GEM)."""

import numpy as np
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._solvers import as_weights, cosines_and_norms, nonnegative_quadratic


def dual_proj_weights(gramian: Tensor) -> Tensor:
    r"""Weigh gradients by the projection of their mean onto the cone of directions that harm no task.

    .. math:: d = \arg\min_{d:\ J d \ge 0} \|d - \bar g\|

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
    Lopez-Paz & Ranzato, "Gradient Episodic Memory for Continual Learning", NeurIPS 2017. arXiv:1706.08840

    Examples
    --------
    >>> import torch
    >>> dual_proj_weights(torch.tensor([[1.0, -2.0], [-2.0, 16.0]]))
    tensor([1.0000, 0.5000])
    """
    cosines, norms = cosines_and_norms(gramian)
    n_tasks, largest = len(norms), max(norms.max(), 1e-300)
    mean = norms / largest / n_tasks  # of unit gradients, in units of the largest
    found = nonnegative_quadratic(cosines, -cosines @ mean)
    extra = np.divide(found * largest, norms, out=np.zeros(n_tasks), where=norms > 0)
    return as_weights(1 / n_tasks + extra, gramian)


class DualProj(BalancingMethod):
    """The mean gradient, projected onto the cone where no task gets worse; see :func:`dual_proj_weights`."""

    needs = frozenset({"gramian"})
    weights_last = True

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        assert seen.gramian is not None
        return dual_proj_weights(seen.gramian)
