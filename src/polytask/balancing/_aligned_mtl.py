"""Aligned-MTL: independent component alignment."""

import numpy as np
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._solvers import as_weights, cosines_and_norms, independent_part, is_nearly_dependent


def aligned_mtl_weights(gramian: Tensor) -> Tensor:
    r"""Weigh gradients so that the system of them is orthogonal, each principal component as long as the shortest.

    .. math:: w = \sqrt{\lambda_{\min}}\, V \Lambda^{-1/2} V^\top \tfrac{\mathbf 1}{T}, \qquad J J^\top = V \Lambda V^\top

    over the eigenvalues that are not zero, so that the condition number of the gradients becomes 1.

    Parameters
    ----------
    gramian : Tensor of shape (n_tasks, n_tasks)
        Inner products of the tasks' gradients.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        For equal importance of the tasks, ``1 / n_tasks`` each.

    References
    ----------
    Senushkin et al., "Independent Component Alignment for Multi-Task Learning", CVPR 2023. arXiv:2305.19000

    Examples
    --------
    >>> import torch
    >>> aligned_mtl_weights(torch.tensor([[1.0, 0.0], [0.0, 4.0]]))
    tensor([0.5000, 0.2500])
    """
    cosines, norms = cosines_and_norms(gramian)
    n_tasks, largest = len(norms), norms.max()
    if largest == 0:
        return as_weights(np.full(n_tasks, 1 / n_tasks), gramian)
    values, vectors = independent_part(cosines)
    root = (norms / largest)[:, None] * vectors * np.sqrt(values)  # the Gramian is root @ root.T, without what is rounding
    vectors, lengths, _ = np.linalg.svd(root, full_matrices=False)
    kept = lengths > lengths[0] * n_tasks * np.finfo(np.float64).eps
    vectors, lengths = vectors[:, kept], lengths[kept]
    return as_weights(vectors @ (lengths[-1] / lengths * vectors.mean(axis=0)), gramian)


class AlignedMTL(BalancingMethod):
    """Gradients made orthogonal and equally long; see :func:`aligned_mtl_weights`."""

    needs = frozenset({"gramian"})
    weights_last = True

    def asks_for_digits(self, gramian: Tensor) -> bool:
        """Whether gradients are nearly dependent."""
        return is_nearly_dependent(gramian)

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        assert seen.gramian is not None
        return aligned_mtl_weights(seen.gramian)
