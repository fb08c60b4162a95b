"""Files of one format and one schema as one frame."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from polytask.data._faults import open_bytes
from polytask.data._frames import from_arrow
from polytask.data._names import did_you_mean
from polytask.data._read_arrow import arrow_format, read_arrow
from polytask.data._read_excel import column_of_cells, is_excel, read_excel
from polytask.data._read_json import is_json_lines, parse_lines, read_lines
from polytask.data._read_text import read_texts
from polytask.data._row_sample import RowSample
from polytask.data._texts import convert_texts
from polytask.data._values import DEFAULT_MISSING
from polytask.exceptions import DataError

_START = 1 << 12  # bytes that tell the format
_BINARY = {".parquet": "Parquet file", ".xlsx": "Excel workbook", ".arrow": "Arrow file", ".feather": "Feather file"}
_FAMILIES = {"csv": "text", "jsonl": "JSON lines", "excel": "Excel", "parquet": "Parquet or Arrow", "arrow": "Parquet or Arrow"}


@dataclass(frozen=True)
class Options:
    """How texts are read."""

    sep: str | None
    decimal: str
    named: frozenset[str]
    default_missing: bool

    @property
    def missing(self) -> frozenset[str]:
        """Texts that are missing."""
        return self.named | (DEFAULT_MISSING if self.default_missing else frozenset())


Content = tuple[pd.DataFrame, dict[str, dict[str, int]], dict[str, Any]]


def read_files(files: list[Path], options: Options, sample: RowSample | None) -> Content:
    """Read files of one format and one schema.

    Returns
    -------
    frame : pandas.DataFrame
    counts : dict from column to dict from text to int
        Texts read as missing.
    source : dict
        The format and what was found in the files, as plain JSON.

    Raises
    ------
    DataError
        If a file cannot be read, or differs from the first in format or columns.
    """
    path = files[0]
    try:
        formats: list[tuple[str, bytes]] = []
        for path in files:
            formats.append(_format(path))
            if _FAMILIES[formats[-1][0]] != _FAMILIES[formats[0][0]]:
                raise DataError(
                    f"All files of a table must be of one format; {files[0]} is {_FAMILIES[formats[0][0]]} and {path} is "
                    f"{_FAMILIES[formats[-1][0]]}. Convert one of them."
                )
        kind = formats[0][0]
        if kind == "csv":
            return _read_text_files(files, options, sample)
        if kind == "excel":
            return _read_workbooks(files, options, sample)
        if kind == "jsonl":
            return _read_json_files(files, options, sample)
        return _read_arrow_files(files, [start for _, start in formats], options, sample)
    except (OSError, EOFError, zlib.error) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{getattr(error, 'filename', None) or path} could not be read: {reason}.") from error


def _format(path: Path) -> tuple[str, bytes]:
    """The format of a file and its first bytes."""
    with open_bytes(path) as file:
        start = file.read(_START)
    if (kind := arrow_format(start)) is not None:
        return kind, start
    if is_excel(path, start):
        return "excel", start
    if start and (what := _BINARY.get(path.suffix.lower())):
        raise DataError(f"{path} is no {what}, though its name says so; or it is damaged. Write it anew, or rename it.")
    return ("jsonl" if is_json_lines(path, start) else "csv"), start


def _read_text_files(files: list[Path], options: Options, sample: RowSample | None) -> Content:
    parts: list[pa.Table] = []
    separators: list[str] = []
    names: list[str] = []
    for path in files:
        sep, batches = read_texts(path, sep=options.sep, decimal=options.decimal)
        separators.append(sep)
        for batch in batches:
            names = names or batch.column_names
            parts += taken(_in_order(batch, names, path, files[0]), sample)
    table = pa.concat_tables(parts if sample is None else sample.parts())
    del parts
    columns = list(table.columns)
    del table
    counts: dict[str, dict[str, int]] = {}
    values: dict[str, pd.Series] = {}
    for name in names:  # pop frees the texts
        values[name], counts[name] = convert_texts(columns.pop(0), missing=options.missing, decimal=options.decimal)
    source = {"format": "csv", "separator": separators[0], "decimal": options.decimal}
    if len(set(separators)) > 1:
        source["separators"] = separators  # type: ignore[assignment]
    return pd.DataFrame(values, copy=False), counts, source


def _read_arrow_files(files: list[Path], starts: list[bytes], options: Options, sample: RowSample | None) -> Content:
    parts: list[pa.Table] = []
    names: list[str] = []
    for path, start in zip(files, starts, strict=True):
        for batch in read_arrow(path, start):
            names = names or batch.column_names
            parts += taken(_in_order(batch, names, path, files[0]), sample)
    frame = _joined(files, (parts if sample is None else sample.parts()) or [batch.slice(0, 0)])
    return _without_named(frame, options.named, {"format": arrow_format(starts[0])})


def _read_json_files(files: list[Path], options: Options, sample: RowSample | None) -> Content:
    lines = [[batch for batch in read_lines(path) if len(batch)] for path in files] if sample is None else _drawn(files, sample)
    tables = [parse_lines(path, own) for path, own in zip(files, lines, strict=True) if own or sample is None]
    names = list(dict.fromkeys(name for table in tables for name in _names(table)))  # a key may be absent: then it is missing
    frame = _joined(files, [_with_all(table, names) for table in tables])
    return _without_named(frame, options.named, {"format": "jsonl"})


def _drawn(files: list[Path], sample: RowSample) -> list[list[pa.Table]]:
    """Lines of the sample, by file."""
    for k, path in enumerate(files):
        for batch in read_lines(path):
            sample.add(batch.append_column("file", pa.array([k] * len(batch), pa.int64())))
    lines: list[list[pa.Table]] = [[] for _ in files]
    for part in sample.parts():
        lines[part.column("file")[0].as_py()].append(part)
    return lines


def _read_workbooks(files: list[Path], options: Options, sample: RowSample | None) -> Content:
    frames: list[pd.DataFrame] = []
    names: list[str] = []
    sheets = []
    for path in files:
        own, cells, sheet = read_excel(path)
        sheets.append(sheet)
        names = names or own
        frame = pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in zip(own, cells, strict=True)})
        frames += taken(_in_order(frame, names, path, files[0]), sample)
    whole = pd.concat(frames if sample is None else sample.parts(), ignore_index=True)
    read = {name: column_of_cells(whole[name].tolist(), missing=options.missing, decimal=options.decimal) for name in names}
    frame = pd.DataFrame({name: values for name, (values, _) in read.items()})
    return frame, {name: counts for name, (_, counts) in read.items()}, {"format": "excel", "sheet": sheets[0]}


def taken(part: Any, sample: RowSample | None) -> list[Any]:
    """The part itself, or nothing where it is given to a sample."""
    if sample is None:
        return [part]
    sample.add(part)
    return []


def _in_order(table: Any, names: list[str], path: Path, first: Path) -> Any:
    """A table with the columns in the order of the first file."""
    own = _names(table)
    if own == names:
        return table
    lacking, more = [name for name in names if name not in own], [name for name in own if name not in names]
    if lacking or more:
        what = f"lacks the column {lacking[0]!r}" if lacking else f"has the column {more[0]!r}, which the first file has not"
        near = did_you_mean(lacking[0], more) if lacking and more else ""
        raise DataError(f"All files of a table must have the columns of the first, {first}; {path} {what}.{near}")
    return table.select(names) if isinstance(table, pa.Table) else table[names]


def _names(table: Any) -> list[str]:
    return list(table.column_names) if isinstance(table, pa.Table) else [str(name) for name in table.columns]


def _with_all(table: Any, names: list[str]) -> Any:
    """A table with all these columns, those that it lacks missing."""
    if _names(table) == names:
        return table
    if isinstance(table, pd.DataFrame):
        return table.reindex(columns=names)
    for name in names:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(len(table)))
    return table.select(names)


def _joined(files: list[Path], tables: Sequence[Any]) -> pd.DataFrame:
    """Tables under each other as one frame, where types differ those of both."""
    try:
        if all(isinstance(table, pa.Table) for table in tables):
            if len({table.schema.remove_metadata() for table in tables}) > 1:
                try:
                    return from_arrow(pa.concat_tables(tables, promote_options="permissive"), consume=True)
                except (pa.ArrowInvalid, pa.ArrowTypeError):  # a number here and a text there: as objects
                    return pd.concat([from_arrow(table) for table in tables], ignore_index=True)
            return from_arrow(pa.concat_tables(tables), consume=True)
        frames = [from_arrow(table) if isinstance(table, pa.Table) else table for table in tables]
        return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    except DataError as error:
        raise DataError(f"{files[0]}: {error}") from error


def _without_named(frame: pd.DataFrame, named: frozenset[str], source: dict[str, Any]) -> Content:
    """Texts that the user says are missing, made missing and counted."""
    counts: dict[str, dict[str, int]] = {}
    for name in frame.columns if named else ():
        if frame[name].dtype == object or isinstance(frame[name].dtype, pd.StringDtype):
            texts = frame[name].where(frame[name].map(lambda value: isinstance(value, str) and value.strip() in named))
            counts[name] = {str(text): int(n) for text, n in texts.value_counts().items()}
            frame[name] = frame[name].mask(texts.notna())
    return frame, counts, source
