"""Which row lends its value of a column to which: permutations without fixed points, across groups."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def donor_rows(n: int, n_repeats: int, *, groups: Array | None = None, rng: np.random.Generator) -> tuple[Array, bool]:
    """Draw permutations in which no row keeps its own value, and none gets that of a row of its own group.

    Rows lie on a ring in random order, groups in one piece, and every row takes from the row a random number of places further
    on. Places are drawn without repetition, so that a pair of rows meets once only; if there are too few, the ring is laid anew.

    Parameters
    ----------
    n : int
        Rows, at least 2.
    n_repeats : int
        Permutations, at least 1.
    groups : int array of shape (n,), optional
    rng : numpy.random.Generator

    Returns
    -------
    donors : int array of shape (n_repeats, n)
        Every row is in each permutation once.
    is_apart : bool
        Whether all donors are of other groups; not so where one group holds more than half of the rows.

    Examples
    --------
    >>> donors, is_apart = donor_rows(6, 2, groups=np.array([0, 0, 1, 1, 2, 2]), rng=np.random.default_rng(0))
    >>> donors.shape, is_apart, np.sort(donors[0]).tolist()
    ((2, 6), True, [0, 1, 2, 3, 4, 5])
    """
    codes = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(codes)
    largest = int(sizes.max())
    is_apart = 2 * largest <= n
    places = np.arange(largest, n - largest + 1) if is_apart else np.arange(1, n)
    donors = np.empty((n_repeats, n), dtype=np.int64)
    done = 0
    while done < n_repeats:
        order = np.lexsort((rng.permutation(n), rng.permutation(len(sizes))[codes]))
        for place in rng.permutation(places)[: n_repeats - done]:
            donors[done, order] = np.roll(order, -int(place))
            done += 1
    return donors, is_apart
