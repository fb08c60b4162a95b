"""Tables from files: CSV and TSV, gzipped or not, and Parquet."""

import warnings
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from polytask.data._faults import check_is_file, check_is_text, check_quotes_close, explain, open_bytes
from polytask.data._frames import from_arrow
from polytask.data._names import quoted
from polytask.data._sniff import check_separator, decode_sample, name_columns, sniff
from polytask.data._texts import convert_texts, has_decimal_commas
from polytask.data._values import DEFAULT_MISSING
from polytask.exceptions import DataError, PolytaskWarning

_SAMPLE = 1 << 20  # bytes looked at to find the separator
_BLOCK = 1 << 24  # bytes read at a time; no row may be longer


@dataclass(frozen=True)
class ReadTable:
    """A table read from a file.

    Attributes
    ----------
    frame : pandas.DataFrame of shape (n_samples, n_columns)
        Columns of int64, float64, bool (``boolean`` where some are missing) and text; of a Parquet file, what it declares.
    missing_texts : dict from column to dict from text to int
        How often a text such as "NA" or "None" was read as missing. Empty cells are not counted, columns without any left out.
    source : dict
        Where the table came from and how it was read, as plain JSON.
    """

    frame: pd.DataFrame
    missing_texts: dict[str, dict[str, int]]
    source: dict[str, Any]


def read_table(
    path: str | PathLike[str],
    *,
    sep: str | None = None,
    decimal: str = ".",
    missing: Iterable[str] = (),
    default_missing: bool = True,
) -> ReadTable:
    r"""Read a table from a file.

    Parameters
    ----------
    path : str or path
        CSV or TSV (UTF-8, with a header; gzipped or not) or Parquet, told apart by content.
    sep : str, optional
        One character; found from the first rows if None (comma, semicolon, tab or bar).
    decimal : {".", ","}
    missing : iterable of str
        Texts read as missing, besides empty cells and the default ones. In Parquet files these are the only ones.
    default_missing : bool, default=True
        Whether "NA", "None", "null" and the other texts that pandas takes so are missing. Say False where one of them is a value
        (a class named "None"), and name the others in ``missing``. A number column reads "nan" as missing in any case.

    Returns
    -------
    table : ReadTable

    Raises
    ------
    DataError
        If there is no such file, or it is empty, has no rows, repeats a column name, is not UTF-8, has rows of different
        lengths or a quotation mark that is never closed.
    OptionError
        If ``sep`` or ``decimal`` cannot be used.

    Warns
    -----
    PolytaskWarning
        If the decimal sign is a point and a column of text looks like numbers with a decimal comma.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "houses.csv"
    >>> _ = path.write_text("area;roof\n51.5;None\n;tiles\n")
    >>> table = read_table(path)
    >>> table.frame["area"].tolist(), table.missing_texts
    ([51.5, nan], {'roof': {'None': 1}})
    >>> read_table(path, default_missing=False).frame["roof"].tolist()
    ['None', 'tiles']
    """
    path = Path(path)
    sep = check_separator(sep, decimal)
    named = frozenset(text.strip() for text in ([missing] if isinstance(missing, str) else missing))
    check_is_file(path)
    try:
        with open_bytes(path) as file:
            sample = file.read(_SAMPLE)
        if sample.startswith(b"PAR1"):
            frame, counts, source = _read_parquet(path, named)
        else:
            frame, counts, source = _read_text(
                path, sample, sep, decimal, named | (DEFAULT_MISSING if default_missing else set())
            )
    except (OSError, EOFError, zlib.error) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} could not be read: {reason}.") from error
    if not len(frame):
        raise DataError(f"{path} has a header but no rows.")
    source |= {"missing": sorted(named), "default_missing": default_missing, "n_rows": len(frame), "n_columns": frame.shape[1]}
    return ReadTable(frame, {name: texts for name, texts in counts.items() if texts}, {"file": str(path), **source})


def _read_parquet(path: Path, missing: frozenset[str]) -> tuple[pd.DataFrame, dict[str, dict[str, int]], dict[str, Any]]:
    try:
        table = pyarrow.parquet.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is a damaged Parquet file: {str(error).splitlines()[0]}.") from error
    try:
        frame = from_arrow(table)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    counts: dict[str, dict[str, int]] = {}
    for name in frame.columns if missing else ():
        if frame[name].dtype == object or isinstance(frame[name].dtype, pd.StringDtype):
            texts = frame[name].where(frame[name].map(lambda value: isinstance(value, str) and value.strip() in missing))
            counts[name] = {str(text): int(n) for text, n in texts.value_counts().items()}
            frame[name] = frame[name].mask(texts.notna())
    return frame, counts, {"format": "parquet"}


def _read_text(
    path: Path, sample: bytes, sep: str | None, decimal: str, missing: frozenset[str]
) -> tuple[pd.DataFrame, dict[str, dict[str, int]], dict[str, Any]]:
    check_is_text(path, sample)
    whole = len(sample) < _SAMPLE
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
    columns = _read_columns(path, sep, n_columns=len(names), skip_rows=blank_lines)
    if "\n" in (columns[-1][-1].as_py() if len(columns[-1]) else ""):
        check_quotes_close(path, sep=sep)
    counts: dict[str, dict[str, int]] = {}
    values: dict[str, pd.Series] = {}
    for name in names:
        values[name], counts[name] = convert_texts(columns.pop(0), missing=missing, decimal=decimal)  # pop frees the texts
    if "," not in (sep, decimal):
        _warn_of_decimal_commas([name for name in names if has_decimal_commas(values[name])], path)
    return pd.DataFrame(values), counts, {"format": "csv", "separator": sep, "decimal": decimal}


def _warn_of_decimal_commas(names: list[str], path: Path) -> None:
    if names:
        what = f"the column {names[0]!r} looks" if len(names) == 1 else f"the columns {quoted(names)} look"
        warnings.warn(
            f"In {path} {what} like numbers with a decimal comma, but the decimal sign is a point, so they are read as texts. "
            "If they are numbers, give --decimal , (in Python decimal=',').",
            PolytaskWarning,
            stacklevel=4,
        )


def _read_columns(path: Path, sep: str, *, n_columns: int, skip_rows: int) -> list[pa.ChunkedArray]:
    """All columns as text, without the header row and the blank lines before it."""
    positions = [str(position) for position in range(n_columns)]
    try:
        with open_bytes(path) as file:
            table = pyarrow.csv.read_csv(
                file,
                read_options=pyarrow.csv.ReadOptions(
                    column_names=positions, skip_rows=skip_rows, skip_rows_after_names=1, block_size=_BLOCK
                ),
                parse_options=pyarrow.csv.ParseOptions(delimiter=sep, newlines_in_values=True),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(positions, pa.string()), strings_can_be_null=False
                ),
            )
    except pa.ArrowInvalid as error:
        raise explain(path, sep=sep, n_columns=n_columns, message=str(error)) from error
    return list(table.columns)
