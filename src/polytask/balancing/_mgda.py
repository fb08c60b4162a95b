"""MGDA: multiple-gradient descent algorithm."""

from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._solvers import as_weights, cosines_and_norms, min_norm_of_two, min_norm_weights


def mgda_weights(gramian: Tensor) -> Tensor:
    r"""Weigh gradients by the point of least norm in their convex hull.

    .. math:: w = \arg\min_{w \ge 0,\ \sum_t w_t = 1} \Big\| \sum_t w_t g_t \Big\|^2

    The point makes no task worse; it is zero where no direction improves all tasks (Pareto stationary). Solved exactly by an
    active-set method, where the paper's Frank-Wolfe steps come near only. A gradient of exactly zero is such a point as well:
    that task gets all the weight, and nobody moves. Mark it absent, by a ``label_weight`` of 0, where the others are to go on.

    Parameters
    ----------
    gramian : Tensor of shape (n_tasks, n_tasks)
        Inner products of the tasks' gradients.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        In the simplex. A short gradient gets more weight: scale the losses, or the gradients, to one unit first.

    References
    ----------
    Desideri, "Multiple-gradient descent algorithm (MGDA) for multiobjective optimization", Comptes Rendus 350, 2012.
    Sener & Koltun, "Multi-Task Learning as Multi-Objective Optimization", NeurIPS 2018. arXiv:1810.04650

    Examples
    --------
    >>> import torch
    >>> mgda_weights(torch.tensor([[1.0, 0.0], [0.0, 3.0]]))
    tensor([0.7500, 0.2500])
    """
    if len(gramian) == 2:
        return as_weights(min_norm_of_two(gramian), gramian)
    return as_weights(min_norm_weights(*cosines_and_norms(gramian)), gramian)


class MGDA(BalancingMethod):
    """Multiple-gradient descent: the gradient of least norm; see :func:`mgda_weights`.

    Parameters
    ----------
    normalize : {None, "l2", "loss", "loss+"}, default=None
        What gradients are divided by before (Sener & Koltun): their norms, the losses, or both.
    """

    needs = frozenset({"gramian"})
    weights_last = True

    def __init__(self, *, normalize: str | None = None) -> None:
        super().__init__()
        if normalize not in (None, "l2", "loss", "loss+"):
            raise ValueError(f"`normalize` of MGDA must be None, 'l2', 'loss' or 'loss+'; got {normalize!r}.")
        self.normalize = normalize

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]; of the gradients as given, so that the direction is that of the normalized ones."""
        assert seen.gramian is not None
        if self.normalize is None:
            return mgda_weights(seen.gramian)
        scale = seen.gramian.new_ones(len(seen.tasks))
        if self.normalize in ("l2", "loss+"):
            scale = scale * seen.gramian.diagonal().sqrt()
        if self.normalize in ("loss", "loss+"):
            scale = scale * seen.losses.abs().to(scale)
        scale = scale.where(scale > 0, 1.0)
        return mgda_weights(seen.gramian / scale[:, None] / scale) / scale
