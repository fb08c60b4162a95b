"""Fewer labels: what if only so many had been collected?"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from polytask.data.splits._checks import group_codes
from polytask.data.splits._strata import StratifiedTask, as_frame, column_strata
from polytask.exceptions import DataError, OptionError, TargetError

__all__ = ["LabelBudget", "kept_labels"]

_Mask = NDArray[np.bool_]
_PATTERNS = ("random", "rows", "groups", "disjoint")


class LabelBudget(BaseEstimator):
    """Take labels away from chosen tasks, for learning curves and for asking how few would do.

    Parameters
    ----------
    tasks : sequence of str, optional
        Which tasks have a budget; all by default. The others keep every label.
    share : float in (0, 1], optional
        Share of its labels that each of them keeps, rounded up.
    n : int, optional
        Number of labels that each keeps; one that has fewer keeps all. Give ``share`` or ``n``.
    pattern : {"random", "rows", "groups", "disjoint"}, default="random"
        - "random": every task keeps labels of its own rows, stratified over its classes or quantile bins;
        - "rows": the tasks keep their labels on the same rows; budgets count rows;
        - "groups": the same, for whole groups; budgets count groups;
        - "disjoint": every row first keeps the label of one of the tasks only, as if each had been collected elsewhere; budgets
          count what is left of each.
    random_state : int, RandomState or None
        With an int a smaller budget keeps a part of what a larger one keeps.

    Examples
    --------
    >>> y = pd.DataFrame({"price": np.arange(8.0), "sold": [0, 1, 0, 1, None, None, None, None]})
    >>> LabelBudget(["price"], share=0.5, random_state=0).keep(y).sum(axis=0).tolist()
    [4, 4]
    >>> LabelBudget(n=2, pattern="disjoint", random_state=0).keep(y).sum(axis=1).max()
    np.int64(1)
    """

    def __init__(
        self,
        tasks: Sequence[str] | None = None,
        *,
        share: float | None = None,
        n: int | None = None,
        pattern: str = "random",
        random_state: Any = None,
    ) -> None:
        self.tasks = tasks
        self.share = share
        self.n = n
        self.pattern = pattern
        self.random_state = random_state

    def keep(self, y: Any, *, tasks: Sequence[StratifiedTask] | None = None, groups: ArrayLike | None = None) -> _Mask:
        """Tell which labels are kept.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_columns), or a table
            Targets; a missing label is NaN or None and is not counted.
        tasks : sequence of fitted tasks, optional
            Tasks that encode their own columns; by default every column is one.
        groups : array of shape (n_samples,), optional
            Needed by the pattern "groups".

        Returns
        -------
        keep : bool array of shape (n_samples, n_tasks)
            False where there is no label, or one is taken away. As ``sample_weight`` it trains on what is kept.

        Raises
        ------
        OptionError, DataError, TargetError
            If a setting cannot be used, groups are missing, or a task is not there.
        """
        frame = as_frame(y, columns=None if tasks is None else [name for task in tasks for name in task.columns])
        if tasks is None:
            names = [str(name) for name in frame.columns]
            strata = [column_strata(frame.iloc[:, k]) for k in range(len(names))]
            observed = frame.notna().to_numpy()
        else:
            names, targets = [task.name for task in tasks], [task.encode(frame) for task in tasks]
            strata = [np.asarray(task.strata(target)) for task, target in zip(tasks, targets, strict=True)]
            observed = np.column_stack([np.isfinite(target).any(axis=1) for target in targets])
        return self.keep_observed(observed, strata, names, groups=groups)

    def mask(self, y: Any, *, tasks: Sequence[StratifiedTask] | None = None, groups: ArrayLike | None = None) -> pd.DataFrame:
        """Return ``y`` as a frame, the labels that are taken away missing."""
        keep = self.keep(y, tasks=tasks, groups=groups)
        frame = as_frame(y, columns=None if tasks is None else [name for task in tasks for name in task.columns])
        columns = [[str(name)] for name in frame.columns] if tasks is None else [list(task.columns) for task in tasks]
        lost = {name: ~keep[:, k] for k, own in enumerate(columns) for name in own}
        return pd.DataFrame({name: frame[name].mask(lost[str(name)]) if str(name) in lost else frame[name] for name in frame})

    def keep_observed(
        self, observed: _Mask, strata: Sequence[_Mask], names: Sequence[str], *, groups: ArrayLike | None = None
    ) -> _Mask:
        """Tell which labels are kept, from what is observed [n_samples, n_tasks] and the strata of every task."""
        self._check()
        limited = list(names) if self.tasks is None else [self.tasks] if isinstance(self.tasks, str) else list(self.tasks)
        foreign = [name for name in limited if name not in names]
        if foreign:
            raise TargetError(f"`tasks` of LabelBudget names {foreign[0]!r}, which is no task; tasks are {list(names)}.")
        chosen = [list(names).index(name) for name in limited]
        if self.pattern == "groups" and groups is None:
            raise DataError("The pattern 'groups' of LabelBudget needs `groups`; got none.")
        codes = group_codes(groups, len(observed)) if self.pattern == "groups" and groups is not None else None
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        keep = observed.copy()
        keep[:, chosen] = kept_labels(
            observed[:, chosen],
            [strata[k] for k in chosen],
            share=self.share,
            n=self.n,
            pattern=self.pattern,
            groups=codes,
            seeds=[[seed, k] for k in chosen],
        )
        return keep

    def _check(self) -> None:
        if (self.share is None) == (self.n is None):
            raise OptionError(f"LabelBudget needs `share` or `n`, one of them; got share={self.share!r}, n={self.n!r}.")
        share, n = self.share, self.n
        if share is not None and (isinstance(share, bool) or not isinstance(share, Real) or not 0 < float(share) <= 1):
            raise OptionError(f"`share` of LabelBudget must be in (0, 1]; got {share!r}.")
        if n is not None and (isinstance(n, bool) or not isinstance(n, Integral) or n < 1):
            raise OptionError(f"`n` of LabelBudget must be a whole number of at least 1; got {n!r}.")
        if self.pattern not in _PATTERNS:
            raise OptionError(f"`pattern` of LabelBudget must be one of {', '.join(map(repr, _PATTERNS))}; got {self.pattern!r}.")


def kept_labels(
    observed: _Mask,
    strata: Sequence[_Mask],
    *,
    share: float | None,
    n: int | None,
    pattern: str,
    groups: NDArray[np.int64] | None,
    seeds: Sequence[Sequence[int]],
) -> _Mask:
    """Which labels of the limited tasks are kept, bool [n_samples, n_limited]; see :class:`LabelBudget`."""
    keep = observed.copy()
    if pattern in ("rows", "groups"):
        units = np.arange(len(observed)) if groups is None else groups
        seen = np.flatnonzero(np.bincount(units, weights=observed.any(axis=1)) > 0)  # units with a label
        kinds = _pattern_codes(observed) if groups is None else np.zeros(len(observed), dtype=np.int64)
        kept = seen[_first(_spread(kinds[seen], seeds[0]), share, n)]
        keep &= np.isin(units, kept)[:, None]
        return keep
    if pattern == "disjoint":
        rng = np.random.default_rng(seeds[0])
        draw = np.where(observed, rng.random(observed.shape), -1.0)
        keep &= draw == draw.max(axis=1, keepdims=True)
    for k, own in enumerate(strata):
        rows = np.flatnonzero(keep[:, k])
        keep[:, k] = False
        keep[rows[_first(_spread(_pattern_codes(own[rows]), seeds[k]), share, n)], k] = True
    return keep


def _spread(kinds: NDArray[np.int64], seed: Sequence[int]) -> NDArray[np.int64]:
    """Return an order at random in which every beginning has its share of each kind."""
    rng = np.random.default_rng([*seed, 1])
    order = np.lexsort((rng.random(len(kinds)), kinds))
    counts = np.bincount(kinds)
    within = np.arange(len(kinds)) - np.repeat(np.cumsum(counts) - counts, counts)
    place = (within + np.repeat(rng.random(len(counts)), counts)) / np.repeat(counts, counts)
    return order[np.argsort(place, kind="stable")]


def _first(order: NDArray[np.int64], share: float | None, n: int | None) -> NDArray[np.int64]:
    wanted = int(np.ceil(share * len(order) - 1e-9)) if share is not None else int(n or 0)
    return order[:wanted]


def _pattern_codes(columns: _Mask) -> NDArray[np.int64]:
    """Number of the pattern of every row of True/False columns."""
    return np.unique(np.packbits(columns, axis=1), axis=0, return_inverse=True)[1].ravel()
