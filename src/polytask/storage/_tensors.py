"""Tensors as safetensors: raw numbers with names, shapes and types, and nothing that runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from polytask.exceptions import ModelFolderError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class TensorsPart:
    """Named tensors as a part of a model folder; they come back bit for bit.

    Parameters
    ----------
    tensors : mapping of str to Tensor or ndarray
        Any shape, 0-d and empty included; on any device (read back on the CPU). Dense numbers or booleans only.

    Examples
    --------
    >>> import torch
    >>> content = TensorsPart({"weight": torch.ones(2, 3)}).encode("weights.safetensors")
    >>> decode_tensors(content, where="weights.safetensors")["weight"].shape
    torch.Size([2, 3])
    """

    tensors: Mapping[str, Tensor | np.ndarray]
    part: ClassVar[str] = "tensors"

    def encode(self, name: str) -> bytes:
        """Give the bytes of the file; ``name`` is for errors."""
        return encode_tensors(self.tensors, name=name)


def encode_tensors(tensors: Mapping[str, Tensor | np.ndarray], *, name: str) -> bytes:
    """Write named tensors as the bytes of a safetensors file; the same tensors give the same bytes."""
    from safetensors.torch import save

    return save({key: _plain_tensor(value, key=key, name=name) for key, value in tensors.items()})


def decode_tensors(content: bytes, *, where: str) -> dict[str, Tensor]:
    """Read all tensors of a safetensors file; the order of names is not kept."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelFolderError(f"{where} is not a valid safetensors file ({error}). Copy or save it again.") from error


def decode_arrays(content: bytes, *, where: str) -> dict[str, np.ndarray]:
    """Read all tensors of a safetensors file as numpy arrays, without torch; bfloat16 has no numpy type."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelFolderError(f"{where} cannot be read as numpy arrays ({error}). Read it as tensors.") from error


def _plain_tensor(value: Any, *, key: str, name: str) -> Tensor:
    """A dense CPU tensor with memory of its own, which is what safetensors wants."""
    import torch

    if not isinstance(key, str) or key == "__metadata__":
        raise ModelFolderError(f"Names of tensors in {name} must be text other than '__metadata__'; got {key!r}.")
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.array(value)  # a copy: read-only and reversed arrays are fine too
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        try:
            return torch.from_numpy(array)
        except TypeError:
            raise ModelFolderError(f"Array {key!r} of {name} must hold numbers or booleans; got dtype {array.dtype}.") from None
    if not isinstance(value, torch.Tensor):
        raise ModelFolderError(f"{key!r} of {name} must be a tensor or an array; got {type(value).__name__}.")
    if value.layout != torch.strided or value.is_quantized or value.device.type == "meta":
        raise ModelFolderError(f"Tensor {key!r} of {name} must be dense and hold data; got {value.layout} on {value.device}.")
    return value.detach().cpu().clone(memory_format=torch.contiguous_format)
