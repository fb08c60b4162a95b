"""JSON lines: one object per line, its keys the columns."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.json

from polytask.data._faults import open_bytes
from polytask.exceptions import DataError

_BLOCK = 1 << 24  # bytes read at a time


def is_json_lines(path: Path, start: bytes) -> bool:
    """Whether the first line is a JSON object, or the file is named ``.jsonl`` or ``.ndjson``.

    >>> is_json_lines(Path("a.txt"), b'{"x": 1}\\n{"x": 2}'), is_json_lines(Path("a.csv"), b'x,y\\n')
    (True, False)
    """
    if path.name.removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        return True
    first = start.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
    try:
        return isinstance(json.loads(first), dict)
    except ValueError:
        return False


def read_lines(path: Path) -> Iterator[pa.Table]:
    """The lines of a file that are not blank, as tables of one column ``line`` (binary)."""
    with open_bytes(path) as file:
        number = 0
        while lines := file.readlines(_BLOCK):
            if not number:
                lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
            numbers = range(number + 1, number + 1 + len(lines))
            number += len(lines)
            rows = [(line, k) for line, k in zip(lines, numbers, strict=True) if line.strip()]
            yield pa.table({"line": pa.array([line for line, _ in rows], pa.binary()), "number": [k for _, k in rows]})


def parse_lines(path: Path, lines: list[pa.Table]) -> pa.Table | pd.DataFrame:
    """Turn lines into columns: an arrow table, or a frame where values of one key differ in type.

    Raises
    ------
    DataError
        If a line is not a JSON object; it is named.
    """
    if not lines:
        raise DataError(f"{path} is empty: JSON lines need an object in each line.")
    table = pa.concat_tables(lines)
    content = b"".join(line if line.endswith(b"\n") else line + b"\n" for line in table.column("line").to_pylist())
    try:
        return pyarrow.json.read_json(
            BytesIO(content),
            read_options=pyarrow.json.ReadOptions(block_size=max(_BLOCK, len(content) if len(content) < 1 << 28 else _BLOCK)),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        rows = [_parse(path, line, number) for line, number in zip(*(table.column(k).to_pylist() for k in (0, 1)), strict=True)]
        return pd.DataFrame(rows).infer_objects()


def _parse(path: Path, line: bytes, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataError(f"{path}, line {number}: not JSON ({error}). JSON lines need an object in each line.") from error
    if not isinstance(row, dict):
        raise DataError(
            f"{path}, line {number}: a line must be a JSON object with names and values; got "
            f"{line.decode(errors='replace').strip()[:60]!r}."
        )
    return row
