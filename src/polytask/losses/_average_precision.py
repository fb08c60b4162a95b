"""Average precision, by squared hinges in place of ranks."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from polytask.losses._auc import check_margin
from polytask.losses._batch_loss import BatchLoss, batch_sums, both_classes, share
from polytask.losses._squared_hinges import squared_hinge_sums


def average_precision_hinge(outputs: Tensor, target: Tensor, weight: Tensor, *, margin: float = 1.0) -> tuple[Tensor, Tensor]:
    r"""1 - average precision of the batch, with squared hinges in place of the counts of labels above.

    .. math::

        1 - \frac{1}{W_+} \sum_{i: y_i = 1} w_i
        \frac{\sum_{j: y_j = 1} w_j \, \ell(s_i - s_j)}{\sum_j w_j \, \ell(s_i - s_j)}, \quad \ell(d) = \max(0, m - d)^2

    The surrogate of SOAP. Of each target column alone; a column without both classes in the batch has weight 0. See
    :class:`BatchLoss` for what sums over several batches are.

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_targets)
        Scores s; only their order says something, and their distances in units of the margin.
    target : Tensor of shape (..., n, n_targets)
        0 or 1; NaN is allowed where the weight is 0.
    weight : Tensor of shape (..., n, n_targets)
        Label weights >= 0; 0 means missing.
    margin : float > 0, default=1.0

    Returns
    -------
    loss_sum, weight_sum : Tensor of shape (...)
        Loss of the batch times the sum of weights, and the sum of weights. Equal scores have 1 less the share of positives.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    References
    ----------
    Qi, Luo, Xu, Ji & Yang, "Stochastic Optimization of Areas Under Precision-Recall Curves with Provable Convergence", NeurIPS
    2021. arXiv:2104.08736

    Examples
    --------
    >>> scores, target = torch.zeros(4, 1), torch.tensor([[1.0], [0.0], [0.0], [0.0]])
    >>> average_precision_hinge(scores, target, torch.ones(4, 1))  # 3/4, four times
    (tensor(3.), tensor(4.))
    """
    return batch_sums(AveragePrecision(margin), outputs, target, weight)


@dataclass(frozen=True)
class AveragePrecision(BatchLoss):
    """1 - average precision, of binary tasks and each tag of multilabel ones; see :func:`average_precision_hinge`.

    Outputs are scores; a network makes probabilities of them after training, as of the loss "auc".

    Parameters
    ----------
    margin : float > 0, default=1.0
    """

    margin: float = 1.0
    name: ClassVar[str] = "average_precision"

    def __post_init__(self) -> None:
        check_margin(self.margin, loss=type(self).__name__)

    def of_labels(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """See :func:`average_precision_hinge`."""
        # DIFFERS FROM PAPER: both sums are those of the batch, where SOAP keeps moving averages of them for every positive row
        positive, _, defined = both_classes(target, weight)
        above, all_above = squared_hinge_sums(outputs - self.margin, outputs, torch.stack([positive, weight]))
        precision = share(above, all_above.masked_fill(positive <= 0, 0.0))
        mean = share((positive * precision).sum(-2, keepdim=True), positive.sum(-2, keepdim=True))
        return 1 - mean, defined
