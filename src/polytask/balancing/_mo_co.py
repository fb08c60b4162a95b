"""MoCo: multi-objective gradient correction."""

import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._row_memory import recall_rows
from polytask.balancing._simplex import project_to_simplex


def mo_co_weights(weights: Tensor, gramian: Tensor, *, step_size: float, rho: float = 0.0) -> Tensor:
    r"""One projected step of the weights towards the shortest mixture of the gradients.

    .. math:: \lambda \leftarrow \Pi_\Delta\big(\lambda - \gamma (Y Y^\top + \rho I) \lambda\big)

    Parameters
    ----------
    weights : Tensor of shape (n_tasks,)
        In the simplex.
    gramian : Tensor of shape (n_tasks, n_tasks)
        Inner products of the tracked gradients, the rows of Y.
    step_size : float
        The step :math:`\gamma`.
    rho : float, default=0.0
        Pull towards equal weights.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        In the simplex.

    References
    ----------
    Fernando et al., "Mitigating Gradient Bias in Multi-objective Learning: A Provably Convergent Approach", ICLR 2023.

    Examples
    --------
    >>> mo_co_weights(torch.tensor([0.5, 0.5]), torch.tensor([[1.0, 0.0], [0.0, 3.0]]), step_size=0.1)
    tensor([0.5500, 0.4500])
    """
    return project_to_simplex(weights - step_size * (gramian @ weights + rho * weights))


class MoCo(BalancingMethod):
    r"""Multi-objective gradient correction: tracked gradients, mixed by weights that follow; see :func:`mo_co_weights`.

    Experimental: checked against the paper's algorithm written out, not against another implementation.

    A running mean of every task's gradient, :math:`y_t \leftarrow y_t - \beta_k (y_t - g_t)`, takes away the bias that weights
    from the gradients of one small batch have. The direction is :math:`\sum_t \lambda_t y_t`. Keeps one gradient for each task.
    DIFFERS FROM PAPER: running means are not projected onto a ball.

    Parameters
    ----------
    beta, beta_decay : float, default=0.5
        The running mean moves by ``beta / k ** beta_decay`` in step k.
    gamma : float, default=0.1
    gamma_decay : float, default=0.5
        The weights move by ``gamma / k ** gamma_decay``.
    rho : float >= 0, default=0.0
        Pull of the weights towards equal ones.
    normalize : bool, default=False
        Track gradients divided by their norm and multiplied by their loss, as the authors' code does; the paper does not.
    """

    needs = frozenset({"losses", "jacobian", "jacobian_state"})
    experimental = True

    def __init__(
        self,
        *,
        beta: float = 0.5,
        beta_decay: float = 0.5,
        gamma: float = 0.1,
        gamma_decay: float = 0.5,
        rho: float = 0.0,
        normalize: bool = False,
    ) -> None:
        super().__init__()
        if not 0 < beta <= 1 or not gamma > 0 or not rho >= 0:
            raise ValueError(f"`beta` of MoCo must be in (0, 1], `gamma` > 0 and `rho` >= 0; got {beta}, {gamma} and {rho}.")
        self.beta = beta
        self.beta_decay = beta_decay
        self.gamma = gamma
        self.gamma_decay = gamma_decay
        self.rho = rho
        self.normalize = normalize

    def forward(self, seen: Observed) -> Tensor:
        """Direction [n_parameters]."""
        assert seen.jacobian is not None
        n_steps = int(self.recall("steps", ("",), default=torch.zeros(()))) + 1
        self.remember("steps", ("",), torch.tensor([float(n_steps)]))
        rows = seen.jacobian
        if self.normalize:
            norms = rows.norm(dim=1, keepdim=True)
            rows = rows * torch.where(norms > 0, seen.losses[:, None].to(rows) / norms, 0.0)
        kept = recall_rows(self, "tracked", seen)
        tracked = kept + self.beta / n_steps**self.beta_decay * (rows - kept)
        self.remember("tracked", seen.tasks, tracked)
        n_tasks = len(seen.tasks)
        weights = self.recall("weights", seen.tasks, default=torch.full((n_tasks,), 1 / n_tasks, dtype=torch.float64))
        gramian = (tracked @ tracked.T).to(weights)
        step_size = self.gamma / n_steps**self.gamma_decay
        weights = mo_co_weights(weights / weights.sum().clamp(min=1e-12), gramian, step_size=step_size, rho=self.rho)
        self.remember("weights", seen.tasks, weights)
        return weights.to(tracked) @ tracked
