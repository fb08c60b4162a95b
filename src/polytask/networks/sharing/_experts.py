"""Experts: small networks of one shape side by side, run as batched matrix products."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from polytask.networks.sharing._at_once import linear_at_once


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
        return self._through(features.unsqueeze(-2), zip(self.weights, self.biases, strict=True))

    def layer_weights(self) -> list[tuple[Tensor, Tensor]]:
        """Weights [n_experts, out, in] and biases of each layer, for an initialization."""
        return list(zip(self.weights, self.biases, strict=True))

    def _through(self, found: Tensor, layers: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
        for weight, bias in layers:
            found = self.dropout(linear_at_once(weight, bias, found, relu=True))
        return found


def run_at_once(groups: Sequence[Experts], features: Tensor) -> Tensor:
    """Several groups that read the same features, [..., n, experts of all, width]; one product for each layer.

    >>> groups = [Experts(8, 2, width=4), Experts(8, 1, width=4)]
    >>> run_at_once(groups, torch.zeros(5, 8)).shape
    torch.Size([5, 3, 4])
    """
    layers = [(torch.cat(list(weights)), torch.cat(list(biases))) for weights, biases in _by_layer(groups)]
    return groups[0]._through(features.unsqueeze(-2), layers)


def run_each(groups: Sequence[Experts], inputs: Tensor) -> Tensor:
    """Groups of as many experts, each with an input of its own [..., n, groups, d]; [..., n, groups, experts of one, width].

    >>> groups = [Experts(8, 2, width=4), Experts(8, 2, width=4)]
    >>> run_each(groups, torch.zeros(5, 2, 8)).shape
    torch.Size([5, 2, 2, 4])
    """
    one = groups[0]
    (first, bias), *others = _by_layer(groups)
    weights, biases = torch.stack([own.flatten(0, 1) for own in first]), torch.stack([own.flatten() for own in bias])
    found = one.dropout(linear_at_once(weights, biases, inputs, relu=True)).unflatten(
        -1, (one.n_experts, one.out_features)
    )  # [..., n, groups, experts, width]
    layers = [(torch.cat(list(weights)), torch.cat(list(biases))) for weights, biases in others]
    return one._through(found.flatten(-3, -2), layers).unflatten(-2, (len(groups), one.n_experts))


def _by_layer(groups: Sequence[Experts]) -> list[tuple[Sequence[Tensor], Sequence[Tensor]]]:
    """Of each layer the weights of all groups, and their biases."""
    weights, biases = (zip(*own, strict=True) for own in ([g.weights for g in groups], [g.biases for g in groups]))
    return list(zip(weights, biases, strict=True))


def mixed(gates: Sequence[Tensor], outputs: Tensor) -> list[Tensor]:
    """Mean of experts [..., n, E, width] for each task, by its gate [..., n, E]; no task's way leads over another's gate."""
    return [(gate.unsqueeze(-2) @ outputs).squeeze(-2) for gate in gates]
