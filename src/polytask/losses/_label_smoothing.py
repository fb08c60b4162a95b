"""Cross-entropy with label smoothing, as the object that tasks with classes declare."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from polytask.exceptions import OptionError
from polytask.losses._binary_cross_entropy import binary_cross_entropy_per_label
from polytask.losses._class_loss import ClassLoss
from polytask.losses._cross_entropy import at_code, cross_entropy_per_label
from polytask.losses._cumulative_link import cumulative_link_per_label


def smoothed_cross_entropy(log_probabilities: Tensor, target: Tensor, *, label_smoothing: float = 0.1) -> Tensor:
    r"""Cross-entropy against labels that keep a share of doubt, spread evenly over all classes.

    .. math:: -(1 - \epsilon) \log p_y - \frac{\epsilon}{K} \sum_k \log p_k

    Parameters
    ----------
    log_probabilities : Tensor of shape (..., n, n_classes)
    target : Tensor of shape (..., n, 1)
        Class codes.
    label_smoothing : float in [0, 1), default=0.1

    Returns
    -------
    losses : Tensor of shape (..., n, 1)
        In nats.

    References
    ----------
    Szegedy, Vanhoucke, Ioffe, Shlens & Wojna, "Rethinking the Inception Architecture for Computer Vision", CVPR 2016.
    arXiv:1512.00567

    Examples
    --------
    >>> log_p = torch.tensor([[0.2, 0.8]]).log()
    >>> smoothed_cross_entropy(log_p, torch.ones(1, 1), label_smoothing=0.1)  # 0.95 x 0.2231 + 0.05 x 1.6094
    tensor([[0.2925]])
    """
    even = log_probabilities.mean(dim=-1, keepdim=True)
    return -(1 - label_smoothing) * at_code(log_probabilities, target) - label_smoothing * even


@dataclass(frozen=True)
class CrossEntropy(ClassLoss):
    """Negative log probability of the class, with label smoothing if wanted; see :func:`smoothed_cross_entropy`.

    Smoothed outputs are kept as they are: probabilities, drawn towards even ones on purpose.

    Parameters
    ----------
    label_smoothing : float in [0, 1), default=0.0

    Examples
    --------
    >>> CrossEntropy(0.1).title
    'cross_entropy:0.1'
    """

    label_smoothing: float = 0.0
    name: ClassVar[str] = "cross_entropy"

    def __post_init__(self) -> None:
        if (
            isinstance(self.label_smoothing, bool)
            or not isinstance(self.label_smoothing, int | float)
            or not 0 <= self.label_smoothing < 1
        ):
            raise OptionError(f"`label_smoothing` of CrossEntropy must be in [0, 1); got {self.label_smoothing!r}.")

    @property
    def is_log_loss(self) -> bool:
        """Without smoothing."""
        return self.label_smoothing == 0

    def of_log_probabilities(self, log_probabilities: Tensor, target: Tensor) -> Tensor:
        """See :func:`smoothed_cross_entropy`."""
        return smoothed_cross_entropy(log_probabilities, target, label_smoothing=self.label_smoothing)

    def binary(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Binary cross-entropy with the label drawn towards a half."""
        if not self.is_log_loss:
            target = target * (1 - self.label_smoothing) + self.label_smoothing / 2
        return binary_cross_entropy_per_label(outputs, target)

    def multiclass(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy of the softmax."""
        if self.is_log_loss:
            return cross_entropy_per_label(outputs, target)
        return self.of_log_probabilities(torch.log_softmax(outputs, dim=-1), target)

    def ordered(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Negative log-likelihood of the cumulative link model."""
        return cumulative_link_per_label(outputs, target) if self.is_log_loss else super().ordered(outputs, target)
