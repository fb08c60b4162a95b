"""The memory of a balancing method as JSON and tensors, for a checkpoint."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from polytask.balancing import BalancingMethod, PerReplica
from polytask.exceptions import ModelFolderError

_PREFIX = "balancing/"


def packed_memory(method: BalancingMethod) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Name of a method, and its ``state_dict`` as JSON with the tensors apart.

    >>> import torch
    >>> from polytask.balancing import DWA
    >>> method = DWA()
    >>> method.end_epoch(torch.tensor([1.0, 2.0]), tasks=["price", "sold"])
    >>> content, tensors = packed_memory(method)
    >>> content["method"], len(tensors)
    ('DWA()', 4)
    """
    tensors: dict[str, Tensor] = {}

    def pack(value: Any) -> Any:
        if isinstance(value, Tensor):
            name = f"{_PREFIX}{len(tensors)}"
            tensors[name] = value.detach().cpu().clone()
            return {"tensor": name}
        if isinstance(value, Mapping):
            return {"items": [[pack(key), pack(own)] for key, own in value.items()]}
        if isinstance(value, list | tuple):
            return {type(value).__name__: [pack(own) for own in value]}
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise ModelFolderError(f"{type(method).__name__} remembers a {type(value).__name__}, which a checkpoint cannot hold.")

    return {"method": _title(method), "state": pack(dict(method.state_dict()))}, tensors


def restore_memory(method: BalancingMethod, content: Mapping[str, Any], tensors: Mapping[str, Tensor], *, path: Path) -> None:
    """Put what :func:`packed_memory` gave into a method; raises :class:`ModelFolderError` if it is of another one."""

    def unpack(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        ((kind, own),) = value.items()
        if kind == "tensor":
            return tensors[own]
        if kind == "items":
            return {unpack(key): unpack(value) for key, value in own}
        made = [unpack(value) for value in own]
        return tuple(made) if kind == "tuple" else made

    if content["method"] != _title(method):
        raise ModelFolderError(
            f"The checkpoint at '{path}' belongs to another run, balanced by {content['method']}, not by {_title(method)}. "
            "Start again without it, or with the method it was made with."
        )
    method.load_state_dict(unpack(content["state"]))


def _title(method: BalancingMethod) -> str:
    return repr(method.method if isinstance(method, PerReplica) else method)
