"""Writing a model folder: beside the old one, then swapped in by rename."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from polytask.exceptions import ModelFolderError

from ._files import explain_write_error, flush_directory, write_and_flush
from ._manifest import MANIFEST, FileEntry, check_names, encode_manifest, new_manifest
from ._read import find_files, is_desktop_file, read_manifest


class Part(Protocol):
    """What a model folder is made of: something that becomes the bytes of one file."""

    part: ClassVar[str]

    def encode(self, name: str) -> bytes:
        """The bytes of the file; `name` is for errors."""


def write_folder(
    path: str | os.PathLike[str],
    parts: Mapping[str, Part],
    *,
    kind: str,
    meta: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    flush: bool = True,
) -> None:
    """Save parts as a model folder, whole or not at all.

    The folder is written beside its place (``.<name>.tmp-...``), flushed to the disk, and swapped in by rename. If
    anything fails, a full disk or Ctrl-C included, the temporary folder is removed and an earlier model stays as it was.

    Parameters
    ----------
    path : str or path
        Where the folder shall be; the folders above it are made. An existing path is refused unless it is an empty
        folder, or a model folder and `overwrite` is true.
    parts : mapping of str to Part
        Relative file names (``"weights.safetensors"``, ``"members/0/model.txt"``) and what they hold.
    kind : str
        What the folder holds; given back by :func:`read_folder`.
    meta : mapping, optional
        JSON for the manifest.
    overwrite : bool, default=False
        Replace an existing model folder. A folder that is something else, or holds files of the user's own, is
        never touched.
    flush : bool, default=True
        Wait until the disk has every file. Without it saving many small files is much quicker; after a power cut, not after the
        end of the process, the folder may be damaged, and :func:`read_folder` then refuses it.

    Raises
    ------
    ModelFolderError
        If the path is taken, a part cannot be written as what it claims to be, or the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> from polytask.storage import JSONPart, read_folder, write_folder
    >>> path = tempfile.mkdtemp() + "/model"
    >>> write_folder(path, {"task.json": JSONPart({"name": "price"})}, kind="example")
    >>> read_folder(path).json("task.json")
    {'name': 'price'}
    """
    check_names(parts, folder=os.fspath(path))
    target = Path(os.path.realpath(path))  # a link to a model folder stays a link
    try:
        check_place(target, shown=os.fspath(path), overwrite=overwrite)
    except OSError as error:
        raise ModelFolderError(explain_write_error(path, error, kept="What is there is unchanged.")) from error
    token = f"{os.getpid()}-{secrets.token_hex(4)}"
    temporary, aside = target.with_name(f".{target.name}.tmp-{token}"), target.with_name(f".{target.name}.old-{token}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_parts(temporary, parts, kind=kind, meta=meta or {}, flush=flush)
        if os.path.lexists(target):
            os.rename(target, aside)
        os.rename(temporary, target)
        if flush:
            flush_directory(target.parent)
    except BaseException as error:
        if os.path.lexists(aside) and not os.path.lexists(target):
            os.rename(aside, target)
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            kept = "The earlier model there is unchanged." if os.path.lexists(target) else "Nothing was left behind."
            raise ModelFolderError(explain_write_error(path, error, kept=kept)) from error
        raise
    finally:
        if os.path.lexists(target):
            shutil.rmtree(aside, ignore_errors=True)


def check_place(target: Path, *, shown: str, overwrite: bool) -> None:
    """Raise :class:`ModelFolderError` if a model could not be saved at ``target``; ``shown`` is its name in the message."""
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise ModelFolderError(f"'{shown}' is a file; a model is saved as a folder. Choose another path.")
    if not any(target.iterdir()):
        return
    if not (target / MANIFEST).is_file():
        raise ModelFolderError(f"'{shown}' exists and is not a polytask model folder, so it is left alone. Choose another path.")
    manifest = read_manifest(target, shown=shown, for_overwrite=True)
    if not overwrite:
        raise ModelFolderError(
            f"'{shown}' already holds a model. Choose another path, or allow it to be replaced (--overwrite, overwrite=True)."
        )
    strangers = [
        name for name in find_files(target) if name not in manifest.files and name != MANIFEST and not is_desktop_file(name)
    ]
    if strangers:
        raise ModelFolderError(
            f"'{shown}' holds files that are not part of the model ({', '.join(sorted(strangers)[:3])}), so it is not replaced. "
            "Move them away, or choose another path."
        )


def _write_parts(folder: Path, parts: Mapping[str, Part], *, kind: str, meta: Mapping[str, Any], flush: bool) -> None:
    folder.mkdir()
    write = write_and_flush if flush else Path.write_bytes
    files, directories = {}, {folder}
    for name, part in parts.items():
        content = part.encode(name)
        files[name] = FileEntry(part=part.part, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        directories.update(parent for parent in file.parents if parent.is_relative_to(folder))
        write(file, content)
    write(folder / MANIFEST, encode_manifest(new_manifest(kind, meta=meta, files=files)))  # last: without it, no model
    for directory in directories if flush else ():
        flush_directory(directory)
