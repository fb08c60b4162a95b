"""Euclidean projection onto the simplex."""

import torch
from torch import Tensor


def project_to_simplex(point: Tensor) -> Tensor:
    """The nearest weights >= 0 that sum to 1, by sorting (Held, Wolfe & Crowder 1974).

    Parameters
    ----------
    point : Tensor of shape (n,)

    Examples
    --------
    >>> project_to_simplex(torch.tensor([1.0, 0.5, -1.0]))
    tensor([0.7500, 0.2500, 0.0000])
    """
    shifted = point - point.max()  # the same for the projection, and exact where numbers are huge
    ordered = shifted.sort(descending=True).values
    excess = (ordered.cumsum(0) - 1) / torch.arange(1, len(point) + 1, dtype=point.dtype, device=point.device)
    last = int((ordered > excess).nonzero().max())
    return (shifted - excess[last]).clamp(min=0)
