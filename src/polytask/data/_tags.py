"""Columns of lists as numbers: 0/1 per tag, or counts as of words where tags are very many."""

import numpy as np
import pandas as pd

from polytask._lists import ListCells, read_lists
from polytask.data._arrays import TokenColumn
from polytask.data._columns import ColumnInfo
from polytask.data._values import Floats


def fill_tags(numeric: Floats, column: pd.Series, info: ColumnInfo) -> list[str]:
    """Write the number of tags of each row (NaN where the list is missing), then 0 or 1 for each tag.

    Parameters
    ----------
    numeric : float64 array of shape (n, 1) or (n, 1 + n_tags)
        Written to. A missing list has none of the tags: that it is missing is told by the first column.

    Returns
    -------
    notes : list of str
        Tags that are not known.
    """
    cells = _cells(column, info)
    numeric[:, 0] = np.where(cells.missing, np.nan, np.bincount(cells.rows, minlength=len(column)))
    if info.as_words:
        return []
    indicators, unseen = cells.indicators(info.categories)
    numeric[:, 1:] = np.nan_to_num(indicators)
    return _told(cells, unseen, info)


def encode_many_tags(column: pd.Series, info: ColumnInfo) -> tuple[TokenColumn, list[str]]:
    """Known tags of each row as words that occur once; a row with more than ``info.length`` of them keeps the first."""
    cells = _cells(column, info)
    place = {tag: k + 1 for k, tag in enumerate(info.categories)}
    own = np.array([place.get(str(label), 0) for label in cells.labels], dtype=np.int32)
    codes = own[cells.tags] if len(own) else np.zeros(0, dtype=np.int32)
    rows, codes = cells.rows[codes > 0], codes[codes > 0]
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
    n_cut = len(np.unique(rows[rank >= info.length]))
    found = np.zeros((len(column), info.length), dtype=np.int32)
    fits = rank < info.length
    found[rows[fits], rank[fits]] = codes[fits]
    unseen = [label for label, code in zip(cells.labels, own, strict=True) if not code]
    notes = _told(cells, unseen, info) if _unusual(cells, own, info) else []
    if n_cut:
        notes.append(f"Column {info.name!r}: {n_cut} lists have more than {info.length} known tags; the others are left out.")
    return TokenColumn(found, (found > 0).astype(np.float32), size=len(info.categories) + 1), notes


def _cells(column: pd.Series, info: ColumnInfo) -> ListCells:
    return read_lists(column, separator=info.separator or None)


def _unusual(cells: ListCells, codes: np.ndarray[tuple[int, ...], np.dtype[np.int32]], info: ColumnInfo) -> bool:
    unknown = float((codes[cells.tags] == 0).mean()) if len(cells.tags) else 0.0
    return unknown > 1.5 * (1 - info.known_share) + 0.05


def _told(cells: ListCells, unseen: list[object], info: ColumnInfo) -> list[str]:
    if not unseen:
        return []
    names = {str(label) for label in unseen}
    position = [k for k, label in enumerate(cells.labels) if str(label) in names]
    n_unseen = int(np.isin(cells.tags, position).sum())
    return [
        f"Column {info.name!r}: {n_unseen} of {len(cells.tags)} tags are not among the {len(info.categories)} known from "
        f"training, such as {str(unseen[0])[:40]!r}."
    ]
