"""From a frame to arrays of numbers and category codes, and the schema that this needs."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from polytask.data._arrays import TableArrays
from polytask.data._columns import KINDS, ColumnInfo, infer_column
from polytask.data._encode import check_finite, encode_categories, encode_numbers, encode_tokens, part_names
from polytask.data._frames import to_pandas
from polytask.data._names import did_you_mean, quoted
from polytask.data._schema import column_from_dict
from polytask.exceptions import DataError, ModelFolderError, OptionError

FORMAT, VERSION = "polytask.table_codec", 1
_AT_ONCE = 32  # columns that are looked at together

_ALIASES = {"date": "datetime"}


@dataclass(frozen=True)
class TableCodec:
    """Turns tables into arrays, the same way every time.

    It holds what fixes shapes (kinds of columns, vocabularies), taken from the whole development table, and no means or
    quantiles: these belong to the network. Make one with :meth:`fit`.

    Attributes
    ----------
    columns : tuple of ColumnInfo
        All input columns in the order of the table, those left out among them.

    Examples
    --------
    >>> frame = pd.DataFrame({"area": [50.0, None, 71.5], "city": ["Oslo", "Bergen", None]})
    >>> codec = TableCodec.fit(frame)
    >>> codec.numeric_names, codec.categorical_names, codec.cardinalities
    (('area',), ('city',), (4,))
    >>> arrays = codec.transform(pd.DataFrame({"city": ["Bergen", None, "Rome"], "area": [1, 2, 3]}))
    >>> arrays.categorical.ravel().tolist()
    [2, 1, 0]
    >>> arrays.notes
    ["Column 'city': 1 of 3 values are not among the 2 categories known from training, such as 'Rome'."]
    """

    columns: tuple[ColumnInfo, ...]

    @classmethod
    def fit(cls, frame: Any, *, ignore: Iterable[str] = (), kinds: Mapping[str, str] | None = None) -> Self:
        """Look at the input columns of the whole development table.

        Parameters
        ----------
        frame : table of shape (n_samples, n_columns)
            Inputs only, any kind that :func:`~polytask.data.to_pandas` takes; n_samples >= 1.
        ignore : iterable of str
            Columns to leave out.
        kinds : mapping from column to kind, optional
            Overrides what would be inferred: ``"numeric"``, ``"categorical"``, ``"boolean"``, ``"datetime"`` (or ``"date"``),
            ``"text"``, ``"list"`` or ``"ignored"``.

        Raises
        ------
        DataError
            If there are no rows or no usable column, a named column is not there, a column cannot be read as the kind given, or a
            number is infinite.
        OptionError
            If a kind is not known.
        """
        table = to_pandas(frame)
        given = _check_given(ignore, kinds or {}, list(table.columns))
        if not len(table):
            raise DataError("The table must have rows; got none. Check the file or the filter before it.")
        codec = cls(tuple(_describe(table[name], given.get(name)) for name in table.columns))
        if not codec.used:
            left_out = (
                "; ".join(f"{info.name!r}: {info.reason}" for info in codec.columns[:8]) or "the table has no input columns"
            )
            raise DataError(
                f"No input column is left to learn from ({left_out}). Add columns that differ from row to row and repeat "
                "their values, or numbers, or take columns back from the targets and the ignored ones."
            )
        _check_numbers(table, codec.used)
        return codec

    @cached_property
    def used(self) -> tuple[ColumnInfo, ...]:
        """The columns that are learned from."""
        return tuple(info for info in self.columns if info.used)

    @cached_property
    def numeric_names(self) -> tuple[str, ...]:
        """Names of the numeric arrays' columns; a datetime column gives several, such as ``sold_at:days``."""
        return tuple(name for info in self.used for name in part_names(info))

    @cached_property
    def categorical_names(self) -> tuple[str, ...]:
        """Names of the categorical columns."""
        return tuple(info.name for info in self.used if info.kind == "categorical")

    @property
    def text_names(self) -> tuple[str, ...]:
        """Names of the columns that become words: texts, and lists of very many tags."""
        return tuple(info.name for info in self.used if info.as_words)

    @property
    def n_numeric(self) -> int:
        """Columns of the numeric array."""
        return len(self.numeric_names)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Per categorical column the number of codes: its categories, two for unseen and missing, and buckets of rare ones."""
        return tuple(len(info.categories) + 2 + info.buckets for info in self.used if info.kind == "categorical")

    def transform(self, frame: Any, *, missing_columns: Literal["error", "fill"] = "error") -> TableArrays:
        """Turn a table into arrays.

        Parameters
        ----------
        frame : table of shape (n_samples, any)
            Columns in any order; those not known are left out and told.
        missing_columns : {"error", "fill"}
            What to do without a needed column: raise, or take all its values as missing and tell.

        Returns
        -------
        arrays : TableArrays

        Raises
        ------
        DataError
            If a needed column is missing, nothing in a column can be read as its kind, or a number is infinite.
        """
        if missing_columns not in ("error", "fill"):
            raise OptionError(f"`missing_columns` of TableCodec must be 'error' or 'fill'; got {missing_columns!r}.")
        table = to_pandas(frame)
        notes = self._compare_columns(list(table.columns), missing_columns)
        absent = [info.name for info in self.used if info.name not in table.columns]
        if absent:
            table = table.assign(**{name: pd.Series(np.nan, index=table.index) for name in absent})
        numeric, told = encode_numbers(table, self.used)
        notes += told
        categorical = np.empty((len(table), len(self.categorical_names)), dtype=np.int64)
        for position, info in enumerate(info for info in self.used if info.kind == "categorical"):
            categorical[:, position], told = encode_categories(table[info.name], info)
            notes += told
        tokens, told = encode_tokens(table, self.used)
        return TableArrays(numeric, categorical, [*notes, *told], tokens)

    def transform_array(self, values: np.ndarray[Any, np.dtype[Any]]) -> TableArrays:
        """As :meth:`transform` of the columns in their order, where all that are used are numeric; without a frame in between.

        Parameters
        ----------
        values : real or bool array of shape (n_samples, n_columns)

        Raises
        ------
        DataError
            If a number is infinite.
        """
        places = [k for k, info in enumerate(self.columns) if info.used]
        numeric = np.array(values if len(places) == len(self.columns) else values[:, places], dtype=np.float64)
        check_finite(numeric, self.numeric_names)
        return TableArrays(numeric, np.empty((len(numeric), 0), dtype=np.int64), [], ())

    @property
    def is_numeric(self) -> bool:
        """Whether every column that is used is one of plain numbers."""
        return all(info.kind == "numeric" for info in self.used)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON."""
        columns = [{**asdict(info), "categories": list(info.categories), "parts": list(info.parts)} for info in self.columns]
        return {"format": FORMAT, "version": VERSION, "columns": columns}

    @classmethod
    def from_dict(cls, content: Any) -> Self:
        """Restore from :meth:`to_dict`.

        Raises
        ------
        ModelFolderError
            If ``content`` is not what :meth:`to_dict` writes.
        """
        if not isinstance(content, dict) or content.get("format") != FORMAT or not isinstance(content.get("columns"), list):
            raise ModelFolderError("The table schema is not one that polytask wrote. Copy the model folder again.")
        if content.get("version") != VERSION:
            version = content.get("version")
            raise ModelFolderError(f"The table schema has version {version!r}; this polytask reads {VERSION}. Update polytask.")
        columns = tuple(column_from_dict(column) for column in content["columns"])
        if len({info.name for info in columns}) != len(columns) or not any(info.used for info in columns):
            raise ModelFolderError("The table schema repeats a column or has none to learn from. Copy the model folder again.")
        return cls(columns)

    def _compare_columns(self, names: list[str], missing_columns: str) -> list[str]:
        known = {info.name for info in self.columns}
        unknown = [name for name in names if name not in known]
        present = set(names)
        absent = [info.name for info in self.used if info.name not in present]
        notes = []
        if absent and missing_columns == "error":
            near = did_you_mean(absent[0], unknown) if len(absent) == 1 and unknown else ""
            them, its = ("it", "its") if len(absent) == 1 else ("them", "their")
            raise DataError(
                f"The table lacks {_columns(absent)} that the model needs.{near} Add {them}, or let {its} values be taken as "
                "missing (--missing-columns fill, missing_columns='fill')."
            )
        if absent:
            notes.append(f"The table lacks {_columns(absent)}; all values are taken as missing.")
        if unknown:
            notes.append(f"The table has {_columns(unknown)} that the model does not know; left out.")
        return notes


def _describe(column: pd.Series, kind: str | None) -> ColumnInfo:
    return infer_column(column, kind=kind)


def _check_numbers(table: pd.DataFrame, columns: tuple[ColumnInfo, ...]) -> None:
    """Raise on infinite values, a few columns at a time so that little is held."""
    numeric = [info for info in columns if info.kind == "numeric"]
    for start in range(0, len(numeric), _AT_ONCE):
        encode_numbers(table, numeric[start : start + _AT_ONCE])


def _columns(names: list[str]) -> str:
    return f"the column{'s' if len(names) > 1 else ''} {quoted(names)}"


def _check_given(ignore: Iterable[str], kinds: Mapping[str, str], names: list[str]) -> dict[str, str]:
    if isinstance(ignore, str):
        ignore = [ignore]
    given = {**{name: _ALIASES.get(kind, kind) for name, kind in kinds.items()}, **dict.fromkeys(ignore, "ignored")}
    for name, kind in given.items():
        if name not in names:
            raise DataError(f"Column {name!r} is not in the table.{did_you_mean(name, names)}")
        if kind not in KINDS:
            raise OptionError(f"The kind of column {name!r} must be one of {', '.join(KINDS)}; got {kind!r}.")
    return given
