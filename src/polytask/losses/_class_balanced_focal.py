"""Class-balanced focal loss, by the effective number of labels."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from polytask.exceptions import OptionError
from polytask.losses._class_loss import ClassLoss
from polytask.losses._focal import Focal
from polytask.losses._number_loss import Array


def effective_number_weights(counts: Any, *, beta: float = 0.999) -> Array:
    r"""Weights of classes by the inverse of their effective number of labels.

    .. math:: w_k \propto \frac{1 - \beta}{1 - \beta^{n_k}}

    :math:`\beta = 0` weighs all classes alike, :math:`\beta \to 1` by the inverse of their number of labels.

    Parameters
    ----------
    counts : array of shape (n_classes,)
        Number, or sum of weights, of the labels of each class; >= 0.
    beta : float in [0, 1), default=0.999

    Returns
    -------
    weights : array of shape (n_classes,)
        Positive; 1 on the mean over labels, so that all labels together count as much as without them. A class without labels
        has 1.

    References
    ----------
    Cui, Jia, Lin, Song & Belongie, "Class-Balanced Loss Based on Effective Number of Samples", CVPR 2019. arXiv:1901.05555

    Examples
    --------
    >>> effective_number_weights([90, 10], beta=0.99).round(3)
    array([0.657, 4.089])
    """
    counts = np.asarray(counts, dtype=np.float64)
    there = counts > 0
    if not there.any():
        return np.ones(len(counts))
    raw = np.ones(len(counts))
    # -expm1(n log beta) = 1 - beta^n; 1 - beta is a factor of all
    raw[there] = 1 / -np.expm1(counts[there] * math.log(beta)) if beta > 0 else 1.0
    # DIFFERS FROM PAPER: there the weights sum to the number of classes; a common factor changes neither skill nor training here
    raw /= (counts * raw).sum() / counts.sum()
    return np.where(there, raw, 1.0)


@dataclass(frozen=True)
class ClassBalancedFocal(ClassLoss):
    """Focal loss with weights of classes by :func:`effective_number_weights` of the training labels.

    The weights are class weights like any: found anew on the training rows of each fold, used in the error of skill too, and
    predicted probabilities are those of the reweighted population.

    Parameters
    ----------
    beta : float in [0, 1), default=0.999
    gamma : float >= 0, default=2.0
        Of :class:`Focal`.
    """

    beta: float = 0.999
    gamma: float = 2.0
    name: ClassVar[str] = "class_balanced_focal"
    kinds: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "ordinal")
    weighs_classes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if isinstance(self.beta, bool) or not isinstance(self.beta, int | float) or not 0 <= self.beta < 1:
            raise OptionError(f"`beta` of ClassBalancedFocal must be in [0, 1); got {self.beta!r}.")
        Focal(self.gamma)

    def class_weights(self, counts: Array) -> Array:
        """See :func:`effective_number_weights`."""
        return effective_number_weights(counts, beta=self.beta)

    def of_log_probabilities(self, log_probabilities: Tensor, target: Tensor) -> Tensor:
        """Focal loss of every label; tasks apply the weights of its class."""
        return Focal(self.gamma).of_log_probabilities(log_probabilities, target)

    def probabilities(self, fitted: Tensor) -> Tensor:
        """See :func:`~polytask.losses.focal_to_probabilities`."""
        return Focal(self.gamma).probabilities(fitted)

    def fitted_probabilities(self, probabilities: Array) -> Array:
        """See :meth:`Focal.fitted_probabilities`."""
        return Focal(self.gamma).fitted_probabilities(probabilities)
