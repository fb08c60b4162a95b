"""Gates: how much a task takes of each expert, from the features of a row."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from polytask.exceptions import OptionError
from polytask.networks.sharing._at_once import softmax_at_once

Gate = Literal["softmax", "top_k", "dselect_k"]


def top_k_softmax(logits: Tensor, *, k: int) -> Tensor:
    """Softmax over the k largest of [..., n, E]; the others are exactly 0.

    >>> top_k_softmax(torch.tensor([[0.0, 0.0, -1.0]]), k=2)
    tensor([[0.5000, 0.5000, 0.0000]])
    """
    kept = torch.zeros_like(logits).scatter(-1, logits.topk(k, dim=-1).indices, 1.0) > 0
    return logits.masked_fill(~kept, -torch.inf).softmax(-1)


def smooth_step(t: Tensor, *, gamma: float = 1.0) -> Tensor:
    r"""The cubic that rises from 0 at :math:`-\gamma/2` to 1 at :math:`\gamma/2`, and is constant outside.

    >>> smooth_step(torch.tensor([-1.0, 0.0, 0.25, 1.0]))
    tensor([0.0000, 0.5000, 0.8438, 1.0000])
    """
    t = t.clamp(-gamma / 2, gamma / 2)
    return -2 / gamma**3 * t**3 + 3 / (2 * gamma) * t + 0.5


class SoftmaxGate(nn.Module):
    """A linear layer without bias, then softmax."""

    def __init__(self, in_features: int, n_experts: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, n_experts, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Features [..., n, d] to weights [..., n, n_experts], which sum to 1."""
        return self.linear(features).softmax(-1)


class TopKGate(nn.Module):
    """A linear layer, then :func:`top_k_softmax`; all experts are run, those with weight 0 too.

    References
    ----------
    Shazeer et al., "Outrageously Large Neural Networks: The Sparsely-Gated Mixture-of-Experts Layer", ICLR 2017.
    arXiv:1701.06538
    """

    # DIFFERS FROM PAPER: no noise is added to the logits, and no loss evens out the load of the experts
    def __init__(self, in_features: int, n_experts: int, *, k: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, n_experts, bias=False)
        self.k = k

    def forward(self, features: Tensor) -> Tensor:
        """Features [..., n, d] to weights [..., n, n_experts], at most k of them above 0, which sum to 1."""
        return top_k_softmax(self.linear(features), k=self.k)


class DSelectKGate(nn.Module):
    r"""k selectors, each of which ends up at a single expert by a binary code that is learned, and their weights.

    .. math:: q(x) = \sum_{i=1}^k \mathrm{softmax}(G x)_i \, r(W^{(i)} x), \quad
              r(z)_e = \prod_{j:\, b_j(e) = 1} S(z_j) \prod_{j:\, b_j(e) = 0} (1 - S(z_j))

    with :func:`smooth_step` S and the bits b(e) of the number of an expert. It is continuously differentiable, and at most k
    weights are above 0 where all codes have become binary.

    References
    ----------
    Hazimeh et al., "DSelect-k: Differentiable Selection in the Mixture of Experts with Applications to Multi-Task Learning",
    NeurIPS 2021. arXiv:2106.03760
    """

    # DIFFERS FROM PAPER: the number of experts is a power of two, so that each code is an expert's; and no entropy penalty drives
    # the codes to be binary sooner (it is off by default in the authors' code too)
    def __init__(self, in_features: int, n_experts: int, *, k: int) -> None:
        super().__init__()
        n_bits = int(math.log2(n_experts))
        self.k, self.n_bits = k, n_bits
        self.selectors = nn.Linear(in_features, k * n_bits)
        self.weights = nn.Linear(in_features, k)
        for layer in (self.selectors.weight, self.selectors.bias):
            nn.init.uniform_(layer, -0.01, 0.01)  # where the smooth step is steep
        for layer in (self.weights.weight, self.weights.bias):
            nn.init.uniform_(layer, -0.05, 0.05)  # as the authors' code
        bits = (torch.arange(n_experts)[:, None] >> torch.arange(n_bits)) & 1
        self.register_buffer("bits", bits.bool(), persistent=False)  # [E, bits]
        self.bits: Tensor

    def forward(self, features: Tensor) -> Tensor:
        """Features [..., n, d] to weights [..., n, n_experts], which sum to 1."""
        steps = smooth_step(self.selectors(features).unflatten(-1, (self.k, 1, self.n_bits)))
        chosen = torch.where(self.bits, steps, 1 - steps).prod(-1)  # [..., n, k, E]
        return (self.weights(features).softmax(-1).unsqueeze(-1) * chosen).sum(-2)


def gate_of(kind: Gate, in_features: int, n_experts: int, *, k: int) -> nn.Module:
    """The gate of one task."""
    if kind == "softmax":
        return SoftmaxGate(in_features, n_experts)
    return {"top_k": TopKGate, "dselect_k": DSelectKGate}[kind](in_features, n_experts, k=k)


def gates_at_once(gates: Sequence[nn.Module], inputs: Tensor) -> Tensor:
    """Weights [..., n, n_tasks, E] of all tasks, of inputs [..., n, n_tasks, d], or [..., n, 1, d] where they read the same."""
    if all(isinstance(gate, SoftmaxGate) for gate in gates):
        return softmax_at_once([gate.linear for gate in gates], inputs)  # type: ignore[misc]
    each = inputs.expand(*inputs.shape[:-2], len(gates), -1).unbind(-2)
    return torch.stack([gate(own) for gate, own in zip(gates, each, strict=True)], dim=-2)


def check_gate(kind: str, n_experts: int, *, k: int, owner: str) -> None:
    """Raise an :class:`OptionError` if there is no such gate, or none over so many experts."""
    if kind not in ("softmax", "top_k", "dselect_k"):
        raise OptionError(f"`gate` of {owner} must be 'softmax', 'top_k' or 'dselect_k'; got {kind!r}.")
    if kind != "softmax" and not 1 <= k <= n_experts:
        raise OptionError(f"`k` of {owner} must be between 1 and the number of experts, {n_experts}; got {k}.")
    if kind == "dselect_k" and (n_experts < 2 or n_experts & (n_experts - 1)):
        raise OptionError(
            f"With the gate 'dselect_k' `n_experts` of {owner} must be a power of two above 1; got {n_experts}. Take 4 or 8."
        )
