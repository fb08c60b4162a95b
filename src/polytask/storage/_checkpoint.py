"""Checkpoints of a run that may be killed at any moment."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from polytask.exceptions import ModelFolderError

from ._files import write_file
from ._json import decode_json, encode_json
from ._tensors import decode_tensors, encode_tensors

if TYPE_CHECKING:
    from torch import Tensor

_FORMAT = "polytask.checkpoint"
_VERSION = 1
_HEADER_BYTES = 1024


class Checkpoint(NamedTuple):
    """What :func:`read_checkpoint` gives back: tensors by name, on the CPU, and a state of plain JSON."""

    tensors: dict[str, Tensor]
    state: dict[str, Any]


def write_checkpoint(path: str | os.PathLike[str], tensors: Mapping[str, Tensor | np.ndarray], state: Mapping[str, Any]) -> None:
    """Replace a checkpoint, in one file, so that a reader always finds a whole one.

    Parameters
    ----------
    path : str or path
        The file, e.g. ``run/checkpoint.polytask``; its folder is made. One process at a time may write it.
    tensors : mapping of str to Tensor or ndarray
        Weights, optimizer moments, states of generators; kept bit for bit.
    state : mapping
        JSON: counters, history, fingerprints.

    Raises
    ------
    ModelFolderError
        If something is not a tensor or not JSON, or the disk refuses; the earlier checkpoint is then unchanged.

    Examples
    --------
    >>> import tempfile, torch
    >>> path = tempfile.mkdtemp() + "/checkpoint.polytask"
    >>> write_checkpoint(path, {"weight": torch.zeros(2)}, {"epoch": 3})
    >>> read_checkpoint(path).state
    {'epoch': 3}
    """
    name = os.path.basename(path)
    state_bytes, tensor_bytes = encode_json(dict(state), name=name), encode_tensors(tensors, name=name)
    body = state_bytes + tensor_bytes
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "state": len(state_bytes),
        "tensors": len(tensor_bytes),
        "sha256": _digest(body),
    }
    write_file(path, _encode_header(header) + body)


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint after checking its length and hash.

    Parameters
    ----------
    path : str or path
        A file of :func:`write_checkpoint`.

    Returns
    -------
    checkpoint : Checkpoint
        ``(tensors, state)``.

    Raises
    ------
    ModelFolderError
        If the file is missing, not a checkpoint, damaged, or from a newer polytask.
    """
    where = f"'{os.fspath(path)}'"
    try:
        with open(path, "rb") as file:
            header, body = file.readline(_HEADER_BYTES), file.read()
    except FileNotFoundError:
        raise ModelFolderError(f"There is no checkpoint at {where}. Start the run without resuming it.") from None
    except OSError as error:
        raise ModelFolderError(f"{where} cannot be read: {error.strerror or error}.") from error
    expected = _parse_header(header, where=where)
    if len(body) != expected["state"] + expected["tensors"] or _digest(body) != expected["sha256"]:
        raise ModelFolderError(f"{where} is damaged: it was cut short or changed after it was written. Start the run again.")
    state, tensors = body[: expected["state"]], body[expected["state"] :]
    return Checkpoint(decode_tensors(tensors, where=where), decode_json(state, where=where))


def _parse_header(line: bytes, *, where: str) -> dict[str, Any]:
    try:
        header = json.loads(line)
        if header["format"] != _FORMAT:
            raise ValueError
        if header["version"] > _VERSION:
            raise ModelFolderError(
                f"{where} is a checkpoint of version {header['version']}; this polytask reads version {_VERSION}. "
                "Upgrade polytask."
            )
        if header["version"] != _VERSION or _encode_header(header) != line:
            raise ValueError
        return {"state": int(header["state"]), "tensors": int(header["tensors"]), "sha256": header["sha256"]}
    except ModelFolderError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ModelFolderError(
            f"{where} is not a polytask checkpoint, or its first line is damaged. Start the run again."
        ) from None


def _encode_header(header: dict[str, Any]) -> bytes:
    return json.dumps(header).encode("ascii") + b"\n"


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
