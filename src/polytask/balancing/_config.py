"""ConFIG: conflict-free inverse gradients."""

import numpy as np
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._solvers import as_weights, cosines_and_norms, independent_part, is_nearly_dependent


def config_weights(gramian: Tensor) -> Tensor:
    r"""Weigh gradients by the direction at the same angle to all of them, as long as their projections on it add up to.

    .. math:: u = \frac{U^{+} \mathbf 1}{\|U^{+} \mathbf 1\|}, \qquad d = \Big(\sum_t g_t^\top u\Big) u

    with the unit gradients as rows of :math:`U`. Where these are linearly independent no task conflicts with the direction.

    Parameters
    ----------
    gramian : Tensor of shape (n_tasks, n_tasks)
        Inner products of the tasks' gradients.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        A task whose gradient is zero gets 0.

    References
    ----------
    Liu et al., "ConFIG: Towards Conflict-free Training of Physics Informed Neural Networks", 2024. arXiv:2408.11104

    Examples
    --------
    >>> import torch
    >>> config_weights(torch.tensor([[1.0, 0.0], [0.0, 4.0]]))
    tensor([1.5000, 0.7500])
    """
    cosines, norms = cosines_and_norms(gramian)
    has_gradient = norms > 0
    values, vectors = independent_part(cosines)
    found = (vectors / values) @ vectors.T @ has_gradient.astype(np.float64)  # of the unit gradients
    squared = found @ cosines @ found
    if squared <= 1e-20:  # opposite gradients: their mean angle is none
        return as_weights(np.zeros(len(norms)), gramian)
    length = (norms * (cosines @ found)).sum() / squared
    return as_weights(np.divide(found * length, norms, out=np.zeros(len(norms)), where=has_gradient), gramian)


class ConFIG(BalancingMethod):
    """Conflict-free inverse gradients: one angle to all tasks; see :func:`config_weights`."""

    needs = frozenset({"gramian"})
    weights_last = True

    def asks_for_digits(self, gramian: Tensor) -> bool:
        """Whether gradients are nearly dependent."""
        return is_nearly_dependent(gramian)

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        assert seen.gramian is not None
        return config_weights(seen.gramian)
