"""The gain of learning together, with its standard error."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polytask.evaluation._corrected_t import CorrectedT, corrected_resampled_t
from polytask.evaluation._variance import Variance, repeated_cv_variance
from polytask.exceptions import PolytaskError

FloatArray = NDArray[np.float64]


class UndefinedGain(PolytaskError):
    """A gain that these held-out labels cannot give; the text says why in plain words."""


@dataclass(frozen=True)
class Gain:
    """A gain in skill and how sure it is.

    Attributes
    ----------
    gain : float
        Skill together - skill alone; 0.05 is 5 points, positive is better together.
    variance : Variance
        Its parts; ``se`` and ``df`` come from it.
    influence : float array of shape (n_repeats, n_rows)
        What each held-out row of each repeat adds to the gain's error; sums to 0, 0 where the label is missing.
    observed : bool array of shape (n_repeats, n_rows)
        Where a label is.
    fold_gains : float array of shape (n_repeats * n_folds,)
        Of each fold of each repeat: its mean difference of losses over the overall error of the constant; NaN where no label is.
    test_to_train : float
        Rows held out over rows trained on; infinite for a single split, of whose training rows nothing is held out.
    delta : float
        Relative change of error in percent, 100 (alone - together) / alone; for a mean over tasks this is Delta-m.
    """

    gain: float
    variance: Variance
    influence: FloatArray
    observed: NDArray[np.bool_]
    fold_gains: FloatArray
    test_to_train: float
    delta: float | None

    @property
    def se(self) -> float:
        """Standard error of the gain."""
        return float(np.sqrt(self.variance.total))

    @property
    def df(self) -> float:
        """Degrees of freedom of :attr:`se`."""
        return self.variance.df

    def corrected_t(self, *, confidence: float = 0.95) -> CorrectedT:
        """Nadeau & Bengio's test on the folds; see :func:`corrected_resampled_t`."""
        return corrected_resampled_t(
            self.fold_gains[~np.isnan(self.fold_gains)], test_to_train=self.test_to_train, confidence=confidence
        )


@dataclass(frozen=True)
class TaskGain(Gain):
    """The gain of one task; adds the errors it was made of.

    ``error_joint``, ``error_separate`` and ``error_constant`` are pooled over all held-out rows of all repeats.
    """

    error_joint: float
    error_separate: float
    error_constant: float

    @property
    def saturated(self) -> bool:
        """Whether the task is already learned alone: its error is below a twentieth of the constant's."""
        return self.error_separate < 0.05 * self.error_constant


def task_gain(
    joint: ArrayLike,
    separate: ArrayLike,
    constant: ArrayLike,
    *,
    fold: ArrayLike,
    groups: ArrayLike | None = None,
    weight: ArrayLike | None = None,
) -> TaskGain:
    r"""Measure what a task gains from being learned together.

    With losses :math:`L_{ri}` of row i in repeat r, weights w and sums over all observed held-out cells,

    .. math:: g = \frac{\sum w (L^\mathrm{separate} - L^\mathrm{joint})}{\sum w L^\mathrm{constant}}, \qquad
        \psi = \frac{w (L^\mathrm{separate} - L^\mathrm{joint} - g L^\mathrm{constant})}{\sum w L^\mathrm{constant}},

    and the variance of g is :func:`repeated_cv_variance` of :math:`\psi` (so the error of the constant counts as measured too).

    Parameters
    ----------
    joint, separate, constant : arrays of shape (n_repeats, n_rows)
        Loss of each held-out row under the joint model, the separate model and the constant of the same training rows; NaN where
        the label is missing, in all three alike. For AUC see :func:`auc_row_losses`.
    fold : int array of shape (n_repeats, n_rows)
        Which fold of its repeat held the row out: 0, 1, ...; -1 for never, where losses are NaN.
    groups : array of shape (n_rows,), optional
        Rows of one group were split as one and count as one.
    weight : array of shape (n_rows,), optional
        Row weights >= 0; 0 is the same as a missing label.

    Raises
    ------
    UndefinedGain
        If no label is observed, the constant makes no error, a loss is infinite, or all labels are of one row, group or model.
    ValueError
        If the shapes do not fit, or a loss is NaN in one of the three only.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> constant = np.ones((5, 200))
    >>> separate = rng.uniform(0.4, 0.8, (5, 200))
    >>> fold = np.tile(np.arange(200) % 5, (5, 1))
    >>> gain = task_gain(separate - 0.1, separate, constant, fold=fold)
    >>> round(gain.gain, 3), round(gain.se, 3)
    (0.1, 0.0)
    """
    losses = [np.atleast_2d(np.asarray(values, dtype=float)) for values in (joint, separate, constant)]
    folds = np.atleast_2d(np.asarray(fold)).astype(np.int64)
    observed = _check(losses, folds)
    n_repeats, n_rows = folds.shape
    w = np.ones(n_rows) if weight is None else np.asarray(weight, dtype=float)
    if w.shape != (n_rows,) or not (w >= 0).all():
        raise ValueError(f"`weight` must be ({n_rows},) numbers >= 0; got shape {w.shape}, smallest {w.min(initial=np.nan)}.")
    observed &= w > 0
    units = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    _check_enough(observed, folds, units)

    n_folds, folds = int(folds.max()) + 1, np.where(observed, folds, 0)
    cells = np.where(observed, w, 0.0)  # [R, n]
    together, alone, base = (np.where(observed, values, 0.0) for values in losses)
    if not all(np.isfinite(values).all() for values in (together, alone, base)):
        raise UndefinedGain("a held-out loss is infinite")
    scale = float((cells * base).sum())
    if scale <= 0:
        raise UndefinedGain("predicting a constant makes no error on the held-out labels, so there is nothing to gain")
    gain = float((cells * (alone - together)).sum()) / scale
    influence = cells * (alone - together - gain * base) / scale
    error_joint, error_separate, error_constant = (float((cells * v).sum() / cells.sum()) for v in (together, alone, base))
    models = (folds + n_folds * np.arange(n_repeats)[:, None]).ravel()
    sums, held_out = (
        np.bincount(models, weights=v.ravel(), minlength=n_repeats * n_folds) for v in (cells * (alone - together), cells)
    )
    trained = np.repeat(cells.sum(axis=1), n_folds) - held_out
    return TaskGain(
        gain=gain,
        variance=repeated_cv_variance(influence, observed=observed, fold=folds, groups=units),
        influence=influence,
        observed=observed,
        fold_gains=np.divide(sums, held_out * error_constant, out=np.full(len(sums), np.nan), where=held_out > 0),
        test_to_train=_ratio(held_out.sum(), trained[held_out > 0].sum()),
        delta=100 * (error_separate - error_joint) / error_separate if error_separate > 0 else None,
        error_joint=error_joint,
        error_separate=error_separate,
        error_constant=error_constant,
    )


def mean_gain(gains: Sequence[Gain], *, fold: ArrayLike, groups: ArrayLike | None = None) -> Gain:
    """Average the gains of tasks measured on the same rows and folds.

    The influences are averaged row by row before the variance is taken, so tasks whose errors move together count as such.

    Parameters
    ----------
    gains : sequence of Gain
        One for each task, from the same table: influence arrays of one shape (n_repeats, n_rows).
    fold, groups
        As in :func:`task_gain`.

    Examples
    --------
    A task counted twice is no surer than counted once:

    >>> rng = np.random.default_rng(0)
    >>> fold = np.tile(np.arange(100) % 5, (5, 1))
    >>> one = task_gain(rng.random((5, 100)), rng.random((5, 100)), np.ones((5, 100)), fold=fold)
    >>> bool(np.isclose(mean_gain([one, one], fold=fold).se, one.se))
    True
    """
    if not gains:
        raise UndefinedGain("no task has a gain")
    shapes = {gain.influence.shape for gain in gains}
    if len(shapes) > 1:
        raise ValueError(f"`gains` must be of the same rows and repeats; got shapes {sorted(shapes)}.")
    folds = np.atleast_2d(np.asarray(fold)).astype(np.int64)
    units = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    influence = np.mean([gain.influence for gain in gains], axis=0)
    observed = np.any([gain.observed for gain in gains], axis=0)
    deltas = [gain.delta for gain in gains if gain.delta is not None]
    by_fold = np.ma.masked_invalid([gain.fold_gains for gain in gains]).mean(axis=0)
    return Gain(
        gain=float(np.mean([gain.gain for gain in gains])),
        variance=repeated_cv_variance(influence, observed=observed, fold=folds, groups=units),
        influence=influence,
        observed=observed,
        fold_gains=np.ma.filled(by_fold, np.nan),
        test_to_train=float(np.mean([gain.test_to_train for gain in gains])),
        delta=float(np.mean(deltas)) if len(deltas) == len(gains) else None,
    )


def _check(losses: Sequence[FloatArray], folds: NDArray[np.int64]) -> NDArray[np.bool_]:
    shapes = [values.shape for values in losses] + [folds.shape]
    if len(set(shapes)) > 1 or folds.ndim != 2:
        raise ValueError(f"`joint`, `separate`, `constant` and `fold` must all be (n_repeats, n_rows); got {shapes}.")
    missing = np.isnan(losses[0])
    for name, values in (("separate", losses[1]), ("constant", losses[2])):
        if (np.isnan(values) != missing).any():
            raise ValueError(
                f"`joint` and `{name}` must be NaN in the same places; {(np.isnan(values) != missing).sum()} differ."
            )
    return np.asarray(~missing)


def _check_enough(observed: NDArray[np.bool_], folds: NDArray[np.int64], units: NDArray[np.int64] | None) -> None:
    seen = observed.any(axis=0)
    if not seen.any():
        raise UndefinedGain("no label is observed")
    if units is not None and len(np.unique(units[seen])) < 2:
        raise UndefinedGain("all observed labels are of one group")
    if seen.sum() < 2:
        raise UndefinedGain("one label is observed")
    n_folds = min(len(np.unique(own[own >= 0])) for own in folds)  # with one split, everything is of one fold by intent
    if n_folds > 1 and any(len(np.unique(folds[r, observed[r]])) < 2 for r in range(len(folds)) if observed[r].any()):
        raise UndefinedGain("all observed labels of a repeat fell into one fold")


def _ratio(a: float, b: float) -> float:
    return float(a / b) if b > 0 else float("inf")
