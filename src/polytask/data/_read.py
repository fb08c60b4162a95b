"""Tables from files: CSV and TSV, JSON lines (all gzipped or not), Parquet, Arrow and Feather, Excel; one file or several."""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from polytask.data._counters import remember_counters
from polytask.data._names import quoted
from polytask.data._paths import Paths, expand_paths, name_of
from polytask.data._read_files import Options, read_files, taken
from polytask.data._read_text import read_texts
from polytask.data._row_sample import RowSample
from polytask.data._sniff import check_separator
from polytask.data._texts import has_decimal_commas
from polytask.exceptions import DataError, PolytaskWarning


@dataclass(frozen=True)
class ReadTable:
    """A table read from files.

    Attributes
    ----------
    frame : pandas.DataFrame of shape (n_samples, n_columns)
        Columns of int64, float64, bool (``boolean`` where some are missing) and text; of files that declare types (Parquet,
        Arrow, JSON, Excel) what they declare, lists among them.
    missing_texts : dict from column to dict from text to int
        How often a text such as "NA" or "None" was read as missing. Empty cells are not counted, columns without any left out.
    source : dict
        Where the table came from and how it was read, as plain JSON.
    """

    frame: pd.DataFrame
    missing_texts: dict[str, dict[str, int]]
    source: dict[str, Any]


def read_table(
    paths: Paths,
    *,
    sep: str | None = None,
    decimal: str = ".",
    missing: Iterable[str] = (),
    default_missing: bool = True,
    sample: int | None = None,
    random_state: int = 0,
) -> ReadTable:
    r"""Read a table from one file or from several of one schema.

    Parameters
    ----------
    paths : str, path, or sequence of these
        CSV or TSV (UTF-8, with a header) and JSON lines, gzipped or not; Parquet; Arrow and Feather; Excel (.xlsx, its first
        sheet; needs the extra ``excel``). Told apart by content. A text may be a pattern such as ``part-*.parquet``. Rows of
        several files stand under each other, in the order given, those of a pattern in alphabetical order. All must have the same
        columns, in any order; in JSON lines a key may be absent, which is a missing value.
    sep : str, optional
        One character; found from the first rows if None (comma, semicolon, tab or bar).
    decimal : {".", ","}
    missing : iterable of str
        Texts read as missing, besides empty cells and the default ones. In Parquet, Arrow and JSON files these are the only ones.
    default_missing : bool, default=True
        Whether "NA", "None", "null" and the other texts that pandas takes so are missing. Say False where one of them is a value
        (a class named "None"), and name the others in ``missing``. A number column reads "nan" as missing in any case.
    sample : int, optional
        So many rows at random over all files, in the order of the files, instead of all; for a first look at a large table.
    random_state : int, default=0
        Which rows the sample has.

    Returns
    -------
    table : ReadTable

    Raises
    ------
    DataError
        If there is no such file, or it is empty, has no rows, repeats a column name, is not UTF-8, has rows of different
        lengths or a quotation mark that is never closed; if a file lacks a column of the first one or has another one.
    OptionError
        If ``sep``, ``decimal``, ``sample`` or ``random_state`` cannot be used.
    MissingExtraError
        If an Excel workbook is given and its reader is not installed.

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
    sep = check_separator(sep, decimal)
    named = frozenset(text.strip() for text in ([missing] if isinstance(missing, str) else missing))
    chosen = None if sample is None else RowSample(sample, random_state=random_state)
    files = expand_paths(paths)
    frame, counts, source = read_files(files, Options(sep, decimal, named, default_missing), chosen)
    pa.default_memory_pool().release_unused()
    if not len(frame):
        raise DataError(f"{name_of(paths)} has a header but no rows.")
    if chosen is None:
        remember_counters(frame)
    else:
        remember_counters(frame, chosen.positions(), n_rows=chosen.n_seen)
    if decimal == "." and source["format"] == "csv" and source["separator"] != ",":
        _warn_of_decimal_commas([name for name in frame.columns if has_decimal_commas(frame[name])], name_of(paths))
    source = {"file": name_of(paths), "files": [str(path) for path in files], **source}
    source |= {"missing": sorted(named), "default_missing": default_missing, "n_rows": len(frame), "n_columns": frame.shape[1]}
    if chosen is not None:
        source["sample"] = {"n_rows": sample, "of_rows": chosen.n_seen, "random_state": random_state}
    return ReadTable(frame, {name: texts for name, texts in counts.items() if texts}, source)


def written_texts(table: ReadTable, columns: Sequence[str]) -> pd.DataFrame:
    """Give columns as they are written in text files (``007``, ``1.50`` and ``NA`` stay what they are), of others as read.

    The files are read once more, the same rows of them.
    """
    names = list(columns)
    if table.source["format"] != "csv":
        return table.frame[names]
    drawn = table.source.get("sample")
    sample = None if drawn is None else RowSample(drawn["n_rows"], random_state=drawn["random_state"])
    files = [Path(own) for own in table.source["files"]]
    separators = table.source.get("separators") or [table.source["separator"]] * len(files)
    parts: list[pa.Table] = []
    for path, sep in zip(files, separators, strict=True):
        for batch in read_texts(path, sep=sep, decimal=table.source["decimal"])[1]:
            parts += taken(batch.select(names), sample)
    texts = pa.concat_tables(parts if sample is None else sample.parts()).to_pandas()
    return texts.set_axis(table.frame.index, axis=0)


def _warn_of_decimal_commas(names: list[str], path: str) -> None:
    if names:
        what = f"the column {names[0]!r} looks" if len(names) == 1 else f"the columns {quoted(names)} look"
        warnings.warn(
            f"In {path} {what} like numbers with a decimal comma, but the decimal sign is a point, so they are read as texts. "
            "If they are numbers, give --decimal , (in Python decimal=',').",
            PolytaskWarning,
            stacklevel=3,
        )
