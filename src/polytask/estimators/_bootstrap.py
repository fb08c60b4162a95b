"""Bootstrap samples in which every class and quantile of every task keeps its share."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

CELL = 8  # units that are drawn from together; (1 - 1/8)^8 = 34 % of them are left out of a sample, as in a plain bootstrap


def stratified_bootstrap(strata: Array, rng: np.random.Generator, *, share: float = 1.0, groups: Array | None = None) -> Array:
    """How often each row is drawn.

    Rows are put in order by the rarest stratum that they are in, and drawn with replacement from cells of a few neighbours.
    So each stratum that is the rarest one of some rows has at least one of them in every sample (with ``share=1``), and the
    shares of all strata vary less than by chance. Groups are drawn whole, in the same way.

    Parameters
    ----------
    strata : bool array of shape (n, n_strata)
        What to keep in balance: classes, tags and quantile bins of all tasks, and missing labels.
    rng : Generator
    share : float, default=1.0
        Rows (or groups) to draw, as a share of those there are.
    groups : array of shape (n,), optional

    Returns
    -------
    counts : int array of shape (n,)

    Examples
    --------
    >>> rare = np.arange(100)[:, None] < 4
    >>> counts = [stratified_bootstrap(rare, np.random.default_rng(seed)) for seed in range(50)]
    >>> {int(own.sum()) for own in counts}, {int(own[:4].sum()) for own in counts}
    ({100}, {4})
    """
    n = len(strata)
    units = np.arange(n) if groups is None else np.unique(np.asarray(groups).astype(str), return_inverse=True)[1]
    n_units = int(units.max()) + 1
    inside = np.zeros((n_units, strata.shape[1]), dtype=bool)
    np.logical_or.at(inside, units, strata.astype(bool))
    sizes = inside.sum(axis=0)
    rarest = np.where(inside, sizes, n_units + 1).argmin(axis=1) if strata.shape[1] else np.zeros(n_units, dtype=np.int64)
    rarest = np.where(inside.any(axis=1), rarest, strata.shape[1])
    counts, owed = np.zeros(n_units, dtype=np.int64), 0.0
    for key in np.unique(rarest):
        own = rng.permutation(np.flatnonzero(rarest == key))
        for cell in np.array_split(own, -(-len(own) // CELL)):
            owed += share * len(cell)
            n_drawn = round(owed)
            owed -= n_drawn
            np.add.at(counts, rng.choice(cell, n_drawn), 1)
    if not counts.any():
        counts[rng.integers(n_units)] = 1
    return counts[units]
