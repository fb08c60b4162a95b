"""Which label columns are functions of each other, found by the data: so that nobody takes their gain for transfer."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import gammaln

Array = np.ndarray[Any, np.dtype[Any]]

_LOG_ODDS = np.log(1e6)  # a relation is told only if chance would make one in fewer than one of a million pairs
_SCREEN = 512  # rows looked at before the whole columns
_LEAST_SHARE = 0.5  # of the labels of the function that must be observed together with those of the other


@dataclass(frozen=True)
class Relation:
    """A label column that is a function of another one, on the rows where both are there."""

    column: str
    of: str
    both_ways: bool


def deterministic_relations(labels: pd.DataFrame) -> list[Relation]:
    """Find label columns that are functions of each other.

    A column is a function of another if equal values of that never go with different values of this, and one of three things
    makes chance unlikely: values that come again (classes of classes); classes that are intervals of a number (``num>0``);
    numbers that rise or fall together (``price`` and its logarithm).

    Parameters
    ----------
    labels : DataFrame of shape (n, n_columns)
        NaN or None is a missing label; columns observed together in less than half of the labels of one are not compared.

    Returns
    -------
    relations : list of Relation
        In the order of the columns; a pair that is a function both ways comes once.

    Examples
    --------
    >>> num = np.arange(40) % 4
    >>> labels = pd.DataFrame({"num": num, "presence": num > 0, "noise": np.random.default_rng(0).integers(0, 2, 40)})
    >>> deterministic_relations(labels)
    [Relation(column='presence', of='num', both_ways=False)]
    """
    columns = [_Column(labels.iloc[:, k]) for k in range(labels.shape[1])]
    columns = [column for column in columns if column.n_unique > 1]
    if len(columns) < 2:
        return []
    codes = np.stack([column.codes for column in columns], axis=1)  # [n, T]
    comes_again = np.array([column.n_unique < column.n_seen for column in columns])
    survivors = [_screened(codes, of, comes_again) for of in range(len(columns))]
    is_function = {
        (int(k), of)
        for of in range(len(columns))
        for k in np.flatnonzero(survivors[of])
        if k != of and _is_function(columns[k], columns[of])
    }
    found = []
    for k, column in enumerate(columns):
        for of, other in enumerate(columns):
            both = (of, k) in is_function
            if (k, of) in is_function and not (both and of > k):
                found.append(Relation(column.name, other.name, both))
    return found


class _Column:
    """A label column as ranks (-1 missing): numbers by size, others in any order."""

    def __init__(self, column: pd.Series) -> None:
        self.name = str(column.name)
        self.is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        try:
            codes, unique = pd.factorize(column, sort=self.is_number)
        except TypeError:  # lists
            codes, unique = pd.factorize(column.map(repr, na_action="ignore"))
        self.codes, self.n_unique = np.asarray(codes, dtype=np.int64), len(unique)
        self.n_seen = int((self.codes >= 0).sum())


def _screened(codes: Array, of: int, comes_again: Array) -> Array:
    """Which columns may be functions of one, bool [T], by some of its rows: no value of that goes with two of this.

    If no value of that comes again, only their order can tell; then this must rise, fall, or come class by class.
    """
    seen = np.flatnonzero(codes[:, of] >= 0)
    rows = seen[:: max(1, len(seen) // _SCREEN)][:_SCREEN]
    part = codes[rows[np.argsort(codes[rows, of], kind="stable")]]
    same = (part[1:, of] == part[:-1, of])[:, None] & (part[1:] >= 0) & (part[:-1] >= 0)
    survives: Array = ~(same & (part[1:] != part[:-1])).any(axis=0)
    return survives if comes_again[of] else survives & _ordered(part, comes_again)


def _ordered(part: Array, comes_again: Array) -> Array:
    """Which columns of some rows [m, T], -1 where missing, may rise, fall, or hold each of their classes in one piece."""
    step = np.where((part[1:] >= 0) & (part[:-1] >= 0), part[1:] - part[:-1], 0)
    is_monotone = ~((step > 0).any(axis=0) & (step < 0).any(axis=0))
    ordered = np.sort(part, axis=0)
    n_classes = (ordered[:1] >= 0).sum(axis=0) + ((ordered[1:] > ordered[:-1]) & (ordered[1:] >= 0)).sum(axis=0)
    return np.asarray(is_monotone | (comes_again & ((step != 0).sum(axis=0) < n_classes)))


def _is_function(column: _Column, of: _Column) -> bool:
    both = np.flatnonzero((column.codes >= 0) & (of.codes >= 0))
    if len(both) < max(2, _LEAST_SHARE * column.n_seen):
        return False
    order = both[np.lexsort((column.codes[both], of.codes[both]))]
    y, x = column.codes[order], of.codes[order]
    step, new = np.diff(y), np.diff(x) > 0
    if (step[~new] != 0).any():
        return False
    counts = np.unique(y, return_counts=True)[1]
    if len(counts) < 2:
        return False
    evidence = -(len(y) - 1 - new.sum()) * np.log(counts.max() / len(y))  # each value that comes again agrees
    arrangements = gammaln(len(y) + 1) - gammaln(counts + 1).sum()
    if of.is_number and 1 + (step != 0).sum() == len(counts):  # every class is an interval
        evidence = max(evidence, arrangements - gammaln(len(counts) + 1))
    if of.is_number and column.is_number and ((step >= 0).all() or (step <= 0).all()):
        evidence = max(evidence, arrangements - np.log(2))
    return bool(evidence > _LOG_ODDS)
