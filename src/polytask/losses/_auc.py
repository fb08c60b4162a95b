"""Losses of the area under the ROC curve: by pairs, and by margins of the class means (AUCM)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from polytask.exceptions import OptionError
from polytask.losses._batch_loss import BatchLoss, batch_sums, both_classes, share
from polytask.losses._squared_hinges import squared_hinge_sums


def auc_squared_hinge(outputs: Tensor, target: Tensor, weight: Tensor, *, margin: float = 1.0) -> tuple[Tensor, Tensor]:
    r"""Squared hinge over all pairs of a positive and a negative label of the batch, a smooth bound of 1 - AUC.

    .. math:: \frac{1}{W_+ W_-} \sum_{i: y_i = 1} \sum_{j: y_j = 0} w_i w_j \max(0, m - s_i + s_j)^2

    Of each target column alone. A column without both classes in the batch has weight 0. See :class:`BatchLoss` for what sums
    over several batches are.

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_targets)
        Scores s; only their order says something, and their distances in units of the margin.
    target : Tensor of shape (..., n, n_targets)
        0 or 1; NaN is allowed where the weight is 0.
    weight : Tensor of shape (..., n, n_targets)
        Label weights >= 0; 0 means missing.
    margin : float > 0, default=1.0
        By how much a positive has to be above a negative. Scores that are all equal have the loss ``margin**2``.

    Returns
    -------
    loss_sum, weight_sum : Tensor of shape (...)
        Loss of the batch times the sum of weights, and the sum of weights.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    References
    ----------
    Zhao, Hoi, Jin & Yang, "Online AUC Maximization", ICML 2011; Gao & Zhou, "On the Consistency of AUC Pairwise Optimization",
    IJCAI 2015. arXiv:1208.0645

    Examples
    --------
    >>> scores, target = torch.tensor([[0.5], [0.0], [-2.0]]), torch.tensor([[1.0], [0.0], [0.0]])
    >>> auc_squared_hinge(scores, target, torch.ones(3, 1))  # (0.5^2 + 0) / 2, three times
    (tensor(0.3750), tensor(3.))
    """
    return batch_sums(AUCSquaredHinge(margin), outputs, target, weight)


def auc_margin(outputs: Tensor, target: Tensor, weight: Tensor, *, margin: float = 1.0) -> tuple[Tensor, Tensor]:
    r"""AUC margin loss (AUCM): scores of each class near their mean, and the means a margin apart.

    .. math:: \mathrm{Var}_+(h) + \mathrm{Var}_-(h) + \max(0, m - \bar h_+ + \bar h_-)^2, \quad h = \sigma(z)

    The paper minimises over scores and two means a, b and maximises over :math:`\alpha \ge 0`, by a step on each batch. For given
    scores these three have their optimum in closed form: :math:`a = \bar h_+`, :math:`b = \bar h_-`,
    :math:`\alpha = \max(0, m - a + b)`, and what is left is the loss above.

    Parameters
    ----------
    outputs, target, weight
        As of :func:`auc_squared_hinge`; outputs are logits z here.
    margin : float > 0, default=1.0
        Equal scores have the loss ``margin**2``.

    Returns
    -------
    loss_sum, weight_sum : Tensor of shape (...)
        Loss of the batch times the sum of weights, and the sum of weights.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    References
    ----------
    Yuan, Yan, Sonka & Yang, "Large-Scale Robust Deep AUC Maximization: A New Surrogate Loss and Empirical Studies on Medical
    Image Classification", ICCV 2021. arXiv:2012.03173

    Examples
    --------
    >>> scores, target = torch.zeros(3, 1), torch.tensor([[1.0], [0.0], [0.0]])
    >>> auc_margin(scores, target, torch.ones(3, 1))
    (tensor(3.), tensor(3.))
    """
    return batch_sums(AUCM(margin), outputs, target, weight)


@dataclass(frozen=True)
class AUCSquaredHinge(BatchLoss):
    """Squared hinge over pairs, of binary tasks and each tag of multilabel ones; see :func:`auc_squared_hinge`.

    Outputs are scores; a network makes probabilities of them after training, by a slope and an intercept (Platt), which leaves
    their order as it is.

    Parameters
    ----------
    margin : float > 0, default=1.0
    """

    margin: float = 1.0
    name: ClassVar[str] = "auc"

    def __post_init__(self) -> None:
        check_margin(self.margin, loss=type(self).__name__)

    def of_labels(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """See :func:`auc_squared_hinge`."""
        positive, negative, defined = both_classes(target, weight)
        (hinges,) = squared_hinge_sums(outputs - self.margin, outputs, negative[None])
        sums = (positive * hinges).sum(-2, keepdim=True)
        return share(sums, positive.sum(-2, keepdim=True) * negative.sum(-2, keepdim=True)), defined


@dataclass(frozen=True)
class AUCM(BatchLoss):
    """AUC margin loss of binary tasks and each tag of multilabel ones; see :func:`auc_margin`. Calibrated as the loss "auc" is.

    Parameters
    ----------
    margin : float > 0, default=1.0
    """

    margin: float = 1.0
    name: ClassVar[str] = "aucm"

    def __post_init__(self) -> None:
        check_margin(self.margin, loss=type(self).__name__)

    def of_labels(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """See :func:`auc_margin`."""
        # DIFFERS FROM PAPER: a, b and alpha are at their optimum for each batch; there they follow by gradient steps
        h, loss, means = torch.sigmoid(outputs), torch.zeros_like(outputs[..., :1, :]), []
        positive, negative, defined = both_classes(target, weight)
        for own in (positive, negative):
            total = own.sum(-2, keepdim=True)
            means.append(share((own * h).sum(-2, keepdim=True), total))
            loss = loss + share((own * (h - means[-1]).square()).sum(-2, keepdim=True), total)
        return loss + (self.margin - means[0] + means[1]).clamp(min=0).square(), defined


def check_margin(margin: object, *, loss: str) -> None:
    """Raise unless a margin is positive and finite."""
    if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 < margin < float("inf"):
        raise OptionError(f"`margin` of {loss} must be positive and finite; got {margin!r}.")
