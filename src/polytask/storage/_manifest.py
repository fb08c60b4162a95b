"""The manifest: what a model folder is, who wrote it, and the hash of every file in it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from platform import python_version
from typing import Any

from polytask import __version__
from polytask.exceptions import ModelFolderError

from ._json import encode_json

FORMAT = "polytask.model"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}){0,7}")
_PACKAGES = ("torch", "numpy", "pandas", "scikit-learn", "lightgbm", "skops", "safetensors")


@dataclass(frozen=True)
class FileEntry:
    """One file of a model folder: the kind of part it holds, its size in bytes, its SHA-256 in hex."""

    part: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What ``manifest.json`` says.

    Parameters
    ----------
    kind : str
        What the folder holds, e.g. ``"predictor"``; the reader decides by it how to put the parts together.
    meta : dict
        JSON of the writer's own.
    files : dict of str to FileEntry
        Every file except the manifest, by its relative name with forward slashes.
    polytask, created, versions
        The version that wrote it, when (UTC, ISO 8601), and the versions of Python and of the packages used.
    """

    kind: str
    meta: dict[str, Any]
    files: dict[str, FileEntry]
    polytask: str
    created: str
    versions: dict[str, str]


def new_manifest(kind: str, *, meta: Mapping[str, Any], files: dict[str, FileEntry]) -> Manifest:
    """A manifest of now, by this version of polytask."""
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Manifest(kind, dict(meta), files, polytask=__version__, created=created, versions=installed_versions())


def installed_versions() -> dict[str, str]:
    """Versions of Python and of the packages a model depends on, without importing them."""
    found = {"python": python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def encode_manifest(manifest: Manifest) -> bytes:
    """Write a manifest; its last entry is the hash of the rest of it."""
    content = {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(manifest)}
    return encode_json({**content, "sha256": _digest(content)}, name=MANIFEST)


def decode_manifest(content: bytes, *, folder: str) -> Manifest:
    """Read and check a manifest; `folder` names the model folder in errors."""
    raw = _parse(content, folder=folder)
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ModelFolderError(f"'{folder}' is not a polytask model folder: its {MANIFEST} is of another program.")
    version, writer = raw.get("format_version"), raw.get("polytask")
    if type(version) is int and version > FORMAT_VERSION:
        raise ModelFolderError(
            f"'{folder}' was written by polytask {writer} in model format {version}; this is polytask {__version__}, "
            f"which reads format {FORMAT_VERSION}. Upgrade polytask to load it."
        )
    damaged = ModelFolderError(
        f"'{folder}' is damaged: its {MANIFEST} was changed after it was saved. Copy the model again, or save it again."
    )
    digest = raw.pop("sha256", None)
    if version != FORMAT_VERSION or digest != _digest(raw) or encode_json({**raw, "sha256": digest}, name=MANIFEST) != content:
        raise damaged
    try:
        files = {name: FileEntry(**entry) for name, entry in raw["files"].items()}
        manifest = Manifest(
            **{key: value for key, value in raw.items() if key not in ("format", "format_version", "files")}, files=files
        )
    except (TypeError, KeyError, AttributeError):
        raise damaged from None
    check_names(manifest.files, folder=folder)
    return manifest


def check_names(names: Mapping[str, Any], *, folder: str) -> None:
    """Refuse names that could leave the folder, or that are one file on some disks."""
    seen = {MANIFEST: MANIFEST}
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ModelFolderError(
                f"Part names of '{folder}' must be relative, of letters, digits, '_', '-', '+', '.' and '/'; got {name!r}. "
                "Number the parts instead of naming them after columns."
            )
        other = seen.setdefault(name.casefold(), name)
        if other != name or name == MANIFEST:
            raise ModelFolderError(f"Part names of '{folder}' must differ in more than case; got {name!r} and {other!r}.")


def _parse(content: bytes, *, folder: str) -> Any:
    try:
        return json.loads(content.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise ModelFolderError(
            f"'{folder}' is damaged: its {MANIFEST} is cut short or is not JSON ({error}). "
            "Copy the model again, or save it again."
        ) from error


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(encode_json(content, name=MANIFEST)).hexdigest()
