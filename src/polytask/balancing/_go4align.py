"""GO4Align: group optimization for multi-task alignment."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed


def go4align_weights(losses: Tensor, log_indicators: Tensor, *, n_groups: int = 2) -> Tensor:
    r"""Weigh tasks in groups whose weighted losses would be alike.

    .. math:: w_t = p_t \frac{\sum_s L_s}{L_t}, \qquad p = \mathrm{softmax}(\text{log indicators})

    and every task takes the mean of its group, from k-means of the numbers :math:`w_t`.

    Parameters
    ----------
    losses : Tensor of shape (n_tasks,)
        Positive.
    log_indicators : Tensor of shape (n_tasks,)
        Minus the learning rate times the losses added up over the steps.
    n_groups : int, default=2
        As many groups as there are tasks, if these are fewer.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)

    References
    ----------
    Shen et al., "GO4Align: Group Optimization for Multi-Task Alignment", NeurIPS 2024. arXiv:2404.06486

    Examples
    --------
    >>> go4align_weights(torch.tensor([1.0, 1.1, 5.0]), torch.zeros(3))
    tensor([2.2591, 2.2591, 0.4733])
    """
    wanted = torch.softmax(log_indicators, dim=0) * losses.sum() / losses
    groups = _groups(wanted.detach().to("cpu", torch.float64).numpy(), min(n_groups, len(losses)))
    # DIFFERS FROM PAPER: the best grouping of numbers on a line, where the authors' k-means depends on its start
    return torch.stack([wanted[groups == group].mean() for group in groups]).to(losses)


def _groups(values: NDArray[np.float64], n_groups: int) -> NDArray[np.int64]:
    """Group of each number, for the least sum of squares within groups: by dynamic programming over sorted numbers."""
    n = len(values)
    order = np.argsort(values, kind="stable")
    first, second = (np.concatenate([[0.0], np.cumsum(values[order] ** power)]) for power in (1, 2))
    size = np.arange(n + 1) - np.arange(n + 1)[:, None]  # of a group from start (row) to end (column)
    spread = np.maximum((second - second[:, None]) - (first - first[:, None]) ** 2 / np.maximum(size, 1), 0.0)
    spread[size <= 0] = np.inf
    best = np.where(np.arange(n + 1) == 0, 0.0, np.inf)  # of the numbers up to an end, in so many groups
    cuts = []
    for _ in range(n_groups):
        costs = best[:, None] + spread
        cuts.append(costs.argmin(axis=0))
        best = costs.min(axis=0)
    groups, end = np.zeros(n, dtype=np.int64), n
    for group in range(n_groups - 1, -1, -1):
        start = int(cuts[group][end])
        groups[order[start:end]] = group
        end = start
    return groups


class GO4Align(BalancingMethod):
    """Group optimization for alignment: tasks of a group share one weight; see :func:`go4align_weights`.

    Experimental: after the authors' description and code, not checked against another implementation.

    Parameters
    ----------
    n_groups : int >= 1, default=2
    learning_rate : float >= 0, default=0.0001
        Of the indicators: how much weight a task loses for the losses that it has had.
    """

    experimental = True

    def __init__(self, *, n_groups: int = 2, learning_rate: float = 1e-4) -> None:
        super().__init__()
        if not n_groups >= 1 or not 0 <= learning_rate < float("inf"):
            raise ValueError(f"`n_groups` of GO4Align must be >= 1 and `learning_rate` >= 0; got {n_groups} and {learning_rate}.")
        self.n_groups = n_groups
        self.learning_rate = learning_rate

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        losses = seen.losses.double().clamp(min=1e-12)
        kept = self.recall("log_indicators", seen.tasks, default=torch.zeros((), dtype=torch.float64))
        indicators = kept - self.learning_rate * losses
        self.remember("log_indicators", seen.tasks, indicators)
        return go4align_weights(losses, indicators, n_groups=self.n_groups)
