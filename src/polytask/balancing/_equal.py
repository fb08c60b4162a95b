"""Equal weights."""

from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed


class Equal(BalancingMethod):
    """Equal weights: the mean over the tasks present.

    Losses should be on one scale first; the training loop divides each by the loss of the constant predictor.

    >>> import torch
    >>> from polytask.balancing import Observed
    >>> Equal()(Observed(torch.tensor([1.0, 4.0]), torch.tensor([3.0, 0.0]), ("price", "sold")))
    tensor([1., 0.])
    """

    batched = True

    def forward(self, seen: Observed) -> Tensor:
        """Weights [..., n_tasks]."""
        present = (seen.label_weight > 0).to(seen.losses.dtype)
        return present / present.sum(-1, keepdim=True).clamp(min=1)
