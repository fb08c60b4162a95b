"""The variance of a difference measured by repeated cross-validation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Variance:
    """Where the uncertainty of a held-out difference comes from; see :func:`repeated_cv_variance`.

    Attributes
    ----------
    rows : float
        From which rows were drawn: the differences of a row (or group), summed over repeats, vary between rows.
    models : float
        Rows that were held out by the same trained model move together.
    cells : float
        What ``rows`` and ``models`` both count: each row in each repeat by itself.
    repeats : float
        Whole repeats vary; NaN with one repeat. Only :attr:`rows_and_repeats` uses it.
    n_rows, n_models : int
        Number of rows (or groups) and of trained models (folds x repeats) with an observed label.
    """

    rows: float
    models: float
    cells: float
    repeats: float
    n_rows: int
    n_models: int

    @property
    def total(self) -> float:
        """``rows + max(models - cells, 0)``: the square of the standard error that polytask reports."""
        return self.rows + max(self.models - self.cells, 0.0)

    @property
    def df(self) -> float:
        """Degrees of freedom of :attr:`total` (Satterthwaite 1946), from about ``n_models - 1`` up."""
        spread = self.rows**2 / max(self.n_rows - 1, 1) + self.models**2 / max(self.n_models - 1, 1)
        return self.total**2 / spread if spread > 0 else float(self.n_rows - 1)

    @property
    def rows_and_repeats(self) -> float:
        """``var(d_i) / n + var(D_r) / R``: the simpler estimate, kept to be compared with."""
        return self.rows + self.repeats


def repeated_cv_variance(
    influence: FloatArray, *, observed: NDArray[np.bool_], fold: IntArray, groups: IntArray | None = None
) -> Variance:
    r"""Split the variance of a sum over (repeat, row) cells into what rows and what trained models add.

    Cells of one row are dependent through the row, cells of one trained model through its seed and training rows. Two-way
    clustering counts both, and takes off what it counted twice:

    .. math:: V = \sum_i \Big(\sum_r \psi_{ri}\Big)^2
        + \Big[\sum_m \Big(\sum_{(r, i) \in m} \psi_{ri}\Big)^2 - \sum_{r, i} \psi_{ri}^2\Big]_+

    with the usual factor G / (G - 1) on the first two sums for their number of clusters G.

    Parameters
    ----------
    influence : float array of shape (n_repeats, n_rows)
        What each cell adds to the estimate's error; sums to 0. Cells without a label are 0.
    observed : bool array of shape (n_repeats, n_rows)
        Which cells have a label.
    fold : int array of shape (n_repeats, n_rows)
        Which model of its repeat held the row out: 0, 1, ...
    groups : int array of shape (n_rows,), optional
        Codes 0, 1, ... of the groups that were split as one; they take the place of rows.

    References
    ----------
    Cameron, Gelbach & Miller, "Robust Inference With Multiway Clustering", Journal of Business & Economic Statistics 29(2), 2011.

    Examples
    --------
    Without any effect of models, two repeats of equal differences are no more than one:

    >>> influence = np.array([[0.1, -0.1, 0.1, -0.1]] * 2) / 2
    >>> variance = repeated_cv_variance(influence, observed=influence != 0, fold=np.array([[0, 0, 1, 1]] * 2))
    >>> round(variance.total, 4), variance.n_rows, variance.n_models
    (0.0533, 4, 4)
    """
    n_repeats, n_rows = influence.shape
    units = np.arange(n_rows) if groups is None else groups
    per_unit = np.zeros((int(units.max()) + 1, n_repeats))
    np.add.at(per_unit, units, influence.T)
    used_units = np.bincount(units, weights=observed.any(axis=0)) > 0
    models = (fold + (int(fold.max()) + 1) * np.arange(n_repeats)[:, None])[observed]
    per_model: FloatArray = np.bincount(models, weights=influence[observed]).astype(float)
    n_models = len(np.unique(models))
    return Variance(
        rows=_clustered(per_unit.sum(axis=1), int(used_units.sum())),
        models=_clustered(per_model, n_models),
        cells=float((per_unit**2).sum()),
        repeats=_clustered(influence.sum(axis=1), n_repeats) if n_repeats > 1 else float("nan"),
        n_rows=int(used_units.sum()),
        n_models=n_models,
    )


def _clustered(totals: FloatArray, n_clusters: int) -> float:
    """Sum of squared cluster totals, corrected for few clusters."""
    return float((totals**2).sum()) * n_clusters / max(n_clusters - 1, 1)
