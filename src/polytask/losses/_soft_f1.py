"""F1 with probabilities in place of decisions."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from polytask.losses._batch_loss import BatchLoss, batch_sums, both_classes, share


def soft_f1(
    outputs: Tensor, target: Tensor, weight: Tensor, *, average: Literal["macro", "micro"] = "macro"
) -> tuple[Tensor, Tensor]:
    r"""1 - F1 of the batch, with probabilities in place of decisions; for 0/1 labels.

    .. math:: 1 - \frac{2 \sum_i w_i p_i y_i}{\sum_i w_i p_i + \sum_i w_i y_i}, \quad p = \sigma(z)

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_targets)
        Logits z.
    target : Tensor of shape (..., n, n_targets)
        0 or 1; NaN is allowed where the weight is 0.
    weight : Tensor of shape (..., n, n_targets)
        Label weights >= 0; 0 means missing.
    average : {"macro", "micro"}, default="macro"
        F1 of each target column alone, averaged by the weights of their labels, or of all columns together.

    Returns
    -------
    loss_sum, weight_sum : Tensor of shape (...)
        Loss of the batch times the sum of weights, and the sum of weights; see :class:`BatchLoss`. A column (micro: all columns)
        without both classes in the batch has weight 0. Outputs that are all equal to a share of positives p have the loss 1 - p.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    References
    ----------
    Jansche, "Maximum Expected F-Measure Training of Logistic Regression Models", HLT/EMNLP 2005.

    Examples
    --------
    >>> soft_f1(torch.zeros(4, 1), torch.tensor([[1.0], [0.0], [0.0], [0.0]]), torch.ones(4, 1))  # F1 = 2 x 0.5 / (2 + 1)
    (tensor(2.6667), tensor(4.))
    """
    return batch_sums(SoftF1Macro() if average == "macro" else SoftF1Micro(), outputs, target, weight)


class _SoftF1(BatchLoss):
    kinds: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "multilabel")
    calibration: ClassVar[str] = "temperature"


@dataclass(frozen=True)
class SoftF1Macro(_SoftF1):
    """1 - F1: of the positive class of a binary task, the mean over classes or tags of others; see :func:`soft_f1`.

    Of a multiclass task those classes count that the batch has labels of; with one class only its weight is 0. Outputs are drawn
    to 0 and 1, on the side that makes F1 high. After training a network finds the slope with the best log loss, which keeps
    these decisions; probabilities are so those of a population in which they are right.
    """

    name: ClassVar[str] = "soft_f1_macro"

    def of_labels(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """See :func:`soft_f1`."""
        p, (positive, _, defined) = torch.sigmoid(outputs), both_classes(target, weight)
        return 1 - _f1((positive * p).sum(-2, True), (weight * p).sum(-2, True), positive.sum(-2, True)), defined

    def of_classes(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Mean over the classes with labels in the batch."""
        p = torch.softmax(outputs, dim=-1)
        own = (target == torch.arange(p.shape[-1], device=p.device)) * weight  # [..., n, K]
        labels = own.sum(-2, True)
        scores = _f1((own * p).sum(-2, True), (weight * p).sum(-2, True), labels)
        n_there = (labels > 0).sum(-1, True)
        return 1 - share((scores * (labels > 0)).sum(-1, True), n_there.to(p.dtype)), n_there > 1


@dataclass(frozen=True)
class SoftF1Micro(_SoftF1):
    """1 - F1 of all classes or tags together; of a binary task that of the positive class, as :class:`SoftF1Macro`.

    Of a multiclass task this is 1 - the mean probability of the class, as micro F1 there is accuracy.
    """

    name: ClassVar[str] = "soft_f1_micro"

    def of_labels(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """See :func:`soft_f1`."""
        p, (positive, negative, _) = torch.sigmoid(outputs), both_classes(target, weight)
        hits, said, there = (_total(own) for own in (positive * p, weight * p, positive))
        defined = (there > 0) & (_total(negative) > 0)
        width = (*outputs.shape[:-2], 1, outputs.shape[-1])
        return (1 - _f1(hits, said, there)).expand(width), defined.expand(width)

    def of_classes(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Mean of 1 - p of the class of every label."""
        p = torch.softmax(outputs, dim=-1)
        own = (target == torch.arange(p.shape[-1], device=p.device)) * weight
        return 1 - share(_total(own * p), _total(own)), _total(own) > 0


def _f1(hits: Tensor, said: Tensor, there: Tensor) -> Tensor:
    return share(2 * hits, said + there)


def _total(values: Tensor) -> Tensor:
    return values.sum(dim=(-2, -1), keepdim=True)
