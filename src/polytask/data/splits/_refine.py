"""What follows the dealing of iterative stratification: exact sizes, and exchanges that bring the counts closer.

All functions work on a ``table`` [k, P]: how many units (rows or groups) of each of P patterns every one of k folds has.
``patterns`` [P, m + 1] holds a unit's count of every label and, in the last column, its number of rows.

# DIFFERS FROM PAPER: none of this is in Sechidis et al. 2011, whose folds may differ in size.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

__all__ = ["fill_empty_folds", "fix_sizes", "refine"]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

_MAX_PATTERNS = 4000  # patterns looked at for one exchange
_MAX_PAIRS = 48  # the best of each fold that are tried against each other
_MAX_WORK = 60_000  # exchanges tried, times the number of labels


def fix_sizes(table: _Ints, patterns: _Floats, shares: _Floats, *, rng: np.random.RandomState) -> _Ints:
    """Move single rows from folds that are too large, those whose move costs the labels least."""
    table = table.copy()
    wanted = _whole_sizes(table.sum(axis=1), shares)
    deviation, cost = _deviation(table, patterns, shares)
    while (excess := table.sum(axis=1) - wanted).any():
        source, sink = int(excess.argmax()), int(excess.argmin())
        candidates = _some(np.flatnonzero(table[source]), rng)
        slope = cost[source] * deviation[source] - cost[sink] * deviation[sink]
        rise = patterns[candidates] @ (cost[source] + cost[sink] - 2 * slope)  # a row has 0 or 1 of a label: x^2 = x
        _exchange(table, deviation, patterns, source, sink, int(candidates[rise.argmin()]), None)
    return table


def fill_empty_folds(table: _Ints, patterns: _Floats) -> _Ints:
    """Give every fold at least one unit: the smallest of the fold that has the most."""
    table = table.copy()
    for sink in np.flatnonzero(table.sum(axis=1) == 0):
        source = table.sum(axis=1).argmax()
        held = np.flatnonzero(table[source])
        smallest = held[patterns[held, -1].argmin()]
        table[source, smallest] -= 1
        table[sink, smallest] += 1
    return table


def refine(table: _Ints, patterns: _Floats, shares: _Floats, *, rng: np.random.RandomState, may_move: bool) -> _Ints:
    """Exchange units between two folds while this lowers the sum of (count - expected)^2 / max(expected, 1).

    With ``may_move`` a unit may also change its fold alone (groups: sizes are then one of the balanced columns). The result is
    kept only if the largest |count - expected| / max(expected, 1) did not rise.
    """
    before = table
    table = table.copy()
    deviation, cost = _deviation(table, patterns, shares)
    pairs = list(itertools.combinations(range(len(shares)), 2))
    tries = _MAX_WORK // (patterns.shape[1] + 10)
    since_success = 0
    for first, second in itertools.islice(itertools.cycle(pairs), tries):
        if since_success == len(pairs) or (not may_move and np.abs(deviation).max() < 0.5):
            break
        found = _best_exchange(table, deviation, patterns, cost, (first, second), rng, may_move)
        since_success = 0 if found else since_success + 1
        if found:
            _exchange(table, deviation, patterns, first, second, *found)
    return table if _largest(table, patterns, shares) <= _largest(before, patterns, shares) else before


def _best_exchange(
    table: _Ints,
    deviation: _Floats,
    patterns: _Floats,
    cost: _Floats,
    folds: tuple[int, int],
    rng: np.random.RandomState,
    may_move: bool,
) -> tuple[int | None, int | None] | None:
    """Return the patterns to exchange (None: nothing goes that way), or None if no exchange helps."""
    slope = cost[folds[0]] * deviation[folds[0]] - cost[folds[1]] * deviation[folds[1]]
    weight = np.sqrt(cost[folds[0]] + cost[folds[1]])
    candidates, gains, points = [], [], []
    for fold, sign in zip(folds, (1, -1), strict=True):
        held = _some(np.flatnonzero(table[fold]), rng)
        gain = patterns[held] @ slope * sign
        if len(held) > _MAX_PAIRS:
            best = np.argpartition(-gain, _MAX_PAIRS)[:_MAX_PAIRS]
            held, gain = held[best], gain[best]
        point = patterns[held] * weight
        if (
            may_move and table[folds[0] if sign < 0 else folds[1]].sum() > 1
        ):  # "nothing" may be exchanged for a unit of the other fold
            held, gain, point = np.append(held, -1), np.append(gain, 0.0), np.vstack([point, np.zeros_like(point[:1])])
        candidates.append(held)
        gains.append(gain)
        points.append(point)
    squared = (points[0] ** 2).sum(axis=1)[:, None] + (points[1] ** 2).sum(axis=1) - 2 * points[0] @ points[1].T
    rise = squared - 2 * (gains[0][:, None] + gains[1])
    i, j = np.unravel_index(rise.argmin(), rise.shape)
    if rise[i, j] > -1e-9:
        return None
    out, back = int(candidates[0][i]), int(candidates[1][j])
    return (out if out >= 0 else None, back if back >= 0 else None)


def _some(held: _Ints, rng: np.random.RandomState) -> _Ints:
    return held if len(held) <= _MAX_PATTERNS else held[rng.randint(len(held), size=_MAX_PATTERNS)]


def _exchange(
    table: _Ints, deviation: _Floats, patterns: _Floats, first: int, second: int, out: int | None, back: int | None
) -> None:
    for pattern, source, sink in ((out, first, second), (back, second, first)):
        if pattern is not None:
            table[source, pattern] -= 1
            table[sink, pattern] += 1
            deviation[source] -= patterns[pattern]
            deviation[sink] += patterns[pattern]


def _deviation(table: _Ints, patterns: _Floats, shares: _Floats) -> tuple[_Floats, _Floats]:
    """Return count - expected [k, m + 1] and the cost of its square, 1 / max(expected, 1)."""
    counts = table @ patterns
    expected = np.outer(shares, counts.sum(axis=0))
    return counts - expected, 1 / np.maximum(expected, 1)


def _largest(table: _Ints, patterns: _Floats, shares: _Floats) -> float:
    deviation, cost = _deviation(table, patterns, shares)
    return float((np.abs(deviation) * cost).max())


def _whole_sizes(sizes: _Ints, shares: _Floats) -> _Ints:
    """Round the wanted sizes to whole numbers; the folds that are largest now are rounded up."""
    exact = shares * sizes.sum()
    wanted = np.floor(exact + 1e-9).astype(np.int64)
    extra = np.lexsort((-(sizes - wanted), wanted >= exact - 1e-9))  # a fold whose exact size is whole comes last
    wanted[extra[: sizes.sum() - wanted.sum()]] += 1
    return wanted
