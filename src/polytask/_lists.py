"""Cells that hold several tags: Python lists, or texts such as ``a|b|c``, ``a;b`` and ``["a", "b"]``."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from polytask.exceptions import DataError, TargetError

Array = np.ndarray[Any, np.dtype[Any]]

SEPARATORS = ("|", ";", ",")


@dataclass(frozen=True)
class ListCells:
    """Tags of a column, flat.

    Attributes
    ----------
    rows : int array of shape (n_tags_in_all,)
        Row of each tag, rising; a tag is there once per row.
    tags : int array of shape (n_tags_in_all,)
        Position in ``labels``.
    labels : list
        Different tags as JSON scalars, in order of appearance.
    missing : bool array of shape (n,)
        Rows without a list; an empty list is there and has no tag.
    separator : str or None
        What stands between tags, where cells are texts; "json" for JSON lists.
    """

    rows: Array
    tags: Array
    labels: list[Any]
    missing: Array
    separator: str | None

    def indicators(self, labels: Iterable[Any]) -> tuple[Array, list[Any]]:
        """0/1 matrix [n, labels], float64 with NaN where the list is missing; and the tags that are none of ``labels``."""
        wanted = list(labels)
        place = {str(label): k for k, label in enumerate(wanted)}
        position = np.array([place.get(str(label), -1) for label in self.labels], dtype=np.int64)
        found = np.zeros((len(self.missing), len(wanted)))
        own = position[self.tags] if len(self.tags) else self.tags
        found[self.rows[own >= 0], own[own >= 0]] = 1.0
        found[self.missing] = np.nan
        return found, [label for label, where in zip(self.labels, position, strict=True) if where < 0]


def holds_lists(column: pd.Series) -> bool:
    """Whether the first value that is there is a Python list, tuple, set or array.

    >>> holds_lists(pd.Series([None, ["a"]])), holds_lists(pd.Series(["a|b"]))
    (True, False)
    """
    if column.dtype != object:
        return False
    return isinstance(next((value for value in column if not _is_missing(value)), None), list | tuple | set | np.ndarray)


def separator_of(texts: Iterable[str]) -> str | None:
    """What stands between the tags of texts: "json" for lists of JSON, else the first of bar, semicolon, comma that is there.

    >>> separator_of(["a|b", "c"]), separator_of(['["a"]', "[]"]), separator_of(["a", "b"])
    ('|', 'json', None)
    """
    own = [text.strip() for text in texts]
    if own and all(text.startswith("[") and text.endswith("]") for text in own):
        return "json"
    return next((mark for mark in SEPARATORS if any(mark in text for text in own)), None)


def read_lists(column: pd.Series, *, separator: str | None = None, task: str = "") -> ListCells:
    """Read the tags of every row.

    Parameters
    ----------
    column : Series of shape (n,)
        Lists, tuples, sets or arrays of scalars; or texts. None and NaN are missing.
    separator : str, optional
        Between the tags of a text; found by :func:`separator_of` if None.
    task : str
        Named in errors.

    Raises
    ------
    DataError
        If a cell is neither list nor text, or a list of JSON cannot be read; of a task a :class:`TargetError`.

    Examples
    --------
    >>> cells = read_lists(pd.Series(["a|b", None, "b", "[]"]))
    >>> cells.labels, cells.indicators(["a", "b"])[0].tolist()
    (['a', 'b'], [[1.0, 1.0], [nan, nan], [0.0, 1.0], [0.0, 0.0]])
    """
    try:
        lists_of = _lists_of(column, separator, f"Task {task!r}" if task else f"Column {column.name!r}")
    except DataError as error:
        if task:
            raise TargetError(str(error)) from error
        raise
    place: dict[str, int] = {}
    labels: list[Any] = []
    rows: list[int] = []
    tags: list[int] = []
    for row, values in enumerate(lists_of.lists):
        seen = set()
        for value in values or ():
            label = value if isinstance(value, str) else _scalar(value)
            key = str(label).strip()
            if not key or key in seen:
                continue
            seen.add(key)
            if key not in place:
                place[key] = len(labels)
                labels.append(key if isinstance(label, str) else label)
            rows.append(row)
            tags.append(place[key])
    missing = np.array([values is None for values in lists_of.lists], dtype=bool)
    return ListCells(np.array(rows, dtype=np.int64), np.array(tags, dtype=np.int64), labels, missing, lists_of.separator)


@dataclass(frozen=True)
class _Lists:
    lists: list[Any]
    separator: str | None


def _lists_of(column: pd.Series, separator: str | None, what: str) -> _Lists:
    values = [None if _is_missing(value) else value for value in column]
    if any(isinstance(value, list | tuple | set | np.ndarray) for value in values):
        texts = [value for value in values if isinstance(value, str)]
        mark = separator or separator_of(texts)
        return _Lists([_cell(value, mark, what) for value in values], None)
    texts = list(dict.fromkeys(str(_scalar(value)) for value in values if value is not None))
    mark = separator or separator_of(text for text in texts if text.strip() != "[]")
    parsed = {text: _cell(text, mark, what) for text in texts}
    return _Lists([None if value is None else parsed[str(_scalar(value))] for value in values], mark)


def _cell(value: Any, separator: str | None, what: str) -> list[Any] | None:
    if value is None:
        return None
    if isinstance(value, np.ndarray):
        return [own for own in value.ravel().tolist() if not _is_missing(own)]
    if isinstance(value, set):
        return sorted(value, key=str)
    if isinstance(value, list | tuple):
        strange = next((own for own in value if isinstance(own, list | tuple | dict | set)), None)
        if strange is not None:
            raise DataError(f"{what} must hold lists of single values; got a list with {strange!r:.60} in it. Flatten it.")
        return [own for own in value if not _is_missing(own)]
    if not isinstance(value, str):
        raise DataError(f"{what} must hold lists of tags or texts such as 'a|b'; got {value!r:.60}.")
    text = value.strip()
    if text == "[]":
        return []
    if separator == "json" or (text.startswith("[") and text.endswith("]") and '"' in text):
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, list):
            raise DataError(f'{what} must hold JSON lists such as ["a", "b"]; got {value!r:.60}.')
        return _cell(found, separator, what)
    return [part.strip() for part in text.split(separator)] if separator else [text]


def _scalar(value: Any) -> Any:
    """A value as a JSON scalar; whole numbers lose their decimal point."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, bool | int | float) else str(value)


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)
