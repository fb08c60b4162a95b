"""MOML: multi-objective meta learning of the task weights."""

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from polytask.balancing._adam import adam_step
from polytask.balancing._ahead import Ahead
from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._mgda import mgda_weights


class MOML(BalancingMethod):
    r"""Weights that make a training step good for all tasks on held-out rows: through :func:`~polytask.balancing.step`.

    Experimental: checked against automatic differentiation through the step, not against another implementation.

    With weights :math:`w = \mathrm{softmax}(a)` and :math:`\theta' = \theta - \eta \nabla \sum_t w_t L_t^{train}`, each task's
    held-out loss at :math:`\theta'` has a slope along :math:`a`; the logits go down the mixture of these slopes that MGDA finds,
    for slopes brought to length 1. The slopes are exact: :math:`-\eta\, J^{val}(\theta') J^{train}(\theta)^\top\,
    \partial w / \partial a`. Takes two batches, and costs two backward passes for each task besides the step.
    DIFFERS FROM PAPER: one step of the network to a step of the weights; the network learns from the first batch, not from both.

    Parameters
    ----------
    learning_rate : float > 0, default=1e-3
        Of the logits, by Adam.
    inner_learning_rate : float > 0, optional
        The step :math:`\eta`; the optimizer's by default.

    References
    ----------
    Ye et al., "Multi-Objective Meta Learning", NeurIPS 2021. arXiv:2102.07121
    """

    needs = frozenset({"losses", "validation_batch"})
    n_batches = 2
    by_name = False
    experimental = True

    def __init__(self, *, learning_rate: float = 1e-3, inner_learning_rate: float | None = None) -> None:
        super().__init__()
        if not 0 < learning_rate < float("inf") or not (inner_learning_rate is None or 0 < inner_learning_rate < float("inf")):
            raise ValueError(
                "`learning_rate` and `inner_learning_rate` of MOML must be positive; got "
                f"{learning_rate} and {inner_learning_rate}."
            )
        self.learning_rate = learning_rate
        self.inner_learning_rate = inner_learning_rate

    def look_ahead(self, ahead: Ahead) -> None:
        """Move the logits by the training batch and the held-out one."""
        slopes, in_train, in_val = self.slopes(ahead)
        slopes = slopes[in_val][:, in_train]
        if not slopes.numel():
            return
        names = [task for task, here in zip(ahead.tasks, in_train.tolist(), strict=True) if here]
        lengths = slopes.norm(dim=1, keepdim=True)
        units = slopes / torch.where(lengths > 0, lengths, 1.0)
        slope = mgda_weights(units @ units.T) @ slopes
        adam_step(self, "logits", names, self._logits(names), slope, learning_rate=self.learning_rate)

    def slopes(self, ahead: Ahead) -> tuple[Tensor, Tensor, Tensor]:
        """Slope of each held-out loss (rows) along each logit [n_tasks, n_tasks]; tasks in the one batch, and in the other."""
        size = self.inner_learning_rate or float(ahead.optimizer.param_groups[0]["lr"])
        train, in_train = ahead.jacobian(0, of=ahead.parameters)
        weights = torch.softmax(self._logits(ahead.tasks).masked_fill(~in_train.cpu(), -torch.inf), dim=0)
        if not bool(in_train.any()):
            return torch.zeros(len(weights), len(weights), dtype=torch.float64), in_train.cpu(), in_train.cpu()
        with ahead.moved(ahead.split(-size * (weights.to(train) @ train))):
            held_out, in_val = ahead.jacobian(1, of=ahead.parameters)
        products = (held_out @ train.T).double().cpu()
        of_softmax = torch.diag(weights) - weights[:, None] * weights
        return -size * products @ of_softmax, in_train.cpu(), in_val.cpu()

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks], in the simplex."""
        return torch.softmax(self._logits(seen.tasks), dim=0).to(seen.losses)

    def _logits(self, tasks: Sequence[Hashable]) -> Tensor:
        return self.recall("logits", tasks, default=torch.tensor(0.0, dtype=torch.float64))
