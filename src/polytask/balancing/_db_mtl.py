"""DB-MTL: dual-balancing."""

import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._row_memory import recall_rows
from polytask.balancing._scale_invariant import check_not_negative


def db_mtl_weights(norms: Tensor) -> Tensor:
    r"""Bring all gradients to the norm of the longest one: :math:`w_t = \max_s \|g_s\| / \|g_t\|`.

    Parameters
    ----------
    norms : Tensor of shape (n_tasks,)
        Norms of the gradients of the log losses.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        At least 1; 0 for a gradient of zeros.

    References
    ----------
    Lin et al., "Dual-Balancing for Multi-Task Learning", 2023. arXiv:2308.12029

    Examples
    --------
    >>> db_mtl_weights(torch.tensor([1.0, 4.0, 0.0]))
    tensor([4., 1., 0.])
    """
    return torch.where(norms > 0, norms.max() / norms, 0.0)


class DBMTL(BalancingMethod):
    r"""Dual-balancing: log losses, and running means of their gradients brought to one norm; see :func:`db_mtl_weights`.

    Experimental: checked against the paper's formulas written out, not against another implementation.

    The running mean of the gradient of :math:`\log L_t` is :math:`\hat g_t \leftarrow \beta_k \hat g_t + (1 - \beta_k) g_t / L_t`
    with :math:`\beta_k = \beta / k^\sigma` in the k-th step of the task; the direction is :math:`\sum_t w_t \hat g_t`. Keeps one
    gradient for each task.
    DIFFERS FROM PAPER: each head gets the gradient of its loss, not of the logarithm of it; the two differ by a positive factor.

    Parameters
    ----------
    beta : float in [0, 1), default=0.9
    beta_decay : float >= 0, default=0.5
        The exponent :math:`\sigma`.
    eps : float > 0, default=1e-8
        Added to losses, which must not be negative.
    """

    needs = frozenset({"losses", "jacobian", "jacobian_state"})
    experimental = True

    def __init__(self, *, beta: float = 0.9, beta_decay: float = 0.5, eps: float = 1e-8) -> None:
        super().__init__()
        if not 0 <= beta < 1 or not beta_decay >= 0 or not eps > 0:
            raise ValueError(
                f"`beta` of DBMTL must be in [0, 1), `beta_decay` >= 0 and `eps` > 0; got {beta}, {beta_decay} and {eps}."
            )
        self.beta = beta
        self.beta_decay = beta_decay
        self.eps = eps

    def forward(self, seen: Observed) -> Tensor:
        """Direction [n_parameters]."""
        assert seen.jacobian is not None
        check_not_negative(seen.losses, "DBMTL")
        steps = self.recall("steps", seen.tasks, default=torch.zeros((), dtype=torch.float64)) + 1
        self.remember("steps", seen.tasks, steps)
        beta = (self.beta / steps**self.beta_decay).to(seen.jacobian)[:, None]
        mean = beta * recall_rows(self, "mean", seen) + (1 - beta) * seen.jacobian / (seen.losses[:, None] + self.eps)
        self.remember("mean", seen.tasks, mean)
        return db_mtl_weights(mean.norm(dim=1)) @ mean
