"""Files that commands write: whole or not at all, and never over the input."""

import json
import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polytask.exceptions import OptionError

if TYPE_CHECKING:
    import pandas as pd


def check_output(path: Path | None, *, option: str, inputs: tuple[Path, ...] = ()) -> None:
    """Refuse, before any work is done, a place where the result could not be written.

    Raises
    ------
    OptionError
        If the folder of ``path`` is not there or cannot be written to, or ``path`` is a folder or one of the files that are read.
    """
    if path is None:
        return
    if path.is_dir():
        raise OptionError(f"{option} must be a file; got the folder '{path}'. Add a file name.")
    if not path.absolute().parent.is_dir():
        raise OptionError(f"The folder of {option} is not there; got '{path}'. Make '{path.absolute().parent}' first.")
    if not os.access(path.absolute().parent, os.W_OK):
        raise OptionError(f"The folder of {option} cannot be written to; got '{path}'. Choose another, or change its rights.")
    if any(source.exists() and path.exists() and os.path.samefile(path, source) for source in inputs):
        raise OptionError(f"{option} must not be the file that is read; got '{path}' for both. Choose another name.")


def check_report(path: Path | None, *, format: str | None, inputs: tuple[Path, ...] = (), has_format: bool = True) -> None:
    """Refuse, before any work is done, a report that could not be written, or of no known format.

    ``has_format`` says whether the command has ``--format``, by which a name may end as it likes.
    """
    from polytask.reporting import format_of

    check_output(path, option="--report", inputs=inputs)
    if path is not None and format is None:
        try:
            format_of(path)
        except OptionError as error:
            raise error if has_format else OptionError(str(error).replace(", or its `format` must be given", "")) from None


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it, so that an earlier file stays whole if the disk is full."""
    if path.exists() and not path.is_file():  # a pipe or a device, e.g. /dev/stdout: nothing to keep, no place beside it
        path.write_bytes(content)
        return
    from polytask.storage import write_file

    write_file(path, content)


def write_report(path: Path, result: Mapping[str, Any], *, format: str | None) -> None:
    """Write the report of a fit or a comparison; without ``format`` the ending of the name says which it is."""
    from polytask.reporting import format_of, render

    write_bytes(path, render(result, format=format or format_of(path)))


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write strict JSON in UTF-8, two spaces deep."""
    write_bytes(path, (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


TABLE_SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")


def check_table_suffix(path: Path, *, option: str) -> None:
    """Refuse a table file whose kind is not told by its name."""
    if not path.name.lower().endswith(TABLE_SUFFIXES):
        raise OptionError(f"{option} must end in {', '.join(TABLE_SUFFIXES)}; got '{path}'.")


def write_table(path: Path, frame: "pd.DataFrame") -> None:
    """Write a table as CSV, TSV (gzipped if the name ends in ``.gz``) or Parquet, without its index."""
    name = path.name.lower()
    buffer = BytesIO()
    if name.endswith(".parquet"):
        frame.to_parquet(buffer, index=False)
    else:
        zipped: Any = {"method": "gzip", "mtime": 0} if name.endswith(".gz") else None  # mtime 0: same table, same bytes
        frame.to_csv(buffer, index=False, sep="\t" if ".tsv" in name[-7:] else ",", compression=zipped, lineterminator="\n")
    write_bytes(path, buffer.getvalue())
