"""Squared error."""

from torch import Tensor

from polytask.losses._sums import check_width, masked_sums


def mse(outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    r"""Squared error, for regression: :math:`(f - y)^2`.

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_targets)
        Predicted values, in the unit of the target.
    target : Tensor of shape (..., n, n_targets)
        Numbers; NaN is allowed where the weight is 0.
    weight : Tensor of shape (..., n, n_targets)
        Label weights >= 0; 0 means missing.

    Returns
    -------
    loss_sum, weight_sum : Tensor of shape (...)
        Weighted sum of squared errors and sum of weights.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    Examples
    --------
    >>> import torch
    >>> mse(torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [5.0]]), torch.ones(2, 1))
    (tensor(10.), tensor(2.))
    """
    return masked_sums(mse_per_label, outputs, target, weight, loss="mse")


def mse_per_label(outputs: Tensor, target: Tensor) -> Tensor:
    """Losses of outputs and targets without NaN, all three [..., n, n_targets]; see :func:`mse`."""
    check_width(outputs.shape[-1], target.shape[-1], what="outputs", loss="mse")
    return (outputs - target).square()
