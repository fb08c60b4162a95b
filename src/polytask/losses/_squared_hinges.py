"""Sums of squared hinges over all pairs, by sorting rather than pair by pair."""

import torch
from torch import Tensor


def squared_hinge_sums(thresholds: Tensor, scores: Tensor, weights: Tensor) -> list[Tensor]:
    r"""How far scores lie above each threshold, squared and summed.

    .. math:: h_i = \sum_j w_j \max(0, s_j - t_i)^2

    Sorted once, each sum is a square in :math:`t_i` whose coefficients are sums over the scores above: n log n operations and n
    numbers of memory, not n^2. Differentiable twice.

    Parameters
    ----------
    thresholds : Tensor of shape (..., m, C)
    scores : Tensor of shape (..., n, C)
    weights : Tensor of shape (k, ..., n, C)
        k weightings of the same scores.

    Returns
    -------
    sums : list of k Tensors of shape (..., m, C)

    References
    ----------
    Rust & Hocking, "A Log-linear Gradient Descent Algorithm for Unbalanced Binary Classification using the All Pairs Squared
    Hinge Loss", 2023. arXiv:2302.11062

    Examples
    --------
    >>> scores = torch.tensor([[0.0], [1.0], [3.0]])
    >>> squared_hinge_sums(torch.tensor([[0.5]]), scores, torch.ones(1, 3, 1))  # 0.5^2 + 2.5^2
    [tensor([[6.5000]])]
    """
    kept = scores.dtype
    if scores.device.type != "mps":  # squares that nearly cancel; Apple's GPUs have no wider type
        thresholds, scores, weights = thresholds.double(), scores.double(), weights.double()
    m = thresholds.shape[-2]
    values, order = torch.cat([thresholds, scores], dim=-2).sort(dim=-2)
    place = order.argsort(dim=-2)[..., :m, :]  # of each threshold
    found = []
    for weight in weights:
        own = torch.cat([torch.zeros_like(thresholds), weight.expand(scores.shape)], dim=-2).gather(-2, order)
        above = [_from_here_on(own * power).gather(-2, place) for power in (torch.ones_like(values), values, values.square())]
        sums = above[2] - 2 * thresholds * above[1] + thresholds.square() * above[0]
        found.append(sums.to(kept))
    return found


def _from_here_on(values: Tensor) -> Tensor:
    return values.flip(-2).cumsum(-2).flip(-2)
