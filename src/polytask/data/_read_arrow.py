"""Parquet and Arrow (Feather) files as arrow tables."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from polytask.exceptions import DataError

PARQUET, ARROW_FILE, FEATHER_1, ARROW_STREAM = b"PAR1", b"ARROW1", b"FEA1", b"\xff\xff\xff\xff"


def arrow_format(start: bytes) -> str | None:
    """The format told by the first bytes of a file: "parquet", "arrow" (Feather too), or None.

    >>> arrow_format(b"PAR1..."), arrow_format(b"ARROW1.."), arrow_format(b"a,b")
    ('parquet', 'arrow', None)
    """
    if start.startswith(PARQUET):
        return "parquet"
    return "arrow" if start.startswith((ARROW_FILE, FEATHER_1, ARROW_STREAM)) else None


def read_arrow(path: Path, start: bytes) -> Iterator[pa.Table]:
    """The rows of a Parquet or Arrow file, in one table or several.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    what = "a damaged Parquet file" if start.startswith(PARQUET) else "a damaged Arrow or Feather file"
    try:
        yield from _batches(path, start)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is {what}: {str(error).splitlines()[0].rstrip('.')}.") from error


def _batches(path: Path, start: bytes) -> Iterator[pa.Table]:
    if start.startswith(PARQUET):
        file = pyarrow.parquet.ParquetFile(path)
        schema = file.schema_arrow
        batches = file.iter_batches(batch_size=1 << 17)
    elif start.startswith(FEATHER_1):
        yield pyarrow.feather.read_table(path)
        return
    elif start.startswith(ARROW_STREAM):
        stream = pa.ipc.open_stream(pa.OSFile(str(path)))
        schema, batches = stream.schema, iter(stream)
    else:
        record = pa.ipc.open_file(pa.OSFile(str(path)))
        schema, batches = record.schema, (record.get_batch(k) for k in range(record.num_record_batches))
    empty = True
    for batch in batches:
        empty = False
        yield pa.Table.from_batches([batch])
    if empty:
        yield schema.empty_table()
