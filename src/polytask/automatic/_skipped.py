"""A target that could not be learned and was left out by choice."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from polytask.tasks import canonical_label, label_array

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class SkippedTask:
    """Predicts the one value its columns had, or nothing.

    Attributes
    ----------
    name : str
    columns : sequence of str
    values : sequence
        The one value of each column; None where it had no labels.
    reason : str
    """

    name: str
    columns: Any
    values: Any
    reason: str

    @classmethod
    def of(cls, name: str, labels: pd.DataFrame, reason: str) -> "SkippedTask":
        """Note the constants of the label columns."""
        firsts = [labels[column].dropna() for column in labels]
        values = [canonical_label(first.iloc[0]) if len(first) else None for first in firsts]
        return cls(name, [str(column) for column in labels], values, reason)

    def decode(self, n: int) -> dict[str, Array]:
        """The same prediction for ``n`` rows."""
        return {
            column: np.full(n, None, dtype=object) if value is None else np.repeat(label_array((value,)), n)
            for column, value in zip(self.columns, self.values, strict=True)
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)
