"""Some rows at random, in one pass over a table of any length."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from polytask.exceptions import OptionError

_SLACK = 4  # so many times the sample is held before it is cut down


class RowSample:
    """A simple random sample of rows without replacement, from parts that come one after the other.

    Every row draws a key; the rows with the smallest keys are the sample. So parts are read once, and never more than a few
    times the sample is held.

    Parameters
    ----------
    n_rows : int
        Rows wanted, at least 1; where there are fewer, all of them.
    random_state : int, default=0
        The same rows for the same number and the same table.

    Examples
    --------
    >>> sample = RowSample(3, random_state=0)
    >>> for start in (0, 100):
    ...     sample.add(pa.table({"x": range(start, start + 100)}))
    >>> sample.n_seen, [part.column("x").to_pylist() for part in sample.parts()]
    (200, [[11], [150, 196]])
    """

    def __init__(self, n_rows: int, *, random_state: int = 0) -> None:
        if isinstance(n_rows, bool) or not isinstance(n_rows, int | np.integer) or n_rows < 1:
            raise OptionError(f"`sample` must be a whole number of rows, at least 1; got {n_rows!r}.")
        if isinstance(random_state, bool) or not isinstance(random_state, int | np.integer) or random_state < 0:
            raise OptionError(f"`random_state` of a sample must be a whole number >= 0; got {random_state!r}.")
        self.n_rows = int(n_rows)
        self.n_seen = 0
        self._rng = np.random.default_rng(int(random_state))
        self._bound = 1.0
        self._kept: list[tuple[Any, NDArray[np.float64], NDArray[np.int64]]] = []

    def add(self, part: pa.Table | pd.DataFrame) -> None:
        """Draw from the next rows."""
        keys = self._rng.random(len(part))
        self._keep(part, keys, np.arange(self.n_seen, self.n_seen + len(part)))
        self.n_seen += len(part)
        if sum(len(own) for _, own, _ in self._kept) > _SLACK * self.n_rows:
            self._cut()

    def parts(self) -> list[Any]:
        """The sampled rows of each part, in the order they came; parts without any are left out."""
        self._cut()
        return [part for part, _, _ in self._kept]

    def positions(self) -> NDArray[np.int64]:
        """Where the sampled rows are in the whole table, counted from 0; int64 of shape (n_sampled,), rising."""
        self._cut()
        return np.concatenate([own for _, _, own in self._kept]) if self._kept else np.empty(0, dtype=np.int64)

    def _keep(self, part: Any, keys: NDArray[np.float64], positions: NDArray[np.int64]) -> None:
        rows = np.flatnonzero(keys <= self._bound)
        if len(rows):
            self._kept.append((part.take(rows), keys[rows], positions[rows]))

    def _cut(self) -> None:
        keys = np.concatenate([own for _, own, _ in self._kept]) if self._kept else np.empty(0)
        if len(keys) <= self.n_rows:
            return
        self._bound = float(np.partition(keys, self.n_rows - 1)[self.n_rows - 1])
        before, self._kept = self._kept, []
        for part, own, positions in before:
            self._keep(part, own, positions)
