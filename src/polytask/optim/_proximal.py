"""Proximal steps: what a penalty that is not smooth does to weights after the optimizer's step, with exact zeros."""

import torch
from torch import Tensor


@torch.no_grad()
def soft_threshold_(weight: Tensor, amount: Tensor | float) -> Tensor:
    r"""Move every weight towards 0 by ``amount``, and no further; in place.

    .. math:: w \leftarrow \operatorname{sign}(w) \max(|w| - a, 0)

    >>> soft_threshold_(torch.tensor([0.3, -0.05, -1.0]), 0.1)
    tensor([ 0.2000,  0.0000, -0.9000])
    """
    return weight.copy_(weight.sign() * (weight.abs() - amount).clamp(min=0))


@torch.no_grad()
def shrink_groups_(weight: Tensor, norms: Tensor, amount: Tensor | float) -> Tensor:
    r"""Shorten every group of weights by ``amount``, to 0 at most; in place.

    .. math:: w_g \leftarrow w_g \max(1 - a_g / \|w_g\|, 0)

    Parameters
    ----------
    weight, norms : Tensor
        Norms of the groups, in a shape that is broadcast to that of the weights.
    amount : Tensor or float

    >>> shrink_groups_(torch.tensor([[3.0, 0.1], [4.0, 0.0]]), torch.tensor([5.0, 0.1]), 1.0)
    tensor([[2.4000, 0.0000],
            [3.2000, 0.0000]])
    """
    return weight.mul_((1 - amount / norms.clamp(min=1e-30)).clamp(min=0))
