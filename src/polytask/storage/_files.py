"""Writing files so that a full disk or a power cut never leaves half of one."""

import contextlib
import errno
import os
from pathlib import Path

from polytask.exceptions import ModelFolderError

_DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


def write_file(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file beside its final place, flush it to the disk, then swap it in by rename.

    A reader, or a process started after a power cut, finds the whole earlier file or the whole new one. One process
    at a time may write a path.

    Parameters
    ----------
    path : str or path
        The file; its folder is made if it is not there.
    content : bytes
        All of the new content.

    Raises
    ------
    ModelFolderError
        If the disk is full or the place cannot be written. The earlier file, if there was one, is unchanged.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> write_file(f"{folder}/state.json", b"{}")
    >>> Path(folder, "state.json").read_bytes()
    b'{}'
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.tmp")  # one fixed name: a killed process leaves at most one behind
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_and_flush(temporary, content)
        os.replace(temporary, target)
        flush_directory(target.parent)
    except BaseException as error:
        _remove_quietly(temporary)
        if isinstance(error, OSError):
            raise ModelFolderError(explain_write_error(path, error, kept="What was saved there earlier is unchanged.")) from error
        raise


def write_and_flush(path: Path, content: bytes) -> None:
    """Write a new or existing file and wait until its bytes are on the disk."""
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def flush_directory(path: Path) -> None:
    """Wait until the names in a directory are on the disk; Windows does it by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def explain_write_error(path: str | os.PathLike[str], error: OSError, *, kept: str) -> str:
    """Say in plain words why nothing could be saved at `path`, what was kept, and what to do."""
    start = f"'{os.fspath(path)}' could not be saved:"
    if error.errno in _DISK_FULL:
        return f"{start} the disk is full. {kept} Free some space or choose another disk, then save again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{start} there is no permission to write there. {kept} Choose a folder you may write to."
    if error.errno == errno.EBUSY:
        return f"{start} it is in use, or a disk is mounted there. {kept} Choose a new folder inside it."
    return f"{start} {error.strerror or error}. {kept}"


def _remove_quietly(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
