"""A digest of data and options, to tell whether a resumed run is the same run."""

import hashlib
import os
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

_PANDAS_MISSING = ("NAType", "NaTType")


def fingerprint(*values: Any) -> str:
    """Digest arrays, tensors, frames and plain values into one short text that is the same on every machine.

    Parameters
    ----------
    *values : object
        None, booleans, numbers, text, bytes, paths; numpy arrays and torch tensors; pandas frames, series and indexes
        (the values of their columns in order, by name and dtype; not their index); sequences, sets, and mappings
        (in any order) of these. Missing values are equal to each other; ``1``, ``1.0``, ``True`` and ``"1"`` differ.

    Returns
    -------
    digest : str
        64 hexadecimal digits (SHA-256).

    Raises
    ------
    TypeError
        If a value is of another type.

    Examples
    --------
    >>> fingerprint({"a": 1, "b": [2.5]}) == fingerprint({"b": [2.5], "a": 1})
    True
    >>> fingerprint(np.zeros(3)) == fingerprint(np.zeros((3, 1)))
    False
    """
    digest = hashlib.sha256()
    for value in values:
        digest.update(_digest(value))
    return digest.hexdigest()


def _digest(value: Any) -> bytes:
    """SHA-256 over a type tag and the content, so that nested values cannot run into each other."""
    kind, pieces = _content(value)
    digest = hashlib.sha256(f"{kind}:{len(pieces)}\n".encode())
    for piece in pieces:
        digest.update(struct.pack("<Q", len(piece)))
        digest.update(piece)
    return digest.digest()


def _content(value: Any) -> tuple[str, list[bytes]]:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return type(value).__name__, [str(value).encode("utf-8", errors="surrogatepass")]
    if isinstance(value, float):
        return "float", [b"nan" if value != value else struct.pack("<d", value)]
    if isinstance(value, (bytes, bytearray)):
        return "bytes", [bytes(value)]
    if isinstance(value, os.PathLike):
        return "path", [os.fsencode(value)]
    if isinstance(value, Mapping):
        return "mapping", sorted(_digest(key) + _digest(item) for key, item in value.items())
    if isinstance(value, (set, frozenset)):
        return "set", sorted(_digest(item) for item in value)
    if isinstance(value, (list, tuple)):
        return "sequence", [_digest(item) for item in value]
    return _table_content(value)


def _table_content(value: Any) -> tuple[str, list[bytes]]:
    library = type(value).__module__.partition(".")[0]
    if isinstance(value, np.ndarray):
        return _array_content(value)
    if library == "torch" and hasattr(value, "detach"):
        return _tensor_content(value)
    if library == "pandas" and hasattr(value, "columns"):
        return "frame", [part for i, name in enumerate(value.columns) for part in (_digest(name), _digest(value.iloc[:, i]))]
    if library == "pandas" and getattr(value, "ndim", 0) == 1:
        return "column", [str(value.dtype).encode(), _digest(_column_array(value))]
    if type(value).__name__ in _PANDAS_MISSING:
        return "NoneType", [b"None"]
    if hasattr(value, "isoformat"):
        return type(value).__name__, [value.isoformat().encode()]
    raise TypeError(f"A fingerprint must be of plain values, arrays, tensors or pandas tables; got {type(value).__name__}.")


def _column_array(column: Any) -> np.ndarray:
    """The values of a pandas column as a plain array: numbers as they are, everything else as objects."""
    if isinstance(column.dtype, np.dtype):
        return np.asarray(column.to_numpy())
    return np.asarray(column.astype(object).to_numpy())


def _array_content(array: np.ndarray) -> tuple[str, list[bytes]]:
    shape = str(array.shape).encode()
    if array.dtype.hasobject or array.dtype.kind in "US":
        return "objects", [shape, *_object_pieces(_objects(array))]
    if array.dtype.kind == "V":
        raise TypeError(f"A fingerprint must be of plain arrays; got a structured array of dtype {array.dtype}.")
    array = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.array(np.nan, dtype=array.dtype), array)  # one NaN for all
    return "array", [array.dtype.str.encode(), shape, array.tobytes()]


def _objects(array: np.ndarray) -> list[Any]:
    """The items of an array, with None for every kind of missing value."""
    items = array.ravel().tolist()
    return [
        None if type(item).__name__ in _PANDAS_MISSING or (isinstance(item, float) and item != item) else item for item in items
    ]


def _object_pieces(items: list[Any]) -> list[bytes]:
    """Text, the common case, in one go: all lengths, then all characters."""
    if all(item is None or isinstance(item, str) for item in items):
        texts = [b"" if item is None else item.encode("utf-8", errors="surrogatepass") for item in items]
        lengths = [-1 if item is None else len(text) for item, text in zip(items, texts, strict=True)]
        return [b"text", np.array(lengths, dtype="<i8").tobytes(), b"".join(texts)]
    return [b"mixed", *(_digest(item) for item in items)]


def _tensor_content(tensor: Any) -> tuple[str, list[bytes]]:
    import torch

    plain = tensor.detach().cpu().contiguous()
    if plain.dtype == torch.bfloat16:
        return "bfloat16", [str(tuple(plain.shape)).encode(), plain.view(torch.int16).numpy().tobytes()]
    return _array_content(plain.numpy())
