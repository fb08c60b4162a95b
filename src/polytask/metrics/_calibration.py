"""Calibration: do events predicted with probability p happen in a share p of the rows?"""

import numpy as np
from numpy.typing import ArrayLike

from polytask._quantiles import weighted_quantile
from polytask.metrics._metric import Metric
from polytask.metrics._observed import observed_classes


def expected_calibration_error(
    target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None, n_bins: float = 15
) -> float:
    """Expected calibration error (ECE): mean distance of predicted probability and observed share over bins of equal weight.

    For two classes of the probability of class 1; for more of that of the predicted class, as Guo et al. do. Bins hold equal
    numbers of rows (Nixon et al.: bins of equal width are ruled by a few), and ties stay together. It is biased upward in
    small tables: about ``sqrt(n_bins / n_rows)`` times 0.3 to 0.4 even where calibration is perfect.

    Parameters
    ----------
    target, outputs, sample_weight
        As for all metrics; outputs (n, n_classes).
    n_bins : int, default=15

    References
    ----------
    Guo, Pleiss, Sun & Weinberger, "On Calibration of Modern Neural Networks", ICML 2017. arXiv:1706.04599
    Nixon, Dusenberry, Jerfel, Nguyen, Liu, Zhang & Tran, "Measuring Calibration in Deep Learning", CVPR Workshops 2019.
    arXiv:1904.01685

    Examples
    --------
    >>> expected_calibration_error([1.0, 0.0, 1.0, 1.0], [[0.5, 0.5], [0.5, 0.5], [0.1, 0.9], [0.1, 0.9]])
    0.05
    """
    target, outputs, weight = observed_classes(target, outputs, sample_weight)
    if not n_bins >= 1:
        raise ValueError(f"`n_bins` must be a whole number >= 1; got {n_bins}.")
    if outputs.shape[1] == 2:
        confidence, is_right = outputs[:, 1], target == 1
    else:
        confidence, is_right = outputs.max(axis=1), outputs.argmax(axis=1) == target
    inner = [weighted_quantile(confidence, weight, level) for level in np.linspace(0, 1, int(n_bins) + 1)[1:-1]]
    bins = np.searchsorted(np.unique(inner), confidence, side="left")
    excess = np.bincount(bins, weights=weight * (confidence - is_right))
    return float(np.abs(excess).sum() / weight.sum())


EXPECTED_CALIBRATION_ERROR = Metric(
    "expected_calibration_error", expected_calibration_error, higher_is_better=False, option="n_bins"
)
