"""From what a method says to weights, a direction and ``.grad``."""

import math
from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.exceptions import OptionError, PolytaskError


def task_weights(method: BalancingMethod, seen: Observed) -> Tensor:
    """Weights [..., n_tasks]; methods that are not batched see the present tasks only, and the others get 0."""
    if method.batched:
        return method(seen).masked_fill(seen.label_weight <= 0, 0.0)
    if seen.losses.dim() > 1:
        raise OptionError(f"{type(method).__name__} balances one network at a time; give each replica its own.")
    there = seen.label_weight > 0
    if bool(there.all()):  # the common case, in as few operations as can be
        return method(seen).to(seen.losses.device, torch.float64)
    present = torch.nonzero(there).ravel()
    weights = torch.zeros_like(seen.losses, dtype=torch.float64)
    if len(present):
        weights[present] = method(_part(seen, present)).to(weights)
    return weights


def combine(method: BalancingMethod, seen: Observed, *, finite: bool) -> tuple[Tensor, Tensor]:
    """Weights [n_tasks] and the direction [n_parameters]."""
    assert seen.jacobian is not None
    if not finite:
        return torch.full_like(seen.losses, torch.nan), seen.jacobian.sum(0)  # the scaler sees that, and skips the step
    if "jacobian" in method.needs:
        present = torch.nonzero(seen.label_weight > 0).ravel()
        direction = method(_part(seen, present)) if len(present) else torch.zeros_like(seen.jacobian[0])
        return torch.full_like(seen.losses, torch.nan).masked_fill(seen.label_weight <= 0, 0.0), direction.to(seen.jacobian)
    weights = task_weights(method, seen)
    return weights, weights.to(seen.jacobian) @ seen.jacobian


def is_finite(gramian: Tensor, tasks: Sequence[Hashable], *, scaled: bool) -> bool:
    """Whether all gradients are; where no scaler is there to skip the step, an error names the task whose is not."""
    if math.isfinite(float(gramian.sum())) or bool(torch.isfinite(gramian).all()):
        return True
    if not scaled:
        bad = ~torch.isfinite(gramian.diagonal())
        names = ", ".join(repr(name) for name, is_bad in zip(tasks, bad.tolist(), strict=True) if is_bad)
        raise PolytaskError(f"The gradient of task {names} is not finite, though its loss is. Lower the learning rate.")
    return False


def accumulate_(p: Tensor, gradient: Tensor) -> None:
    """Add a gradient to ``p.grad``, as torch does, in the layout of the parameter: fused optimizers read no other."""
    if p.grad is not None:
        p.grad = p.grad + gradient.to(p.dtype)
    elif gradient.stride() == p.stride():
        p.grad = gradient.to(p.dtype)
    else:
        p.grad = torch.empty_like(p, requires_grad=False).copy_(gradient)


def _part(seen: Observed, present: Tensor) -> Observed:
    return Observed(
        seen.losses[present],
        seen.label_weight[present],
        tuple(seen.tasks[k] for k in present.tolist()),
        None if seen.gramian is None else seen.gramian[present][:, present],
        None if seen.jacobian is None else seen.jacobian[present],
    )
