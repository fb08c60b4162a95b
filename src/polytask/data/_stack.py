"""Different data for each task, as one table: rows under each other, absent inputs and labels missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polytask.data._frames import to_pandas
from polytask.data._names import quoted
from polytask.exceptions import DataError

SOURCE = "source"


@dataclass(frozen=True)
class Stacked:
    """One table of the data of several tasks; see :func:`stack`.

    Attributes
    ----------
    X : DataFrame of shape (n, d)
        The inputs of all data sets; an input that a data set lacks is missing in its rows.
    y : DataFrame of shape (n, n_columns)
        The labels of all data sets, missing in the rows of the others.
    tasks : list of str
        Names of the label columns, as estimators take them.
    source : object array of shape (n,)
        Name of the data set of every row.
    groups : object array of shape (n,) or None
        The entity of every row: rows of one entity belong into the same part of every split, whatever their data set.
    """

    X: pd.DataFrame
    y: pd.DataFrame
    tasks: list[str]
    source: NDArray[np.object_]
    groups: NDArray[np.object_] | None = None

    def to_frame(self, *, source: str | None = None, entity: str | None = None) -> pd.DataFrame:
        """Inputs and labels side by side, for :class:`~polytask.MultiTaskPredictor` and the audit.

        Parameters
        ----------
        source, entity : str, optional
            Names of columns to add that hold the data set and the entity of every row.

        Raises
        ------
        DataError
            If a name is taken, or there are no entities.
        """
        added = {source: self.source, entity: self.groups}
        found = pd.concat([self.X, self.y], axis=1)
        for name, values in added.items():
            if name is None:
                continue
            if name in found.columns:
                raise DataError(f"The stacked table has a column {name!r} already; choose another name.")
            if values is None:
                raise DataError("There are no entities; name their column to `stack(..., entity=...)`.")
            found[name] = values
        return found


def stack(data: Mapping[str, tuple[Any, Any]], *, entity: str | None = None) -> Stacked:
    """Put the data of several tasks under each other.

    The tasks may have other rows and other inputs. Inputs of the same name are one input; a label column of the same name in
    several data sets is one task. What a data set has not is missing, which every estimator, split and metric takes as it is.

    Parameters
    ----------
    data : mapping of name to (X, y)
        X is a table of shape (n_k, d_k) of any kind that :func:`to_pandas` takes. y holds the labels of its rows: an array or
        column (n_k,), which becomes a label column of the name given here, or a table with a name for each column.
    entity : str, optional
        An input column that says which subject a row is about, such as a patient who is in several of the data sets. It is taken
        from the inputs and given as ``groups``; where it is absent or missing, every row is an entity of its own.

    Returns
    -------
    stacked : Stacked

    Raises
    ------
    DataError
        If nothing is given, rows of X and y differ in number, an input is a number here and a text there, a label column is an
        input elsewhere, arrays without names of columns differ in width, or no data set has the column of ``entity``.

    Examples
    --------
    >>> hospital = pd.DataFrame({"age": [61, 72], "pressure": [140.0, 155.0]})
    >>> practice = pd.DataFrame({"age": [33, 48, 61], "smoker": ["no", "yes", "no"]})
    >>> stacked = stack({"stay": (hospital, [4.0, 9.0]), "visits": (practice, [1, 0, 2])})
    >>> stacked.X
       age  pressure smoker
    0   61     140.0    NaN
    1   72     155.0    NaN
    2   33       NaN     no
    3   48       NaN    yes
    4   61       NaN     no
    >>> stacked.y
       stay  visits
    0   4.0     NaN
    1   9.0     NaN
    2   NaN     1.0
    3   NaN     0.0
    4   NaN     2.0
    """
    if not isinstance(data, Mapping) or not data:
        raise DataError("`data` of stack must map the name of each task to (X, y); got nothing to stack.")
    inputs, labels = {}, {}
    for name, pair in data.items():
        if not str(name).strip():
            raise DataError(f"Every data set of stack must have a name, that of its task; got {name!r}.")
        inputs[str(name)], labels[str(name)] = _read_pair(str(name), pair)
    _check_arrays({str(name): pair[0] for name, pair in data.items()}, inputs)
    both = {str(column) for own in inputs.values() for column in own} & {str(column) for own in labels.values() for column in own}
    if both:
        with_inputs, with_labels = ([name for name, own in of.items() if both & {*map(str, own)}] for of in (inputs, labels))
        raise DataError(
            f"Columns must be inputs or labels in all data sets; got {quoted(sorted(both))} as inputs in {quoted(with_inputs)} "
            f"and as labels in {quoted(with_labels)}. Drop them from these inputs, or move them to the labels there."
        )
    groups = None if entity is None else _entities(inputs, entity)
    if entity is not None:
        inputs = {name: own.drop(columns=[entity], errors="ignore") for name, own in inputs.items()}
    X, y = _under_each_other(inputs, "input"), _under_each_other(labels, "label")
    source = np.repeat(np.array([*inputs], dtype=object), [len(own) for own in inputs.values()])
    return Stacked(X, y, list(y.columns), source, groups)


def _read_pair(name: str, pair: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise DataError(f"The data of task {name!r} must be a pair (X, y); got {type(pair).__name__}.")
    X, y = to_pandas(pair[0]), _labels(name, pair[1])
    if len(X) != len(y):
        raise DataError(f"The data of task {name!r} must have a label for each row; got {len(X)} rows of X and {len(y)} of y.")
    return X.reset_index(drop=True), y.reset_index(drop=True)


def _labels(name: str, y: Any) -> pd.DataFrame:
    is_column = isinstance(y, pd.Series) or (not hasattr(y, "columns") and not isinstance(y, Mapping) and np.ndim(y) == 1)
    if is_column:
        return pd.DataFrame({name: pd.Series(y) if not isinstance(y, pd.Series) else y.to_numpy()})
    if not hasattr(y, "columns") and not hasattr(y, "column_names") and not isinstance(y, Mapping):
        raise DataError(
            f"The labels of task {name!r} must be a column or a table with names; got an array of {np.ndim(y)} dimensions."
        )
    return to_pandas(y)


def _check_arrays(given: Mapping[str, Any], inputs: Mapping[str, pd.DataFrame]) -> None:
    """Refuse tables without names of columns that cannot be the same inputs."""
    widths = {
        name: inputs[name].shape[1]
        for name, X in given.items()
        if not hasattr(X, "columns") and not hasattr(X, "column_names") and not isinstance(X, Mapping)
    }
    if len(set(widths.values())) > 1 or 0 < len(widths) < len(given):
        raise DataError(
            "Inputs without names of columns must be the same inputs in all data sets; here only some are arrays, or their "
            f"widths differ ({', '.join(f'{name!r}: {width}' for name, width in widths.items())}). Pass tables with names."
        )


def _entities(inputs: Mapping[str, pd.DataFrame], entity: str) -> NDArray[np.object_]:
    if not any(entity in own for own in inputs.values()):
        names = list(dict.fromkeys(column for own in inputs.values() for column in own))
        raise DataError(f"No data set has the column {entity!r} of `entity`; inputs are {quoted(names)}.")
    columns = [own[entity] if entity in own else pd.Series(np.full(len(own), None, dtype=object)) for own in inputs.values()]
    whole = pd.concat([_texts(column) for column in columns], ignore_index=True)
    alone = np.array([f"row {k}" for k in range(len(whole))], dtype=object)  # a text of its own, of no entity's form
    return np.where(whole.isna(), alone, "entity " + whole.fillna("").astype(str)).astype(object)


def _texts(column: pd.Series) -> "pd.Series[Any]":
    """Entities as text, so that 7, 7.0 and "7" are one."""
    from polytask.data._values import canonical_text

    return column.astype(object).map(canonical_text, na_action="ignore")


def _under_each_other(tables: Mapping[str, pd.DataFrame], what: str) -> pd.DataFrame:
    names = list(dict.fromkeys(str(column) for table in tables.values() for column in table))
    for name in names:
        _check_one_kind(name, {of: table[name] for of, table in tables.items() if name in table}, what)
    n = [len(table) for table in tables.values()]
    columns = {name: _column([table.get(name) for table in tables.values()], n) for name in names}
    return pd.DataFrame(columns, index=pd.RangeIndex(sum(n)))


def _check_one_kind(name: str, columns: Mapping[str, pd.Series], what: str) -> None:
    kinds = {of: _kind(column) for of, column in columns.items() if column.notna().any()}
    if len(set(kinds.values())) > 1:
        shown = ", ".join(f"{kind} in {of!r}" for of, kind in kinds.items())
        raise DataError(
            f"The {what} {name!r} must be of one kind in all data sets; it is {shown}. Convert or rename it in one of them."
        )


def _kind(column: pd.Series) -> str:
    dtype = column.dtype
    if pd.api.types.is_numeric_dtype(dtype):  # true and false too
        return "numbers"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "dates"
    if pd.api.types.is_timedelta64_dtype(dtype):
        return "spans of time"
    values = column.dropna()
    if pd.api.types.is_object_dtype(dtype) and pd.api.types.infer_dtype(values) in (
        "integer",
        "floating",
        "mixed-integer-float",
        "boolean",
        "decimal",
    ):
        return "numbers"
    return "texts or classes"


def _column(parts: list[pd.Series | None], n: list[int]) -> pd.Series:
    """One column from its parts; missing where a part is not there, and without categories that only one part knows."""
    present = [part for part in parts if part is not None]
    plain = [part.astype(object) if isinstance(part.dtype, pd.CategoricalDtype) else part for part in present]
    if len({part.dtype for part in present}) == 1:
        plain = present  # same categories
    filled = iter(plain)
    dtype = plain[0].dtype
    whole = [
        pd.Series(np.full(rows, None, dtype=object)).astype(_nullable(dtype)) if part is None else next(filled)
        for part, rows in zip(parts, n, strict=True)
    ]
    return pd.concat(whole, ignore_index=True)


def _nullable(dtype: Any) -> Any:
    """A dtype for missing values beside a column: floats beside integers, ``boolean`` beside true and false."""
    if isinstance(dtype, np.dtype) and dtype.kind in "iuf":
        return np.float64
    return "boolean" if pd.api.types.is_bool_dtype(dtype) else dtype
