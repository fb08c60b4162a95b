"""Inputs that give a target away: perfect copies of it under another name."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln

MAX_CLASSES = 50  # a number with more distinct values is compared as a number, not as a class
_LOG_ODDS = np.log(1e6)  # a copy is told only if chance would make one in fewer than one of a million tables
_SCREEN = 256  # rows looked at before the whole column


def perfect_copies(X: pd.DataFrame, y: pd.DataFrame) -> list[tuple[str, str]]:
    """Find input columns that are perfect copies of a target.

    A column is a copy if, on the rows where both are there, each class of the target stands for exactly one value of the input
    and the other way round, or if one number is a straight line of the other (metres and feet). Rows where one of the two is
    missing are left out, but a column that is there for less than half of the labels is no copy. Matches that could be chance
    (a handful of rows, a single positive) are not told, nor is an identifier against a target whose values are all different.

    Parameters
    ----------
    X : DataFrame of shape (n, d)
        Input columns.
    y : DataFrame of shape (n, n_targets)
        Target columns; NaN or None is a missing label.

    Returns
    -------
    copies : list of (input column, target column)
        In the order of ``y``, then of ``X``.

    Examples
    --------
    >>> y = pd.DataFrame({"metres": np.arange(30.0)})
    >>> X = pd.DataFrame({"feet": 3.281 * y["metres"], "width": np.arange(30) % 7})
    >>> perfect_copies(X, y)
    [('feet', 'metres')]
    """
    inputs = [_Values(X.iloc[:, i]) for i in range(X.shape[1])]
    targets = [_Values(y.iloc[:, i]) for i in range(y.shape[1])]
    return [(str(column.name), str(target.name)) for target in targets for column in inputs if _is_copy(column, target)]


class _Values:
    """A column as codes (-1 missing) and, where it is numeric, as float64."""

    def __init__(self, column: pd.Series) -> None:
        self.name = column.name
        try:
            self.codes, uniques = pd.factorize(column)
        except TypeError:  # lists and other things without a hash
            self.codes, uniques = pd.factorize(column.astype("string"))
        self.n_unique = len(uniques)
        self.seen = self.codes >= 0
        self.numbers = _as_numbers(column)
        observed = np.flatnonzero(self.seen)
        self.screen = observed[:: max(1, len(observed) // _SCREEN)][:_SCREEN]
        self.n_seen = len(observed)


def _as_numbers(column: pd.Series) -> NDArray[np.float64] | None:
    if pd.api.types.is_datetime64_any_dtype(column):
        column = (column - column.min()).dt.total_seconds()
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_complex_dtype(column):
        return None
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    finite = numbers[np.isfinite(numbers)]
    return numbers if len(finite) and finite.min() < finite.max() else None  # one number and infinities are no line


def _is_copy(column: _Values, target: _Values) -> bool:
    if column.n_unique < 2 or target.n_unique < 2:
        return False
    screen = target.screen[column.seen[target.screen]]
    both = np.flatnonzero(column.seen & target.seen) if _may_be(column, target, screen) else screen[:0]
    if 2 * len(both) < target.n_seen or len(both) == 0:
        return False
    x, y = column.codes[both], target.codes[both]
    if (x == x[0]).all() or (y == y[0]).all():  # constant where both are there
        return False
    as_classes = target.numbers is None or target.n_unique <= MAX_CLASSES
    if as_classes and _is_relabelling(x, y) and _log_arrangements(y, relabelled=True) > _LOG_ODDS:
        return True
    if column.numbers is None or target.numbers is None or not _is_line(column.numbers[both], target.numbers[both]):
        return False
    return _log_arrangements(y, relabelled=False) > _LOG_ODDS


def _may_be(column: _Values, target: _Values, rows: NDArray[np.intp]) -> bool:
    if _is_relabelling(column.codes[rows], target.codes[rows]):
        return True
    return column.numbers is not None and target.numbers is not None and _is_line(column.numbers[rows], target.numbers[rows])


def _is_relabelling(a: NDArray[np.intp], b: NDArray[np.intp]) -> bool:
    n_pairs = len(np.unique(a * (b.max(initial=0) + 1) + b))
    return n_pairs == len(np.unique(a)) == len(np.unique(b))


def _is_line(x: NDArray[np.float64], y: NDArray[np.float64], *, tolerance: float = 1e-6) -> bool:
    finite = np.isfinite(x) & np.isfinite(y)
    if not finite.all():  # an infinity is no point of a line
        x, y = x[finite], y[finite]
    if len(x) == 0 or x.min() == x.max() or y.min() == y.max():
        return True  # nothing speaks against it; the count of arrangements decides
    low, high = x.argmin(), x.argmax()
    line = y[low] + (y[high] - y[low]) / (x[high] - x[low]) * (x - x[low])
    return bool(np.abs(y - line).max() <= tolerance * (y.max() - y.min()))


def _log_arrangements(codes: NDArray[np.intp], *, relabelled: bool) -> float:
    """Log of the number of different ways to put these values into rows: how surprising it is that two columns agree."""
    counts = np.unique(codes, return_counts=True)[1]
    same = gammaln(len(counts) + 1) if relabelled else 0.0
    return float(gammaln(len(codes) + 1) - gammaln(counts + 1).sum() - same)
