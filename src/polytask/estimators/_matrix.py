"""A table as one matrix of numbers, for scikit-learn and LightGBM."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from polytask.data import TableArrays

Array = np.ndarray[Any, np.dtype[Any]]

MAX_ONE_HOT = 60  # a category with more codes than this is one column of codes, in order of the vocabulary


class TableMatrix:
    """Numbers and codes to one float64 matrix [n, columns]; categories one-hot.

    Parameters
    ----------
    cardinalities : tuple of int
        Codes per categorical column.
    keep_missing : bool
        True for estimators that take NaN; False imputes the median of the training rows, adds an indicator where the training
        rows have missing numbers, and standardizes.
    """

    def __init__(self, cardinalities: tuple[int, ...], *, keep_missing: bool) -> None:
        self.cardinalities = cardinalities
        self.keep_missing = keep_missing

    def fit(self, arrays: TableArrays, rows: Array) -> "TableMatrix":
        """Take medians, means and scales from the training rows."""
        numeric = arrays.numeric[rows]
        missing = np.isnan(numeric)
        self.indicators_ = np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0))
        filled = np.where(missing.all(axis=0), 0.0, numeric)
        self.medians_ = np.nanmedian(filled, axis=0) if numeric.shape[1] else np.empty(0)
        filled = np.where(np.isnan(filled), self.medians_, filled)
        scale = filled.std(axis=0)
        self.means_, self.scales_ = filled.mean(axis=0), np.where(scale > 0, scale, 1.0)
        return self

    def transform(self, arrays: TableArrays, rows: Array | slice) -> Array:
        """Matrix of these rows."""
        numeric, categorical = arrays.numeric[rows], arrays.categorical[rows]
        missing = np.isnan(numeric)
        parts: list[Array] = [numeric]
        if not self.keep_missing:
            parts = [(np.where(missing, self.medians_, numeric) - self.means_) / self.scales_, missing[:, self.indicators_]]
        for k, n_codes in enumerate(self.cardinalities):
            codes = categorical[:, k]
            parts.append(codes[:, None] == np.arange(1, n_codes) if n_codes <= MAX_ONE_HOT else codes[:, None])
        return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts], axis=1)

    def settings(self) -> dict[str, Any]:
        """Plain JSON; with :meth:`statistics`, :meth:`restore` makes the matrix again."""
        return {"cardinalities": list(self.cardinalities), "keep_missing": self.keep_missing}

    def statistics(self) -> dict[str, Array]:
        """Arrays taken from the training rows."""
        return {"indicators": self.indicators_, "medians": self.medians_, "means": self.means_, "scales": self.scales_}

    @classmethod
    def restore(cls, settings: Mapping[str, Any], statistics: Mapping[str, Array]) -> "TableMatrix":
        """Make a fitted matrix of what :meth:`settings` and :meth:`statistics` gave."""
        matrix = cls(tuple(settings["cardinalities"]), keep_missing=settings["keep_missing"])
        matrix.indicators_, matrix.medians_ = statistics["indicators"], statistics["medians"]
        matrix.means_, matrix.scales_ = statistics["means"], statistics["scales"]
        return matrix
