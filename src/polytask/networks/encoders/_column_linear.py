"""A linear layer of its own for every column."""

import torch
from torch import Tensor, nn


class ColumnLinear(nn.Module):
    """Features of each column [..., d, k] to features [..., d, width], with weights of its own for every column.

    Parameters
    ----------
    n_features : int
        d, the number of columns.
    in_features, width : int
        k, and features that come out, per column.
    bias : bool, default=True

    Examples
    --------
    >>> ColumnLinear(3, 8, 4)(torch.zeros(5, 3, 8)).shape
    torch.Size([5, 3, 4])
    """

    def __init__(self, n_features: int, in_features: int, width: int, *, bias: bool = True) -> None:
        super().__init__()
        bound = in_features**-0.5
        self.weight = nn.Parameter(torch.empty(n_features, in_features, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(n_features, width).uniform_(-bound, bound)) if bias else None

    def forward(self, features: Tensor) -> Tensor:
        """Multiply column by column."""
        out = (features.transpose(-3, -2) @ self.weight).transpose(-3, -2)  # [..., d, n, k] @ [d, k, width]
        return out if self.bias is None else out + self.bias
