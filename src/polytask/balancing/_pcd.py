"""PCD: priority-constrained descent."""

from collections.abc import Hashable, Mapping

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._solvers import Matrix, as_weights, cosines_and_norms, square_root


def pcd_weights(gramian: Tensor, scales: Tensor, *, primary: int = 0, tau: float | Tensor = 0.02) -> Tensor:
    r"""Weigh gradients by the direction nearest to that of the primary task at which the others get a share of progress.

    .. math:: \tilde d = \arg\min_d \tfrac12 \|d - \tilde g_1\|^2 \quad \text{s.t.} \quad
        \tilde g_j^\top d \ge \tau_j \|\tilde g_j\|^2, \qquad \tilde g_t = s_t g_t, \qquad
        d = \|g_1\| \tilde d / \|\tilde d\|

    Solved exactly as a least-distance problem by nonnegative least squares (Lawson & Hanson 1974).

    Parameters
    ----------
    gramian : Tensor of shape (n_tasks, n_tasks)
        Inner products of the tasks' gradients.
    scales : Tensor of shape (n_tasks,)
        What brings gradients to one size, positive.
    primary : int, default=0
        Row of the primary task.
    tau : float or Tensor of shape (n_tasks,), default=0.02
        Share of the progress that a step along its own gradient would give, in [0, 1]; the entry of the primary task is not read.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        Of the primary gradient alone if the constraints contradict each other; all 0 if the primary gradient is 0.

    References
    ----------
    "Not All Objectives Are Born Equal: Priority-Constrained Descent for Hierarchical Multi-Objective Optimization", TMLR 2026.
    arXiv:2606.29521

    Examples
    --------
    >>> pcd_weights(torch.tensor([[1.0, -0.5], [-0.5, 1.0]]), torch.ones(2), tau=0.0)
    tensor([1.1547, 0.5774])
    """
    cosines, norms = cosines_and_norms(gramian)
    n_tasks = len(norms)
    if norms[primary] == 0:
        return as_weights(np.zeros(n_tasks), gramian)
    lengths = norms * scales.detach().to("cpu", torch.float64).numpy()  # of the gradients as they are compared
    shares = np.broadcast_to(tau.detach().cpu().numpy() if isinstance(tau, Tensor) else np.float64(tau), (n_tasks,))
    others = (np.arange(n_tasks) != primary) & (norms > 0)
    pull = _multipliers(cosines[np.ix_(others, others)], (shares * lengths - cosines[primary] * lengths[primary])[others])
    units = np.zeros(n_tasks)  # the direction, of unit gradients
    units[others] = pull
    units[primary] = lengths[primary]
    length = np.sqrt(max(float(units @ cosines @ units), 0.0))
    if length <= 1e-9 * np.abs(units).sum():  # the constraints leave no direction
        return as_weights(np.zeros(n_tasks), gramian)
    return as_weights(np.divide(units * norms[primary] / length, norms, out=np.zeros(n_tasks), where=norms > 0), gramian)


def _multipliers(cosines: Matrix, missing: Matrix) -> Matrix:
    """Multipliers >= 0 of the least step ``x = sum_j m_j u_j`` with ``u_j'x >= missing_j`` for unit u_j; 0 if there is none."""
    if not (missing > 0).any():
        return np.zeros(len(missing))
    unit = float(np.abs(missing).max())
    root = square_root(cosines)
    system = np.vstack([root, missing / unit])
    target = np.zeros(len(system))
    target[-1] = 1.0
    found, distance = nnls(system, target, maxiter=30 * len(missing))
    rest = 1.0 - float(missing @ found) / unit
    if distance <= 1e-9 or rest <= 1e-12:  # the constraints contradict each other
        return np.zeros(len(missing))
    return found * unit / rest


class PCD(BalancingMethod):
    """Priority-constrained descent: one task leads, the others get a share of progress; see :func:`pcd_weights`.

    Gradients are compared in units of their running norm, so that ``tau`` means the same for every task. A batch without the
    primary task moves no shared parameter.

    Parameters
    ----------
    primary : hashable
        Name of the task that leads.
    tau : float in [0, 1] or mapping from task to float, default=0.02
        Share of progress that each of the others gets; one that a mapping does not name has 0.02.
    beta : float in [0, 1), default=0.999
        Decay of the running mean of squared norms.
    eps : float >= 0, default=1e-8
        Added to it.
    """

    needs = frozenset({"gramian"})
    by_task = ("tau",)

    def __init__(
        self,
        *,
        primary: Hashable,
        tau: float | Mapping[Hashable, float] = 0.02,
        beta: float = 0.999,
        eps: float = 1e-8,
    ) -> None:
        super().__init__()
        given = list(tau.values()) if isinstance(tau, Mapping) else [tau]
        if not all(0 <= value <= 1 for value in given) or not 0 <= beta < 1 or not eps >= 0:
            raise ValueError(f"`tau` of PCD must be in [0, 1], `beta` in [0, 1) and `eps` >= 0; got {tau}, {beta} and {eps}.")
        self.primary = primary
        self.tau = tau
        self.beta = beta
        self.eps = eps

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        assert seen.gramian is not None
        squared = seen.gramian.diagonal()
        zero = torch.zeros_like(squared)
        steps = self.recall("steps", seen.tasks, default=zero) + 1
        mean = self.beta * self.recall("squared_norm", seen.tasks, default=zero) + (1 - self.beta) * squared
        self.remember("steps", seen.tasks, steps)
        self.remember("squared_norm", seen.tasks, mean)
        if self.primary not in seen.tasks:
            return zero
        size = (mean / (1 - self.beta**steps) + self.eps).sqrt()
        given = self.tau if isinstance(self.tau, Mapping) else dict.fromkeys(seen.tasks, self.tau)
        tau = squared.new_tensor([given.get(task, 0.02) for task in seen.tasks])
        scales = torch.where(size > 0, 1 / size, 1.0)
        return pcd_weights(seen.gramian, scales, primary=seen.tasks.index(self.primary), tau=tau)
