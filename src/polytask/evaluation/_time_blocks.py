"""What counts as one observation where rows follow time."""

from typing import Any

import numpy as np

from polytask.data.splits import TimeOrder
from polytask.evaluation._folds import FoldPlan

Array = np.ndarray[Any, np.dtype[Any]]


def time_blocks(order: TimeOrder, plan: FoldPlan) -> tuple[Array, int]:
    r"""Number blocks of neighbouring times within every test window; rows of a block count as one in intervals.

    What makes a model wrong today often makes it wrong tomorrow: as single rows neighbours would count twice, and
    intervals would be too narrow. Blocks are of :math:`\lfloor D^{1/3} \rfloor` different times, D of them held out: the rate at
    which the variance of a mean of dependent data is estimated best.

    Parameters
    ----------
    order : TimeOrder of all rows
    plan : FoldPlan
        The windows are those of its first repeat.

    Returns
    -------
    blocks : int array of shape (n_rows,)
        0, 1, ... in order of time; rows that are never held out have numbers of their own, behind the others.
    length : int
        Different times in a block, at least 1.

    References
    ----------
    Hall, Horowitz & Jing, "On Blocking Rules for the Bootstrap with Dependent Data", Biometrika 82(3), 1995.

    Examples
    --------
    >>> plan = FoldPlan(np.array([[-1, -1, 0, 0, 0, 1, 1, 1, 1, 1]]))
    >>> time_blocks(TimeOrder(np.arange(10)), plan)[0].tolist()
    [5, 6, 0, 0, 1, 2, 2, 3, 3, 4]
    """
    held = np.flatnonzero(plan.held[0] >= 0)
    length = max(int(np.floor(len(np.unique(order.values[held])) ** (1 / 3) + 1e-9)), 1)
    blocks, start = np.full(len(order), -1), 0
    for fold in range(plan.n_folds):
        rows = plan.held_rows(0, fold)
        place = np.unique(order.values[rows], return_inverse=True)[1] // length
        blocks[rows] = start + place
        start += int(place.max()) + 1
    rest = np.flatnonzero(blocks < 0)
    blocks[rest] = start + np.arange(len(rest))
    return blocks, length


def neighbour_correlation(influence: Array, blocks: Array, held: Array) -> float | None:
    """Correlation of what neighbouring blocks add to a gain's error; None with fewer than 8 blocks or no spread.

    Parameters
    ----------
    influence : float array of shape (n_repeats, n_rows)
        See :class:`~polytask.evaluation.Gain`.
    blocks : int array of shape (n_rows,)
        In order of time.
    held : bool array of shape (n_rows,)
        Rows held out.
    """
    sums = np.bincount(blocks[held], weights=influence.sum(axis=0)[held])
    if len(sums) < 8 or not np.ptp(sums[:-1]) or not np.ptp(sums[1:]):
        return None
    return float(np.corrcoef(sums[:-1], sums[1:])[0, 1])
