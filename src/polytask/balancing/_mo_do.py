"""MoDo: multi-objective gradient with double sampling."""

from abc import abstractmethod

import torch
from torch import Tensor

from polytask.balancing._ahead import Ahead
from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._mo_co import mo_co_weights


class DoubleSampling(BalancingMethod):
    """Weights [n_tasks] in the simplex, moved by inner products between the gradients of two independent batches.

    The product of two independent gradients has no noise in common, and so is right on average; that of one batch with itself,
    which other methods use, is too large. A task that is absent from one of the two batches keeps its weight.
    """

    needs = frozenset({"gramian", "extra_batches"})
    n_batches = 3
    by_name = False

    def look_ahead(self, ahead: Ahead) -> None:
        """Move the weights by the second and the third batch."""
        first, in_first = ahead.jacobian(1)
        second, in_second = ahead.jacobian(2)
        there = torch.nonzero(in_first & in_second).ravel()
        names = [ahead.tasks[k] for k in there.tolist()]
        n_tasks = len(ahead.tasks)
        weights = self.recall("weights", names, default=torch.tensor(1 / n_tasks, dtype=torch.float64)) if names else None
        if weights is None or not bool(weights.sum() > 0):
            return
        total = weights.sum()
        products = (first[there] @ second[there].T).double().cpu()
        self.remember("weights", names, self.moved(weights / total, products) * total)

    @abstractmethod
    def moved(self, weights: Tensor, products: Tensor) -> Tensor:
        """Weights after this step."""

    def present(self, seen: Observed) -> Tensor:
        """Weights of the tasks in the batch that is learned from, summing to 1."""
        assert seen.gramian is not None
        n_tasks = len(seen.tasks)
        weights = self.recall("weights", seen.tasks, default=torch.tensor(1 / n_tasks, dtype=torch.float64))
        total = weights.sum()
        return (weights / total if bool(total > 0) else torch.full_like(weights, 1 / n_tasks)).to(seen.gramian)


class MoDo(DoubleSampling):
    r"""Multi-objective gradient with double sampling: through :func:`~polytask.balancing.step`, with three batches.

    .. math:: \lambda \leftarrow \Pi_\Delta\big(\lambda - \gamma (J_1 J_2^\top + \rho I) \lambda\big), \qquad
        d = \sum_t \lambda_t g_t

    with the gradients :math:`J_1, J_2` of the second and the third batch, and :math:`g_t` of the first.
    DIFFERS FROM PAPER: the weights are those of the shared gradients; each head learns from its own loss as it is.

    Parameters
    ----------
    gamma : float > 0, default=0.1
        Step of the weights.
    rho : float >= 0, default=0.0
        Pull towards equal weights.

    References
    ----------
    Chen et al., "Three-Way Trade-Off in Multi-Objective Learning: Optimization, Generalization and Conflict-Avoidance",
    NeurIPS 2023. arXiv:2305.20057
    """

    def __init__(self, *, gamma: float = 0.1, rho: float = 0.0) -> None:
        super().__init__()
        if not gamma > 0 or not rho >= 0:
            raise ValueError(f"`gamma` of MoDo must be > 0 and `rho` >= 0; got {gamma} and {rho}.")
        self.gamma = gamma
        self.rho = rho

    def moved(self, weights: Tensor, products: Tensor) -> Tensor:
        """Weights after this step."""
        return mo_co_weights(weights, products, step_size=self.gamma, rho=self.rho)

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        return self.present(seen)
