"""Factors on learning rates that fall where skill does not rise."""

from collections.abc import Mapping

import torch
from torch import Tensor

from polytask.optim import Plateau


class PlateauFactors:
    """Remembers the best skill of every task, and of their mean, and what each has made of its learning rate.

    Parameters
    ----------
    schedule : Plateau
    axes : tuple of int
        ``(R,)`` for R networks, ``()`` for one.
    n_tasks : int
    """

    def __init__(self, schedule: Plateau, axes: tuple[int, ...], n_tasks: int) -> None:
        self.schedule = schedule
        self.best = torch.full((*axes, n_tasks + 1), -torch.inf, dtype=torch.float64)
        self.waited = torch.zeros(*axes, n_tasks + 1, dtype=torch.long)
        self.factor = torch.ones(*axes, n_tasks + 1)

    def end_epoch(self, skills: Tensor, mean: Tensor) -> None:
        """Take skills [..., n_tasks] and their mean [...] after an epoch; NaN, without labels, is no reason to fall."""
        now = torch.cat([skills, mean[..., None]], dim=-1).double().cpu()
        rose = now.isnan() | (now > self.best)
        self.best = torch.where(now > self.best, now, self.best)
        self.waited = torch.where(rose, 0, self.waited + 1)
        falls = self.waited >= self.schedule.patience
        self.factor = torch.where(falls, self.factor * self.schedule.by, self.factor)
        self.waited = torch.where(falls, 0, self.waited)

    def of(self, task: int | None) -> Tensor:
        """Factor [...] for the parameters of one task alone, or for all others."""
        return self.factor[..., -1 if task is None or not self.schedule.per_task else task]

    def keep(self, kept: Tensor) -> None:
        """Go on with these networks only."""
        self.best, self.waited, self.factor = self.best[kept], self.waited[kept], self.factor[kept]

    def memory(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {"plateau/best": self.best, "plateau/waited": self.waited, "plateau/factor": self.factor}

    def restore(self, memory: Mapping[str, Tensor]) -> None:
        """Put back what :meth:`memory` gave."""
        self.best, self.waited, self.factor = (memory[f"plateau/{name}"] for name in ("best", "waited", "factor"))
