"""Losses of all tasks on one batch."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from polytask.losses import masked_inputs
from polytask.tasks import FittedTask


class TaskLosses:
    """Raw outputs of all tasks to the sum of losses and the sum of label weights per task.

    The mean is taken once, after adding up; so several batches or processes equal one. Missing labels are masked and weights
    applied for all tasks at once, which is faster than :meth:`FittedTask.loss_sums` task by task and gives the same.

    Parameters
    ----------
    tasks : sequence of FittedTask
    of_skill : bool, default=False
        The errors of which skill is made, where they differ from the losses (focal loss, label smoothing). Losses of scores that
        are calibrated after training stand for themselves.
    has_members : bool, default=False
        Outputs are of the members of an ensemble, [..., k, n, outputs]: sums are the mean over them.
    """

    def __init__(self, tasks: Sequence[FittedTask], *, of_skill: bool = False, has_members: bool = False) -> None:
        self.tasks = list(tasks)
        self.has_members = has_members
        self.values_of = [task.label_errors if of_skill else task.label_losses for task in tasks]
        self.has_batch_loss = any(task.has_batch_loss for task in tasks)
        self.n_outputs = [task.n_outputs for task in tasks]
        self.n_targets = [task.n_targets for task in tasks]
        self.reach = torch.block_diag(*[_reach(task) for task in tasks])  # [C, outputs]
        self.task_of_column = torch.arange(len(self.tasks)).repeat_interleave(torch.tensor(self.n_targets))  # [C]

    def __call__(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs [..., n, outputs], target and weight [..., n, C] to sums [..., T] and weight sums [..., T]."""
        if self.has_members:
            target, weight = (own.unsqueeze(-3).expand(*outputs.shape[:-1], -1) for own in (target, weight))
        outputs, target, weight = masked_inputs(outputs, target, weight, loss="TaskLosses", reach=self.reach)
        # split, not slices: one node in the graph instead of one per task, each with a gradient as wide as all outputs
        parts = zip(self.values_of, outputs.split(self.n_outputs, -1), target.split(self.n_targets, -1), strict=True)
        if self.has_batch_loss:
            values, weight = self._of_batch(list(parts), weight.expand(*outputs.shape[:-1], -1))
        else:
            values = torch.cat([values_of(*part) for values_of, *part in parts], dim=-1)  # [..., n, C]
        weight = weight.expand(values.shape)
        sums, weights = self._per_task((values * weight).sum(-2)), self._per_task(weight.sum(-2))
        return (sums.mean(-2), weights.mean(-2)) if self.has_members else (sums, weights)

    def _of_batch(self, parts: list[Any], weight: Tensor) -> tuple[Tensor, Tensor]:
        """Losses and weights [..., n, C] where some tasks have a loss of the whole batch."""
        values, weights = [], []
        for task, own, (values_of, raw, target) in zip(self.tasks, weight.split(self.n_targets, -1), parts, strict=True):
            found, own = task.batch_losses(raw, target, own) if task.has_batch_loss else (values_of(raw, target), own)
            values.append(found)
            weights.append(own)
        return torch.cat(values, dim=-1), torch.cat(weights, dim=-1)

    def _per_task(self, sums: Tensor) -> Tensor:
        if len(self.tasks) == sums.shape[-1]:  # one column each: nothing to add up
            return sums
        per_task = sums.new_zeros(*sums.shape[:-1], len(self.tasks))
        return per_task.index_add(-1, self.task_of_column.to(sums.device), sums)


def _reach(task: FittedTask) -> Tensor:
    """Which outputs the loss of a label looks at, [n_targets, n_outputs]: its own if there are as many, else all."""
    return torch.eye(task.n_targets) if task.n_targets == task.n_outputs else torch.ones(task.n_targets, task.n_outputs)


def mean_losses(sums: Tensor, weights: Tensor) -> Tensor:
    """Mean loss per task [..., T]; 0 for a task without labels."""
    return sums / weights.masked_fill(weights <= 0, 1.0)
