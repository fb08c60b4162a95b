"""GradVac: gradient vaccine."""

from typing import Any

import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed

_LEAST_SINE = 1e-3


def grad_vac_weights(
    gramian: Tensor, targets: Tensor, *, beta: float = 0.01, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    r"""Weigh gradients so that each is turned towards the others until their cosines are as large as they used to be.

    Every task's gradient visits the others in a random order. Where its cosine :math:`\phi` with :math:`g_j` is below the target
    :math:`\hat\phi`, it becomes

    .. math:: g_i \leftarrow g_i + \frac{\|g_i\| \big(\hat\phi \sqrt{1 - \phi^2} - \phi \sqrt{1 - \hat\phi^2}\big)}
        {\|g_j\| \sqrt{1 - \hat\phi^2}}\, g_j

    and the target moves by :math:`\hat\phi \leftarrow (1 - \beta) \hat\phi + \beta \phi`. The results are added up. Targets of 0
    that never move are PCGrad.

    Parameters
    ----------
    gramian : Tensor of shape (n_tasks, n_tasks)
        Inner products of the tasks' gradients.
    targets : Tensor of shape (n_tasks, n_tasks)
        Cosines to reach, in [-1, 1]; row i for the gradient of task i as it visits the others.
    beta : float, default=0.01
        How fast targets follow what is seen, in [0, 1].
    generator : torch.Generator, optional
        Draws the order of visits, on the CPU; the global one by default.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
    targets : Tensor of shape (n_tasks, n_tasks)
        Of the next step.

    References
    ----------
    Wang et al., "Gradient Vaccine: Investigating and Improving Multi-task Optimization in Massively Multilingual Models",
    ICLR 2021. arXiv:2010.05874

    Examples
    --------
    >>> weights, targets = grad_vac_weights(torch.tensor([[1.0, -0.5], [-0.5, 1.0]]), torch.zeros(2, 2))
    >>> weights
    tensor([1.5000, 1.5000])
    >>> targets
    tensor([[ 0.0000, -0.0050],
            [-0.0050,  0.0000]])
    """
    n_tasks = len(gramian)
    norms = gramian.diagonal().clamp(min=0).sqrt()
    safe = torch.where(norms > 0, norms, 1.0)
    cosines = gramian / safe[:, None] / safe
    found = torch.diag(
        (norms > 0).to(gramian)
    )  # [T, T]: row i is the gradient of task i, of unit gradients, in units of its own norm
    targets = targets.clone()
    orders = torch.rand(n_tasks, n_tasks, dtype=torch.float64, generator=generator).argsort(1).to(gramian.device)
    rows = torch.arange(n_tasks, device=gramian.device)
    for others in orders.T:  # all tasks make their next visit at once
        length = (found @ cosines * found).sum(1).clamp(min=0).sqrt()
        cosine = torch.where(length > 0, (found * cosines[others]).sum(1) / torch.where(length > 0, length, 1.0), 0.0)
        cosine = cosine.clamp(-1, 1)
        seen = (others != rows) & (norms > 0) & (norms[others] > 0)
        target = targets[rows, others]
        # DIFFERS FROM PAPER: the sine of the target is at least 1e-3; gradients that used to be one ask for an infinite turn
        sine = (1 - target**2).clamp(min=0).sqrt()
        turn = length * (target * (1 - cosine**2).sqrt() - cosine * sine) / sine.clamp(min=_LEAST_SINE)
        found[rows, others] += torch.where(seen & (cosine < target), turn, 0.0)
        targets[rows, others] = torch.where(seen, (1 - beta) * target + beta * cosine, target)
    weights = (norms @ found) / safe
    return torch.where(norms > 0, weights, 1.0), targets


class GradVac(BalancingMethod):
    """Gradient vaccine: cosines between gradients are kept as large as they used to be; see :func:`grad_vac_weights`.

    Targets are kept for every pair of tasks, by name.

    Parameters
    ----------
    beta : float in [0, 1], default=0.01
        How fast targets follow what is seen.
    random_state : int, default=0
        Seed of the order of visits.
    """

    needs = frozenset({"gramian"})

    def __init__(self, *, beta: float = 0.01, random_state: int = 0) -> None:
        super().__init__(random_state=random_state)
        if not 0 <= beta <= 1:
            raise ValueError(f"`beta` of GradVac must be in [0, 1]; got {beta}.")
        self.beta = beta

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        assert seen.gramian is not None
        known: Any
        known, kept = next(iter(self.memory.get("targets", {}).items()), ((), seen.gramian.new_zeros(0, 0)))
        new = [task for task in seen.tasks if task not in known]
        if new:
            kept = torch.nn.functional.pad(kept, (0, len(new), 0, len(new)))
            known = (*known, *new)
        rows = torch.tensor([known.index(task) for task in seen.tasks])
        weights, targets = grad_vac_weights(
            seen.gramian, kept.to(seen.gramian)[rows][:, rows], beta=self.beta, generator=self.generator
        )
        kept = kept.to(targets).clone()
        kept[rows[:, None], rows] = targets
        self.memory["targets"] = {known: kept}  # one matrix, of all tasks seen so far
        return weights
