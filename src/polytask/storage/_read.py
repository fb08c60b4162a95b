"""Reading a model folder: every size and hash is checked before a parser sees a byte."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from polytask.exceptions import ModelFolderError

from ._json import decode_json
from ._lightgbm import decode_lightgbm
from ._manifest import MANIFEST, FileEntry, Manifest, decode_manifest
from ._skops import decode_skops
from ._tensors import decode_arrays, decode_tensors
from ._text import decode_text

if TYPE_CHECKING:
    from lightgbm import Booster
    from torch import Tensor

_MANIFEST_BYTES = 64 * 2**20
_AGAIN = "Copy the model again, or save it again."


@dataclass(frozen=True, repr=False)
class Folder:
    """A model folder whose bytes have been checked; made by :func:`read_folder`.

    Parameters
    ----------
    path : Path
        Where it was read from.
    manifest : Manifest
        What it says about itself: ``kind``, ``meta``, ``files``, ``polytask``, ``created``, ``versions``.
    unlisted : tuple of str
        Files in the folder that are not part of the model. They were not opened.
    contents : dict of str to bytes
        The checked bytes of every part.
    """

    path: Path
    manifest: Manifest
    unlisted: tuple[str, ...]
    contents: dict[str, bytes]

    def __repr__(self) -> str:
        return f"<model folder '{self.path}': {self.manifest.kind}, {len(self.contents)} parts>"

    def __contains__(self, name: str) -> bool:
        return name in self.contents

    def json(self, name: str) -> Any:
        """The value of a :class:`JSONPart`."""
        return decode_json(self._content(name, "json"), where=self._where(name))

    def tensors(self, name: str) -> dict[str, Tensor]:
        """The tensors of a :class:`TensorsPart`, on the CPU."""
        return decode_tensors(self._content(name, "tensors"), where=self._where(name))

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """The tensors of a :class:`TensorsPart` as numpy arrays, without loading torch."""
        return decode_arrays(self._content(name, "tensors"), where=self._where(name))

    def text(self, name: str) -> str:
        """The text of a :class:`TextPart`."""
        return decode_text(self._content(name, "text"), where=self._where(name))

    def raw(self, name: str) -> bytes:
        """The content of a :class:`BytesPart`."""
        return self._content(name, "bytes")

    def lightgbm(self, name: str) -> Booster:
        """The booster of a :class:`LightGBMPart`; its text is checked before LightGBM parses it."""
        return decode_lightgbm(self._content(name, "lightgbm"), where=self._where(name))

    def skops(self, name: str, *, trusted: Collection[type] = ()) -> Any:
        """The estimator of a :class:`SkopsPart`; classes beyond the allow-list must be given in `trusted`."""
        return decode_skops(self._content(name, "skops"), where=self._where(name), trusted=trusted)

    def _where(self, name: str) -> str:
        return f"{name} of '{self.path}'"

    def _content(self, name: str, part: str) -> bytes:
        if name not in self.contents:
            raise ModelFolderError(f"'{self.path}' has no part {name!r}; it has {sorted(self.contents)}.")
        if (found := self.manifest.files[name].part) != part:
            raise ModelFolderError(f"{self._where(name)} must be a part of kind {part!r}; got {found!r}.")
        return self.contents[name]


def read_folder(path: str | os.PathLike[str]) -> Folder:
    """Open a model folder and check all of it.

    No code from the folder runs, here or when its parts are read. The hashes guard against accident (a copy cut
    short, a flipped bit, an edit), not against whoever wrote the folder.

    Parameters
    ----------
    path : str or path
        A folder written by :func:`write_folder`, wherever it was moved since.

    Returns
    -------
    folder : Folder
        Its bytes are in memory, so the folder may be replaced or removed afterwards.

    Raises
    ------
    ModelFolderError
        If the folder is missing, not a model, cut short, edited, or from a newer polytask; one sentence says which.
    """
    shown = os.fspath(path)
    root = Path(path)
    manifest = read_manifest(root, shown=shown)
    contents = {name: _read_part(root, name, entry, shown=shown) for name, entry in manifest.files.items()}
    unlisted = tuple(sorted(name for name in find_files(root) if name not in contents and name != MANIFEST))
    return Folder(path=root, manifest=manifest, unlisted=unlisted, contents=contents)


def read_manifest(root: Path, *, shown: str, for_overwrite: bool = False) -> Manifest:
    """Read only the manifest; raises :class:`ModelFolderError` if this is not a model folder of ours."""
    try:
        if not root.is_dir():
            raise ModelFolderError(_explain_no_folder(root, shown=shown))
        if not os.path.lexists(root / MANIFEST):
            raise ModelFolderError(
                f"'{shown}' is not a polytask model folder: it has no {MANIFEST}. "
                "Give the folder that `fit --out` or `save` wrote."
            )
        return decode_manifest(_read_regular(root, MANIFEST, at_most=_MANIFEST_BYTES, shown=shown), folder=shown)
    except ModelFolderError as error:
        if for_overwrite:
            raise ModelFolderError(f"'{shown}' is not replaced: {error} Remove it yourself, or choose another path.") from error
        raise
    except OSError as error:
        raise ModelFolderError(f"'{shown}' cannot be read: {error.strerror or error}.") from error


def find_files(root: Path) -> list[str]:
    """Relative names, with forward slashes, of everything in a folder that is not a folder itself."""
    names = []
    for directory, folders, files in os.walk(root):
        links = [folder for folder in folders if os.path.islink(os.path.join(directory, folder))]
        names += [Path(directory, name).relative_to(root).as_posix() for name in [*files, *links]]
    return names


def is_desktop_file(name: str) -> bool:
    """Whether a file manager left this file behind while showing the folder."""
    return name.rpartition("/")[2] in (".DS_Store", "Thumbs.db", "desktop.ini")


def _read_part(root: Path, name: str, entry: FileEntry, *, shown: str) -> bytes:
    try:
        content = _read_regular(root, name, at_most=entry.bytes, shown=shown)
    except FileNotFoundError:
        raise ModelFolderError(f"'{shown}' is incomplete: {name} is missing. {_AGAIN}") from None
    except OSError as error:
        raise ModelFolderError(f"'{shown}' cannot be read: {name}: {error.strerror or error}.") from error
    if len(content) != entry.bytes:
        raise ModelFolderError(f"'{shown}' is damaged: {name} must be {entry.bytes} bytes long; got {len(content)}. {_AGAIN}")
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise ModelFolderError(f"'{shown}' is damaged: {name} was changed after it was saved. {_AGAIN}")
    return content


def _read_regular(root: Path, name: str, *, at_most: int, shown: str) -> bytes:
    """Read one plain file inside `root`; links, pipes and devices are not followed, and no more than needed is read."""
    file = root
    for piece in name.split("/"):
        file = file / piece
        mode = os.lstat(file).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise ModelFolderError(f"'{shown}' is damaged: {name} is a link or a device, not a file. {_AGAIN}")
    if not stat.S_ISREG(mode):
        raise ModelFolderError(f"'{shown}' is damaged: {name} is a folder, not a file. {_AGAIN}")
    with open(file, "rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        if size > at_most:
            raise ModelFolderError(f"'{shown}' is damaged: {name} must be at most {at_most} bytes long; got {size}. {_AGAIN}")
        return opened.read(at_most)


def _explain_no_folder(root: Path, *, shown: str) -> str:
    if root.exists():
        return f"'{shown}' is a file, not a model folder. Give the folder that holds {MANIFEST}."
    earlier = sorted(root.parent.glob(f".{root.name}.old-*")) if root.name and root.parent.is_dir() else []
    if earlier:
        return (
            f"'{shown}' does not exist: saving was killed while it was replaced. "
            f"The earlier model is '{earlier[-1]}'; rename it back."
        )
    return f"'{shown}' does not exist. Give the folder that `fit --out` or `save` wrote."
