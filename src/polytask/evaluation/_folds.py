"""Which rows are held out in which fold of which repeat."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from polytask.data.splits import ColumnSplit, StratifiedTaskKFold
from polytask.estimators import LabelTable
from polytask.exceptions import OptionError
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]


def plan_folds(
    labels: LabelTable, *, folds: Any = 5, repeats: int = 5, groups: Any = None, reserved: Any = None, seed: int = 0
) -> Array:
    """Fold of every row in every repeat, int [n_repeats, n_rows]; -1 for a row that is never held out.

    Parameters
    ----------
    labels : LabelTable
    folds : int or splitter
        A number means folds stratified over all tasks, drawn anew in each repeat. A scikit-learn splitter is used as it is; one
        with a ``random_state`` is drawn anew in each repeat, another gives the same folds each time. It must hold every row out
        once at most, and train on all rows that a fold does not hold out: one that leaves rows out (a gap, a share, an order of
        time) is refused.
    groups : array of shape (n_rows,), optional
        Rows of one group share a fold.
    reserved : bool array of shape (n_rows,), optional
        Rows for early stopping, which a splitter may leave out; by default those of :func:`reserved_rows`.

    Raises
    ------
    OptionError
        If a number is below its least value, or the splitter is not of that kind or cuts a group.

    Examples
    --------
    >>> from polytask.estimators import read_labels
    >>> plan_folds(read_labels(np.array([0.5, 1.5, 2.5, 3.5])), folds=2, repeats=3).shape
    (3, 4)
    """
    if isinstance(repeats, bool) or not isinstance(repeats, int | np.integer) or repeats < 1:
        raise OptionError(f"`repeats` must be a whole number >= 1; got {repeats!r}.")
    n = len(labels.target)
    strata = np.concatenate([task.strata(labels.target[:, labels.slices[task.name]]) for task in labels.tasks], axis=1)
    reserved = reserved_rows(reserved, folds, n)
    plan = np.full((repeats, n), -1)
    for repeat in range(repeats):
        splitter = _splitter(folds, strata, seed_of(seed, 2**23, repeat) % 2**32)
        plan[repeat] = _fold_of_rows(list(splitter.split(np.zeros((n, 1)), strata, groups)), n, folds, reserved)
        if groups is not None:
            _check_groups(plan[repeat], np.asarray(groups), folds)
    return plan


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


def _fold_of_rows(pairs: Sequence[tuple[Array, Array]], n: int, folds: Any, reserved: Array | None) -> Array:
    """Fold of every row [n]; raises for splits that a fold number per row cannot tell."""
    fold_of = np.full(n, -1)
    for fold, (_, held) in enumerate(pairs):
        if (fold_of[held] >= 0).any():
            raise OptionError(f"`folds` must hold every row out once at most; {folds!r} holds some out again. Use k folds.")
        fold_of[held] = fold
    for fold, (train, held) in enumerate(pairs):
        _check_training_rows(np.asarray(train), np.asarray(held), n, f"{folds!r} in fold {fold}", reserved)
    return fold_of


def _check_training_rows(train: Array, held: Array, n: int, whose: str, reserved: Array | None) -> None:
    """The training rows of a fold must be all others: a fold number per row cannot say that some are left out on purpose."""
    use = np.zeros(n, dtype=np.int64)
    use[train] += 1
    use[held] += 2
    if (use == 3).any():
        raise OptionError(
            f"`folds` must not train on held-out rows; {whose} trains on {(use == 3).sum()} rows that it holds out."
        )
    n_left = int((use == 0).sum()) if reserved is None else int(((use == 0) & ~reserved).sum())
    if n_left:
        raise OptionError(
            f"`folds` must train on all rows that a fold does not hold out; {whose} leaves out {n_left}. Splits with gaps or in "
            "order of time are not supported yet: drop these rows from the table and use one split, such as ColumnSplit."
        )


def _check_groups(fold_of: Array, groups: Array, folds: Any) -> None:
    _, codes = np.unique(groups.astype(str), return_inverse=True)
    lowest, highest = np.full(codes.max() + 1, fold_of.max()), np.full(codes.max() + 1, -1)
    np.minimum.at(lowest, codes, fold_of)
    np.maximum.at(highest, codes, fold_of)
    if (lowest < highest).any():
        name = str(groups[codes == np.flatnonzero(lowest < highest)[0]][0])
        raise OptionError(f"`folds` must keep every group whole; {folds!r} cuts {name!r}. Use a number, or GroupKFold.")
