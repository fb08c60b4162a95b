"""Balancing for a stack of networks: each has its own copy of the method, with its own memory."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from polytask.balancing._balance import Balance
from polytask.balancing._combine import accumulate_, combine, is_finite, task_weights
from polytask.balancing._gradients._blocks import precise_gramian
from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._reach import parameters_below
from polytask.exceptions import OptionError


class PerReplica(BalancingMethod):
    """One copy of a method for each of R networks that are trained as a stack.

    Parameters
    ----------
    method : BalancingMethod
        Copied with an empty memory.
    n_replicas : int
    balanced : bool Tensor of shape (R,), optional
        False for networks that are left alone, such as single-task twins: their tasks have weight 1 / (number present).

    Examples
    --------
    >>> import torch
    >>> from polytask.balancing import ScaleInvariant, backward
    >>> w = torch.tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
    >>> backward(w, PerReplica(ScaleInvariant(), 2)).weights
    tensor([[0.5000, 0.2500],
            [0.1250, 0.0625]], dtype=torch.float64)
    """

    by_name = False
    batched = True

    def __init__(self, method: BalancingMethod, n_replicas: int, *, balanced: Tensor | None = None) -> None:
        super().__init__()
        self.method = method
        self.n_replicas = n_replicas
        self.balanced = torch.ones(n_replicas, dtype=torch.bool) if balanced is None else balanced.cpu()
        self.methods = nn.ModuleList(method.fresh() for _ in range(n_replicas))
        self.needs = method.needs  # type: ignore[misc]

    def keep(self, kept: Tensor) -> None:
        """Go on with the replicas whose numbers are in ``kept``."""
        numbers = kept.tolist()
        self.methods = nn.ModuleList(self.methods[k] for k in numbers)
        self.balanced, self.n_replicas = self.balanced[kept.cpu()], len(numbers)

    def forward(self, seen: Observed) -> Tensor:
        """Weights [R, n_tasks] for losses [R, n_tasks] and a Gramian [R, n_tasks, n_tasks]."""
        if self.method.batched:
            found = self.method(seen)
            return torch.where(self.balanced.to(found.device)[:, None], found, _equal(seen.label_weight).to(found))
        return torch.stack([self._one(r, self._part(seen, r))[0] for r in range(self.n_replicas)])

    def compare_now(self, label_weight: Tensor, tasks: Sequence[Hashable]) -> Tensor:
        """Whether each network compares gradients in the coming step, bool [R], for label weights [R, n_tasks]."""
        present = [[name for name, w in zip(tasks, row, strict=True) if w > 0] for row in label_weight.tolist()]
        asked = zip(self.methods, self.balanced.tolist(), present, strict=True)
        return torch.tensor([on and bool(names) and own.compares_now(names) for own, on, names in asked])  # type: ignore[operator]

    def directions(self, seen: Observed) -> tuple[Tensor, Tensor]:
        """Weights [R, n_tasks] and directions [R, n_parameters] for a Jacobian [R, n_tasks, n_parameters]."""
        assert seen.jacobian is not None
        assert seen.gramian is not None
        if "jacobian" not in self.needs and is_finite(seen.gramian, seen.tasks, scaled=True):  # one product for all of them
            weights = self(replace(seen, jacobian=None))
            return weights, (weights.to(seen.jacobian)[:, None] @ seen.jacobian)[:, 0]
        found = [self._one(r, self._part(seen, r)) for r in range(self.n_replicas)]
        each, directions = zip(*found, strict=True)
        return torch.stack(each), torch.stack(directions)

    def after_step(self, losses: Tensor, *, tasks: Sequence[Hashable] | None = None) -> None:
        """Losses [R, n_tasks] after the step; see :meth:`BalancingMethod.after_step`."""
        for own, row, is_balanced in zip(self.methods, losses, self.balanced.tolist(), strict=True):
            if is_balanced:
                own.after_step(row, tasks=tasks)  # type: ignore[operator]

    def end_epoch(self, losses: Tensor, *, tasks: Sequence[Hashable] | None = None) -> None:
        """Mean losses [R, n_tasks] of the epoch; see :meth:`BalancingMethod.end_epoch`."""
        for own, row, is_balanced in zip(self.methods, losses, self.balanced.tolist(), strict=True):
            if is_balanced:
                own.end_epoch(row, tasks=tasks)  # type: ignore[operator]

    def _one(self, r: int, seen: Observed) -> tuple[Tensor, Tensor]:
        """Weights [n_tasks] and direction [n_parameters] of one network."""
        if not self.balanced[r]:
            weights = _equal(seen.label_weight).double()
            return weights, weights if seen.jacobian is None else weights.to(seen.jacobian) @ seen.jacobian
        method: Any = self.methods[r]
        if seen.jacobian is None:
            weights = task_weights(method, seen)
            return weights.double(), weights
        assert seen.gramian is not None
        weights, direction = combine(method, seen, finite=is_finite(seen.gramian, seen.tasks, scaled=False))
        return weights.double(), direction

    @staticmethod
    def _part(seen: Observed, r: int) -> Observed:
        gramian = None if seen.gramian is None else seen.gramian[r]
        jacobian = None if seen.jacobian is None else seen.jacobian[r]
        return Observed(seen.losses[r], seen.label_weight[r], seen.tasks, gramian, jacobian)


def stacked_backward(
    losses: Sequence[Tensor],
    method: PerReplica,
    *,
    parameters: Iterable[Tensor],
    label_weight: Tensor,
    tasks: Sequence[Hashable],
    shared_params: Iterable[Tensor] | None = None,
    features: Tensor | None = None,
) -> Balance:
    """Balance the gradients of R independent networks at once, and fill ``.grad``; see :func:`~polytask.balancing.backward`.

    The networks have nothing in common, so one backward pass of the sum over them gives the gradient of a task for each:
    ``n_tasks`` passes in all, however many networks there are. Where none of them compares gradients in this step
    (:class:`~polytask.balancing.Every`), two passes.

    Parameters
    ----------
    losses : sequence of n_tasks Tensors of shape (R,)
        Mean losses of one task in each network, out of operations that no two tasks have in common but those of shared parts.
    method : PerReplica
    parameters : iterable of Tensor of shape (R, ...)
        All that are trained.
    label_weight : Tensor of shape (R, n_tasks)
    tasks : sequence of hashable
    shared_params : iterable of Tensor of shape (R, ...)
        Those among ``parameters`` whose gradients are balanced; or
    features : Tensor of shape (R, ...)
        where they are balanced instead.

    Returns
    -------
    balance : Balance
        Weights [R, n_tasks] and Gramians [R, n_tasks, n_tasks], NaN for a network that keeps its weights in this step; None if
        all do.
    """
    shared = [features] if features is not None else list(shared_params or ())
    if not shared:
        raise OptionError("`stacked_backward` needs `shared_params` or `features`: where gradients are balanced.")
    below = {id(p) for p in parameters_below(shared)} if features is not None else {id(p) for p in shared}
    own = [p for p in parameters if id(p) not in below]
    values = torch.stack([loss.detach() for loss in losses], dim=-1)
    compared = method.compare_now(label_weight, tasks).to(label_weight.device)
    if not bool(compared.any()):
        weights = method(Observed(values, label_weight, tuple(tasks)))
        _fill(shared, _mixed(losses, weights, shared), at_features=features is not None)
        _fill(own, _mixed(losses, torch.ones_like(weights), own))
        return Balance(tuple(tasks), weights)
    n_replicas, widths = len(label_weight), [p[0].numel() for p in shared]
    rows = shared[0].new_zeros(n_replicas, len(losses), sum(widths))  # [R, T, P]
    for number, loss in enumerate(losses):
        if not bool((label_weight[:, number] > 0).any()):
            continue
        found = torch.autograd.grad(loss.sum(), [*shared, *own], retain_graph=True, allow_unused=True)
        for place, gradient in zip(rows[:, number].split(widths, dim=-1), found, strict=False):
            if gradient is not None:
                place.copy_(gradient.reshape(n_replicas, -1))
        for p, gradient in zip(own, found[len(shared) :], strict=True):
            if gradient is not None:
                accumulate_(p, gradient)
    gramian = (rows @ rows.mT).double()
    if rows.dtype != torch.float64 and bool(torch.isfinite(gramian).all()):
        poor = torch.tensor([on and method.method.asks_for_digits(own) for on, own in zip(method.balanced, gramian, strict=True)])
        if bool(poor.any()):
            gramian[poor] = precise_gramian(rows[poor])
    weights, direction = method.directions(Observed(values, label_weight, tuple(tasks), gramian, rows))
    parts = [part.view_as(p) for part, p in zip(direction.split(widths, dim=-1), shared, strict=True)]
    _fill(shared, parts, at_features=features is not None)
    absent = (label_weight <= 0) | (method.balanced.to(compared.device) & ~compared)[:, None]
    gramian = gramian.masked_fill(absent[..., :, None] | absent[..., None, :], torch.nan)
    return Balance(tuple(tasks), weights, gramian)


def _mixed(losses: Sequence[Tensor], weights: Tensor, wanted: Sequence[Tensor]) -> list[Tensor | None]:
    """Gradients of the losses, each of shape [R], weighed by [R, n_tasks]; the graph is kept."""
    if not wanted:
        return []
    given = [own.to(loss) for loss, own in zip(losses, weights.unbind(-1), strict=True)]
    return list(torch.autograd.grad(list(losses), wanted, given, retain_graph=True, allow_unused=True))


def _fill(wanted: Sequence[Tensor], gradients: Sequence[Tensor | None], *, at_features: bool = False) -> None:
    """Add to ``.grad``; from the features the trunk is gone down first."""
    if at_features:
        trunk = [p for p in parameters_below(wanted) if p.requires_grad]
        wanted, gradients = trunk, torch.autograd.grad(wanted, trunk, gradients)
    for p, gradient in zip(wanted, gradients, strict=True):
        if gradient is not None:
            accumulate_(p, gradient)


def _equal(label_weight: Tensor) -> Tensor:
    present = (label_weight > 0).to(label_weight.dtype)
    return present / present.sum(-1, keepdim=True).clamp(min=1)
