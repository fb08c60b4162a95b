"""Where ``losses.sum().backward()`` stood."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn

from polytask.balancing._balance import Balance
from polytask.balancing._combine import accumulate_, combine, is_finite, task_weights
from polytask.balancing._given import (
    NO_GRAPH,
    check_penalty,
    check_some_graph,
    checked_label_weight,
    losses_and_names,
    without_nonfinite,
)
from polytask.balancing._gradients._chunks import chunked_gramian
from polytask.balancing._gradients._graph import TaskGraph, divide, is_reached, reachable, roots_of
from polytask.balancing._gradients._mixed_gradients import mixed_gradients
from polytask.balancing._gradients._task_gradients import TaskGradients, task_gradients
from polytask.balancing._gradients._workspace import workspace_of
from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._processes import agreed, check_same, sum_in_place, summed
from polytask.exceptions import OptionError, PolytaskError

_SERVED = frozenset({"losses", "losses_after_step", "gramian", "jacobian", "jacobian_state"})


def backward(
    losses: Tensor | Sequence[Tensor],
    method: BalancingMethod,
    *,
    shared_params: Iterable[Tensor] | None = None,
    features: Tensor | Sequence[Tensor] | None = None,
    label_weight: Tensor | None = None,
    tasks: Sequence[Hashable] | None = None,
    penalty: Tensor | None = None,
    group: Any = None,
    scaler: Any = None,
    nonfinite: Literal["error", "skip"] = "error",
    chunk_size: int | None = None,
) -> Balance:
    """Balance the tasks and fill ``.grad`` of every parameter.

    Parameters
    ----------
    losses : Tensor of shape (n_tasks,), or sequence of n_tasks scalars
        Mean loss of each task over the observed labels of the batch. Separate scalars, or scalars put together by
        ``torch.stack``, let each task's own part of the network be gone through once only. Leading axes (..., n_tasks) are
        replicas, for methods that are ``batched``.
    method : BalancingMethod
        Such as :class:`Equal` or :class:`PCGrad`.
    shared_params : iterable of Tensor, optional
        The parameters whose gradients are balanced, exactly: the Jacobian is taken with respect to them. All other parameters
        get the gradient of the plain sum of the losses, which for a head is that of its own task. Frozen and unused ones are
        left out.
    features : Tensor or sequence of Tensor, optional
        Instead of ``shared_params``, the last shared representation: gradients are balanced there, and what comes out goes
        down the trunk once. Cheaper; not the same numbers.
    label_weight : Tensor of shape (n_tasks,), optional
        Sum of label weights behind each loss, >= 0. A task with 0 is absent, whatever its loss says. In several processes
        the losses are weighed by it, so that they equal one process with the whole batch.
    tasks : sequence of hashable, optional
        Name of each task, for methods with a memory; needed where the rows of ``losses`` change from step to step. By default
        0, 1, ...
    penalty : Tensor, optional
        A scalar, such as a weight penalty, whose gradient is added unbalanced. In several processes the mean over them counts,
        so that a penalty on weights, which each process computes, is added once.
    group : ProcessGroup, optional
        Processes that each hold a part of the batch; ``torch.distributed.group.WORLD`` for all. Gradients are summed here: give
        the plain module to the forward pass, not one wrapped in DistributedDataParallel.
    scaler : torch.amp.GradScaler, optional
        The losses are scaled by it, and balanced unscaled; call ``scaler.step(optimizer)`` as usual.
    nonfinite : {"error", "skip"}, default="error"
        What to do where the loss of a task is NaN or infinite: raise, or take the task as absent in this step.
    chunk_size : int, optional
        Hold the gradients of no more than this many tasks (and one) at a time, for methods that need the Gramian, in one process.
        By default all are held: as much memory as the shared parameters times the tasks. With a quarter of the tasks at a time
        it takes two and a half times as many backward passes.

    Returns
    -------
    balance : Balance
        Weights, Gramian and conflicts, for logs.

    Raises
    ------
    OptionError
        If the method needs what is not given, or both ``shared_params`` and ``features`` are.
    PolytaskError
        If a loss is not finite; the message names its task.

    Examples
    --------
    >>> from polytask.balancing import Equal, backward
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> backward(w ** 2, Equal()).weights
    tensor([0.5000, 0.5000])
    >>> w.grad
    tensor([1., 2.])
    """
    with agreed(group):
        values, names = losses_and_names(losses, tasks)
        _check_served(method, shared_params, features)
        shared_params = _as_list(shared_params)
        _check_chunk_size(chunk_size, method, group)
        weight = checked_label_weight(values, label_weight, names, nonfinite)
        check_penalty(penalty)
        if group is None:
            check_some_graph(losses, weight)
    if group is not None:
        where = "features" if features is not None else "shared_params"
        listed = roots_of(losses)[1]
        check_same(
            group, tasks=names, method=type(method).__name__, at=where, losses_are_a_list=listed, has_penalty=penalty is not None
        )
    label_weight = without_nonfinite(values, weight, names, nonfinite, group, given=label_weight is not None)
    check_graphs(roots_of(losses), label_weight, names, group)
    scale = 1.0 if scaler is None else float(scaler.scale(torch.ones((), device=values.device)))
    if group is None and not method.needs & {"gramian", "jacobian"}:  # the common case, in as few operations as can be
        weights = task_weights(method, Observed(values, label_weight, names))
        if penalty is not None:
            torch.autograd.backward([penalty], [torch.full_like(penalty, scale)], retain_graph=True)
        _backward_weighted(losses, (weights if scaler is None else weights * scale).to(values.dtype), None, {})
        return Balance(names, weights)
    added = penalty_gradients(penalty, scale, group)
    values, total_weight, share = _over_processes(values, label_weight, group)
    if not method.needs & {"gramian", "jacobian"}:
        weights = task_weights(method, Observed(values, total_weight, names))
        _backward_weighted(losses, (weights * share * scale).to(values.dtype), group, added)
        return Balance(names, weights)
    factors = share * scale  # the gradients are scaled all the way down, or half precision underflows
    with agreed(group):
        graph, shared, others, like = _divided(losses, shared_params, features, factors)
    if not method.compares_now([name for name, w in zip(names, total_weight.tolist(), strict=True) if w > 0]):
        weights = task_weights(method, Observed(values, total_weight, names))
        parts, own = mixed_gradients(graph, shared, others, factors, weights, like=like)
        own = _of_all_processes(own, graph, shared, total_weight, group)
        sum_in_place([*own.values(), *([] if graph.at_features else parts)], group)
        _fill(graph, shared, parts, own, group, added)
        return Balance(names, weights)
    if chunk_size is not None and chunk_size < len(names):
        options: Any = {"chunk_size": chunk_size, "like": like, "workspace": workspace_of(method)}
        gramian = chunked_gramian(graph, shared, factors, **options) / scale**2
        finite = is_finite(gramian, names, scaled=scaler is not None)
        if finite and like.dtype != torch.float64 and method.asks_for_digits(gramian):
            gramian = chunked_gramian(graph, shared, factors, precise=True, **options) / scale**2
        seen = Observed(values, total_weight, names, gramian)
        weights = task_weights(method, seen) if finite else torch.full_like(values, torch.nan)
        parts, own = mixed_gradients(graph, shared, others, factors, weights, like=like)
        _fill(graph, shared, parts, own, group, added)
        return Balance(names, weights, _of_present(gramian, total_weight))
    written = "jacobian" in method.needs
    found = task_gradients(
        graph,
        shared,
        others,
        factors,
        like=like,
        workspace=workspace_of(method),
        written=written or not (graph.at_features or group is None),
    )
    own = _of_all_processes(found.own, graph, shared, total_weight, group)
    sum_in_place([*own.values(), *([] if graph.at_features or group is None else [found.rows])], group)
    gramian = _gramian(found, scale, graph, group)
    if graph.at_features and not bool(gramian.any()) and not is_reached(graph):
        raise OptionError(
            "No loss depends on `features`: give the tensors that the heads were called with, from the same forward pass."
        )
    finite = is_finite(gramian, names, scaled=scaler is not None)
    if finite and like.dtype != torch.float64 and method.asks_for_digits(gramian):
        gramian = _gramian(found, scale, graph, group, precise=True)
    seen = Observed(values, total_weight, names, gramian, found.rows / scale if written else None)
    if written:
        weights, direction = combine(method, seen, finite=finite)
        parts = found.split(direction * scale)
    elif finite:
        weights = task_weights(method, seen)
        parts = found.combine(weights)
    else:
        weights, parts = torch.full_like(values, torch.nan), found.combine(torch.ones_like(values))
    _fill(graph, shared, parts, own, group, added)
    return Balance(names, weights, _of_present(gramian, total_weight))


def _of_all_processes(
    own: dict[Tensor, Tensor], graph: TaskGraph, shared: Sequence[Tensor], total_weight: Tensor, group: Any
) -> dict[Tensor, Tensor]:
    """Gradients of what is not balanced in the same order everywhere, zeros where a task has labels in other processes only."""
    if group is None:
        return own
    taken = {id(tensor) for tensor in shared}
    there = total_weight.tolist() if graph.separate else [1.0]
    leaves = [leaf for some, weight in zip(graph.own, there, strict=True) if weight > 0 for leaf in some]
    order = dict.fromkeys(leaf for leaf in ([] if graph.at_features else graph.below) + leaves if id(leaf) not in taken)
    return {leaf: own[leaf] if leaf in own else torch.zeros_like(leaf) for leaf in order}


def _over_processes(values: Tensor, label_weight: Tensor, group: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Mean losses and label weights [n_tasks] of all processes together, and the share of this one in each; 0 of absent tasks."""
    present = label_weight > 0
    if group is None:
        if bool(present.all()):  # the common case
            return values, label_weight, torch.ones_like(values)
        return torch.where(present, values, 0.0), label_weight, present.to(values)
    total_weight = summed(label_weight, group)
    share = torch.where(present, label_weight / total_weight, 0.0)
    return summed(torch.where(present, values, 0.0) * share, group), total_weight, share


def _of_present(gramian: Tensor, label_weight: Tensor) -> Tensor:
    """NaN where one of the two tasks is absent."""
    absent = label_weight <= 0
    return gramian.masked_fill(absent[:, None] | absent, torch.nan) if bool(absent.any()) else gramian


def _gramian(found: TaskGradients, scale: float, graph: TaskGraph, group: Any, **options: bool) -> Tensor:
    """Inner products of the tasks' gradients [n_tasks, n_tasks], without the scale of a scaler, of all processes together."""
    gramian = found.gramian(**options)
    gramian = gramian if scale == 1 else gramian / scale**2
    return summed(gramian, group) if graph.at_features else gramian


def check_graphs(roots: tuple[Sequence[Any], bool], label_weight: Tensor, names: Sequence[Hashable], group: Any) -> None:
    """Processes add up gradients in one order: a loss must have a graph in all of them, or in none."""
    if group is None:
        return
    each, separate = roots
    there = [float(root is not None) for root in each]
    seen = summed(torch.tensor([*there, float(bool((label_weight > 0).any()))], device=label_weight.device), group)
    total, is_any_present = seen[:-1], bool(seen[-1])
    uneven = (total > 0) & (total < dist.get_world_size(group))
    if bool(uneven.any()):
        which = (
            ", ".join(repr(name) for name, is_uneven in zip(names, uneven.tolist(), strict=True) if is_uneven)
            if separate
            else "all"
        )
        raise PolytaskError(
            f"The loss of {which} has a graph in some processes only. Let it go through its head in all of them, such as "
            "`outputs.sum() * 0` where no row has a label, with a `label_weight` of 0."
        )
    if is_any_present and not bool(total.any()):
        raise OptionError(NO_GRAPH)


def _check_served(method: BalancingMethod, shared_params: Any, features: Any) -> None:
    if not isinstance(method, BalancingMethod):
        raise OptionError(f"`method` must be a balancing method, such as `PCGrad()`; got {method!r}.")
    if isinstance(shared_params, (Tensor, nn.Module)):
        raise OptionError(
            "`shared_params` must be several parameters, such as `encoder.parameters()` or a list; "
            f"got a single {type(shared_params).__name__}."
        )
    name = type(method).__name__
    if not method.needs <= _SERVED:
        raise OptionError(f"{name} needs {sorted(method.needs - _SERVED)}, which `backward` cannot give: use `step`, which can.")
    if "jacobian_state" in method.needs and features is not None:
        raise OptionError(
            f"{name} remembers gradients from step to step: balance at `shared_params`; `features` change every batch."
        )
    if shared_params is not None and features is not None:
        raise OptionError(
            "Give `shared_params` (exact) or `features` (cheaper), not both: they say where gradients are balanced."
        )
    if method.needs & {"gramian", "jacobian"} and shared_params is None and features is None:
        raise OptionError(
            f"{name} compares the gradients of the tasks: pass `shared_params=encoder.parameters()`, or `features=z`, "
            "the last shared representation."
        )


def _check_chunk_size(chunk_size: int | None, method: BalancingMethod, group: Any) -> None:
    if chunk_size is None:
        return
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, int) or chunk_size < 1:
        raise OptionError(f"`chunk_size` must be a number of tasks from 1; got {chunk_size!r}.")
    if "jacobian" in method.needs or group is not None:
        what = "in several processes" if group is not None else f"to {type(method).__name__}, which needs the whole Jacobian"
        raise OptionError(f"`chunk_size` cannot be given {what}: leave it out.")


def _divided(
    losses: Tensor | Sequence[Tensor], shared_params: Iterable[Tensor] | None, features: Any, factors: Tensor
) -> tuple[TaskGraph, list[Tensor], list[Tensor], Tensor]:
    """The graph; features, or shared parameters; parameters that are neither balanced nor under the features; a loss."""
    if factors.dim() > 1:
        raise OptionError("A method that compares gradients takes one network at a time; got losses with replicas.")
    like = losses if isinstance(losses, Tensor) else losses[0]
    if features is not None:
        tensors = [features] if isinstance(features, Tensor) else list(features) if isinstance(features, (list, tuple)) else []
        if not tensors or not all(isinstance(z, Tensor) and z.requires_grad for z in tensors):
            raise OptionError("`features` must be tensors that the shared part computed, with gradients; got others.")
        if len({id(z) for z in tensors}) < len(tensors):
            raise OptionError("`features` must be different tensors; got one of them twice.")
        return divide(losses, tensors), tensors, [], like
    graph = divide(losses)
    shared = reachable(graph.leaves, shared_params or ())
    if not shared:
        raise OptionError(
            "No loss depends on any of `shared_params`: are they frozen, or those of another network? "
            "(A generator, such as `parameters()` gives, can be gone through once.)"
        )
    taken = {id(p) for p in shared}
    return graph, shared, [leaf for leaf in graph.leaves if id(leaf) not in taken], like


def penalty_gradients(penalty: Tensor | None, scale: float, group: Any) -> dict[Tensor, Tensor]:
    """Its gradient, once: each process computes it, and the mean over the processes counts; no ``.grad`` is touched."""
    if penalty is None:
        return {}
    leaves = divide([penalty], []).own[0]
    share = torch.full_like(penalty, scale if group is None else scale / dist.get_world_size(group))
    gradients = torch.autograd.grad([penalty], leaves, [share], retain_graph=True, allow_unused=True)
    found = {leaf: torch.zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, gradients, strict=True)}
    sum_in_place(found.values(), group, what="penalty")
    return found


def _backward_weighted(losses: Tensor | Sequence[Tensor], weights: Tensor, group: Any, added: Mapping[Tensor, Tensor]) -> None:
    """The backward pass of the weighted sum, which is never computed itself; a task of weight 0 is not gone through."""
    roots, separate = roots_of(losses)
    if separate:
        pairs: list[tuple[Any, Tensor]] = [
            (root, w) for root, w in zip(roots, weights, strict=True) if root is not None and bool(w != 0)
        ]
    else:
        pairs = [(losses, weights)] if roots[0] is not None else []
    outputs, given = [root for root, _ in pairs], [w for _, w in pairs]
    if group is None:
        if pairs:
            torch.autograd.backward(outputs, given)
        return
    leaves = divide(losses).leaves
    found = torch.autograd.grad(outputs, leaves, given, allow_unused=True) if pairs and leaves else [None] * len(leaves)
    gradients = [torch.zeros_like(leaf) if gradient is None else gradient for leaf, gradient in zip(leaves, found, strict=True)]
    sum_in_place(gradients, group)
    for leaf, gradient in (*added.items(), *zip(leaves, gradients, strict=True)):
        accumulate_(leaf, gradient)


def _fill(
    graph: TaskGraph,
    shared: Sequence[Tensor],
    parts: Sequence[Tensor],
    own: dict[Tensor, Tensor],
    group: Any,
    added: Mapping[Tensor, Tensor],
) -> None:
    """Add to ``.grad``, of the penalty, single tasks and shared parameters; from the features the trunk is gone down before."""
    if graph.at_features:
        below = graph.below
        gradients = torch.autograd.grad(shared, below, parts, allow_unused=True) if below else []
        shared = below
        parts = [torch.zeros_like(p) if g is None else g for p, g in zip(shared, gradients, strict=True)]
        sum_in_place(parts, group)
    for p, gradient in (*added.items(), *own.items(), *zip(shared, parts, strict=True)):
        accumulate_(p, gradient)


def _as_list(shared_params: Any) -> Any:
    """Shared parameters gone through once; what is none is left for the check."""
    if shared_params is None or isinstance(shared_params, (Tensor, nn.Module)):
        return shared_params
    wanted = "`shared_params` must be several parameters, such as `encoder.parameters()` or a list"
    if not hasattr(shared_params, "__iter__"):
        raise OptionError(f"{wanted}; got {type(shared_params).__name__}.")
    found = list(shared_params)
    others = [type(p).__name__ for p in found if not isinstance(p, Tensor)]
    if others:
        raise OptionError(f"{wanted}; got {others[0]} among them.")
    return found
