"""A holdout that stays what it is when rows are added."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator

from polytask.data.splits._checks import check_same_length, group_codes
from polytask.data.splits._strata import label_texts
from polytask.exceptions import DataError, OptionError

__all__ = ["HashHoldout", "hash_shares"]


def hash_shares(key: ArrayLike, *, salt: str = "") -> NDArray[np.float64]:
    """Give every key a number in [0, 1) that depends on the key and the salt only: BLAKE2b of their text.

    Parameters
    ----------
    key : array-like of shape (n_samples,)
        Texts, numbers or dates; 1, 1.0 and "1" are one key.
    salt : str, default=""
        Another salt, another draw.

    Examples
    --------
    >>> hash_shares(["ann", "bob", "ann"]).round(3).tolist()
    [0.248, 0.628, 0.248]
    """
    if not isinstance(salt, str):
        raise OptionError(f"`salt` must be a text; got {salt!r}.")
    column = _as_column(key)
    n_missing = int(column.isna().sum())
    if n_missing:
        raise DataError(f"`key` must name every row; got {n_missing} missing. Give these rows keys, or leave them out.")
    codes, names = pd.factorize(label_texts(column))
    shares = [
        int.from_bytes(hashlib.blake2b(f"{salt}\0{name}".encode(), digest_size=8).digest(), "big") / 2**64 for name in names
    ]
    return np.array(shares, dtype=np.float64)[codes]


class HashHoldout(BaseCrossValidator, BaseEstimator):
    """One split into training and test rows by the hash of a key: a row keeps its side for ever.

    Add rows next month, sort the table, leave some out: nobody who was tested on is learned from. The price is balance: sides
    are not stratified, and the share of test rows is ``test_size`` on average only.

    Parameters
    ----------
    key : array-like of shape (n_samples,)
        What names a row (or a person, a molecule): rows with equal keys are on the same side. Numbers, texts or dates; none
        missing.
    test_size : float, default=0.2
        Share of keys to hold out, in (0, 1). A larger share holds out all that a smaller one does.
    salt : str, default=""
        Another salt draws another split.

    Notes
    -----
    :meth:`split` raises ``OptionError`` for a setting and ``DataError`` for a missing key, a side without rows, or ``groups``
    that the keys cut: then use the group as key.

    Examples
    --------
    >>> [(train, test)] = HashHoldout(["ann", "bob", "cyd", "dan"], test_size=0.5).split()
    >>> [(_, later)] = HashHoldout(["eve", "ann", "bob", "cyd", "dan"], test_size=0.5).split()
    >>> test.tolist(), set(test + 1) <= set(later)
    ([0, 2, 3], True)
    """

    def __init__(self, key: ArrayLike, test_size: float = 0.2, salt: str = "") -> None:
        self.key = key
        self.test_size = test_size
        self.salt = salt

    def of_rows(self, rows: ArrayLike) -> HashHoldout:
        """Return the same splitter for some of the rows."""
        return HashHoldout(_as_column(self.key).iloc[np.asarray(rows)], self.test_size, self.salt)

    def split(
        self, X: Any = None, y: Any = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield the row numbers (train, test)."""
        if isinstance(self.test_size, bool) or not isinstance(self.test_size, Real) or not 0 < float(self.test_size) < 1:
            raise OptionError(f"`test_size` of HashHoldout must be a share between 0 and 1; got {self.test_size!r}.")
        held = hash_shares(self.key, salt=self.salt) < float(self.test_size)
        for name, given in (("X", X), ("y", y)):
            if given is not None:
                check_same_length(name, given, len(held))
        if not held.any() or held.all():
            side = "test" if not held.any() else "training"
            n_keys = _as_column(self.key).nunique()
            raise DataError(
                f"No row is on the {side} side of HashHoldout, with {n_keys} different keys in {len(held)} rows. "
                "Use more rows, another `test_size` or another `salt`."
            )
        if groups is not None:
            codes = group_codes(groups, len(held))
            cut = np.intersect1d(codes[held], codes[~held])
            if len(cut):
                name = np.asarray(groups).ravel()[np.flatnonzero(codes == cut[0])[0]]
                raise DataError(f"`key` of HashHoldout cuts group {str(name)!r}. Use the groups as the key.")
        yield np.flatnonzero(~held), np.flatnonzero(held)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return 1."""
        return 1


def _as_column(key: ArrayLike) -> pd.Series:
    column = pd.Series(np.ravel(key) if isinstance(key, np.ndarray) else key).reset_index(drop=True)
    return column.astype(np.float64) if column.dtype == np.float32 else column
