"""Sums over processes."""

from collections.abc import Iterable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def summed(tensor: Tensor, group: Any) -> Tensor:
    """Sum of a tensor over the processes of a group; the tensor itself without a group."""
    if group is None:
        return tensor
    total = tensor.detach().clone()
    dist.all_reduce(total, group=group)
    return total


def sum_in_place(tensors: Iterable[Tensor], group: Any) -> None:
    """Sum many tensors over the processes, in one message per dtype."""
    if group is None:
        return
    by_kind: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
    for tensor in tensors:
        by_kind.setdefault((tensor.dtype, tensor.device), []).append(tensor)
    for some in by_kind.values():
        flat = torch.cat([tensor.reshape(-1) for tensor in some])
        dist.all_reduce(flat, group=group)
        for tensor, part in zip(some, flat.split([tensor.numel() for tensor in some]), strict=True):
            tensor.copy_(part.view_as(tensor))
