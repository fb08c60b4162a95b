"""A table as arrays: numbers, category codes and the words of texts."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[Any] | slice


@dataclass(frozen=True)
class TokenColumn:
    """The words of one text column, as counts of known words.

    Attributes
    ----------
    codes : int32 array of shape (n_samples, length)
        Words of each row, 1 to ``size - 1``, each once; 0 fills the rest of the row.
    counts : float32 array of shape (n_samples, length)
        How often each word occurs; 0 where the code is 0.
    size : int
        Codes there are: the words of the vocabulary, and the 0.

    Examples
    --------
    >>> column = TokenColumn(np.array([[2, 0], [1, 2]], np.int32), np.array([[3, 0], [1, 1]], np.float32), size=3)
    >>> column.take(np.array([1])).codes.tolist()
    [[1, 2]]
    """

    codes: NDArray[np.int32]
    counts: NDArray[np.float32]
    size: int
    memory: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)  # what was fitted on it; see `recall`

    def take(self, rows: Rows) -> Self:
        """The words of these rows."""
        return type(self)(self.codes[rows], self.counts[rows], self.size)


@dataclass(frozen=True)
class TableArrays:
    """A table as arrays.

    Attributes
    ----------
    numeric : float64 array of shape (n_samples, n_numeric)
        Finite, or NaN where missing. Columns are named by :attr:`TableCodec.numeric_names`.
    categorical : int64 array of shape (n_samples, n_categorical)
        0 = not in the vocabulary, 1 = missing, 2 and above = a category or a bucket of rare ones. Columns:
        :attr:`TableCodec.categorical_names`.
    notes : list of str
        What the user should be told: unseen categories, values read as missing, columns missing or not known.
    tokens : tuple of TokenColumn
        One per text column, in the order of :attr:`TableCodec.text_names`.

    Examples
    --------
    >>> arrays = TableArrays(np.array([[1.5], [2.5]]), np.array([[2], [3]]), [])
    >>> arrays.take(np.array([1])).numeric.tolist(), len(arrays)
    ([[2.5]], 2)
    """

    numeric: NDArray[np.float64]
    categorical: NDArray[np.int64]
    notes: list[str]
    tokens: tuple[TokenColumn, ...] = ()

    def __len__(self) -> int:
        return len(self.numeric)

    def take(self, rows: Rows) -> Self:
        """These rows (positions, a mask or a slice), without the notes."""
        return type(self)(self.numeric[rows], self.categorical[rows], [], tuple(column.take(rows) for column in self.tokens))

    @property
    def words(self) -> tuple[NDArray[Any], ...]:
        """Codes and counts of each text column, one after the other, as networks take them."""
        return tuple(part for column in self.tokens for part in (column.codes, column.counts))

    @property
    def vocabularies(self) -> tuple[int, ...]:
        """Codes of each text column, :attr:`TokenColumn.size`."""
        return tuple(column.size for column in self.tokens)
