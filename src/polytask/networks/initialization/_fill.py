"""Random starts of weights [..., out, in]; leading axes are experts, each of which is filled as one matrix would be."""

import math

import torch
from torch import Tensor

TRUNCATED = 0.87962566103423978  # standard deviation of a standard normal cut off at -2 and 2


@torch.no_grad()
def fill_scaled_(weight: Tensor, *, fan: float, scale: float, uniform: bool) -> Tensor:
    """Values of mean 0 and variance ``scale / fan``, uniform or normal; in place.

    >>> fill_scaled_(torch.empty(100, 4), fan=4, scale=1.0, uniform=True).abs().max() <= 0.75**0.5
    tensor(True)
    """
    std = math.sqrt(scale / fan)
    return weight.uniform_(-math.sqrt(3) * std, math.sqrt(3) * std) if uniform else weight.normal_(0, std)


@torch.no_grad()
def fill_truncated_(weight: Tensor, *, std: float) -> Tensor:
    """Normal values of standard deviation ``std`` after those beyond twice the scale are drawn again; in place."""
    scale = std / TRUNCATED
    return torch.nn.init.trunc_normal_(weight, std=scale, a=-2 * scale, b=2 * scale)


@torch.no_grad()
def fill_orthogonal_(weight: Tensor, *, gain: float) -> Tensor:
    """Matrices whose shorter side is orthonormal, times ``gain``; in place.

    >>> weight = fill_orthogonal_(torch.empty(2, 3, 5), gain=1.0)
    >>> bool(torch.allclose(weight @ weight.mT, torch.eye(3).expand(2, 3, 3), atol=1e-5))
    True
    """
    for own in weight.view(-1, *weight.shape[-2:]):
        torch.nn.init.orthogonal_(own, gain=gain)
    return weight


@torch.no_grad()
def fill_sparse_(weight: Tensor, *, sparsity: float, std: float) -> Tensor:
    """Normal values, with the share ``sparsity`` of the inputs of every unit 0, drawn for each unit; in place."""
    n_zero = min(weight.shape[-1] - 1, round(sparsity * weight.shape[-1]))
    weight.normal_(0, std)
    order = torch.rand_like(weight).argsort(-1)
    return weight.masked_fill_(order < n_zero, 0.0)
