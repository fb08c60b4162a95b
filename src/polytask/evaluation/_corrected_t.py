"""The corrected resampled t-test."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from polytask.evaluation._intervals import two_sided_p


@dataclass(frozen=True)
class CorrectedT:
    """Interval and two-sided p value of :func:`corrected_resampled_t`."""

    low: float
    high: float
    p_value: float

    def to_dict(self) -> dict[str, float]:
        """Plain numbers, for JSON."""
        return asdict(self)


def corrected_resampled_t(differences: ArrayLike, *, test_to_train: float, confidence: float = 0.95) -> CorrectedT:
    r"""Test whether folds differ from 0, allowing for training sets that overlap.

    .. math:: t = \bar x \Big/ \sqrt{(1 / J + n_\mathrm{test} / n_\mathrm{train}) \, s^2}, \quad J - 1 \text{ degrees of freedom}

    Parameters
    ----------
    differences : array of shape (J,)
        One difference for each fold of each repeat, J >= 2.
    test_to_train : float
        Rows held out over rows trained on: 1 / (k - 1) for k folds.
    confidence : float, default=0.95
        Of the interval, in (0, 1).

    Returns
    -------
    CorrectedT
        ``low``, ``high`` and ``p_value``.

    References
    ----------
    Nadeau & Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003.

    Examples
    --------
    >>> result = corrected_resampled_t([0.02, 0.05, 0.03, 0.06, 0.04], test_to_train=0.25)
    >>> round(result.low, 4), round(result.high, 4), round(result.p_value, 4)
    (0.0106, 0.0694, 0.0195)
    """
    x = np.asarray(differences, dtype=float)
    if x.ndim != 1 or len(x) < 2:
        raise ValueError(f"`differences` must hold one number for each of two or more folds; got shape {x.shape}.")
    mean = float(x.mean())
    se = float(np.sqrt((1 / len(x) + test_to_train) * x.var(ddof=1)))
    reach = float(stats.t.ppf((1 + confidence) / 2, len(x) - 1)) * se
    return CorrectedT(mean - reach, mean + reach, float(two_sided_p(mean, se=se, df=len(x) - 1)))
