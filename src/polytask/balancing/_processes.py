"""Sums over processes."""

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from polytask.exceptions import PolytaskError


def summed(tensor: Tensor, group: Any) -> Tensor:
    """Sum of a tensor over the processes of a group; the tensor itself without a group."""
    if group is None:
        return tensor
    total = tensor.detach().clone()
    dist.all_reduce(total, group=group)
    return total


@contextmanager
def agreed(group: Any) -> Iterator[None]:
    """Let an error of one process be one of all of them: none is left waiting for a sum that never comes."""
    if group is None:
        yield
        return
    error: Exception | None = None
    try:
        yield
    except Exception as found:  # noqa: BLE001 it is raised again, when the others know
        error = found
    refused = bool(summed(_flag(group, float(error is not None)), group))
    if error is not None:
        raise error
    if refused:
        raise PolytaskError("Another process refused this step, and says why in an error of its own; so it is left out here.")


def _flag(group: Any, *values: float) -> Tensor:
    """Numbers where the processes of a group can exchange them."""
    device = torch.device("cuda", torch.cuda.current_device()) if dist.get_backend(group) == "nccl" else torch.device("cpu")
    return torch.tensor(values, dtype=torch.float64, device=device)


def is_same(what: Any, group: Any) -> bool:
    """Whether all processes of a group have the same, by what it looks like."""
    code = float(zlib.crc32(repr(what).encode()))
    largest = _flag(group, code, -code)
    dist.all_reduce(largest, op=dist.ReduceOp.MAX, group=group)
    return float(largest[0]) == -float(largest[1])


def check_same(group: Any, **given: Any) -> None:
    """Refuse, in all processes, what would make them wait for different sums."""
    if group is not None and not is_same(sorted(given.items()), group):
        raise PolytaskError(
            f"All processes must make the same step, with the same {', '.join(sorted(given))}; here {given}, in another one not. "
            "A task without labels in one process has a `label_weight` of 0 there."
        )


def sum_in_place(tensors: Iterable[Tensor], group: Any, *, what: str = "loss") -> None:
    """Sum many tensors over the processes, in one message per dtype; refused in all of them where they are not alike."""
    if group is None:
        return
    tensors = list(tensors)
    if not is_same([(tuple(tensor.shape), str(tensor.dtype)) for tensor in tensors], group):
        raise PolytaskError(
            f"The {what} of this step leads to other parameters in one process than in another (here to {len(tensors)}), so that "
            "gradients cannot be added up. Compute it by the same operations in all processes, such as `outputs.sum() * 0` of a "
            "head where no row has a label."
        )
    by_kind: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
    for tensor in tensors:
        by_kind.setdefault((tensor.dtype, tensor.device), []).append(tensor)
    for some in by_kind.values():
        flat = torch.cat([tensor.reshape(-1) for tensor in some])
        dist.all_reduce(flat, group=group)
        for tensor, part in zip(some, flat.split([tensor.numel() for tensor in some]), strict=True):
            tensor.copy_(part.view_as(tensor))
