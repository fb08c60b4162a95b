"""Predicted columns as a frame of the kind that the user asked for."""

from importlib.util import find_spec
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from polytask.data import like
from polytask.exceptions import OptionError

Array = np.ndarray[Any, np.dtype[Any]]

CONTAINERS = ("default", "pandas", "polars")


def check_container(name: Any) -> None:
    """Raise an :class:`OptionError` if there is no such kind of frame here."""
    if name not in CONTAINERS:
        raise OptionError(f"`transform` of set_output must be one of {', '.join(map(repr, CONTAINERS))}; got {name!r}.")
    if name == "polars" and find_spec("polars") is None:
        raise OptionError("`transform='polars'` needs the package polars, which is not installed. Run: pip install polars")


def framed(X: Any, columns: dict[str, Array], *, container: str = "default") -> Any:
    """Columns as a frame for the rows of ``X``.

    Parameters
    ----------
    X : the user's table
        Its index is kept; by default its kind too, pandas for arrays.
    columns : dict of name to array of shape (n_samples,)
    container : {"default", "pandas", "polars"}

    Examples
    --------
    >>> X = pd.DataFrame({"area": [50.0, 71.5]}, index=["a", "b"])
    >>> framed(X, {"price": np.array([1.5, 2.5])}).index.tolist()
    ['a', 'b']
    """
    index = X.index if isinstance(X, pd.DataFrame | pd.Series) else None
    frame = pd.DataFrame(columns, index=index)
    if container == "polars":
        return nw.from_arrow(pa.Table.from_pandas(frame, preserve_index=False), backend="polars").to_native()
    return like(X, frame) if container == "default" and hasattr(X, "columns") else frame
