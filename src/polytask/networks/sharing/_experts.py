"""Experts: small networks of one shape side by side, run as batched matrix products."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Experts(nn.Module):
    """Multilayer perceptrons of one shape that read the same inputs; each starts as layers of ``nn.Linear`` would.

    Parameters
    ----------
    in_features : int
    n_experts : int
    width : int
        Units of each layer of an expert, the last one included.
    n_layers : int, default=1
        Layers, each with ReLU.
    dropout : float in [0, 1), default=0.0
        Share of units dropped after each layer in training.

    Examples
    --------
    >>> Experts(8, 3, width=4)(torch.zeros(5, 8)).shape
    torch.Size([5, 3, 4])
    """

    def __init__(self, in_features: int, n_experts: int, *, width: int, n_layers: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        widths = [in_features, *[width] * n_layers]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for before, after in pairwise(widths):
            bound = before**-0.5  # as nn.Linear
            self.weights.append(nn.Parameter(torch.empty(n_experts, after, before).uniform_(-bound, bound)))
            self.biases.append(nn.Parameter(torch.empty(n_experts, after).uniform_(-bound, bound)))
        self.n_experts, self.out_features, self.dropout = n_experts, width, nn.Dropout(dropout)

    def forward(self, features: Tensor) -> Tensor:
        """Features [..., n, d] to what each expert makes of them, [..., n, n_experts, width]."""
        return self._through(features, list(self.weights), list(self.biases))

    def layer_weights(self) -> list[tuple[Tensor, Tensor]]:
        """Weights [n_experts, out, in] and biases of each layer, for an initialization."""
        return list(zip(self.weights, self.biases, strict=True))

    def _through(self, features: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> Tensor:
        first, *others = zip(weights, biases, strict=True)
        # all experts read the same, so their first layers are one wide layer
        wide = F.linear(features, first[0].flatten(0, 1), first[1].flatten()).unflatten(-1, first[1].shape)
        return self._rest(wide, others)

    def _rest(self, found: Tensor, others: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        found = self.dropout(found.relu())
        for weight, bias in others:
            found = torch.einsum("...ed,ekd->...ek", found, weight) + bias
            found = self.dropout(found.relu())
        return found


def run_at_once(groups: Sequence[Experts], features: Tensor) -> Tensor:
    """Several groups that read the same features, [..., n, experts of all, width]; one product for each layer.

    >>> groups = [Experts(8, 2, width=4), Experts(8, 1, width=4)]
    >>> run_at_once(groups, torch.zeros(5, 8)).shape
    torch.Size([5, 3, 4])
    """
    layers = range(len(groups[0].weights))
    weights = [torch.cat([own.weights[k] for own in groups]) for k in layers]
    biases = [torch.cat([own.biases[k] for own in groups]) for k in layers]
    return groups[0]._through(features, weights, biases)


def run_each(groups: Sequence[Experts], inputs: Sequence[Tensor]) -> Tensor:
    """Groups of as many experts, each with an input of its own [..., n, d]; [..., n, groups, experts of one, width].

    >>> groups = [Experts(8, 2, width=4), Experts(8, 2, width=4)]
    >>> run_each(groups, [torch.zeros(5, 8), torch.ones(5, 8)]).shape
    torch.Size([5, 2, 2, 4])
    """
    first = torch.stack([own.weights[0].flatten(0, 1) for own in groups])
    bias = torch.stack([own.biases[0].flatten() for own in groups])
    found = torch.einsum("...gd,gkd->...gk", torch.stack(list(inputs), dim=-2), first) + bias  # [..., n, groups, experts * width]
    one = groups[0]
    found = found.unflatten(-1, (one.n_experts, one.out_features)).flatten(-3, -2)
    rest = [
        (torch.cat([own.weights[k] for own in groups]), torch.cat([own.biases[k] for own in groups]))
        for k in range(1, len(one.weights))
    ]
    return one._rest(found, rest).unflatten(-2, (len(groups), one.n_experts))


def mixed(gates: Sequence[Tensor], outputs: Tensor) -> list[Tensor]:
    """Mean of experts [..., n, E, width] for each task, by its gate [..., n, E]; no task's way leads over another's gate."""
    return [(gate.unsqueeze(-2) @ outputs).squeeze(-2) for gate in gates]


def mixed_at_once(gates: Sequence[Tensor], outputs: Tensor) -> list[Tensor]:
    """The same as one product, which takes about half the time, and by which gradients of tasks cannot be told apart."""
    return list((torch.stack(list(gates), dim=-2) @ outputs).unbind(-2))
