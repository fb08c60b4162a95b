"""CSV and TSV files, gzipped or not, as columns of text."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from polytask.data._faults import check_is_text, check_quotes_close, explain, open_bytes
from polytask.data._sniff import decode_sample, name_columns, sniff
from polytask.exceptions import DataError

SAMPLE = 1 << 20  # bytes looked at to find the separator
_BLOCK = 1 << 24  # bytes read at a time; no row may be longer


def read_texts(path: Path, *, sep: str | None, decimal: str) -> tuple[str, Iterator[pa.Table]]:
    """Look at the header of a file, and read its rows as they are asked for.

    Returns
    -------
    sep : str
        Between the cells of a row.
    batches : iterator of pyarrow.Table
        All columns as text, by their names; several tables, never none.

    Raises
    ------
    DataError
        If the file is empty, has no rows, repeats a column name, is not UTF-8, has rows of different lengths or a quotation mark
        that is never closed; while reading, too.
    """
    with open_bytes(path) as file:
        sample = file.read(SAMPLE)
    check_is_text(path, sample)
    whole = len(sample) < SAMPLE
    if sep is None and path.name.removesuffix(".gz").endswith((".tsv", ".tab")):
        sep = "\t"
    try:
        text = decode_sample(sample, whole=whole)
    except UnicodeDecodeError as error:
        raise explain(path, sep=",", n_columns=0, message=str(error)) from error
    sep, records = sniff(text, whole=whole, sep=sep, decimal=decimal)
    if not records:
        raise DataError(f"{path} is empty: a table needs a header line and rows.")
    if whole and len(records) == 1:
        raise DataError(f"{path} has a header but no rows.")
    try:
        names = name_columns(records[0])
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    blank_lines = len(text.splitlines()) - len(text.lstrip("\r\n").splitlines())
    return sep, _batches(path, sep, names, skip_rows=blank_lines)


def _batches(path: Path, sep: str, names: list[str], *, skip_rows: int) -> Iterator[pa.Table]:
    """All rows as text, without the header row and the blank lines before it."""
    positions = [str(position) for position in range(len(names))]
    last: pa.Table | None = None
    try:
        with (
            open_bytes(path) as file,
            pyarrow.csv.open_csv(
                file,
                read_options=pyarrow.csv.ReadOptions(
                    column_names=positions, skip_rows=skip_rows, skip_rows_after_names=1, block_size=_BLOCK
                ),
                parse_options=pyarrow.csv.ParseOptions(delimiter=sep, newlines_in_values=True),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(positions, pa.string()), strings_can_be_null=False
                ),
            ) as reader,
        ):  # a reader left open has a thread that can abort the process as it ends
            for batch in reader:
                if len(batch):
                    last = pa.Table.from_batches([batch]).rename_columns(names)
                    yield last
    except pa.ArrowInvalid as error:
        raise explain(path, sep=sep, n_columns=len(names), message=str(error)) from error
    if last is None:
        raise DataError(f"{path} has a header but no rows.")
    if "\n" in last.column(len(names) - 1)[-1].as_py():
        check_quotes_close(path, sep=sep)
