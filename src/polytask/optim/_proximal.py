"""Proximal steps: what a penalty that is not smooth does to weights after the optimizer's step, with exact zeros."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

NEWTON_STEPS = 8
_ALMOST = 1e-6  # a norm that would be left, as a share of what it was, below which it is 0


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


@torch.no_grad()
def group_factors(
    weights: Sequence[Tensor],
    amounts: Sequence[Tensor],
    *,
    sums: Callable[[Sequence[Tensor]], Tensor],
    spread: Callable[..., Tensor],
) -> list[Tensor]:
    r"""What to multiply weights by, where steps differ within a group: the proximal step in the metric of these steps.

    .. math:: \min_w \sum_i \frac{(w_i - z_i)^2}{2 \eta_i} + \lambda \|w\|
        \quad\Rightarrow\quad w_i = \frac{n z_i}{n + \lambda \eta_i}, \quad \sum_i \frac{z_i^2}{(n + \lambda \eta_i)^2} = 1

    or all 0 where this has no :math:`n > 0`. The norm n is found by Newton's method on the inverse root of the sum, which is
    concave, so that it rises to n and not beyond.

    Parameters
    ----------
    weights : sequence of Tensor
        z; groups may run over several tensors.
    amounts : sequence of Tensor
        :math:`\lambda \eta` in their shapes.
    sums : callable
        Tensors in the shapes of ``weights`` to sums over groups [..., G].
    spread : callable
        A number of the tensor and values [..., G] of groups to a shape that is broadcast to that tensor.

    References
    ----------
    Deleu & Bengio, "Structured Sparsity Inducing Adaptive Optimizers for Deep Learning", 2021. arXiv:2102.03869
    """
    squares = [z.square() for z in weights]
    before = sums(squares).sqrt()
    norm = lowest = before * _ALMOST
    for _ in range(NEWTON_STEPS):
        inverse = [(spread(k, norm) + own).clamp(min=1e-30).reciprocal() for k, own in enumerate(amounts)]
        parts = [own * by.square() for own, by in zip(squares, inverse, strict=True)]
        total, slope = sums(parts), sums([own * by for own, by in zip(parts, inverse, strict=True)])
        risen = torch.maximum(norm + (total.pow(1.5) - total) / slope.clamp(min=1e-30), lowest)
        is_there = bool(((risen - norm).abs() <= 1e-6 * risen).all())
        norm = risen
        if is_there:
            break
    alive = norm > lowest
    return [
        torch.where(spread(k, alive.to(norm)) > 0, spread(k, norm) / (spread(k, norm) + own).clamp(min=1e-30), 0.0)
        for k, own in enumerate(amounts)
    ]
