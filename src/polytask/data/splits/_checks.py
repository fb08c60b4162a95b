"""Checks shared by the splitters."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from polytask.exceptions import DataError, OptionError

__all__ = ["check_count", "check_order", "check_same_length", "group_codes", "held_share", "in_number_order", "n_rows"]


def n_rows(values: Any) -> int:
    """Return the number of rows of an array, table or list."""
    shape = getattr(values, "shape", None)
    return int(shape[0]) if shape else len(values)


def check_same_length(name: str, values: Any, n_samples: int) -> None:
    if n_rows(values) != n_samples:
        raise DataError(f"`{name}` must have one value per row; got {n_rows(values)} values for {n_samples} rows.")


def check_count(name: str, owner: str, value: Any, *, least: int) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise OptionError(f"`{name}` of {owner} must be a whole number of at least {least}; got {value!r}.")


def check_order(order: Any) -> None:
    if order not in (1, 2):
        raise OptionError(f"`order` must be 1 (labels) or 2 (labels and pairs of labels); got {order!r}.")


def group_codes(groups: ArrayLike, n_samples: int) -> NDArray[np.int64]:
    """Return the groups as codes 0, 1, ...; a missing group is an error."""
    values = pd.Series(groups if isinstance(groups, pd.Series) else np.asarray(groups).ravel())
    check_same_length("groups", values, n_samples)
    codes, _ = pd.factorize(values)
    n_missing = int((codes < 0).sum())
    if n_missing:
        raise DataError(
            f"`groups` must name a group for every row; got {n_missing} missing. Give these rows groups of their own."
        )
    return codes.astype(np.int64)


def held_share(test_size: Any, n_samples: int) -> tuple[float, int]:
    """Return the share and the number of held-out rows, at least one and at most all but one."""
    whole = isinstance(test_size, Integral) and not isinstance(test_size, bool)
    if n_samples < 2:
        raise DataError(f"Holding out rows needs at least 2 rows; got {n_samples}.")
    if whole and 0 < int(test_size) < n_samples:
        held = int(test_size)
    elif not whole and isinstance(test_size, Real) and 0 < float(test_size) < 1:
        held = min(max(int(np.ceil(float(test_size) * n_samples - 1e-9)), 1), n_samples - 1)
    else:
        raise OptionError(
            f"`test_size` must be a share between 0 and 1 or a number of rows from 1 to {n_samples - 1}; got {test_size!r}."
        )
    return held / n_samples, held


def in_number_order(name: str) -> tuple[int, float, str]:
    """Sort key for labels: numbers by value, then texts by letter."""
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name
