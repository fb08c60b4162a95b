"""Which rows are held out in which fold of which repeat, and which rows its models learn from."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polytask.data.splits import ColumnSplit, LeaveOneGroupOut, StratifiedTaskKFold
from polytask.estimators import LabelTable
from polytask.exceptions import OptionError
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class FoldPlan:
    """The folds of all repeats.

    Attributes
    ----------
    held : int array of shape (n_repeats, n_rows)
        Fold that holds a row out, 0, 1, ...; -1 for a row that is never held out.
    trained : tuple of tuples of int arrays, or None
        Rows that fold f of repeat r learns from, ``trained[r][f]``; None where these are all rows that it does not hold out.

    Examples
    --------
    >>> plan = FoldPlan(np.array([[-1, 0, 1]]), trained=((np.array([0]), np.array([0, 1])),))
    >>> [(plan.train_rows(r, f).tolist(), plan.held_rows(r, f).tolist()) for r, f in plan.folds()]
    [([0], [1]), ([0, 1], [2])]
    """

    held: Array
    trained: tuple[tuple[Array, ...], ...] | None = None

    @property
    def n_folds(self) -> int:
        """Folds of a repeat."""
        return int(self.held.max()) + 1

    def folds(self) -> list[tuple[int, int]]:
        """Pairs (repeat, fold), in order."""
        return [(r, int(f)) for r, own in enumerate(self.held) for f in np.unique(own[own >= 0])]

    def train_rows(self, repeat: int, fold: int) -> Array:
        """Rows that the models of a fold learn from, with those that stop them and choose among them."""
        return np.flatnonzero(self.held[repeat] != fold) if self.trained is None else self.trained[repeat][fold]

    def held_rows(self, repeat: int, fold: int) -> Array:
        """Rows that a fold holds out."""
        return np.flatnonzero(self.held[repeat] == fold)

    def first(self, n_repeats: int) -> "FoldPlan":
        """The plan of the first repeats."""
        return self.part(slice(n_repeats))

    def part(self, repeats: slice) -> "FoldPlan":
        """The plan of some repeats."""
        return replace(self, held=self.held[repeats], trained=None if self.trained is None else self.trained[repeats])


def plan_folds(
    labels: LabelTable, *, folds: Any = 5, repeats: int = 5, groups: Any = None, reserved: Any = None, seed: int = 0
) -> FoldPlan:
    """Plan which rows are held out and learned from.

    Parameters
    ----------
    labels : LabelTable
    folds : int or splitter
        A number means folds stratified over all tasks, drawn anew in each repeat. A scikit-learn splitter is used as it is; one
        with a ``random_state`` is drawn anew in each repeat, another gives the same folds each time. It must hold every row out
        once at most, and learn from none that it holds out; it may leave rows out (a gap, an order of time, a share).
    groups : array of shape (n_rows,), optional
        No group is on both sides of a fold.
    reserved : bool array of shape (n_rows,), optional
        Rows for early stopping, which a splitter may leave out; by default those of :func:`reserved_rows`.

    Returns
    -------
    plan : FoldPlan

    Raises
    ------
    OptionError
        If a number is below its least value, or the splitter is not of that kind or cuts a group.

    Examples
    --------
    >>> from polytask.estimators import read_labels
    >>> plan_folds(read_labels(np.array([0.5, 1.5, 2.5, 3.5])), folds=2, repeats=3).held.shape
    (3, 4)
    """
    if isinstance(repeats, bool) or not isinstance(repeats, int | np.integer) or repeats < 1:
        raise OptionError(f"`repeats` must be a whole number >= 1; got {repeats!r}.")
    n = len(labels.target)
    strata = np.concatenate([task.strata(labels.target[:, labels.slices[task.name]]) for task in labels.tasks], axis=1)
    reserved = reserved_rows(reserved, folds, n)
    held = np.full((repeats, n), -1)
    trained: list[tuple[Array, ...]] = []
    for repeat in range(repeats):
        splitter = _splitter(folds, strata, seed_of(seed, 2**23, repeat) % 2**32)
        by_label = isinstance(splitter, LeaveOneGroupOut)
        if repeat and by_label:  # nothing is drawn; what it tells is told once
            held[repeat] = held[0]
            trained.append(trained[0])
            continue
        pairs = list(splitter.split(np.zeros((n, 1)), _labelled(labels) if by_label else strata, groups))
        held[repeat] = _fold_of_rows(pairs, n, folds)
        trained.append(tuple(_with_reserved(np.asarray(train), np.asarray(test), reserved) for train, test in pairs))
        if groups is not None:
            _check_groups(trained[-1], pairs, np.asarray(groups), folds)
    n_others = [n - (held[r] == f).sum() for r in range(repeats) for f in range(len(trained[r]))]
    is_whole = all(len(rows) == others for rows, others in zip((rows for own in trained for rows in own), n_others, strict=True))
    return FoldPlan(held, None if is_whole else tuple(trained))


def _labelled(labels: LabelTable) -> Any:
    """A column per task: 1 where it has a label, else missing."""
    import pandas as pd

    observed = {name: ~np.isnan(labels.target[:, part]).all(axis=1) for name, part in labels.slices.items()}
    return pd.DataFrame({name: np.where(seen, 1.0, np.nan) for name, seen in observed.items()})


def _with_reserved(train: Array, held: Array, reserved: Array | None) -> Array:
    return np.unique(train) if reserved is None else np.setdiff1d(np.union1d(train, np.flatnonzero(reserved)), held)


def _splitter(folds: Any, strata: Array, seed: int) -> Any:
    if isinstance(folds, int | np.integer) and not isinstance(folds, bool):
        if folds < 2:
            raise OptionError(f"`folds` must be at least 2; got {folds}. One part is held out, the others are learned from.")
        return StratifiedTaskKFold(int(folds), strata=strata, random_state=seed)
    if not hasattr(folds, "split") or isinstance(folds, str):
        raise OptionError(f"`folds` must be a number or a splitter; got {folds!r}.")
    splitter = deepcopy(folds)  # scikit-learn's own splitters have no `get_params`, so `clone` refuses them
    if hasattr(splitter, "random_state"):
        splitter.random_state = seed
    return splitter


def reserved_rows(reserved: Any, folds: Any, n: int) -> Array | None:
    """Rows kept for early stopping, bool [n]: as given, or the validation rows of a ``ColumnSplit`` that has test rows too.

    Raises
    ------
    OptionError
        If they are not one truth value per row.
    """
    if reserved is not None:
        rows = np.asarray(reserved)
        if rows.shape != (n,) or rows.dtype != bool:
            raise OptionError(f"`reserved` must be a bool array of shape ({n},); got {rows.dtype} of shape {rows.shape}.")
        return rows
    parts = folds.parts() if isinstance(folds, ColumnSplit) else {}
    if not {"validation", "test"} <= set(parts):
        return None
    return np.isin(np.arange(n), parts["validation"])


def _fold_of_rows(pairs: Sequence[tuple[Array, Array]], n: int, folds: Any) -> Array:
    """Fold of every row [n]; raises for splits that hold a row out twice or learn from one that is held out."""
    if not pairs:
        raise OptionError(f"`folds` must hold some rows out; {folds!r} gives no fold.")
    fold_of = np.full(n, -1)
    for fold, (train, held) in enumerate(pairs):
        if not len(held) or not len(train):
            raise OptionError(f"`folds` must have rows on both sides; fold {fold} of {folds!r} has {len(train)} and {len(held)}.")
        if (fold_of[held] >= 0).any():
            raise OptionError(f"`folds` must hold every row out once at most; {folds!r} holds some out again. Use k folds.")
        fold_of[held] = fold
        n_both = len(np.intersect1d(train, held))
        if n_both:
            raise OptionError(
                f"`folds` must not train on held-out rows; {folds!r} in fold {fold} trains on {n_both} rows that it holds out."
            )
    return fold_of


def _check_groups(trained: Sequence[Array], pairs: Sequence[tuple[Array, Array]], groups: Array, folds: Any) -> None:
    _, codes = np.unique(groups.astype(str), return_inverse=True)
    for train, (_, held) in zip(trained, pairs, strict=True):
        cut = np.intersect1d(codes[train], codes[held])
        if len(cut):
            name = str(groups[codes == cut[0]][0])
            raise OptionError(f"`folds` must keep every group whole; {folds!r} cuts {name!r}. Use a number, or GroupKFold.")
