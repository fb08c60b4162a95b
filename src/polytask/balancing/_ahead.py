"""What a method may ask before a step: losses and gradients on any batch, at the parameters or near them."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from polytask.balancing._balance import Balance
from polytask.balancing._given import check_some_graph, checked_label_weight, losses_and_names
from polytask.balancing._processes import agreed, sum_in_place, summed
from polytask.exceptions import OptionError, PolytaskError

Losses = Tensor | Sequence[Tensor]
Closure = Callable[[Any], Losses | tuple[Losses, Tensor]]


def evaluated(closure: Closure, batch: Any) -> tuple[Losses, Tensor | None]:
    """Losses on a batch, and label weights if the closure gives them as the second of two.

    >>> evaluated(lambda x: (x, torch.ones(2)), torch.zeros(2))
    (tensor([0., 0.]), tensor([1., 1.]))
    """
    found = closure(batch)
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], Tensor) and found[1].dim() == 1:
        return found[0], found[1]
    return found, None  # type: ignore[return-value]


@dataclass(frozen=True)
class Taken:
    """The gradients of a step that a method has made itself: one like each of ``parameters``, and what is told of it."""

    balance: Balance
    gradients: list[Tensor]


class Ahead:
    """Losses and gradients that a method asks for in ``look_ahead``; no ``.grad`` is touched, parameters are put back.

    Every call runs the user's closure, and so a forward pass. Over several processes sums are taken here.

    Attributes
    ----------
    parameters : list of Tensor
        Those that the optimizer steps.
    shared : list of Tensor
        Those whose gradients are balanced.
    optimizer : Optimizer
    """

    def __init__(
        self,
        closure: Closure,
        batches: Sequence[Any],
        *,
        tasks: Sequence[Hashable] | None,
        optimizer: torch.optim.Optimizer,
        shared: Sequence[Tensor] = (),
        group: Any = None,
        nonfinite: str = "error",
    ) -> None:
        self._nonfinite = nonfinite
        self._closure = closure
        self._batches = batches
        self._group = group
        self._tasks = None if tasks is None else tuple(tasks)
        self.optimizer = optimizer
        self.parameters = [p for own in optimizer.param_groups for p in own["params"] if p.requires_grad]
        self.shared = [p for p in shared if p.requires_grad]

    @property
    def tasks(self) -> tuple[Hashable, ...]:
        """Name of each task; 0, 1, ... where none are given."""
        if self._tasks is None:
            self.losses(0)
        assert self._tasks is not None
        return self._tasks

    @property
    def is_shared(self) -> list[bool]:
        """Of each of ``parameters``, whether it is among ``shared``."""
        there = {id(p) for p in self.shared}
        return [id(p) in there for p in self.parameters]

    def split(self, flat: Tensor) -> list[Tensor]:
        """Values side by side, in the shapes of ``parameters``."""
        parts = flat.split([p.numel() for p in self.parameters])
        return [part.view_as(p) for part, p in zip(parts, self.parameters, strict=True)]

    def losses(self, batch: int) -> tuple[Tensor, Tensor]:
        """Mean loss of each task on a batch [n_tasks], 0 for an absent one, and which tasks are present [n_tasks]."""
        with torch.no_grad():
            return self._shares(batch)[1:]

    def gradient(self, batch: int, weights: Tensor) -> list[Tensor]:
        """Gradients of the weighted sum of the losses on a batch, one like each of ``parameters``."""
        losses, _, present, share = self._evaluate(batch)
        factors = torch.where(present, weights.to(share), 0.0) * share
        return self._down(losses, factors, self.parameters)

    def jacobian(self, batch: int, *, of: Sequence[Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Gradients of each task on a batch as rows [n_tasks, values of ``of``], and which tasks are present.

        Parameters
        ----------
        batch : int
        of : sequence of Tensor, optional
            ``shared`` by default.
        """
        wanted = self.shared if of is None else list(of)
        losses, _, present, share = self._evaluate(batch)
        one_each = torch.eye(len(share), dtype=share.dtype, device=share.device) * torch.where(present, share, 0.0)
        rows = [torch.cat([g.reshape(-1) for g in self._down(losses, factors, wanted)]) for factors in one_each]
        return torch.stack(rows), present

    @contextmanager
    def moved(self, by: Sequence[Tensor], factor: float = 1.0) -> Iterator[None]:
        """Within this, ``parameters`` are ``factor * by`` from where they are; after it they are where they were, bit for bit."""
        kept = [p.detach().clone() for p in self.parameters]
        try:
            with torch.no_grad():
                for p, shift in zip(self.parameters, by, strict=True):
                    p.add_(shift, alpha=factor)
            yield
        finally:
            with torch.no_grad():
                for p, value in zip(self.parameters, kept, strict=True):
                    p.copy_(value)

    def _evaluate(self, batch: int) -> tuple[Losses, Tensor, Tensor, Tensor]:
        with torch.enable_grad():
            return self._shares(batch, keep=True)

    def _shares(self, batch: int, *, keep: bool = False) -> Any:
        """Losses as given, their means over processes, which tasks are present, and the share of this process in each."""
        losses, weight = evaluated(self._closure, self._batches[batch])
        with agreed(self._group):
            values, _ = losses_and_names(losses, None)
            if self._tasks is None:
                self._tasks = tuple(range(len(values)))
            if values.shape != (len(self.tasks),):
                raise OptionError(f"The closure must give one loss per task, {len(self.tasks)}; got shape {tuple(values.shape)}.")
            own = checked_label_weight(values, weight, self.tasks, self._nonfinite)
            if keep and self._group is None:
                check_some_graph(losses, own)
        bad = summed((~torch.isfinite(values) & (own > 0)).to(values), self._group) > 0
        if bool(bad.any()):
            if self._nonfinite == "error":
                which = ", ".join(repr(t) for t, is_bad in zip(self.tasks, bad.tolist(), strict=True) if is_bad)
                raise PolytaskError(
                    f"The loss of {which} is not finite on batch {batch} of `step`. Lower the learning rate, look for extreme "
                    "values in that target, or pass `nonfinite='skip'` to leave the task out of such a step."
                )
            own = own.masked_fill(bad, 0.0)
        total = summed(own, self._group)
        present = total > 0
        share = torch.where(present, own / torch.where(present, total, 1.0), 0.0)
        means = summed(torch.where(own > 0, values, 0.0) * share, self._group)
        return (losses if keep else None), means, present, *([share] if keep else [])

    def _down(self, losses: Losses, factors: Tensor, wanted: Sequence[Tensor]) -> list[Tensor]:
        terms = [(loss, f) for loss, f in zip(losses, factors, strict=True) if bool(f != 0) and loss.requires_grad]
        found: Sequence[Tensor | None] = [None] * len(wanted)
        if terms:
            found = torch.autograd.grad(
                [loss for loss, _ in terms], wanted, [f.to(loss) for loss, f in terms], allow_unused=True, retain_graph=True
            )
        filled = [torch.zeros_like(p) if g is None else g.detach().clone() for p, g in zip(wanted, found, strict=True)]
        sum_in_place(filled, self._group)
        return filled
