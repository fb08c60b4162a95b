"""What all losses share: masked inputs on the way in, sums of losses and weights on the way out."""

from collections.abc import Callable

import torch
from torch import Tensor


def masked_sums(
    label_losses: Callable[[Tensor, Tensor], Tensor], outputs: Tensor, target: Tensor, weight: Tensor, *, loss: str
) -> tuple[Tensor, Tensor]:
    """Make a loss of :mod:`polytask.losses` out of a plain function that knows nothing of missing labels and weights.

    Parameters
    ----------
    label_losses : callable
        ``label_losses(outputs, target)`` gives one loss per label: [..., n, n_outputs] and [..., n, n_targets], both without
        NaN, to [..., n, n_targets].
    outputs, target, weight : Tensor
        See :func:`masked_inputs`.
    loss : str
        Name used in error messages.

    Returns
    -------
    loss_sum, weight_sum : Tensor of shape (...)

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    Examples
    --------
    >>> target, weight = torch.tensor([[1.0], [float("nan")]]), torch.tensor([[2.0], [0.0]])
    >>> masked_sums(lambda outputs, target: (outputs - target).abs(), torch.zeros(2, 1), target, weight, loss="mae")
    (tensor(2.), tensor(2.))
    """
    outputs, target, weight = masked_inputs(outputs, target, weight, loss=loss)
    values = label_losses(outputs, target)
    weight = weight.expand(values.shape)
    return (values * weight).sum(dim=(-2, -1)), weight.sum(dim=(-2, -1))


def masked_inputs(
    outputs: Tensor, target: Tensor, weight: Tensor, *, loss: str, reach: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Check shapes, compute in float32 or wider, and put zeros wherever the weight is 0.

    Masking comes before any arithmetic: a NaN multiplied by 0 later would still be a NaN in the gradient. It has no branch on
    the data, so it runs under ``torch.func.vmap`` and ``torch.compile``.

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_outputs)
        Raw outputs; bfloat16 and float16 are widened to float32, because 8 bits cannot hold a sum of weights.
    target : Tensor of shape (..., n, n_targets)
        Labels; anything, NaN too, where the weight is 0. Its leading axes may be missing (shared by all replicas).
    weight : Tensor of shape (..., n, n_targets)
        Label weights, >= 0.
    loss : str
        Name used in error messages.
    reach : Tensor of shape (n_targets, n_outputs), optional
        1 where the loss of a label looks at an output, else 0; an output is masked in the rows where no label looks at it. By
        default label k looks at output k if there are as many of them, else every label at every output.

    Returns
    -------
    outputs, target, weight : Tensor
        Of the shapes given.

    Raises
    ------
    ValueError
        If the shapes do not fit together.
    """
    if target.shape[-2:] != weight.shape[-2:] or target.shape[-2:-1] != outputs.shape[-2:-1] or outputs.ndim < 2:
        raise ValueError(
            f"`outputs`, `target` and `weight` of {loss} must be (..., n, n_outputs), (..., n, n_targets) and "
            f"(..., n, n_targets); got {tuple(outputs.shape)}, {tuple(target.shape)} and {tuple(weight.shape)}."
        )
    dtype = torch.promote_types(outputs.dtype, torch.float32)
    weight = weight.to(dtype)
    missing = weight <= 0
    if reach is not None:
        unused = weight @ reach.to(weight) <= 0
    elif target.shape[-1] in (1, outputs.shape[-1]):
        unused = missing
    else:
        unused = missing.all(dim=-1, keepdim=True)
    return outputs.to(dtype).masked_fill(unused, 0.0), target.to(dtype).masked_fill(missing, 0.0), weight


def check_width(actual: int, expected: int, *, what: str, loss: str) -> None:
    """Raise ``ValueError`` unless a last axis has the expected length."""
    if actual != expected:
        raise ValueError(f"`{what}` of {loss} must have {expected} column{'s' * (expected != 1)}; got {actual}.")
