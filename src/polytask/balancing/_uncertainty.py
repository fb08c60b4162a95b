"""Uncertainty weighting."""

import torch
from torch import Tensor

from polytask.balancing._adam import Start, adam_step, checked_start, log_start
from polytask.balancing._method import BalancingMethod, Observed


def uncertainty_weights(log_variance: Tensor) -> Tensor:
    r"""Weigh tasks by the noise that is learned for each.

    .. math:: L = \sum_t \tfrac12 e^{-s_t} L_t + \tfrac12 s_t, \qquad s_t = \log \sigma_t^2

    Parameters
    ----------
    log_variance : Tensor of shape (n_tasks,)

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        Positive.

    References
    ----------
    Kendall, Gal & Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses", CVPR 2018. arXiv:1705.07115

    Examples
    --------
    >>> uncertainty_weights(torch.tensor([0.0, 2.0]))
    tensor([0.5000, 0.0677])
    """
    return torch.exp(-log_variance) / 2


class Uncertainty(BalancingMethod):
    """Weights of learned task noise; see :func:`uncertainty_weights`.

    The log variances start at 0 and follow the loss by Adam: their rest point is ``s = log L``.

    DIFFERS FROM PAPER: the variances have an optimizer of their own, so that the model's settings do not act on them; the
    paper's factor of 1 for cross-entropy is 1/2 here as for all losses, which moves ``s`` by log 2 only.

    Parameters
    ----------
    learning_rate : float > 0, default=0.01
    start : {"zero", "first_loss"}, default="zero"
        Where the log variance of a task starts: at 0, as in the paper, or at the log of its first loss, where it would rest were
        that loss kept. Then units do not count from the first step on.
    """

    def __init__(self, *, learning_rate: float = 0.01, start: Start = "zero") -> None:
        super().__init__()
        if not 0 < learning_rate < float("inf"):
            raise ValueError(f"`learning_rate` of Uncertainty must be positive; got {learning_rate}.")
        self.learning_rate = learning_rate
        self.start = checked_start(start, name="Uncertainty")

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks] of the variances before this step's update."""
        s = self.recall("log_variance", seen.tasks, default=log_start(self.start, seen.losses))
        weights = uncertainty_weights(s)
        adam_step(self, "log_variance", seen.tasks, s, 0.5 - weights * seen.losses, learning_rate=self.learning_rate)
        return weights
