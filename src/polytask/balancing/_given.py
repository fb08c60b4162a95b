"""What a user gives to a balanced backward pass: each thing checked before any ``.grad`` is touched."""

import math
from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch import Tensor

from polytask.balancing._processes import summed
from polytask.exceptions import OptionError, PolytaskError

NO_GRAPH = (
    "`losses` must have a graph to go back through; none of them has. Were they detached, turned into numbers, or computed "
    "under `torch.no_grad()`?"
)


def losses_and_names(losses: Any, tasks: Any) -> tuple[Tensor, tuple[Hashable, ...]]:
    """Values [..., n_tasks], detached, and the name of each task.

    Raises
    ------
    OptionError
        If these are no losses with a graph, one per task, or no names for them.
    """
    wanted = "`losses` must be one loss per task: a list of scalars that torch computed, or a tensor of shape (n_tasks,)"
    if isinstance(losses, Tensor):
        if losses.dim() == 0:
            raise OptionError(f"{wanted}; got a single number. Give the losses as they were before they were added up.")
        each: Sequence[Tensor] = [losses]
    elif isinstance(losses, (list, tuple)):
        others = [type(loss).__name__ for loss in losses if not isinstance(loss, Tensor)]
        if others:
            raise OptionError(f"{wanted}; got {others[0]} among them.")
        each = losses
    else:
        hint = " Give `list(losses.values())`, and the names as `tasks`." if isinstance(losses, dict) else ""
        raise OptionError(f"{wanted}; got {type(losses).__name__}.{hint}")
    if not len(losses) or (isinstance(losses, Tensor) and not losses.numel()):
        raise OptionError(f"{wanted}; got none.")
    strange = next((loss.dtype for loss in each if not loss.is_floating_point()), None)
    if strange is not None:
        raise OptionError(f"`losses` must be real floating point numbers; got {str(strange).removeprefix('torch.')}.")
    if not isinstance(losses, Tensor):
        shapes = [tuple(loss.shape) for loss in losses]
        if any(shapes):
            raise OptionError(
                f"`losses` given as a list must be scalars, of shape (); got shapes {shapes}. Take the mean of each, or its sum "
                "over the label weights."
            )
        devices = sorted({str(loss.device) for loss in losses})
        if len(devices) > 1:
            raise OptionError(f"`losses` must be on one device; got {devices}. Bring them together with `loss.to(...)`.")
    values = losses.detach() if isinstance(losses, Tensor) else torch.stack([loss.detach() for loss in losses])
    return values, _names(tasks, values)


def _names(tasks: Any, values: Tensor) -> tuple[Hashable, ...]:
    n_tasks = values.shape[-1]
    if tasks is None:
        return tuple(range(n_tasks))
    wanted = f"`tasks` must name each of the {n_tasks} losses once"
    if isinstance(tasks, str) or not hasattr(tasks, "__iter__"):
        raise OptionError(f"{wanted}, such as a list of {n_tasks} names; got {tasks!r}.")
    names = tuple(tasks)
    try:
        n_different = len(set(names))
    except TypeError:
        raise OptionError(f"{wanted}, by names that can be looked up, such as strings; got {list(names)}.") from None
    if len(names) != n_tasks:
        raise OptionError(f"{wanted}; got {len(names)} name(s), {list(names)}, for losses of shape {tuple(values.shape)}.")
    if n_different < len(names):
        raise OptionError(f"{wanted}; got {list(names)}.")
    return names


def check_some_graph(losses: Tensor | Sequence[Tensor], label_weight: Tensor) -> None:
    """At least one of the losses must lead back to parameters, unless all tasks are absent."""
    if losses.requires_grad if isinstance(losses, Tensor) else any(loss.requires_grad for loss in losses):
        return
    if bool((label_weight > 0).any()):
        raise OptionError(NO_GRAPH)


def checked_label_weight(values: Tensor, given: Any, names: Sequence[Hashable], nonfinite: str) -> Tensor:
    """Label weights [..., n_tasks], 1 where none are given.

    Raises
    ------
    OptionError
        If there is not one number per task, finite and not negative.
    """
    if nonfinite not in ("error", "skip"):
        raise OptionError(f"`nonfinite` must be 'error' or 'skip'; got {nonfinite!r}.")
    if given is None:
        return torch.ones_like(values)
    fits = isinstance(given, Tensor) and given.dim() <= values.dim() and given.shape[-1:] in ((), (1,), values.shape[-1:])
    if fits and given.shape[:-1] not in ((), values.shape[:-1]):
        fits = False
    if not fits or given.is_complex():
        got = type(given).__name__ if not isinstance(given, Tensor) else given.dtype if fits else tuple(given.shape)
        raise OptionError(f"`label_weight` must be a tensor of one number per task, {len(names)}; got {got}.")
    if given.is_meta != values.is_meta:
        raise OptionError(f"`label_weight` must hold numbers, as the losses on {values.device} do; got one on {given.device}.")
    weight = given.detach().to(values).expand(values.shape)
    if not bool((weight >= 0).all()) or not math.isfinite(float(weight.max())):
        raise OptionError(
            f"`label_weight` must not be negative, nor NaN or infinite; got {weight.tolist()}. Give the number of labels behind "
            "each loss, or the sum of their weights; 0 for a task that is absent."
        )
    return weight


def without_nonfinite(
    values: Tensor, weight: Tensor, names: Sequence[Hashable], nonfinite: str, group: Any, *, given: bool = True
) -> Tensor:
    """Label weights, 0 for tasks that are skipped since their loss is not finite, in whichever process.

    Raises
    ------
    PolytaskError
        If a loss is not finite, and that is an error; in all processes.
    """
    if group is None and not given and (math.isfinite(float(values.sum())) or bool(torch.isfinite(values).all())):
        return weight
    bad = ~torch.isfinite(values) & (weight > 0)
    if group is not None:
        bad = summed(bad.to(values.dtype), group) > 0
    if not bool(bad.any()):
        return weight
    if nonfinite == "error":
        there = bad.reshape(-1, len(names)).any(0).tolist()
        which = ", ".join(repr(name) for name, is_bad in zip(names, there, strict=True) if is_bad)
        raise PolytaskError(
            f"The loss of {which} is not finite. Lower the learning rate, look for extreme values in that target, or pass "
            "`nonfinite='skip'` to `backward` to leave the task out of such a step."
        )
    return weight.masked_fill(bad, 0.0)


def check_penalty(penalty: Any) -> None:
    """A penalty must be a finite scalar with a graph, or None.

    Raises
    ------
    OptionError
        If it is something else.
    PolytaskError
        If its value is not finite.
    """
    if penalty is None:
        return
    wanted = "`penalty` must be a real scalar that torch computed from parameters, of shape ()"
    if not isinstance(penalty, Tensor):
        raise OptionError(f"{wanted}; got {penalty!r}. Leave it out (None) where there is none.")
    if penalty.dim() or not penalty.is_floating_point():
        raise OptionError(
            f"{wanted}; got shape {tuple(penalty.shape)} of {str(penalty.dtype).removeprefix('torch.')}. Add its parts up first."
        )
    if not penalty.requires_grad:
        raise OptionError(
            f"{wanted}; got one without a graph, whose gradient is none. Was it detached, computed under `torch.no_grad()`, "
            "or of frozen parameters only? Then leave it out (None)."
        )
    value = float(penalty.detach())
    if not math.isfinite(value):
        raise PolytaskError(
            f"The `penalty` is not finite; got {value}. Lower the learning rate, or look at what it is computed from."
        )
