"""Auto-Lambda: task weights learned from the loss on held-out rows."""

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from polytask.balancing._adam import adam_step
from polytask.balancing._ahead import Ahead
from polytask.balancing._method import BalancingMethod, Observed
from polytask.exceptions import OptionError


class AutoLambda(BalancingMethod):
    r"""Weights that make a training step good for held-out rows: through :func:`~polytask.balancing.step`, with two batches.

    Experimental: checked against the exact gradient through the step, not against another implementation.

    With :math:`\theta' = \theta - \alpha \nabla \sum_t \lambda_t L_t^{train}` the weights go down the slope of the held-out loss
    of the primary tasks at :math:`\theta'`, which is taken by differences:

    .. math:: \frac{\partial L^{val}(\theta')}{\partial \lambda_t} \approx
        -\alpha \frac{L_t^{train}(\theta + \epsilon d) - L_t^{train}(\theta - \epsilon d)}{2 \epsilon}, \qquad
        d = \nabla L^{val}(\theta'), \quad \epsilon = 0.01 / \|d\|

    The step :math:`\alpha` is the optimizer's learning rate; its momentum (of SGD) and weight decay count as they will.
    Costs four passes over batches besides the step. The second batch must be of rows that the first never holds.

    Parameters
    ----------
    primary : sequence of hashable, optional
        Tasks that count on held-out rows; the others help them. All by default.
    learning_rate : float > 0, default=1e-4
        Of the weights, by Adam.
    initial : float > 0, default=0.1
        Weight of a task when it is first seen.

    References
    ----------
    Liu et al., "Auto-Lambda: Disentangling Dynamic Task Relationships", TMLR 2022. arXiv:2202.03091
    """

    needs = frozenset({"losses", "validation_batch"})
    n_batches = 2
    by_name = False
    experimental = True

    def __init__(self, *, primary: Sequence[Hashable] | None = None, learning_rate: float = 1e-4, initial: float = 0.1) -> None:
        super().__init__()
        if not 0 < learning_rate < float("inf") or not initial > 0:
            raise ValueError(f"`learning_rate` and `initial` of AutoLambda must be positive; got {learning_rate} and {initial}.")
        self.primary = primary
        self.learning_rate = learning_rate
        self.initial = initial

    def look_ahead(self, ahead: Ahead) -> None:
        """Move the weights by the training batch and the held-out one."""
        slope, present = self.slope(ahead)
        there = torch.nonzero(present).ravel()
        names = [ahead.tasks[k] for k in there.tolist()]
        if names:
            weights = self._weights(names)
            adam_step(self, "weights", names, weights, slope[there].to(weights), learning_rate=self.learning_rate)

    def slope(self, ahead: Ahead) -> tuple[Tensor, Tensor]:
        """Slope [n_tasks] of the held-out loss of the primary tasks along the weights, and which tasks are in the batch."""
        counted = list(ahead.tasks) if self.primary is None else list(self.primary)
        if not set(counted) <= set(ahead.tasks):
            raise OptionError(f"`primary` of AutoLambda must be among the tasks {list(ahead.tasks)}; got {counted}.")
        weights = self._weights(ahead.tasks)
        step = self._virtual_step(ahead, ahead.gradient(0, weights))
        with ahead.moved(step):
            toward = ahead.gradient(1, torch.tensor([float(task in counted) for task in ahead.tasks]))
        rates = self._learning_rates(ahead)
        toward = [rate * part for rate, part in zip(rates, toward, strict=True)]  # how the weights' pull on theta' is felt
        length = float(sum(float(part.double().square().sum()) for part in toward)) ** 0.5
        if length == 0:
            losses, present = ahead.losses(0)
            return torch.zeros_like(losses), present
        eps = 0.01 / length
        with ahead.moved(toward, eps):
            above, present = ahead.losses(0)
        with ahead.moved(toward, -eps):
            below, _ = ahead.losses(0)
        return -(above - below) / (2 * eps), present

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        return self._weights(seen.tasks).to(seen.losses)

    def _weights(self, tasks: Sequence[Hashable]) -> Tensor:
        return self.recall("weights", tasks, default=torch.tensor(self.initial, dtype=torch.float64))

    @staticmethod
    def _learning_rates(ahead: Ahead) -> list[float]:
        """Of each parameter."""
        found = {id(p): float(own["lr"]) for own in ahead.optimizer.param_groups for p in own["params"]}
        return [found[id(p)] for p in ahead.parameters]

    def _virtual_step(self, ahead: Ahead, gradient: Sequence[Tensor]) -> list[Tensor]:
        """How far the parameters would go."""
        settings = {id(p): own for own in ahead.optimizer.param_groups for p in own["params"]}
        found = []
        for p, g, rate in zip(ahead.parameters, gradient, self._learning_rates(ahead), strict=True):
            own = settings[id(p)]
            kept = ahead.optimizer.state.get(p, {}).get("momentum_buffer")
            move = g + own.get("weight_decay", 0.0) * p.detach()
            found.append(-rate * (move if kept is None else move + own["momentum"] * kept))
        return found
