"""Excel workbooks: the first sheet, by the optional openpyxl."""

import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from polytask._optional import import_optional
from polytask.data._sniff import name_columns
from polytask.data._texts import convert_texts
from polytask.exceptions import DataError


def is_excel(path: Path, start: bytes) -> bool:
    """Whether a file is a workbook of Excel 2007 or later."""
    if not start.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def read_excel(path: Path) -> tuple[list[str], list[list[Any]], str]:
    """Names, columns of cells as Excel holds them, and the name of the first sheet.

    Rows without any cell are left out. The first row names the columns; columns without name and without cells are left out.

    Raises
    ------
    DataError
        If the sheet has no header or no rows, repeats a name, or the workbook is damaged.
    MissingExtraError
        If openpyxl is not installed.
    """
    openpyxl = import_optional("openpyxl", extra="excel", feature="Reading Excel workbooks")
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = [row for row in sheet.iter_rows(values_only=True) if any(cell is not None for cell in row)]
        title = str(sheet.title)
        book.close()
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, IndexError) as error:
        raise DataError(f"{path} is a damaged Excel workbook: {error}.") from error
    if not rows:
        raise DataError(f"{path} is empty: the first sheet, {title!r}, needs a header row and rows.")
    width = max(len(row) for row in rows)
    rows = [[*row, *[None] * (width - len(row))] for row in rows]
    header, cells = rows[0], [list(column) for column in zip(*rows[1:], strict=True)] or [[] for _ in rows[0]]
    used = [k for k in range(width) if header[k] is not None or any(cell is not None for cell in cells[k])]
    if not cells[0]:
        raise DataError(f"{path} has a header but no rows in its first sheet, {title!r}.")
    try:
        names = name_columns(["" if header[k] is None else str(header[k]) for k in used])
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return names, [cells[k] for k in used], title


def column_of_cells(cells: list[Any], *, missing: frozenset[str], decimal: str) -> tuple[pd.Series, dict[str, int]]:
    """A column from cells: texts are read as in text files, dates as times, other cells stay what they are.

    Returns
    -------
    values : pandas.Series of shape (n_samples,)
    counts : dict from text to int
        The texts of ``missing`` that were there.

    Examples
    --------
    >>> values, counts = column_of_cells([1, 2.5, None, "NA"], missing=frozenset({"NA"}), decimal=".")
    >>> values.tolist(), counts
    ([1.0, 2.5, nan, nan], {'NA': 1})
    """
    seen = [cell for cell in cells if cell is not None]
    if seen and all(isinstance(cell, str) for cell in seen):
        return convert_texts(
            pa.chunked_array([["" if cell is None else cell for cell in cells]]), missing=missing, decimal=decimal
        )
    counts: dict[str, int] = {}
    values: list[Any] = []
    for cell in cells:
        if isinstance(cell, str) and (not cell.strip() or cell.strip() in missing):
            if cell.strip():
                counts[cell.strip()] = counts.get(cell.strip(), 0) + 1
            cell = None
        values.append(cell.isoformat() if isinstance(cell, time) else cell)
    kinds = {type(value) for value in values if value is not None}
    if kinds and all(issubclass(kind, date | datetime) for kind in kinds):
        return pd.Series(pd.to_datetime(pd.Series(values, dtype=object))), counts
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean" if None in values else bool), counts
    if kinds <= {int, float}:
        return pd.Series(values, dtype=float if None in values or float in kinds else "int64"), counts
    return pd.Series(values, dtype=object), counts
