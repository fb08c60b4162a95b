"""Focal loss."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from scipy.optimize import brentq
from torch import Tensor

from polytask.exceptions import OptionError
from polytask.losses._class_loss import ClassLoss
from polytask.losses._cross_entropy import at_code
from polytask.losses._number_loss import Array
from polytask.losses._sums import check_width, masked_sums

_EDGE = 1e-12  # probabilities are inverted between this and 1 less this


def focal(outputs: Tensor, target: Tensor, weight: Tensor, *, gamma: float = 2.0) -> tuple[Tensor, Tensor]:
    r"""Focal loss over classes: cross-entropy that counts well-classified rows less, :math:`-(1 - p_y)^\gamma \log p_y`.

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_classes)
        Logits.
    target : Tensor of shape (..., n, 1)
        Class code 0 .. n_classes - 1 as a float; NaN is allowed where the weight is 0.
    weight : Tensor of shape (..., n, 1)
        Label weights >= 0; 0 means missing. The paper's alpha is such a weight (``class_weight`` of a task).
    gamma : float >= 0, default=2.0
        0 is cross-entropy.

    Returns
    -------
    loss_sum, weight_sum : Tensor of shape (...)
        Weighted sum of losses and sum of weights.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    References
    ----------
    Lin, Goyal, Girshick, He & Dollár, "Focal Loss for Dense Object Detection", ICCV 2017. arXiv:1708.02002

    Examples
    --------
    >>> focal(torch.zeros(1, 2), torch.tensor([[1.0]]), torch.ones(1, 1))  # 0.5^2 log 2 = 0.1733
    (tensor(0.1733), tensor(1.))
    """
    return masked_sums(partial(focal_per_label, gamma=gamma), outputs, target, weight, loss="focal")


def focal_per_label(outputs: Tensor, target: Tensor, *, gamma: float = 2.0) -> Tensor:
    """Losses [..., n, 1] of outputs [..., n, n_classes] and targets [..., n, 1] without NaN; see :func:`focal`."""
    check_width(target.shape[-1], 1, what="target", loss="focal")
    return _focal_of(torch.log_softmax(outputs, dim=-1), target, gamma)


def focal_to_probabilities(fitted: Tensor, *, gamma: float = 2.0) -> Tensor:
    r"""Class probabilities of a model that was trained by focal loss.

    Softmax outputs q that minimise the focal loss are drawn towards even ones; the true probabilities are

    .. math:: p_k \propto h(q_k), \quad h(q) = \frac{q}{(1-q)^\gamma - \gamma (1-q)^{\gamma-1} q \log q}

    The order of classes stays.

    Parameters
    ----------
    fitted : Tensor of shape (..., n_classes)
        Softmax outputs, summing to 1.
    gamma : float >= 0, default=2.0

    Returns
    -------
    probabilities : Tensor of shape (..., n_classes)
        Positive, summing to 1.

    References
    ----------
    Charoenphakdee, Vongkulbhisal, Chairatanakul & Sugiyama, "On Focal Loss for Class-Posterior Probability Estimation: A
    Theoretical Perspective", CVPR 2021. arXiv:2011.09172

    Examples
    --------
    >>> focal_to_probabilities(torch.tensor([0.3, 0.7]))
    tensor([0.0936, 0.9064])
    """
    log_h = _log_h(fitted.clamp(_EDGE, 1 - _EDGE) if fitted.dtype == torch.float64 else fitted.clamp(1e-7, 1 - 1e-7), gamma)
    return torch.softmax(log_h, dim=-1)


@dataclass(frozen=True)
class Focal(ClassLoss):
    """Focal loss; see :func:`focal`. Outputs are class probabilities, by :func:`focal_to_probabilities`.

    Parameters
    ----------
    gamma : float >= 0, default=2.0

    Examples
    --------
    >>> Focal(gamma=1.0).fitted_probabilities(np.array([0.9, 0.1]))
    array([0.7744, 0.2256])
    """

    gamma: float = 2.0
    name: ClassVar[str] = "focal"

    def __post_init__(self) -> None:
        if isinstance(self.gamma, bool) or not isinstance(self.gamma, int | float) or not 0 <= self.gamma <= 20:
            raise OptionError(f"`gamma` of Focal must be between 0 and 20; got {self.gamma!r}.")

    def of_log_probabilities(self, log_probabilities: Tensor, target: Tensor) -> Tensor:
        """See :func:`focal`."""
        return _focal_of(log_probabilities, target, self.gamma)

    def probabilities(self, fitted: Tensor) -> Tensor:
        """See :func:`focal_to_probabilities`."""
        return focal_to_probabilities(fitted, gamma=self.gamma)

    def fitted_probabilities(self, probabilities: Array) -> Array:
        """Outputs that minimise the focal loss where classes have these probabilities, found by bisection."""
        wanted = np.log(np.clip(probabilities, _EDGE, 1.0))

        def log_h(q: float) -> float:
            return float(_log_h(torch.tensor(q, dtype=torch.float64), self.gamma))

        def outputs(log_factor: float) -> Array:  # each class alone; together they sum to 1 for one factor only
            found = []
            for log_p in wanted + log_factor:
                inside = log_h(_EDGE) < log_p < log_h(1 - _EDGE)
                edge = _EDGE if log_p <= log_h(_EDGE) else 1 - _EDGE
                found.append(brentq(lambda q, log_p=log_p: log_h(q) - log_p, _EDGE, 1 - _EDGE) if inside else edge)
            return np.array(found)

        factor = brentq(lambda log_factor: outputs(log_factor).sum() - 1.0, -60.0, 60.0)
        found = outputs(factor)
        return found / found.sum()


def _focal_of(log_probabilities: Tensor, target: Tensor, gamma: float) -> Tensor:
    log_p = at_code(log_probabilities, target)
    missed = (-torch.expm1(log_p)).clamp(min=1e-12)  # 1 - p; its power has a slope at 0 that would be infinite
    return -(missed**gamma) * log_p


def _log_h(q: Tensor, gamma: float) -> Tensor:
    missed = 1 - q
    return q.log() - (gamma - 1) * missed.log() - (missed - gamma * q * q.log()).log()
