"""Cross-entropy over classes."""

import torch
from torch import Tensor

from polytask.losses._sums import check_width, masked_sums


def cross_entropy(outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    r"""Negative log-likelihood of the softmax, for multiclass tasks: :math:`-\log \mathrm{softmax}(z)_y`.

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_classes)
        Logits z.
    target : Tensor of shape (..., n, 1)
        Class code 0 .. n_classes - 1 as a float; NaN is allowed where the weight is 0.
    weight : Tensor of shape (..., n, 1)
        Label weights >= 0; 0 means missing.

    Returns
    -------
    loss_sum, weight_sum : Tensor of shape (...)
        Weighted sum of losses in nats and sum of weights.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    Examples
    --------
    >>> import torch
    >>> cross_entropy(torch.zeros(2, 4), torch.tensor([[3.0], [0.0]]), torch.ones(2, 1))  # 2 log 4 = 2.7726
    (tensor(2.7726), tensor(2.))
    """
    return masked_sums(cross_entropy_per_label, outputs, target, weight, loss="cross_entropy")


def cross_entropy_per_label(outputs: Tensor, target: Tensor) -> Tensor:
    """Losses [..., n, 1] of outputs [..., n, n_classes] and targets [..., n, 1] without NaN; see :func:`cross_entropy`."""
    check_width(target.shape[-1], 1, what="target", loss="cross_entropy")
    return -at_code(torch.log_softmax(outputs, dim=-1), target)


def at_code(log_probabilities: Tensor, target: Tensor) -> Tensor:
    """Pick each row's log probability at its class code; [..., n, K] and [..., n, 1] give [..., n, 1]."""
    codes = target.to(torch.int64).expand(*log_probabilities.shape[:-1], 1)
    return torch.gather(log_probabilities, -1, codes)
