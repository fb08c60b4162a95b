"""Memory that is used again in the next step: taking it anew from the system costs as much as filling it."""

from collections.abc import Sequence
from functools import cache
from math import prod
from typing import Any

import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod

_LARGEST_BLOCK = 2**25 - 2**16  # bytes


class Workspace:
    """Tensors by name, whose memory is given out again once nobody else holds it.

    It belongs to one method and goes with it; it is never copied, nor kept in a ``state_dict``.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, torch.dtype, torch.device], Tensor] = {}

    def take(self, name: str, shape: Sequence[int], like: Tensor) -> Tensor:
        """A tensor of this shape with any content, of the dtype and device of ``like``."""
        size, key = prod(shape), (name, like.dtype, like.device)
        flat = self._kept.get(key)
        if flat is None or not size <= flat.numel() <= 2 * size or _is_held(flat):
            self._kept.pop(key, None)
            flat = None  # freed before its successor is made
            flat = self._kept[key] = torch.empty(size, dtype=like.dtype, device=like.device)
        return flat[:size].view(*shape)

    def __deepcopy__(self, memo: Any) -> "Workspace":
        return Workspace()

    def __reduce__(self) -> Any:
        return Workspace, ()


def workspace_of(method: BalancingMethod) -> Workspace:
    """The workspace of a method, made at first use."""
    found = method.__dict__.get("_workspace")
    if found is None:
        found = method.__dict__["_workspace"] = Workspace()
        keep_freed_memory()
    assert isinstance(found, Workspace)
    return found


@cache
def keep_freed_memory() -> None:
    """Let the process keep some dozens of MB that were freed, for the next pass, instead of giving them back each time.

    The allocator of glibc raises its limits to the size of the largest block, up to 32 MB, that was ever taken and freed; the
    block need not be used. Others do nothing of it. Without it a backward pass per task spends a tenth of its time on pages
    that are given back and taken anew.
    """
    torch.empty(_LARGEST_BLOCK, dtype=torch.uint8)


def _is_held(flat: Tensor) -> bool:
    """Whether a view of it lives on, such as a Jacobian that a method has kept."""
    storage = flat.untyped_storage()
    return bool(torch._C._storage_Use_Count(storage._cdata) > 2)  # the tensor and ``storage``
