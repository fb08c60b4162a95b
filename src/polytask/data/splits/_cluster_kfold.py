"""K folds that never cut rows that are alike."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator

from polytask.data.splits._checks import check_count, check_same_length, group_codes
from polytask.data.splits._kfold import StratifiedTaskKFold
from polytask.data.splits._similarity import similarity_clusters
from polytask.data.splits._strata import StratifiedTask
from polytask.exceptions import DataError, OptionError, PolytaskWarning

__all__ = ["ClusterKFold", "joined_groups"]

_Rows = NDArray[np.int64]


class ClusterKFold(BaseCrossValidator, BaseEstimator):
    """:class:`StratifiedTaskKFold` with the clusters of :func:`similarity_clusters` as groups.

    Parameters
    ----------
    n_splits : int, default=5
    threshold, n_clusters, metric
        As in :func:`similarity_clusters`.
    values : array-like, optional
        What to compare, instead of the ``X`` that is given to :meth:`split`: the column of SMILES, where ``X`` holds descriptors.
    tasks, n_bins, random_state
        As in :class:`StratifiedTaskKFold`.

    Notes
    -----
    With ``groups`` neither groups nor clusters are cut. A cluster of more than one and a half times a fold's share of the rows,
    which makes folds uneven, is told in a ``PolytaskWarning``.

    Examples
    --------
    >>> smiles = ["CCCCCCO", "CCCCCCCO", "c1ccccc1C(=O)O", "c2ccccc2C(=O)O"]
    >>> [test.tolist() for _, test in ClusterKFold(2, threshold=0.8, metric="smiles", random_state=0).split(smiles)]
    [[0, 1], [2, 3]]
    """

    __metadata_request__split: ClassVar[dict[str, bool]] = {"groups": True}

    def __init__(
        self,
        n_splits: int = 5,
        *,
        threshold: float | None = 0.8,
        n_clusters: int | None = None,
        metric: str = "auto",
        values: Any = None,
        tasks: Sequence[StratifiedTask] | None = None,
        n_bins: int = 10,
        random_state: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.threshold = threshold
        self.n_clusters = n_clusters
        self.metric = metric
        self.values = values
        self.tasks = tasks
        self.n_bins = n_bins
        self.random_state = random_state

    def groups_of(self, X: Any = None, groups: ArrayLike | None = None) -> _Rows:
        """Return what is never cut: clusters, joined where a group is in several."""
        values = X if self.values is None else self.values
        if values is None:
            raise DataError("ClusterKFold compares rows of `X`, or its `values`; got neither.")
        clusters = similarity_clusters(values, threshold=self.threshold, n_clusters=self.n_clusters, metric=self.metric)
        if X is not None:
            check_same_length("values", clusters, len(X) if not hasattr(X, "shape") else X.shape[0])
        return clusters if groups is None else joined_groups(clusters, groups)

    def split(self, X: Any = None, y: Any = None, groups: ArrayLike | None = None) -> Iterator[tuple[_Rows, _Rows]]:
        """Yield the row numbers (train, test) of every fold."""
        check_count("n_splits", "ClusterKFold", self.n_splits, least=2)
        clusters = self.groups_of(X, groups)
        self.check_clusters(clusters, grouped=groups is not None)
        folds = StratifiedTaskKFold(self.n_splits, tasks=self.tasks, n_bins=self.n_bins, random_state=self.random_state)
        yield from folds.split(clusters if X is None else X, y, clusters)

    def check_clusters(self, clusters: _Rows, *, grouped: bool = False) -> None:
        """Refuse fewer clusters than folds; tell of one that is too large for its fold."""
        sizes, or_grouped = np.bincount(clusters), " or of one group" if grouped else ""
        if len(sizes) < self.n_splits:
            raise OptionError(
                f"{self.n_splits} folds need at least {self.n_splits} clusters; rows alike{or_grouped} made {len(sizes)}. "
                "Raise `threshold`, so that fewer rows count as alike, or use fewer folds."
            )
        if sizes.max() * self.n_splits > 1.5 * len(clusters):
            warnings.warn(
                f"One cluster of rows that are alike holds {sizes.max()} of {len(clusters)} rows: folds are uneven. "
                "Raise `threshold` if they are not alike.",
                PolytaskWarning,
                stacklevel=3,
            )

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        return self.n_splits


def joined_groups(first: ArrayLike, second: ArrayLike) -> _Rows:
    """Return the finest groups that keep both kinds whole.

    >>> joined_groups(["a", "a", "b", "c"], [1, 2, 2, 3]).tolist()
    [0, 0, 0, 1]
    """
    a, n = group_codes(first, len(np.ravel(np.asarray(first)))), len(np.ravel(np.asarray(first)))
    b = group_codes(second, n)
    n_a, n_b = int(a.max(initial=-1)) + 1, int(b.max(initial=-1)) + 1
    edges = sparse.coo_array((np.ones(n, dtype=bool), (a, n_a + b)), shape=(n_a + n_b, n_a + n_b))
    return connected_components(edges, directed=False)[1][a].astype(np.int64)
