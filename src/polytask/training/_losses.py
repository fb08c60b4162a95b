"""Losses of all tasks on one batch."""

from collections.abc import Sequence

import torch
from torch import Tensor

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
        self.n_outputs = [task.n_outputs for task in tasks]
        self.n_targets = [task.n_targets for task in tasks]

    def __call__(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs [..., n, outputs], target and weight [..., n, C] to sums [..., T] and weight sums [..., T]."""
        # split, not slices: one node in the graph instead of one per task, each with a gradient as wide as all outputs
        parts = outputs.split(self.n_outputs, -1), target.split(self.n_targets, -1), weight.split(self.n_targets, -1)
        both = [task.loss(*part) for task, *part in zip(self.tasks, *parts, strict=True)]
        return torch.stack([s for s, _ in both], dim=-1), torch.stack([w for _, w in both], dim=-1)


def mean_losses(sums: Tensor, weights: Tensor) -> Tensor:
    """Mean loss per task [..., T]; 0 for a task without labels."""
    return sums / torch.where(weights > 0, weights, 1.0)
