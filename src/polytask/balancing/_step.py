"""A whole training step, for methods that need more than the losses of one batch."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from polytask.balancing._ahead import Ahead, Closure, Losses, Taken, evaluated
from polytask.balancing._backward import backward, penalty_gradients
from polytask.balancing._balance import Balance
from polytask.balancing._combine import accumulate_
from polytask.balancing._given import check_penalty
from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._processes import agreed, summed
from polytask.exceptions import OptionError

_MORE = frozenset({"extra_batches", "validation_batch", "second_forward"})
_WHAT = {
    "extra_batches": "independent batches of training rows",
    "validation_batch": "a training batch, then one of rows that are held out",
    "second_forward": "a training batch",
}


def step(
    closure: Closure,
    batches: Sequence[Any],
    method: BalancingMethod,
    *,
    optimizer: torch.optim.Optimizer,
    shared_params: Iterable[Tensor] | None = None,
    features: nn.Module | None = None,
    tasks: Sequence[Hashable] | None = None,
    penalty: Callable[[], Tensor] | None = None,
    before_step: Callable[[], object] | None = None,
    group: Any = None,
    scaler: Any = None,
    nonfinite: Literal["error", "skip"] = "error",
) -> Balance:
    """Make one training step: forward passes, balancing, and the step of the optimizer.

    It serves every method. Those that need extra batches, a validation batch or forward passes elsewhere can be served here
    only; for the others it is ``optimizer.zero_grad()``, :func:`~polytask.balancing.backward` and ``optimizer.step()``, and the
    losses after the step where a method asks for them. ``.grad`` is left as it was for the step; of a step that is refused, as it
    was before.

    Parameters
    ----------
    closure : callable
        ``closure(batch)`` runs the network on a batch and gives the mean losses of the tasks, as ``backward`` takes them, or
        ``(losses, label_weight)``. It is called several times; each call in training mode moves statistics of BatchNorm.
    batches : sequence
        Whatever the closure takes. The first is the one that is learned from; ``method.n_batches`` says how many there must be.
    method : BalancingMethod
    optimizer : torch.optim.Optimizer
        Its ``zero_grad`` and ``step`` are called once each. Clipping goes into ``before_step``, schedules behind the call.
    shared_params : iterable of Tensor, optional
        As in ``backward``.
    features : Module, optional
        The module whose output is the last shared representation, such as the trunk; what it gives in the first batch is what
        ``backward`` gets as ``features``.
    tasks, group, nonfinite
        As in ``backward``.
    penalty : callable, optional
        Gives a scalar whose gradient is added unbalanced.
    before_step : callable, optional
        Called when ``.grad`` is filled, before the optimizer's step; with a ``scaler`` gradients are unscaled then.
    scaler : torch.amp.GradScaler, optional
        The losses are scaled by it, and its ``unscale_``, ``step`` and ``update`` are called here. Not for methods that take
        gradients of more batches or elsewhere, which are in the unit of the losses.

    Returns
    -------
    balance : Balance
        Of the first batch.

    Raises
    ------
    OptionError
        If the number of batches is not what the method needs, parameters are missing, or a scaler cannot be used.

    Examples
    --------
    >>> from polytask.balancing import MoDo, step
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> sgd = torch.optim.SGD([w], lr=0.1)
    >>> batches = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> step(lambda x: [(w * x).sum() ** 2, (w - x).square().sum()], batches, MoDo(), optimizer=sgd, shared_params=[w]).weights
    tensor([0.4000, 0.6000], dtype=torch.float64)
    """
    batches, shared = list(batches), None if shared_params is None else list(shared_params)
    _check(method, batches, shared, features, scaler)
    served: BalancingMethod = method
    taken: Taken | None = None
    if method.needs & _MORE:
        ahead = Ahead(closure, batches, tasks=tasks, optimizer=optimizer, shared=shared or (), group=group, nonfinite=nonfinite)
        taken = method.look_ahead(ahead)
        served = _Served(method)
    kept = [(p, p.grad) for own in optimizer.param_groups for p in own["params"]]
    try:
        if taken is not None:
            balance = taken.balance
            with agreed(group):
                value = None if penalty is None else penalty()
                check_penalty(value)
            added = penalty_gradients(value, 1.0, group)
            optimizer.zero_grad()
            for p, gradient in zip(ahead.parameters, taken.gradients, strict=True):
                p.grad = gradient
            for p, gradient in added.items():
                accumulate_(p, gradient)
        else:
            optimizer.zero_grad()
            losses, label_weight, outputs = _first(closure, batches[0], features)
            balance = backward(
                losses,
                served,
                shared_params=shared,
                features=outputs,
                label_weight=label_weight,
                tasks=tasks,
                penalty=None if penalty is None else penalty(),
                group=group,
                scaler=scaler,
                nonfinite=nonfinite,
            )
    except Exception:
        for p, gradient in kept:  # nothing has happened
            p.grad = gradient
        raise
    if scaler is not None:
        scaler.unscale_(optimizer)
    if before_step is not None:
        before_step()
    if scaler is None:
        optimizer.step()
    else:
        scaler.step(optimizer)
        scaler.update()
    if "losses_after_step" in method.needs:
        method.after_step(_after(closure, batches[0], group), tasks=balance.tasks)
    return balance


class _Served(BalancingMethod):
    """A method that has looked ahead: what it still needs, ``backward`` gives."""

    def __init__(self, method: BalancingMethod) -> None:
        super().__init__()
        self.method = method

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        return self.method.needs - _MORE

    def forward(self, seen: Observed) -> Tensor:
        found: Tensor = self.method(seen)
        return found


def _check(method: BalancingMethod, batches: Sequence[Any], shared: Any, features: Any, scaler: Any) -> None:
    name = type(method).__name__
    if scaler is not None and method.needs & _MORE:
        raise OptionError(
            f"{name} takes gradients of its own, which a `scaler` does not reach: leave it out. bfloat16 needs none."
        )
    if len(batches) != method.n_batches:
        what = next((_WHAT[need] for need in sorted(method.needs & _MORE)), "a training batch")
        raise OptionError(f"{name} takes {method.n_batches} batch(es), {what}; got {len(batches)}.")
    if features is not None and not isinstance(features, nn.Module):
        raise OptionError(f"`features` of `step` must be the module that computes them; got {type(features).__name__}.")
    if "second_forward" in method.needs and shared is None:
        raise OptionError(f"{name} moves shared parameters and heads apart: pass `shared_params=trunk.parameters()`.")
    if "extra_batches" in method.needs and shared is None:
        raise OptionError(
            f"{name} compares the gradients of several batches: pass `shared_params=trunk.parameters()`; "
            "`features` of different batches are of different rows."
        )


def _first(closure: Closure, batch: Any, features: nn.Module | None) -> tuple[Losses, Tensor | None, list[Tensor] | None]:
    """Losses and label weights of the batch that is learned from, and what the module of the features gave."""
    if features is None:
        return *evaluated(closure, batch), None
    outputs: list[Tensor] = []
    hook = features.register_forward_hook(lambda module, given, output: outputs.append(output))
    try:
        losses, label_weight = evaluated(closure, batch)
    finally:
        hook.remove()
    if not outputs:
        raise OptionError(
            f"`features`, a {type(features).__name__}, was not called by the closure. Give the network's own trunk."
        )
    return losses, label_weight, outputs


def _after(closure: Closure, batch: Any, group: Any) -> Tensor:
    """Mean losses on the batch after the step, of all processes together."""
    with torch.no_grad():
        losses, weight = evaluated(closure, batch)
        values = torch.stack([loss.detach() for loss in losses])
        own = torch.ones_like(values) if weight is None else weight.to(values)
        total = summed(own, group)
        return summed(torch.where(own > 0, values, 0.0) * own, group) / torch.where(total > 0, total, 1.0)
