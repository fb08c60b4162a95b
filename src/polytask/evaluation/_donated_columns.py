"""Tables in which some of the user's columns have the values of other rows, and what a model makes of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from polytask.data import TableArrays, TableCodec

Array = np.ndarray[Any, np.dtype[Any]]
Outputs = dict[str, Array]

_MOST_CELLS, _MOST_ROWS = 4_000_000, 50_000  # that a model is asked for at once


@dataclass(frozen=True)
class CodedRows:
    """Rows as arrays. A cell is coded by itself, so moving all codes of a raw column is moving its cells: none is coded anew.

    Attributes
    ----------
    predict : callable
        Arrays to outputs in natural scale per task.
    codec : TableCodec
    arrays : TableArrays
    """

    predict: Callable[[TableArrays], Outputs]
    codec: TableCodec
    arrays: TableArrays

    def __len__(self) -> int:
        return len(self.arrays)

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that are learned from."""
        return tuple(info.name for info in self.codec.used)

    def outputs(self) -> Outputs:
        """Outputs of the rows as they are."""
        return self.predict(self.arrays)

    def donated(self, columns: Sequence[str], donors: Array) -> Outputs:
        """Outputs [n_repeats * n, ...] of the rows with the donors' values in these columns, all from the same donor."""
        numeric, categorical, tokens = positions(self.codec, columns)
        width = (
            self.arrays.numeric.shape[1]
            + self.arrays.categorical.shape[1]
            + sum(2 * column.codes.shape[1] for column in self.arrays.tokens)
        )
        return _joined(self._outputs_of(own, numeric, categorical, tokens) for own in _batches(donors, width))

    def _outputs_of(self, donors: Array, numeric: list[int], categorical: list[int], tokens: list[int]) -> Outputs:
        lent, base = donors.ravel(), self._copies(len(donors))
        numbers, codes = base.numeric, base.categorical
        if numeric:
            numbers = numbers.copy()
            numbers[:, numeric] = self.arrays.numeric[lent[:, None], numeric]
        if categorical:
            codes = codes.copy()
            codes[:, categorical] = self.arrays.categorical[lent[:, None], categorical]
        words = tuple(self.arrays.tokens[k].take(lent) if k in tokens else own for k, own in enumerate(base.tokens))
        return self.predict(replace(base, numeric=numbers, categorical=codes, tokens=words))

    def _copies(self, k: int) -> TableArrays:
        """The rows k times below each other; kept, so that models may remember what they made of texts."""
        if self.__dict__.get("_kept", (0,))[0] != k:
            object.__setattr__(self, "_kept", (k, self.arrays.take(np.tile(np.arange(len(self)), k))))
        kept: TableArrays = self.__dict__["_kept"][1]
        return kept


@dataclass(frozen=True)
class FrameRows:
    """Rows as a frame, for a model that reads tables in its own way; cells are moved before it does.

    Attributes
    ----------
    predict : callable
        Frame to outputs in natural scale per task.
    frame : DataFrame
    columns : tuple of str
        Raw columns that are learned from.
    """

    predict: Callable[[pd.DataFrame], Outputs]
    frame: pd.DataFrame
    columns: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.frame)

    def outputs(self) -> Outputs:
        """Outputs of the rows as they are."""
        return self.predict(self.frame)

    def donated(self, columns: Sequence[str], donors: Array) -> Outputs:
        """As :meth:`CodedRows.donated`."""
        return _joined(self._outputs_of(own, columns) for own in _batches(donors, self.frame.shape[1]))

    def _outputs_of(self, donors: Array, columns: Sequence[str]) -> Outputs:
        base = self.frame.iloc[np.tile(np.arange(len(self)), len(donors))].reset_index(drop=True)
        lent = {name: self.frame[name].iloc[donors.ravel()].set_axis(base.index) for name in columns}
        return self.predict(base.assign(**lent))


def positions(codec: TableCodec, columns: Sequence[str]) -> tuple[list[int], list[int], list[int]]:
    """Where raw columns are in the arrays: numeric, categorical, token columns.

    >>> codec = TableCodec.fit(pd.DataFrame({"city": ["Oslo", "Bergen"] * 5, "area": np.arange(10) + 0.5}))
    >>> positions(codec, ["city"]), positions(codec, ["area"])
    (([], [0], []), ([0], [], []))
    """
    found: tuple[list[int], list[int], list[int]] = ([], [], [])
    counts = [0, 0, 0]
    for info in codec.used:
        alone = TableCodec((info,))
        for k, n in enumerate((alone.n_numeric, len(alone.categorical_names), len(alone.text_names))):
            if info.name in columns:
                found[k].extend(range(counts[k], counts[k] + n))
            counts[k] += n
    return found


def _batches(donors: Array, width: int) -> Iterator[Array]:
    n = donors.shape[1]
    most = min(_MOST_ROWS // n, _MOST_CELLS // (n * max(width, 1)))
    at_once = max(k for k in range(1, len(donors) + 1) if len(donors) % k == 0 and k <= max(most, 1))  # equal ones, made once
    yield from (donors[start : start + at_once] for start in range(0, len(donors), at_once))


def _joined(parts: Iterator[Outputs]) -> Outputs:
    found = list(parts)
    return found[0] if len(found) == 1 else {name: np.concatenate([own[name] for own in found]) for name in found[0]}
