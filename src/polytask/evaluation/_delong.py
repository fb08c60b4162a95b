"""AUC as a mean of row losses, so that everything said of means holds for it (DeLong)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polytask.metrics import auc_placements

FloatArray = NDArray[np.float64]


def auc_row_losses(target: ArrayLike, score: ArrayLike, *, fold: ArrayLike, sample_weight: ArrayLike | None = None) -> FloatArray:
    r"""Spread 1 - AUC over the rows it was made of.

    With :func:`polytask.metrics.auc_placements` V of a fold of n rows, n+ positive and n- negative,

    .. math:: \ell_i = 1 - \mathrm{AUC} - (n / n_\pm)(V_i - \mathrm{AUC})

    The mean over the fold is 1 - AUC and the variance of that mean is DeLong's. The AUC is taken **within each fold**: scores of
    different folds come from different models and need not be comparable. Folds count by their rows. For several classes or
    labels, average the row losses of each one against the rest.

    Parameters
    ----------
    target : array of shape (n_rows,)
        0, 1, or NaN where missing.
    score : array of shape (n_repeats, n_rows)
        Larger for 1.
    fold : int array of shape (n_repeats, n_rows)
        Which fold of its repeat held the row out; -1 for never.
    sample_weight : array of shape (n_rows,), optional
        Row weights >= 0; give :func:`task_gain` the same.

    Returns
    -------
    losses : array of shape (n_repeats, n_rows)
        For :func:`task_gain`, whose ``constant`` is 0.5 wherever these are not NaN. NaN where the target is missing, and in a
        fold that holds one class only (its AUC is undefined). Single values may be negative; means are in [0, 1].

    References
    ----------
    DeLong, DeLong & Clarke-Pearson, "Comparing the Areas under Two or More Correlated Receiver Operating Characteristic Curves",
    Biometrics 44(3), 1988.

    Examples
    --------
    >>> losses = auc_row_losses([0, 0, 1, 1], [[0.1, 0.6, 0.5, 0.9]], fold=[[0, 0, 0, 0]])
    >>> losses.tolist(), float(losses.mean())
    ([[-0.25, 0.75, 0.75, -0.25]], 0.25)
    """
    y = np.asarray(target, dtype=float)
    scores, folds = np.atleast_2d(np.asarray(score, dtype=float)), np.atleast_2d(np.asarray(fold))
    if y.ndim != 1 or scores.shape != folds.shape or scores.shape[1] != len(y):
        raise ValueError(
            "`score` and `fold` must be (n_repeats, n_rows) for a `target` of (n_rows,); "
            f"got {scores.shape}, {folds.shape} and {y.shape}."
        )
    w = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    losses = np.full(scores.shape, np.nan)
    for r in range(len(scores)):
        for k in np.unique(folds[r][folds[r] >= 0]):
            rows = np.flatnonzero((folds[r] == k) & ~np.isnan(y) & (w > 0))
            if np.unique(y[rows]).size == 2:
                losses[r, rows] = _fold_losses(y[rows], scores[r, rows], w[rows])
    return losses


def _fold_losses(target: FloatArray, score: FloatArray, weight: FloatArray) -> FloatArray:
    """Row losses of one fold with both classes."""
    placements, auc = auc_placements(target, score, sample_weight=weight)
    positives = weight[target == 1].sum()
    share = weight.sum() / np.where(target == 1, positives, weight.sum() - positives)
    return np.asarray(1 - auc - share * (placements - auc))
