"""Equal weights."""

from torch import Tensor, nn


class Equal(nn.Module):
    """Equal weights: the mean over the tasks present.

    Losses should be on one scale first; the training loop divides each by the loss of the constant predictor.

    >>> import torch
    >>> Equal()(torch.tensor([1.0, 4.0]), torch.tensor([3.0, 0.0]))
    tensor([1., 0.])
    """

    needs = frozenset({"losses"})

    def forward(self, losses: Tensor, label_weight: Tensor) -> Tensor:
        """Weights [..., T] from losses [..., T]; a task whose ``label_weight`` is 0 is absent and gets 0."""
        present = (label_weight > 0).to(losses.dtype)
        return present / present.sum(-1, keepdim=True).clamp(min=1)
