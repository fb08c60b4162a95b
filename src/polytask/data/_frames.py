"""The door for tables in memory: any kind of frame in, pandas inside, the user's kind out."""

from collections.abc import Iterable, Mapping
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from polytask.data._names import quoted
from polytask.exceptions import DataError


def to_pandas(X: Any) -> pd.DataFrame:
    """Bring a table of any kind into pandas.

    Parameters
    ----------
    X : pandas, polars or pyarrow table, mapping of columns, list of mappings (rows), or array of shape (n_samples, n_columns)
        Any eager frame that narwhals knows will do. Columns of an array are named ``x0``, ``x1``, ...

    Returns
    -------
    frame : pandas.DataFrame of shape (n_samples, n_columns)
        Column names are strings, each only once. A pandas frame keeps its index and is not copied: do not change it in place.
        Columns of true and false with missing values have the dtype ``boolean``.

    Raises
    ------
    DataError
        If names repeat, columns differ in length, or the array is not two-dimensional or is complex.
    TypeError
        If ``X`` is sparse, lazy, or not a table at all.

    Examples
    --------
    >>> to_pandas({"age": [31, 52], "city": ["Oslo", None]}).shape
    (2, 2)
    >>> list(to_pandas(np.zeros((3, 2))))
    ['x0', 'x1']
    """
    if isinstance(X, pd.DataFrame):
        return _with_text_names(X)
    if isinstance(X, pd.Series):
        return _with_text_names(X.to_frame(name=X.name if X.name is not None else "x0"))
    if isinstance(X, pa.RecordBatch):
        X = pa.Table.from_batches([X])
    if isinstance(X, pa.Table):
        return from_arrow(X)
    if isinstance(X, Mapping):
        return _from_mapping(X)
    if isinstance(X, list | tuple) and X and all(isinstance(row, Mapping) for row in X):
        return _with_text_names(pd.DataFrame([dict(row) for row in X]))
    if "scipy.sparse" in type(X).__module__:
        raise TypeError("The table must be dense; got a sparse matrix. Pass `X.toarray()` if it fits in memory.")
    native = nw.from_native(X, pass_through=True, allow_series=True)
    if isinstance(native, nw.LazyFrame):
        raise TypeError("The table must be in memory; got a lazy frame. Call `.collect()` on it first.")
    if isinstance(native, nw.Series):
        return from_arrow(native.to_frame().to_arrow())
    if isinstance(native, nw.DataFrame):
        return from_arrow(native.to_arrow())
    if hasattr(X, "__array__") or isinstance(X, list | tuple):
        return _from_array(X)
    raise TypeError(
        "The table must be a pandas, polars or pyarrow table, a mapping of columns, a list of rows as mappings, or a "
        "two-dimensional array; "
        f"got {type(X).__name__}."
    )


def like(X: Any, frame: pd.DataFrame) -> Any:
    """Give ``frame`` back as the kind of table that ``X`` is.

    Parameters
    ----------
    X : the user's table, of n_samples rows
        What :func:`to_pandas` took.
    frame : pandas.DataFrame of shape (n_samples, any)
        The table to give back.

    Returns
    -------
    table : the kind of ``X``
        pandas for pandas (with the index of ``X`` where the lengths agree), polars for polars, pyarrow for pyarrow; pandas for
        arrays and mappings.

    Examples
    --------
    >>> X = pd.DataFrame({"age": [31, 52]}, index=["a", "b"])
    >>> list(like(X, pd.DataFrame({"price": [1.5, 2.5]})).index)
    ['a', 'b']
    """
    if isinstance(X, pd.DataFrame | pd.Series):
        return frame.set_axis(X.index, axis=0) if len(X) == len(frame) else frame
    if isinstance(X, pa.Table):
        return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    native = nw.from_native(X, pass_through=True, allow_series=True)
    if isinstance(native, nw.DataFrame | nw.Series):
        table = pa.Table.from_pandas(frame, preserve_index=False)
        return nw.from_arrow(table, backend=native.implementation).to_native()
    return frame


def from_arrow(table: pa.Table, *, consume: bool = False) -> pd.DataFrame:
    """Turn an arrow table into a pandas frame of plain columns: decimals as floats, booleans with nulls as ``boolean``.

    ``consume`` frees the columns of the table one by one, and leaves it unusable.
    """
    check_names(table.column_names)
    for position, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            table = table.set_column(position, field.name, table.column(position).cast(pa.float64()))
    table = table.unify_dictionaries()
    schema = table.schema
    frame = table.to_pandas(date_as_object=False, split_blocks=consume, self_destruct=consume)
    del table
    for field in schema:
        if pa.types.is_boolean(field.type) and field.name in frame and frame[field.name].dtype == object:
            frame[field.name] = frame[field.name].astype("boolean")
    named = [level for level in frame.index.names if level is not None]  # an index that pandas stored beside the columns
    frame = frame.reset_index(level=named).reset_index(drop=True) if named else frame.reset_index(drop=True)
    return _with_text_names(frame)


def check_names(names: Iterable[object]) -> None:
    """Raise a :class:`DataError` that lists the names that occur more than once."""
    seen: set[str] = set()
    repeated: dict[str, None] = {}
    for name in map(str, names):
        if name in seen:
            repeated[name] = None
        seen.add(name)
    if repeated:
        raise DataError(f"Column names must differ; the table has more than one {quoted(repeated)}. Rename or drop them.")


def _with_text_names(frame: pd.DataFrame) -> pd.DataFrame:
    if isinstance(frame.columns, pd.MultiIndex):
        raise DataError("Column names must be single names; got several levels. Flatten `frame.columns` first.")
    check_names(frame.columns)
    if all(isinstance(name, str) for name in frame.columns):
        return frame
    return frame.set_axis([str(name) for name in frame.columns], axis=1)


def _from_mapping(columns: Mapping[Any, Any]) -> pd.DataFrame:
    try:
        return _with_text_names(pd.DataFrame(dict(columns)))
    except DataError:
        raise
    except ValueError as error:
        lengths = {str(name): np.shape(values)[:1] or "a single value" for name, values in columns.items()}
        shown = ", ".join(f"{name!r}: {length[0] if isinstance(length, tuple) else length}" for name, length in lengths.items())
        raise DataError(f"Columns must be lists of the same length; got {shown}.") from error


def _from_array(X: Any) -> pd.DataFrame:
    values = X if isinstance(X, np.ndarray) else np.asarray(X)
    if values.dtype.names:
        return _with_text_names(pd.DataFrame(values))
    if values.ndim != 2:
        raise DataError(
            f"The array must have shape (n_samples, n_columns); got {values.ndim}D of shape {values.shape}. "
            "Reshape your data with `X.reshape(-1, 1)` for one column."
        )
    if np.iscomplexobj(values):
        raise DataError("Complex data not supported: the array must hold real numbers. Pass its real and imaginary parts.")
    if values.dtype == np.float16:  # pandas cannot look values up in it
        values = values.astype(np.float32)
    frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(values.shape[1])])
    return frame.infer_objects() if values.dtype == object else frame
