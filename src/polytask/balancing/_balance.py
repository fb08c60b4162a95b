"""What a balanced backward pass tells."""

from collections.abc import Hashable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Balance:
    """What was done in one step, for logs and reports.

    Attributes
    ----------
    tasks : tuple
        Name of each task.
    weights : Tensor of shape (..., n_tasks)
        What the tasks' gradients were multiplied by; 0 for an absent task, NaN where a method gives no weights.
    gramian : Tensor of shape (n_tasks, n_tasks) or None
        Inner products of the tasks' gradients, NaN for absent tasks; None for methods that need the losses only.
    """

    tasks: tuple[Hashable, ...]
    weights: Tensor
    gramian: Tensor | None = None

    @property
    def cosines(self) -> Tensor | None:
        """Cosine between the gradients of every two tasks, [n_tasks, n_tasks]; NaN for absent tasks and zero gradients."""
        if self.gramian is None:
            return None
        norms = self.gramian.diagonal(dim1=-2, dim2=-1).sqrt()
        return self.gramian / (norms[..., :, None] * norms[..., None, :])

    @property
    def conflicts(self) -> float | None:
        """Share of the pairs of present tasks whose gradients point apart (negative cosine), in [0, 1]."""
        cosines = self.cosines
        if cosines is None:
            return None
        first, second = torch.triu_indices(len(self.tasks), len(self.tasks), offset=1)
        pairs = cosines[..., first, second]
        seen = pairs[~pairs.isnan()]
        return float((seen < 0).double().mean()) if len(seen) else 0.0
