"""The head of one task with parameters for each member of an ensemble."""

import torch
from torch import Tensor, nn


class MemberHead(nn.Module):
    """A :class:`LinearHead` for each of k members as one product, [..., k, n, in_features] to [..., k, n, n_outputs].

    Examples
    --------
    >>> MemberHead(8, 2, n_members=3)(torch.zeros(3, 5, 8)).shape
    torch.Size([3, 5, 2])
    """

    def __init__(self, in_features: int, n_outputs: int, *, n_members: int, n_dependent: int | None = None) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.0)
        width, bound = n_outputs if n_dependent is None else n_dependent, in_features**-0.5  # as nn.Linear
        self.weight = nn.Parameter(torch.empty(n_members, width, in_features).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(n_members, n_outputs))

    def forward(self, features: Tensor) -> Tensor:
        """Features of all members to their raw outputs."""
        outputs = self.dropout(features) @ self.weight.mT
        constants = self.bias.shape[-1] - outputs.shape[-1]
        return nn.functional.pad(outputs, (0, constants)) + self.bias.unsqueeze(-2)

    def layer_weights(self) -> list[tuple[Tensor, None]]:
        """Weights [n_members, n_outputs, in], for initialization; biases are the constant prediction."""
        return [(self.weight, None)]
