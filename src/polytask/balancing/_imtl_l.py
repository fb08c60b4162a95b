"""IMTL-L: impartial multi-task learning, loss balance."""

from torch import Tensor

from polytask.balancing._adam import Start, adam_step, checked_start, log_start
from polytask.balancing._method import BalancingMethod, Observed


def imtl_l_weights(log_scale: Tensor) -> Tensor:
    r"""Weigh losses by learned scales that bring them to one size.

    .. math:: L = \sum_t e^{s_t} L_t - s_t

    Parameters
    ----------
    log_scale : Tensor of shape (n_tasks,)

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        Positive; at rest ``1 / L``.

    References
    ----------
    Liu et al., "Towards Impartial Multi-task Learning", ICLR 2021.

    Examples
    --------
    >>> import torch
    >>> imtl_l_weights(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return log_scale.exp()


class IMTLL(BalancingMethod):
    """Learned scales that bring all losses to 1; see :func:`imtl_l_weights`.

    DIFFERS FROM PAPER: the scales have an Adam optimizer of their own instead of the model's.

    Parameters
    ----------
    learning_rate : float > 0, default=0.01
    start : {"zero", "first_loss"}, default="zero"
        Where the log scale of a task starts: at 0, as in the paper, or where its first loss becomes 1. Then units do not count
        from the first step on.
    """

    def __init__(self, *, learning_rate: float = 0.01, start: Start = "zero") -> None:
        super().__init__()
        if not 0 < learning_rate < float("inf"):
            raise ValueError(f"`learning_rate` of IMTLL must be positive; got {learning_rate}.")
        self.learning_rate = learning_rate
        self.start = checked_start(start, name="IMTLL")

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks] of the scales before this step's update."""
        s = self.recall("log_scale", seen.tasks, default=-log_start(self.start, seen.losses))
        weights = imtl_l_weights(s)
        adam_step(self, "log_scale", seen.tasks, s, weights * seen.losses - 1, learning_rate=self.learning_rate)
        return weights
