"""What is wrong with a file, found by reading it slowly, once reading it fast has failed."""

import codecs
import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from polytask.data._names import nearest_names, quoted
from polytask.exceptions import DataError

_FOREIGN = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF document",
}
_SUFFIXES = (".csv", ".tsv", ".gz", ".parquet", ".arrow", ".feather", ".jsonl", ".ndjson", ".xlsx")
_BLOCK = 1 << 20


def open_bytes(path: Path) -> BinaryIO:
    """Open a file, through gzip if it is compressed so, whatever its name."""
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path, "rb")) if is_gzip else path.open("rb")


def check_is_file(path: Path) -> None:
    """Raise a :class:`DataError` if there is no such file, with the nearest names of its folder."""
    if path.is_dir():
        tables = sorted(item.name for item in path.iterdir() if item.suffix in _SUFFIXES)
        raise DataError(f"{path} is a folder, not a file." + (f" In it there are {quoted(tables)}." if tables else ""))
    if path.exists():
        return
    if not path.parent.is_dir():
        raise DataError(f"There is no file {path}: its folder does not exist.")
    near = nearest_names(path.name, sorted(item.name for item in path.parent.iterdir()))
    raise DataError(f"There is no file {path}." + (f" Did you mean {' or '.join(map(repr, near))}?" if near else ""))


def check_is_text(path: Path, start: bytes) -> None:
    """Raise a :class:`DataError` if the first bytes are those of another kind of file."""
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            raise DataError(
                f"{path} is {what}; tables are read from CSV, TSV and JSON lines (also gzipped), Parquet, Arrow and .xlsx. "
                "Save it as one of these."
            )
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(f"{path} is UTF-16 text, not UTF-8. Convert it: `iconv -f UTF-16 -t UTF-8 {path.name} > utf8.csv`.")


def explain(path: Path, *, sep: str, n_columns: int, message: str) -> DataError:
    """The error for a text file that could not be read: bytes that are not UTF-8, a row of the wrong length, or ``message``."""
    try:
        return (
            _undecodable(path)
            or _ragged(path, sep=sep, n_columns=n_columns)
            or DataError(f"{path} could not be read as a table: {message.splitlines()[0]}.")
        )
    except (OSError, EOFError, csv.Error) as error:
        return DataError(f"{path} could not be read: {error}.")


def _undecodable(path: Path) -> DataError | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, start = 1, 0
    for block in _blocks(path):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            at = start - pending + error.start
            convert = "iconv -f WINDOWS-1252 -t UTF-8"
            command = f"zcat {path.name} | {convert}" if path.suffix == ".gz" else f"{convert} {path.name}"
            line += error.object[pending : error.start].count(b"\n")
            return DataError(
                f"{path} is not UTF-8 text: byte 0x{error.object[error.start]:02x} at position {at}, in line {line}. "
                f"If it is Latin-1 (Windows), convert it: `{command} > utf8.csv`."
            )
        line += block.count(b"\n")
        start += len(block)
    if decoder.getstate()[0]:
        return DataError(f"{path} is not UTF-8 text, or cut short: it ends within a character.")
    return None


def _ragged(path: Path, *, sep: str, n_columns: int) -> DataError | None:
    with open_bytes(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=sep)
        last = 0
        for record in reader:
            if record and len(record) != n_columns:
                spans = f" to {reader.line_num}" if reader.line_num > last + 1 else ""
                hint = " A quotation mark may not be closed." if spans else ""
                return DataError(
                    f"{path}, line {last + 1}{spans}: every row must have {n_columns} cells, as the header has; "
                    f"got {len(record)}, separated by {sep!r}. Correct the row, or give another separator.{hint}"
                )
            last = reader.line_num
    return None


def check_quotes_close(path: Path, *, sep: str) -> None:
    """Raise a :class:`DataError` if a quotation mark is still open at the end of the file."""
    with open_bytes(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=sep, strict=True)
        last = 0
        try:
            for _ in reader:
                last = reader.line_num
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise DataError(
                    f"{path}, line {last + 1}: a quotation mark is opened and never closed. Close or remove it."
                ) from error


def _blocks(path: Path) -> Iterator[bytes]:
    with open_bytes(path) as file:
        while block := file.read(_BLOCK):
            yield block
