"""A table as one matrix of numbers, for scikit-learn and LightGBM."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch

from polytask.data import TableArrays, TokenColumn
from polytask.data.splits import TimeOrder
from polytask.estimators._target_statistics import out_of_fold_means, target_means
from polytask.networks.encoders import TextProjection

Array = np.ndarray[Any, np.dtype[Any]]

MAX_ONE_HOT = 60  # a category with more codes than this becomes means of the target, or without a target a column of codes
_BLOCK = 4096  # rows of text projected at a time
_REMEMBERED = 4  # projections of one column, each of other training rows


class TableMatrix:
    """Numbers, codes and words to one float64 matrix [n, columns].

    Small categories are one-hot; large ones become means of the target (:func:`target_means`), which for training rows are those
    of the other folds (:meth:`training`); text becomes the numbers of :class:`~polytask.networks.encoders.TextProjection`.

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
        self.large_ = [k for k, n_codes in enumerate(cardinalities) if n_codes > MAX_ONE_HOT]

    def fit(
        self, arrays: TableArrays, rows: Array, *, target: Array | None = None, weight: Array | None = None, n_classes: int = 0
    ) -> "TableMatrix":
        """Take medians, means, scales, weights of words and means of the target from the training rows.

        Parameters
        ----------
        target, weight : array of shape (n, n_targets), optional
            Of all rows of ``arrays``; NaN or weight 0 where a label is missing. Each target column has a matrix of its own.
        n_classes : int, default=0
            Classes of the target columns; 0 for numbers.
        """
        self._fit_numbers(arrays.numeric, rows)
        self.texts_ = [_projection(column, rows) for column in arrays.tokens]
        self.target_means_: list[list[Array]] = []
        if target is not None:
            weight = np.ones(target.shape) if weight is None else weight
            self.target_means_ = [
                self._means(arrays, rows, own[rows], own_weight[rows], n_classes=n_classes, fitted=target_means)
                for own, own_weight in zip(target.T, weight.T, strict=True)
                if self.large_
            ]
        return self

    @property
    def differs_by_target(self) -> bool:
        """Whether every target column has a matrix of its own."""
        return len(self.target_means_) > 1

    def transform(self, arrays: TableArrays, rows: Array | slice = slice(None), *, column: int | None = 0) -> Array:
        """Matrix of these rows, for one target column; None has the means of all of them side by side."""
        large = [means[arrays.categorical[rows, k]] for k, means in zip(self.large_, self._of_target(column), strict=True)]
        return self._joined(arrays, rows, large)

    def training(
        self,
        arrays: TableArrays,
        rows: Array,
        *,
        target: Array,
        weight: Array,
        n_classes: int = 0,
        groups: Array | None = None,
        times: TimeOrder | None = None,
    ) -> Array:
        """Matrix of training rows to fit on: means of the target are those of the other folds of ``rows``.

        Parameters
        ----------
        target, weight : array of shape (len(rows),) or (len(rows), n_targets)
            Of these rows and one target column; or of all of them, whose means then stand side by side.
        groups, times : of these rows, optional
            Then folds are of whole groups, or blocks of time; see :func:`out_of_fold_means`.
        """
        if not self.target_means_:
            return self.transform(arrays, rows)
        columns = zip(np.atleast_2d(target.T), np.atleast_2d(weight.T), strict=True)
        fitted = partial(out_of_fold_means, groups=groups, times=times)
        found = [self._means(arrays, rows, *own, n_classes=n_classes, fitted=fitted) for own in columns]
        return self._joined(arrays, rows, _side_by_side(found))

    def settings(self) -> dict[str, Any]:
        """Plain JSON; with :meth:`statistics`, :meth:`restore` makes the matrix again."""
        return {
            "cardinalities": list(self.cardinalities),
            "keep_missing": self.keep_missing,
            "n_texts": len(self.texts_),
            "n_targets": len(self.target_means_),
        }

    def statistics(self) -> dict[str, Array]:
        """Arrays taken from the training rows."""
        found = {"indicators": self.indicators_, "medians": self.medians_, "means": self.means_, "scales": self.scales_}
        for k, text in enumerate(self.texts_):
            found |= {f"text{k}.{name}": values.numpy() for name, values in text.named_buffers()}
        for column, means in enumerate(self.target_means_):
            found |= {f"target{column}.{k}": values for k, values in zip(self.large_, means, strict=True)}
        return found

    @classmethod
    def restore(cls, settings: Mapping[str, Any], statistics: Mapping[str, Array]) -> "TableMatrix":
        """Make a fitted matrix of what :meth:`settings` and :meth:`statistics` gave."""
        matrix = cls(tuple(settings["cardinalities"]), keep_missing=settings["keep_missing"])
        matrix.indicators_, matrix.medians_ = statistics["indicators"], statistics["medians"]
        matrix.means_, matrix.scales_ = statistics["means"], statistics["scales"]
        matrix.texts_ = [_restored(statistics, f"text{k}.") for k in range(settings.get("n_texts", 0))]
        n_targets = settings.get("n_targets", 0)
        matrix.target_means_ = [[statistics[f"target{column}.{k}"] for k in matrix.large_] for column in range(n_targets)]
        return matrix

    def _fit_numbers(self, numbers: Array, rows: Array) -> None:
        """Column by column, so that the training rows are not copied; what keeps missing numbers needs none of it."""
        d = numbers.shape[1]
        self.medians_, self.means_, self.scales_ = np.zeros(d), np.zeros(d), np.ones(d)
        gaps = np.zeros(d, dtype=bool)
        for k in range(0 if self.keep_missing else d):
            own = numbers[rows, k]
            missing = np.isnan(own)
            gaps[k] = missing.any() and not missing.all()
            if not missing.all():
                self.medians_[k] = np.median(own[~missing])
            own[missing] = self.medians_[k]
            self.means_[k], scale = own.mean(), own.std()
            self.scales_[k] = scale if scale > 0 else 1.0
        self.indicators_ = np.flatnonzero(gaps)

    def _of_target(self, column: int | None) -> list[Array]:
        """Means of each large category; without a target the codes themselves."""
        if self.target_means_:
            return _side_by_side(self.target_means_) if column is None else self.target_means_[column]
        return [np.arange(self.cardinalities[k], dtype=np.float64)[:, None] for k in self.large_]

    def _means(
        self, arrays: TableArrays, rows: Array, target: Array, weight: Array, *, n_classes: int, fitted: Any
    ) -> list[Array]:
        """Means of one target column over these rows, for each large category."""
        weight = np.where(np.isnan(target), 0.0, weight)
        return [
            np.asarray(
                fitted(
                    arrays.categorical[rows, k],
                    np.nan_to_num(target),
                    weight,
                    n_codes=self.cardinalities[k],
                    n_classes=n_classes,
                )
            )
            for k in self.large_
        ]

    def _joined(self, arrays: TableArrays, rows: Array | slice, large: list[Array]) -> Array:
        numeric, categorical = arrays.numeric[rows], arrays.categorical[rows]
        n, d = numeric.shape
        one_hot = [n_codes - 1 for n_codes in self.cardinalities if n_codes <= MAX_ONE_HOT]
        width = d + len(self.indicators_) + sum(one_hot) + sum(own.shape[1] for own in large)
        X = np.empty((n, width + sum(text.components.shape[1] for text in self.texts_)))
        X[:, :d] = numeric
        if not self.keep_missing:
            for k in range(d):
                own = X[:, k]
                own[np.isnan(own)] = self.medians_[k]
                own -= self.means_[k]
                own /= self.scales_[k]
            X[:, d : d + len(self.indicators_)] = np.isnan(numeric[:, self.indicators_])
        start, means = d + len(self.indicators_), iter(large)
        for k, n_codes in enumerate(self.cardinalities):
            part = next(means) if n_codes > MAX_ONE_HOT else categorical[:, [k]] == np.arange(1, n_codes)
            X[:, start : start + part.shape[1]] = part
            start += part.shape[1]
        for text, column in zip(self.texts_, arrays.tokens, strict=True):
            part = _projected(text, column.take(rows))
            X[:, start : start + part.shape[1]] = part
            start += part.shape[1]
        return X


def _side_by_side(means: list[list[Array]]) -> list[Array]:
    """Means of several target columns as one array per category."""
    return [np.concatenate(own, axis=1) for own in zip(*means, strict=True)]


def _projection(column: TokenColumn, rows: Array) -> TextProjection:
    """The projection fitted on these rows; remembered, since the tasks of a table are fitted on the same rows."""
    key = np.asarray(rows).tobytes()
    projection: TextProjection | None = column.memory.get(key)
    if projection is None:
        projection = TextProjection(column.size)
        own = column.take(rows)
        projection.fit(torch.as_tensor(own.codes), torch.as_tensor(own.counts))
        if len(column.memory) >= _REMEMBERED:
            column.memory.clear()
        column.memory[key] = projection
    return projection


def _projected(text: TextProjection, column: TokenColumn) -> Array:
    codes, counts = torch.as_tensor(column.codes), torch.as_tensor(column.counts)
    found = np.empty((len(codes), text.components.shape[1]))
    with torch.no_grad():
        for start in range(0, len(codes), _BLOCK):
            own = slice(start, start + _BLOCK)
            found[own] = text(codes[own], counts[own]).numpy()
    return found


def _restored(statistics: Mapping[str, Array], prefix: str) -> TextProjection:
    buffers = {name.removeprefix(prefix): torch.as_tensor(own) for name, own in statistics.items() if name.startswith(prefix)}
    projection = TextProjection(len(buffers["idf"]))
    projection.load_state_dict(buffers)
    return projection
