"""The variance of a mean over pairs of rows, each pair made of a row that receives a value and one that lends it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class PairVariance:
    """Where the uncertainty of a mean over pairs comes from; see :meth:`Pairs.variance`."""

    rows: float
    models: float
    cells: float
    n_rows: int
    n_models: int

    @property
    def total(self) -> float:
        """``rows + max(models - cells, 0)``."""
        return self.rows + self._excess

    @property
    def df(self) -> float:
        """Degrees of freedom of :attr:`total` (Satterthwaite 1946)."""
        spread = self.rows**2 / max(self.n_rows - 1, 1) + self._excess**2 / max(self.n_models - 1, 1)
        return self.total**2 / spread if spread > 0 else float(max(self.n_rows - 1, 1))

    @property
    def _excess(self) -> float:
        return max(self.models - self.cells, 0.0)


@dataclass(frozen=True)
class Pairs:
    """All pairs of rows that were looked at, flat arrays of shape (n_pairs,).

    Attributes
    ----------
    receiver, donor : int arrays
        Units (rows, or groups that count as one): whose loss it is, and whose value came in.
    model, repeat : int arrays
        The trained model that predicted the pair, and its repeat of the cross-validation.

    Examples
    --------
    >>> pairs = Pairs(np.array([0, 1, 2]), np.array([1, 2, 0]), np.zeros(3, int), np.zeros(3, int))
    >>> round(pairs.variance(np.array([0.1, -0.2, 0.1]), np.ones(3, bool)).total, 3)
    0.06
    """

    receiver: Array
    donor: Array
    model: Array
    repeat: Array

    def variance(self, influence: Array, observed: Array) -> PairVariance:
        r"""Estimate the variance of the sum of ``influence``.

        Two pairs are dependent if they share a row, whether it lends in one and receives in the other. With the total of row k
        over all pairs that it is in,

        .. math:: V = \sum_k \Big(\sum_{(i, j) \ni k} \psi_{ij}\Big)^2 - \sum_{\{i, j\}} \psi_{\{i, j\}}^2

        because a pair is in the totals of both its rows. That is the variance of a U-statistic of which some pairs are looked at,
        its finite number of permutations counted. Pairs predicted by one model are dependent too: what their sums vary more than
        rows explain is added.

        Parameters
        ----------
        influence : array of shape (n_pairs,)
            What each pair adds to the estimate's error; sums to 0; 0 where the receiver has no label.
        observed : bool array of shape (n_pairs,)
            Where the receiver has a label.

        References
        ----------
        Aronow, Samii & Assenova, "Cluster-Robust Variance Estimation for Dyadic Data", Political Analysis 23(4), 2015.
        Fisher, Rudin & Dominici, "All Models are Wrong, but Many are Useful: Learning a Variable's Importance by Studying an
        Entire Class of Prediction Models Simultaneously", JMLR 20(177), 2019 (the importance as a U-statistic).
        """
        n_rows = len(np.unique(self.receiver[observed]))
        n_models = len(np.unique(self.model[observed]))
        per_model = np.bincount(self.model, weights=influence)
        rows = self._of_rows(influence, self.receiver, self.donor, self._dyads, n_rows)
        cells = rows
        if self.repeat.any():
            step = int(max(self.receiver.max(), self.donor.max())) + 1
            own = self.receiver + step * self.repeat, self.donor + step * self.repeat
            cells = self._of_rows(influence, *own, self._dyads_of_repeats, n_rows)
        return PairVariance(
            rows=rows,
            models=float((per_model**2).sum()) * n_models / (n_models - 1) if n_models > 1 else 0.0,
            cells=cells,
            n_rows=n_rows,
            n_models=n_models,
        )

    def _of_rows(self, influence: Array, receiver: Array, donor: Array, dyads: Array, n_rows: int) -> float:
        crossing = np.where(self.receiver != self.donor, influence, 0.0)
        n = int(max(receiver.max(), donor.max())) + 1
        totals = np.bincount(receiver, weights=influence, minlength=n) + np.bincount(donor, weights=crossing, minlength=n)
        twice = float((np.bincount(dyads, weights=crossing) ** 2).sum())
        found = float((totals**2).sum()) * n_rows / max(n_rows - 1, 1) - twice
        return max(found, twice)  # not below that of independent pairs

    @cached_property
    def _dyads(self) -> Array:
        return _numbered(self.receiver, self.donor)

    @cached_property
    def _dyads_of_repeats(self) -> Array:
        return np.asarray(self._dyads * (int(self.repeat.max()) + 1) + self.repeat)


def _numbered(a: Array, b: Array) -> Array:
    """Number the unordered pairs 0, 1, ..."""
    keys = np.minimum(a, b) * (int(max(a.max(), b.max())) + 1) + np.maximum(a, b)
    return np.asarray(np.unique(keys, return_inverse=True)[1]).ravel()
