"""Asymmetric focal loss (ASL)."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from polytask.exceptions import OptionError
from polytask.losses._class_loss import ClassLoss
from polytask.losses._sums import check_width, masked_sums


def asymmetric_focal(
    outputs: Tensor,
    target: Tensor,
    weight: Tensor,
    *,
    gamma_negative: float = 4.0,
    gamma_positive: float = 0.0,
    margin: float = 0.05,
) -> tuple[Tensor, Tensor]:
    r"""Asymmetric loss of 0/1 labels: negatives that are easy count less than easy positives, and the easiest not at all.

    .. math::

        L_+ = -(1 - p)^{\gamma_+} \log p, \quad L_- = -p_m^{\gamma_-} \log(1 - p_m), \quad p_m = \max(p - m, 0)

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_targets)
        Logits of the label being 1.
    target : Tensor of shape (..., n, n_targets)
        0 or 1; NaN is allowed where the weight is 0.
    weight : Tensor of shape (..., n, n_targets)
        Label weights >= 0; 0 means missing.
    gamma_negative, gamma_positive : float >= 0, default=4.0 and 0.0
        Focus on hard negatives and positives; both 0 with ``margin=0`` are binary cross-entropy.
    margin : float in [0, 1), default=0.05
        Negatives with a probability below it cost nothing.

    Returns
    -------
    loss_sum, weight_sum : Tensor of shape (...)
        Weighted sum of losses and sum of weights, over rows and labels.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    References
    ----------
    Ridnik, Ben-Baruch, Zamir, Noy, Friedman, Protter & Zelnik-Manor, "Asymmetric Loss for Multi-Label Classification", ICCV 2021.
    arXiv:2009.14119

    Examples
    --------
    >>> target = torch.tensor([[1.0], [0.0]])
    >>> asymmetric_focal(torch.zeros(2, 1), target, torch.ones(2, 1))  # log 2 - 0.45^4 log 0.55 = 0.7177
    (tensor(0.7177), tensor(2.))
    """
    of_labels = partial(asymmetric_focal_per_label, gamma_negative=gamma_negative, gamma_positive=gamma_positive, margin=margin)
    return masked_sums(of_labels, outputs, target, weight, loss="asymmetric_focal")


def asymmetric_focal_per_label(
    outputs: Tensor, target: Tensor, *, gamma_negative: float = 4.0, gamma_positive: float = 0.0, margin: float = 0.05
) -> Tensor:
    """Losses of outputs and targets without NaN, all three [..., n, n_targets]; see :func:`asymmetric_focal`."""
    check_width(outputs.shape[-1], target.shape[-1], what="outputs", loss="asymmetric_focal")
    no = torch.sigmoid(-outputs)
    positive = -_power(no, gamma_positive) * logsigmoid(outputs)
    # log(1 - p) keeps its digits only without a margin; with one its argument is at least the margin
    log_no = (no + margin).clamp(max=1.0).log() if margin > 0 else logsigmoid(-outputs)
    negative = -_power((torch.sigmoid(outputs) - margin).clamp(min=0.0), gamma_negative) * log_no
    return target * positive + (1 - target) * negative


def _power(share: Tensor, gamma: float) -> Tensor:
    return share.clamp(min=1e-12) ** gamma if gamma else torch.ones_like(share)  # a root has no finite slope at 0


@dataclass(frozen=True)
class AsymmetricFocal(ClassLoss):
    """Asymmetric loss of binary and multilabel tasks; see :func:`asymmetric_focal`.

    What minimises it is no probability, and far from one for rare labels; a network's outputs are calibrated after training.

    Parameters
    ----------
    gamma_negative, gamma_positive : float >= 0, default=4.0 and 0.0
    margin : float in [0, 1), default=0.05
    """

    gamma_negative: float = 4.0
    gamma_positive: float = 0.0
    margin: float = 0.05
    name: ClassVar[str] = "asymmetric_focal"
    kinds: ClassVar[tuple[str, ...]] = ("binary", "multilabel")
    calibration: ClassVar[str] = "platt"

    def __post_init__(self) -> None:
        for name, most in (("gamma_negative", 20), ("gamma_positive", 20), ("margin", 0.99)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
                raise OptionError(f"`{name}` of AsymmetricFocal must be between 0 and {most}; got {value!r}.")

    def of_log_probabilities(self, log_probabilities: Tensor, target: Tensor) -> Tensor:
        """Of two classes: the logit of the second is the difference of the two."""
        check_width(log_probabilities.shape[-1], 2, what="log_probabilities", loss="asymmetric_focal")
        return self.binary(log_probabilities[..., 1:] - log_probabilities[..., :1], target)

    def binary(self, outputs: Tensor, target: Tensor) -> Tensor:
        """See :func:`asymmetric_focal`."""
        settings = {"gamma_negative": self.gamma_negative, "gamma_positive": self.gamma_positive, "margin": self.margin}
        return asymmetric_focal_per_label(outputs, target.expand(outputs.shape), **settings)
