"""Losses of all tasks on one batch."""

from collections.abc import Sequence

import torch
from torch import Tensor

from polytask.networks import output_slices, target_slices
from polytask.tasks import FittedTask


class TaskLosses:
    """Raw outputs of all tasks to the sum of losses and the sum of label weights per task.

    The mean is taken once, after adding up; so several batches or processes equal one.

    Parameters
    ----------
    tasks : sequence of FittedTask
    """

    def __init__(self, tasks: Sequence[FittedTask]) -> None:
        self.tasks = list(tasks)
        self.parts = list(zip(self.tasks, output_slices(tasks), target_slices(tasks), strict=True))

    def __call__(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs [..., n, outputs], target and weight [..., n, C] to sums [..., T] and weight sums [..., T]."""
        both = [task.loss(outputs[..., o], target[..., t], weight[..., t]) for task, o, t in self.parts]
        return torch.stack([s for s, _ in both], dim=-1), torch.stack([w for _, w in both], dim=-1)


def mean_losses(sums: Tensor, weights: Tensor) -> Tensor:
    """Mean loss per task [..., T]; 0 for a task without labels."""
    return sums / torch.where(weights > 0, weights, 1.0)
