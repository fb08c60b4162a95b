"""Losses of a whole batch: a statistic of all its labels, such as the share of pairs in the wrong order."""

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from polytask.losses._class_loss import ClassLoss
from polytask.losses._sums import masked_inputs


class BatchLoss(ClassLoss):
    """Loss of classes that is no mean over rows, and is computed of the labels of one batch.

    It becomes a sum of losses and a sum of weights all the same: every observed label of the batch has the loss of the batch. So
    the mean over one batch is its loss, and over several (micro-batches, processes, an epoch) their mean by label weights, which
    is **not** the loss of all their rows together. Where a batch does not define the loss, for want of one of the classes, its
    labels have weight 0, as if they were missing.

    Scores that minimise such a loss are no probabilities. So a network calibrates them after training (``calibration``), and
    until then is stopped by the loss itself on validation rows.
    """

    kinds: ClassVar[tuple[str, ...]] = ("binary", "multilabel")
    of_batch: ClassVar[bool] = True
    calibration: ClassVar[str] = "platt"

    @abstractmethod
    def of_labels(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and whether it is defined, both [..., 1, n_targets], of logits, 0/1 labels and weights [..., n, n_targets]."""

    def of_classes(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The same, both [..., 1, 1], of logits [..., n, n_classes], class codes and weights [..., n, 1]."""
        raise NotImplementedError(f"{self.name} is for {' and '.join(self.kinds)} tasks.")

    def binary(self, outputs: Tensor, target: Tensor) -> Tensor:
        """The loss of the batch at every label, each of weight 1; 0 where it is not defined."""
        target = target.expand(outputs.shape)
        loss, defined = self.of_labels(outputs, target, torch.ones_like(target))
        return (loss * defined).expand(target.shape)

    def multiclass(self, outputs: Tensor, target: Tensor) -> Tensor:
        """The loss of the batch at every label, each of weight 1; 0 where it is not defined."""
        target = target.expand(*outputs.shape[:-1], 1)
        loss, defined = self.of_classes(outputs, target, torch.ones_like(target))
        return (loss * defined).expand(target.shape)

    def of_log_probabilities(self, log_probabilities: Tensor, target: Tensor) -> Tensor:
        """Of several classes."""
        return self.multiclass(log_probabilities, target)


def batch_sums(loss: BatchLoss, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Sum of losses and of weights, each [...], of logits, 0/1 labels and label weights [..., n, n_targets].

    Where the weight is 0, outputs and target may be anything.
    """
    if target.shape[-1] != outputs.shape[-1]:
        raise ValueError(f"`outputs` of {loss.name} must have {target.shape[-1]} columns; got {outputs.shape[-1]}.")
    outputs, target, weight = masked_inputs(outputs, target, weight, loss=loss.name)
    target, weight = target.expand(outputs.shape), weight.expand(outputs.shape)
    value, defined = loss.of_labels(outputs, target, weight)
    weight = weight * defined
    return (value * weight).sum(dim=(-2, -1)), weight.sum(dim=(-2, -1))


def share(part: Tensor, whole: Tensor) -> Tensor:
    """Part by whole; 0 where the whole is 0, with a gradient of 0."""
    empty = whole <= 0
    return part.masked_fill(empty, 0.0) / whole.masked_fill(empty, 1.0)


def both_classes(target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weights of positive and of negative labels [..., n, C], and whether there are both, [..., 1, C]."""
    positive, negative = weight * target, weight * (1 - target)
    defined = (positive.sum(-2, keepdim=True) > 0) & (negative.sum(-2, keepdim=True) > 0)
    return positive, negative, defined
