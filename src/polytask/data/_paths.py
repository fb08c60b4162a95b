"""Which files a table is made of: a path, a pattern such as ``part-*.parquet``, or several of both."""

import glob
from collections.abc import Iterable, Sequence
from os import PathLike, fspath
from pathlib import Path

from polytask.data._faults import check_is_file
from polytask.exceptions import DataError

Paths = str | PathLike[str] | Sequence[str | PathLike[str]]


def expand_paths(paths: Paths) -> list[Path]:
    """Files of a path, a pattern (``*``, ``?``, ``[...]``), or a sequence of these; those of a pattern in alphabetical order.

    A file whose name has ``*`` or ``[`` in it is taken as it is.

    Raises
    ------
    DataError
        If a file is not there, a pattern matches none, or a file is named twice.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("b.csv", "a.csv"):
    ...     _ = (folder / name).write_text("x")
    >>> [path.name for path in expand_paths(str(folder / "*.csv"))]
    ['a.csv', 'b.csv']
    """
    given = [paths] if isinstance(paths, str | PathLike) else list(paths)
    if not given:
        raise DataError("A table needs at least one file; got none.")
    files = [path for own in given for path in _expand(fspath(own))]
    twice = _first_repeated(files)
    if twice is not None:
        raise DataError(f"The file {twice} is named twice, so each of its rows would count twice. Name it once.")
    return files


def name_of(paths: Paths) -> str:
    """The files as the user named them, for reports."""
    given = [paths] if isinstance(paths, str | PathLike) else list(paths)
    return ", ".join(fspath(own) for own in given)


def _expand(text: str) -> list[Path]:
    path = Path(text)
    if any(mark in text for mark in "*?[") and not path.exists():
        found = sorted(Path(own) for own in glob.glob(text, recursive=True) if Path(own).is_file())
        if not found:
            raise DataError(f"The pattern {text!r} matches no file. Check the folder, and quote the pattern in a shell.")
        return found
    check_is_file(path)
    return [path]


def _first_repeated(files: Iterable[Path]) -> Path | None:
    seen: set[Path] = set()
    for path in files:
        own = path.resolve()
        if own in seen:
            return path
        seen.add(own)
    return None
