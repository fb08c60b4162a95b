"""Every group predicted by a model of all other groups."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator

from polytask.data.splits._checks import check_same_length, group_codes
from polytask.data.splits._strata import StratifiedTask, as_frame
from polytask.exceptions import DataError, OptionError, PolytaskWarning

__all__ = ["LeaveOneGroupOut"]

_Rows = NDArray[np.int64]


class LeaveOneGroupOut(BaseCrossValidator, BaseEstimator):
    """Hold out every group once, and mind which tasks have labels where.

    scikit-learn's splitter of this name does not look at ``y``: a group without labels becomes a fold that measures nothing, and
    a task whose labels are all of one group is never learned where it is tested. Here both are told.

    Parameters
    ----------
    tasks : sequence of fitted tasks, optional
        Which columns of ``y`` make a task; without them every column is one.
    unlabelled : {"skip", "error"}, default="skip"
        What is done about a group in which no task has a label: it is never held out and stays in training, with a
        ``PolytaskWarning`` that names it; or a ``DataError``.

    Notes
    -----
    A task whose labels are all of one group is named in a ``PolytaskWarning``: when that group is held out, nothing has taught
    the task. Without ``y`` nothing is known of labels and every group is held out. Groups come in the order of their names.

    Examples
    --------
    >>> y = [[1.0, 5.0], [0.0, np.nan], [1.0, 7.0], [np.nan, 6.0]]
    >>> [test.tolist() for _, test in LeaveOneGroupOut().split(range(4), y, groups=["b", "a", "b", "a"])]
    [[1, 3], [0, 2]]
    """

    __metadata_request__split: ClassVar[dict[str, bool]] = {"groups": True}

    def __init__(self, *, tasks: Sequence[StratifiedTask] | None = None, unlabelled: str = "skip") -> None:
        self.tasks = tasks
        self.unlabelled = unlabelled

    def split(self, X: Any = None, y: Any = None, groups: ArrayLike | None = None) -> Iterator[tuple[_Rows, _Rows]]:
        """Yield the row numbers (train, test) of every group."""
        codes, names = self._groups(groups)
        for name, given in (("X", X), ("y", y)):
            if given is not None:
                check_same_length(name, given, len(codes))
        kept = np.arange(len(names)) if y is None else self._with_labels(y, codes, names)
        for code in kept:
            yield np.flatnonzero(codes != code), np.flatnonzero(codes == code)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: ArrayLike | None = None) -> int:
        """Return the number of groups that are held out."""
        codes, names = self._groups(groups)
        return len(names) if y is None else len(self._with_labels(y, codes, names))

    def _groups(self, groups: ArrayLike | None) -> tuple[_Rows, NDArray[Any]]:
        """Return the group of every row as its number in the order of names, and the names."""
        if self.unlabelled not in ("skip", "error"):
            raise OptionError(f"`unlabelled` of LeaveOneGroupOut must be 'skip' or 'error'; got {self.unlabelled!r}.")
        if groups is None:
            raise DataError("LeaveOneGroupOut needs `groups`, the group of every row; got none.")
        values = pd.Series(groups if isinstance(groups, pd.Series) else np.asarray(groups).ravel()).reset_index(drop=True)
        raw = group_codes(values, len(values))
        first = pd.Series(raw).drop_duplicates().index
        names = np.array([str(value) for value in values.iloc[first]], dtype=object)
        order = _order(values.iloc[first])
        if len(names) < 2:
            raise DataError(f"LeaveOneGroupOut needs at least 2 groups; got {len(names)}.")
        return np.argsort(order)[raw], names[order]

    def _with_labels(self, y: Any, codes: _Rows, names: NDArray[Any]) -> _Rows:
        """Return the groups with a label of any task, after telling of the others and of tasks of one group only."""
        observed = self._observed(y)
        counts = np.stack([np.bincount(codes[seen], minlength=len(names)) for seen in observed.values()])  # [T, groups]
        empty = np.flatnonzero(counts.sum(axis=0) == 0)
        if len(empty):
            told = f"{_listed(names[empty])}: no task has a label there"
            if self.unlabelled == "error":
                raise DataError(f"{told}. Leave them out, or use unlabelled='skip'.")
            warnings.warn(f"{told}, so nothing can be scored: never held out.", PolytaskWarning, stacklevel=3)
        for name, own in zip(observed, counts, strict=True):
            if (own > 0).sum() == 1:
                warnings.warn(
                    f"All labels of task {name!r} are of group {names[own.argmax()]!r}: held out, no model has learned the task.",
                    PolytaskWarning,
                    stacklevel=3,
                )
        if len(empty) == len(names):
            raise DataError("No group holds a label of any task, so there is nothing to hold out.")
        return np.setdiff1d(np.arange(len(names)), empty)

    def _observed(self, y: Any) -> dict[str, NDArray[np.bool_]]:
        """Return per task which rows have a label."""
        frame = as_frame(y, columns=None if self.tasks is None else [name for task in self.tasks for name in task.columns])
        if self.tasks is None:
            return {str(name): frame.iloc[:, k].notna().to_numpy() for k, name in enumerate(frame.columns)}
        return {task.name: np.asarray(np.isfinite(task.encode(frame)).any(axis=1)) for task in self.tasks}


def _order(values: pd.Series) -> NDArray[np.int64]:
    """Return the order of the names: numbers by size, anything else by its text."""
    if pd.api.types.is_numeric_dtype(values):
        return np.argsort(values.to_numpy(dtype=np.float64), kind="stable")
    return np.argsort(values.map(str).to_numpy(dtype=str), kind="stable")


def _listed(names: Sequence[str] | NDArray[Any], most: int = 5) -> str:
    shown = ", ".join(repr(str(name)) for name in names[:most])
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{'Group' if len(names) == 1 else 'Groups'} {shown}{more}"
