"""How much each task uses each part of what is shared: gates and stitches of a fitted network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from polytask.networks import MultiTaskModule

Array = np.ndarray[Any, np.dtype[Any]]

_ROWS = 2048  # at a time


@dataclass(frozen=True)
class TaskWeights:
    """Mean weights of the tasks over some rows.

    Attributes
    ----------
    parts : list of str
        Names of the parts, such as experts.
    values : array of shape (n_tasks, n_parts)
        Shares; each task's sum to 1.
    """

    parts: list[str]
    values: Array


@torch.no_grad()
def task_weights_of(module: MultiTaskModule, inputs: Sequence[Tensor], rows: Array, tasks: Sequence[str]) -> TaskWeights | None:
    """Mean weights over the rows of prepared inputs; None where the sharing has none."""
    if getattr(module.sharing, "task_weights", None) is None or not hasattr(module.sharing, "part_names") or not len(rows):
        return None
    was_training = module.training
    module.eval()
    total: Any = 0.0
    for start in range(0, len(rows), _ROWS):
        own = torch.as_tensor(rows[start : start + _ROWS], device=inputs[0].device)
        found = module.task_weights(*(tensor[own] for tensor in inputs))
        assert found is not None
        total = total + found.double() * (len(own) / len(rows))
    module.train(was_training)
    return TaskWeights(list(module.sharing.part_names(list(tasks))), total.cpu().numpy())  # type: ignore[operator]
