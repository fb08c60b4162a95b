"""Binary cross-entropy."""

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from polytask.losses._sums import check_width, masked_sums


def binary_cross_entropy(outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    r"""Negative log-likelihood of 0/1 labels, for binary and multilabel tasks: one logit per target column.

    .. math:: -y \log \sigma(z) - (1 - y) \log \sigma(-z)

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_targets)
        Logits z of the label being 1.
    target : Tensor of shape (..., n, n_targets)
        0 or 1, or anything between (soft labels); NaN is allowed where the weight is 0.
    weight : Tensor of shape (..., n, n_targets)
        Label weights >= 0; 0 means missing. Each label of a row has its own.

    Returns
    -------
    loss_sum, weight_sum : Tensor of shape (...)
        Weighted sum of losses in nats and sum of weights, over rows and labels.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    Examples
    --------
    >>> import torch
    >>> nan = float("nan")
    >>> target, weight = torch.tensor([[1.0, nan], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    >>> binary_cross_entropy(torch.zeros(2, 2), target, weight)  # three labels at log 2 = 0.6931
    (tensor(2.0794), tensor(3.))
    """
    return masked_sums(binary_cross_entropy_per_label, outputs, target, weight, loss="binary_cross_entropy")


def binary_cross_entropy_per_label(outputs: Tensor, target: Tensor) -> Tensor:
    """Losses of outputs and targets without NaN, all three [..., n, n_targets]; see :func:`binary_cross_entropy`."""
    check_width(outputs.shape[-1], target.shape[-1], what="outputs", loss="binary_cross_entropy")
    return binary_cross_entropy_with_logits(outputs, target.expand(outputs.shape), reduction="none")
