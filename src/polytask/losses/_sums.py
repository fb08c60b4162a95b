"""What all losses share: masked inputs on the way in, sums of losses and weights on the way out."""

import torch
from torch import Tensor


def masked_inputs(outputs: Tensor, target: Tensor, weight: Tensor, *, loss: str) -> tuple[Tensor, Tensor, Tensor]:
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
    observed = weight > 0
    is_per_output = target.shape[-1] in (1, outputs.shape[-1])
    row_observed = observed if is_per_output else observed.any(dim=-1, keepdim=True)
    outputs = torch.where(row_observed, outputs.to(dtype), 0.0)
    target = torch.where(observed, target.to(dtype), 0.0)
    return outputs, target, weight.to(dtype)


def weighted_sums(values: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Sum ``values * weight`` and ``weight`` over the last two axes, giving two tensors of the leading shape."""
    weight = weight.expand(values.shape)
    return (values * weight).sum(dim=(-2, -1)), weight.sum(dim=(-2, -1))


def check_width(actual: int, expected: int, *, what: str, loss: str) -> None:
    """Raise ``ValueError`` unless a last axis has the expected length."""
    if actual != expected:
        raise ValueError(f"`{what}` of {loss} must have {expected} column{'s' * (expected != 1)}; got {actual}.")
