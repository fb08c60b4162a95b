"""Input columns that carry nearly the same: how strongly they go together, and which form a group."""

from itertools import pairwise
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

from polytask.data import TableArrays, TableCodec
from polytask.evaluation._diagnostics_slices import Slices

Array = np.ndarray[Any, np.dtype[Any]]

ALIKE = 0.8  # association from which columns are said to carry nearly the same
MOST_ROWS, MOST_COLUMNS = 2_000, 2_000


def associations(codec: TableCodec, arrays: TableArrays, *, rng: np.random.Generator) -> tuple[list[str], Array]:
    """Measure how strongly every two columns go together, whatever their kinds.

    Two columns of numbers, truth values or dates: the absolute rank correlation (Spearman) of the rows where both are known.
    Where one is a category: Cramér's V with Bergsma's correction, of the parts that diagnostics cut (quantiles, the commonest
    categories). Texts and lists are not compared.

    Parameters
    ----------
    codec, arrays : TableCodec, TableArrays
    rng : numpy.random.Generator
        Draws 2,000 rows of a longer table.

    Returns
    -------
    names : list of str
    association : array of shape (n_columns, n_columns)
        In [0, 1], 1 on the diagonal.

    References
    ----------
    Bergsma, "A bias-correction for Cramér's V and Tschuprow's T", Journal of the Korean Statistical Society 42(3), 2013.
    """
    if len(arrays) > MOST_ROWS:
        arrays = arrays.take(np.sort(rng.choice(len(arrays), MOST_ROWS, replace=False)))
    slices = Slices.of_arrays(codec, arrays)
    names = list(slices.names)
    found = np.eye(len(names))
    numbers = {name: k for k, name in enumerate(codec.numeric_names)}
    numeric = [k for k, name in enumerate(names) if name in numbers or f"{name}:days" in numbers]
    columns = [numbers.get(names[k], numbers.get(f"{names[k]}:days", -1)) for k in numeric]
    if numeric:
        found[np.ix_(numeric, numeric)] = rank_correlations(arrays.numeric[:, columns])
    categories = [k for k in range(len(names)) if k not in set(numeric)]
    if categories:
        parts = [np.asarray(codes[:, None] == np.arange(len(labels))) for codes, labels in _coded(slices)]
        starts = np.cumsum([0, *(own.shape[1] for own in parts)])
        everything = np.concatenate(parts, axis=1).astype(np.float32)
        for k in categories:
            counts = everything[:, starts[k] : starts[k + 1]].T @ everything
            own = [cramers_v(counts[:, a:b]) for a, b in pairwise(starts)]
            found[k], found[:, k] = own, own
    np.fill_diagonal(found, 1.0)
    return names, found


def rank_correlations(values: Array) -> Array:
    """Absolute Spearman correlations [p, p] of columns with missing values, over the rows where both are known.

    Ranks are taken once per column, over all its values.

    >>> rank_correlations(np.array([[1.0, 10.0], [2.0, 100.0], [3.0, np.nan], [4.0, 1000.0]])).round(2).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    seen = ~np.isnan(values)
    ranks = np.zeros(values.shape)
    for k in range(values.shape[1]):
        own = rankdata(values[seen[:, k], k])
        ranks[seen[:, k], k] = own - own.mean() if len(own) else own
    m, n = seen.astype(float), np.maximum(seen.T.astype(float) @ seen, 1.0)
    sums, squares = ranks.T @ m, (ranks**2).T @ m  # of column a where b is known too
    spread = np.sqrt(np.maximum(squares - sums**2 / n, 0.0))
    both = spread * spread.T
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(both > 1e-9, np.abs(ranks.T @ ranks - sums * sums.T / n) / both, 0.0)
    np.fill_diagonal(found, 1.0)
    return np.minimum(found, 1.0)


def cramers_v(counts: Array) -> float:
    """Cramér's V of a table of counts, corrected for chance; 0 where a side has one part only.

    >>> cramers_v(np.array([[50, 0], [0, 50]])), cramers_v(np.array([[25, 25], [25, 25]]))
    (1.0, 0.0)
    """
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0].astype(float)
    n = counts.sum()
    if min(counts.shape) < 2 or n < 2:
        return 0.0
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / n
    phi = ((counts - expected) ** 2 / expected).sum() / n
    r, c = counts.shape
    left = max(0.0, phi - (r - 1) * (c - 1) / (n - 1))
    least = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return float(min(1.0, np.sqrt(left / least))) if least > 0 else 0.0


def alike_groups(names: list[str], association: Array, *, least: float = ALIKE) -> list[tuple[list[str], float]]:
    """Groups of columns of which every two go together at least so strongly (complete linkage), and the weakest tie in each.

    >>> alike_groups(["area", "city", "area_sqft"], np.array([[1, 0.1, 0.9], [0.1, 1, 0.2], [0.9, 0.2, 1]]))
    [(['area', 'area_sqft'], 0.9)]
    """
    if len(names) < 2:
        return []
    tree = linkage(squareform(1 - association, checks=False), method="complete")
    labels = fcluster(tree, 1 - least, criterion="distance")
    groups = [np.flatnonzero(labels == label) for label in dict.fromkeys(labels)]
    return [([names[k] for k in own], float(association[np.ix_(own, own)].min())) for own in groups if len(own) > 1]


def _coded(slices: Slices) -> Any:
    return zip(slices.codes, slices.labels, strict=True)
