"""ExcessMTL: robust multi-task learning with excess risks."""

import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._row_memory import recall_rows


def excess_risks(jacobian: Tensor, squared: Tensor, *, eps: float = 1e-7) -> Tensor:
    r"""Estimate how far every task is from the best that it can reach: :math:`\hat e_t = g_t^\top H_t^{-1} g_t`.

    :math:`H_t` is the diagonal that Adagrad keeps, the root of the sum of all squared gradients so far.

    Parameters
    ----------
    jacobian : Tensor of shape (n_tasks, n_parameters)
        The tasks' gradients as rows.
    squared : Tensor of shape (n_tasks, n_parameters)
        Sums of their squares, those of this step included.
    eps : float, default=1e-7
        Added under the root.

    Returns
    -------
    risks : Tensor of shape (n_tasks,)
        At least 0.

    References
    ----------
    He et al., "Robust Multi-Task Learning with Excess Risks", ICML 2024. arXiv:2402.02009

    Examples
    --------
    >>> excess_risks(torch.tensor([[3.0, 4.0]]), torch.tensor([[9.0, 16.0]]))
    tensor([7.0000])
    """
    return (jacobian**2 / (squared + eps).sqrt()).sum(1)


class ExcessMTL(BalancingMethod):
    r"""Weights grow with the excess risk, not with the loss, so that label noise draws no weight; see :func:`excess_risks`.

    In every step :math:`w_t \propto w_t \exp(\eta\, \hat e_t / \hat e_t^{(0)})`, with the excess risk of the first steps as unit.
    Keeps a sum of squared gradients for each task.
    DIFFERS FROM PAPER: the weights are those of the shared gradients; each head learns from its own loss as it is.

    Parameters
    ----------
    learning_rate : float > 0, default=0.01
        The step :math:`\eta` of the weights.
    warmup : int >= 1, default=1
        Steps of a task over which its unit is taken; weights stay equal for so long. The paper takes three epochs.
    """

    needs = frozenset({"jacobian", "jacobian_state"})

    def __init__(self, *, learning_rate: float = 0.01, warmup: int = 1) -> None:
        super().__init__()
        if not 0 < learning_rate < float("inf") or not warmup >= 1:
            raise ValueError(f"`learning_rate` of ExcessMTL must be > 0 and `warmup` >= 1; got {learning_rate} and {warmup}.")
        self.learning_rate = learning_rate
        self.warmup = warmup

    def forward(self, seen: Observed) -> Tensor:
        """Direction [n_parameters]: the gradients mixed by weights in the simplex."""
        assert seen.jacobian is not None
        squared = recall_rows(self, "squared", seen) + seen.jacobian**2
        self.remember("squared", seen.tasks, squared)
        risks = excess_risks(seen.jacobian, squared).double()
        zero = torch.zeros((), dtype=torch.float64)
        steps = self.recall("steps", seen.tasks, default=zero) + 1
        unit = self.recall("unit", seen.tasks, default=zero)
        log_weights = self.recall("log_weights", seen.tasks, default=zero)
        ready = steps > self.warmup
        relative = torch.where(unit > 0, risks / torch.where(unit > 0, unit, 1.0), 1.0)  # a task that began at rest has no unit
        log_weights = log_weights + torch.where(ready, self.learning_rate * relative, 0.0)
        self.remember("steps", seen.tasks, steps)
        self.remember("unit", seen.tasks, torch.where(ready, unit, unit + risks / self.warmup))
        self.remember("log_weights", seen.tasks, log_weights)
        return torch.softmax(log_weights, dim=0).to(seen.jacobian) @ seen.jacobian
