"""From targets of any kind to the True/False columns that stratification balances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from polytask.exceptions import DataError, OptionError

__all__ = ["StratifiedTask", "as_frame", "column_strata", "is_measured", "label_texts", "target_strata"]

_MAX_LEVELS = 20  # a numeric column with more distinct values is a regression target
_MAX_CLASSES = 200  # further classes, the rarest, are balanced as one


class StratifiedTask(Protocol):
    """What the splitters ask of a fitted task."""

    @property
    def name(self) -> str: ...
    @property
    def columns(self) -> Sequence[str]: ...
    @property
    def labels(self) -> Sequence[Any]: ...
    @property
    def n_targets(self) -> int: ...
    def encode(self, y: pd.DataFrame, /) -> NDArray[np.float64]: ...
    def strata(self, target: NDArray[np.float64], /, *, n_bins: int = ...) -> NDArray[np.bool_]: ...


def column_strata(values: ArrayLike, n_bins: int = 10) -> NDArray[np.bool_]:
    """Turn one raw column into True/False columns: one per class or quantile bin, and one for "missing".

    Numbers (and dates) with more than 20 distinct values are cut into quantile bins, of at least five values each; anything
    else is taken as classes.

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        Numbers, strings, booleans or dates; NaN, None and NaT are missing.
    n_bins : int, default=10
        Most quantile bins of a regression target.

    Returns
    -------
    strata : array of bool, shape (n_samples, n_strata)
        Exactly one True per row; the last column is "missing".

    Raises
    ------
    OptionError
        If ``n_bins`` is below 2.

    Examples
    --------
    >>> column_strata(["a", "b", None, "a"]).astype(int).tolist()
    [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]
    >>> import numpy as np
    >>> column_strata(np.arange(100.0), n_bins=4).sum(axis=0).tolist()
    [25, 25, 25, 25, 0]
    """
    if n_bins < 2:
        raise OptionError(f"`n_bins` must be at least 2; got {n_bins}.")
    column = _as_series(values)
    missing = column.isna().to_numpy()
    codes = _bin_codes(column, n_bins) if is_measured(column) else _class_codes(column)
    strata = codes[:, None] == np.arange(codes.max(initial=-1) + 1)
    return np.column_stack([strata, missing])


def target_strata(
    y: Any, *, tasks: Sequence[StratifiedTask] | None = None, n_bins: int = 10, n_samples: int | None = None
) -> NDArray[np.bool_]:
    """Turn all targets into the True/False columns of their classes, bins and missingness.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_columns), or a table
        Targets; a missing label is NaN or None. None stands for "no targets", which gives no columns.
    tasks : sequence of fitted tasks, optional
        Tasks that know how their columns are stratified; without them every column is a task, see :func:`column_strata`.
    n_bins : int, default=10
        Most quantile bins of a regression target.
    n_samples : int, optional
        Number of rows, needed where ``y`` is None.

    Returns
    -------
    strata : array of bool, shape (n_samples, n_strata)

    Examples
    --------
    >>> import pandas as pd
    >>> target_strata(pd.DataFrame({"sold": [True, False, None], "grade": ["A", None, "B"]})).shape
    (3, 6)
    """
    if y is None:
        return np.zeros((n_samples or 0, 0), dtype=bool)
    frame = as_frame(y, columns=None if tasks is None else [name for task in tasks for name in task.columns])
    if tasks is None:
        parts = [column_strata(frame.iloc[:, i], n_bins) for i in range(frame.shape[1])]
    else:
        parts = [np.asarray(task.strata(task.encode(frame), n_bins=n_bins), dtype=bool) for task in tasks]
    return np.column_stack([np.zeros((len(frame), 0), dtype=bool), *parts])


def as_frame(y: Any, *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return targets of any kind as a pandas frame; columns without a name are called y0, y1, ... (or ``columns``)."""
    if isinstance(y, pd.DataFrame):
        return y
    if isinstance(y, pd.Series):
        return y.to_frame(name="y0" if y.name is None else y.name)
    if hasattr(y, "__dataframe__") or hasattr(y, "__arrow_c_stream__"):
        native = nw.from_native(y, allow_series=True)
        return as_frame(native.to_pandas())
    if isinstance(y, dict):
        return pd.DataFrame(y)
    values = y if isinstance(y, np.ndarray) else np.asarray(pd.DataFrame(list(y)).infer_objects(), dtype=object)
    if values.ndim not in (1, 2):
        raise DataError(f"`y` must have one or two axes, rows and targets; got shape {values.shape}.")
    frame = pd.DataFrame(values[:, None] if values.ndim == 1 else values).infer_objects()
    frame.columns = pd.Index(columns if columns is not None and len(columns) == frame.shape[1] else _names(frame.shape[1]))
    return frame


def is_measured(column: pd.Series) -> bool:
    """Tell whether a column is a measured quantity (a regression target) rather than classes."""
    number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return bool(number or pd.api.types.is_datetime64_any_dtype(column)) and column.nunique() > _MAX_LEVELS


def label_texts(column: pd.Series) -> pd.Series:
    """Return labels as text, so that 1, 1.0 and "1" are one class; missing stays missing."""
    return column.map(_text, na_action="ignore").astype(object)


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _as_series(values: ArrayLike) -> pd.Series:
    column = values if isinstance(values, pd.Series) else pd.Series(values)
    return column.infer_objects() if column.dtype == object else column


def _bin_codes(column: pd.Series, n_bins: int) -> NDArray[np.int64]:
    """Return the quantile bin of every value, -1 where missing."""
    observed = column.notna().to_numpy()
    kept = column[observed]
    numbers = kept.astype("int64") if pd.api.types.is_datetime64_any_dtype(column) else kept
    values = numbers.to_numpy(dtype=np.float64)
    bins = min(n_bins, max(len(values) // 5, 1))
    ordered = np.sort(values)
    edges = np.unique(ordered[[i * len(values) // bins for i in range(1, bins)]])  # no arithmetic: infinities are welcome
    codes = np.full(len(column), -1, dtype=np.int64)
    codes[observed] = pd.factorize(np.searchsorted(edges, values, side="right"), sort=True)[0]
    return codes


def _class_codes(column: pd.Series) -> NDArray[np.int64]:
    """Return the class of every value, -1 where missing; the most frequent classes come first."""
    codes, _ = pd.factorize(label_texts(column) if column.dtype == object else column)
    counts = np.bincount(codes[codes >= 0])
    rank = np.empty(len(counts), dtype=np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return np.where(codes < 0, -1, np.minimum(rank[codes], _MAX_CLASSES) if len(counts) else -1)


def _names(n_columns: int) -> list[str]:
    return [f"y{i}" for i in range(n_columns)]
