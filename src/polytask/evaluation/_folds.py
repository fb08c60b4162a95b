"""Which rows are held out in which fold of which repeat."""

from typing import Any

import numpy as np
from sklearn.base import clone

from polytask.data.splits import StratifiedTaskKFold
from polytask.estimators import LabelTable
from polytask.exceptions import OptionError
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]


def plan_folds(
    labels: LabelTable, *, folds: Any = 5, repeats: int = 5, groups: Any = None, seed: int = 0, rows: Array | None = None
) -> Array:
    """Fold of every row in every repeat, int [n_repeats, n_rows]; -1 for a row that is never held out.

    Parameters
    ----------
    labels : LabelTable
    folds : int or splitter
        A number means folds stratified over all tasks, drawn anew in each repeat. A scikit-learn splitter is used as it is; one
        with a ``random_state`` is drawn anew in each repeat, another gives the same folds each time.
    groups : array of shape (n_rows,), optional
        Rows of one group share a fold.

    Raises
    ------
    OptionError
        If a number is below its least value.
    """
    if isinstance(repeats, bool) or not isinstance(repeats, int | np.integer) or repeats < 1:
        raise OptionError(f"`repeats` must be a whole number >= 1; got {repeats!r}.")
    n = len(labels.target)
    strata = np.concatenate([task.strata(labels.target[:, labels.slices[task.name]]) for task in labels.tasks], axis=1)
    plan = np.full((repeats, n), -1)
    for repeat in range(repeats):
        repeat_seed = seed_of(seed, 2**23, repeat) % 2**32
        if isinstance(folds, int | np.integer) and not isinstance(folds, bool):
            splitter: Any = StratifiedTaskKFold(int(folds), strata=strata, random_state=repeat_seed)
        elif hasattr(folds, "split"):
            splitter = clone(folds)
            if "random_state" in splitter.get_params():
                splitter.set_params(random_state=repeat_seed)
        else:
            raise OptionError(f"`folds` must be a number or a splitter; got {folds!r}.")
        for fold, (_, held) in enumerate(splitter.split(np.zeros((n, 1)), strata, groups)):
            plan[repeat, held] = fold
    return plan
