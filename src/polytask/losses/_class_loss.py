"""Losses of class probabilities as objects: what a task declares, and what its outputs then mean."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from polytask.losses._cumulative_link import cumulative_link_log_probabilities
from polytask.losses._loss import Loss
from polytask.losses._number_loss import Array


class ClassLoss(Loss):
    """Loss of raw outputs for classes: one logit, one logit per class, or a score with thresholds.

    All three are log probabilities of the classes in the end, and a loss may be declared by these alone.

    Attributes
    ----------
    kinds : tuple of str
        Kinds of task that may declare it.
    calibration : {"", "platt", "temperature"}
        How outputs become probabilities after training, for a loss whose minimum is none: by a slope and an intercept, or by a
        slope alone, which keeps the classes that are chosen. Until then training is stopped by the loss itself.
    weighs_classes : bool
        Whether :meth:`class_weights` are taken from training rows.
    """

    kinds: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "multilabel", "ordinal")
    calibration: ClassVar[str] = ""
    weighs_classes: ClassVar[bool] = False

    @abstractmethod
    def of_log_probabilities(self, log_probabilities: Tensor, target: Tensor) -> Tensor:
        """Losses [..., n, 1] of log probabilities [..., n, n_classes] and class codes [..., n, 1]."""

    def binary(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Losses [..., n, n_targets] of logits [..., n, n_targets] and labels 0 or 1; also of the tags of a multilabel task."""
        both = torch.stack([logsigmoid(-outputs), logsigmoid(outputs)], dim=-1)
        return self.of_log_probabilities(both, target.expand(outputs.shape)[..., None])[..., 0]

    def multiclass(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Losses [..., n, 1] of logits [..., n, n_classes] and class codes."""
        return self.of_log_probabilities(torch.log_softmax(outputs, dim=-1), target)

    def ordered(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Losses [..., n, 1] of a score and raw thresholds [..., n, n_levels], as in ``cumulative_link``, and levels."""
        return self.of_log_probabilities(cumulative_link_log_probabilities(outputs), target)

    @property
    def is_log_loss(self) -> bool:
        """Whether the loss is the negative log probability of the class itself, by which skill is measured."""
        return False

    def probabilities(self, fitted: Tensor) -> Tensor:
        """Class probabilities that belong to what minimises this loss; both [..., n_classes]. The same, unless overridden."""
        return fitted

    def tag_probabilities(self, outputs: Tensor) -> Tensor:
        """Probabilities that labels are 1, of logits; both [..., n, n_labels]."""
        return self.probabilities(torch.stack([torch.sigmoid(-outputs), torch.sigmoid(outputs)], dim=-1))[..., 1]

    def class_weights(self, counts: Array) -> Array:
        """Weights of the classes, of the sums of weights of their training labels [n_classes]."""
        return np.ones(len(counts))

    def fitted_probabilities(self, probabilities: Array) -> Array:
        """Inverse of :meth:`probabilities`, for one distribution over classes [n_classes]."""
        return np.asarray(probabilities)
