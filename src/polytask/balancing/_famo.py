"""FAMO: fast adaptive multitask optimization."""

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from polytask.balancing._adam import adam_step
from polytask.balancing._method import BalancingMethod, Observed


def famo_weights(losses: Tensor, logits: Tensor) -> Tensor:
    r"""Weigh tasks so that a mixture of the log losses falls.

    .. math:: w_t = \frac{z_t / L_t}{\sum_s z_s / L_s}, \qquad z = \mathrm{softmax}(\xi)

    Parameters
    ----------
    losses : Tensor of shape (n_tasks,)
        Positive: above the least values that losses can take.
    logits : Tensor of shape (n_tasks,)

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        In the simplex.

    References
    ----------
    Liu et al., "FAMO: Fast Adaptive Multitask Optimization", NeurIPS 2023. arXiv:2306.03792

    Examples
    --------
    >>> famo_weights(torch.tensor([1.0, 3.0]), torch.zeros(2))
    tensor([0.7500, 0.2500])
    """
    weights = torch.softmax(logits, dim=0) / losses
    return weights / weights.sum()


class FAMO(BalancingMethod):
    """Fast adaptive multitask optimization; see :func:`famo_weights`.

    After the optimizer's step give :meth:`after_step` the losses on the same batch; the training loop does. The logits then move
    so that the task whose log loss has fallen least counts for more.

    Parameters
    ----------
    learning_rate : float > 0, default=0.025
        Of the logits, by Adam.
    gamma : float >= 0, default=0.01
        Weight decay of the logits, which pulls weights back to equal.
    least_loss : float, default=0.0
        What losses cannot fall below; taken off before the logarithm.
    """

    needs = frozenset({"losses", "losses_after_step"})

    def __init__(self, *, learning_rate: float = 0.025, gamma: float = 0.01, least_loss: float = 0.0) -> None:
        super().__init__()
        if not 0 < learning_rate < float("inf") or not gamma >= 0:
            raise ValueError(f"`learning_rate` of FAMO must be > 0 and `gamma` >= 0; got {learning_rate} and {gamma}.")
        self.learning_rate = learning_rate
        self.gamma = gamma
        self.least_loss = least_loss

    def _above(self, losses: Tensor) -> Tensor:
        return (losses - self.least_loss).clamp(min=0) + 1e-8

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        self.memory.pop("before", None)  # only what is present now can be compared after the step
        self.remember("before", seen.tasks, seen.losses)
        logits = self.recall("logits", seen.tasks, default=torch.zeros_like(seen.losses))
        return famo_weights(self._above(seen.losses), logits)

    def after_step(self, losses: Tensor, *, tasks: Sequence[Hashable] | None = None) -> None:
        """Move the logits by how far each log loss has fallen.

        Parameters
        ----------
        losses : Tensor of shape (n_tasks,)
            On the batch of the step, with the parameters after it; entries of tasks that were absent are not read.
        tasks : sequence of hashable, optional
            Name of each entry, as in :func:`~polytask.balancing.backward`.
        """
        names = tuple(range(len(losses))) if tasks is None else tuple(tasks)
        before = self.memory.get("before", {})
        there = [k for k, name in enumerate(names) if name in before]
        if not there:
            return
        present = [names[k] for k in there]
        now = losses.detach()[there]
        old = torch.stack([before[name] for name in present]).to(now)
        logits = self.recall("logits", present, default=torch.zeros_like(now))
        fallen = self._above(old).log() - self._above(now).log()
        z = torch.softmax(logits, dim=0)
        gradient = z * (fallen - (z * fallen).sum())  # of softmax(logits) . fallen
        adam_step(self, "logits", present, logits, gradient, learning_rate=self.learning_rate, weight_decay=self.gamma)
        self.memory.pop("before", None)
