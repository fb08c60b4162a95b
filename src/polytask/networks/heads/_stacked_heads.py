"""Many linear heads as one matrix product."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from polytask.networks.heads._linear_head import LinearHead


class StackedLinearHeads(nn.Module):
    """Linear heads of many like tasks that read the same features: one product instead of one for each.

    Forward and backward pass of 40 heads cost about as much as those of one. All outputs come out of one operation, so the
    gradients of single tasks are dearer to come by: for methods that compare them take separate heads.

    Parameters
    ----------
    in_features : int
    n_tasks : int
    n_outputs : int, default=1
        Raw outputs of each task.

    Examples
    --------
    >>> heads = StackedLinearHeads(8, 40)
    >>> outputs = heads(torch.zeros(5, 8))
    >>> outputs.shape
    torch.Size([5, 40, 1])
    """

    def __init__(self, in_features: int, n_tasks: int, n_outputs: int = 1) -> None:
        super().__init__()
        if min(in_features, n_tasks, n_outputs) < 1:
            raise ValueError(
                "`in_features`, `n_tasks` and `n_outputs` of StackedLinearHeads must be at least 1; "
                f"got {in_features}, {n_tasks} and {n_outputs}."
            )
        bound = in_features**-0.5  # as nn.Linear
        self.weight = nn.Parameter(torch.empty(n_tasks, n_outputs, in_features).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(n_tasks, n_outputs))

    @classmethod
    def of(cls, heads: Iterable[nn.Linear | LinearHead]) -> "StackedLinearHeads":
        """Stack heads of one width; copies of their parameters."""
        pairs = [(head.linear.weight if isinstance(head, LinearHead) else head.weight, head.bias) for head in heads]
        shapes = {(tuple(weight.shape), len(weight) if bias is None else len(bias)) for weight, bias in pairs}
        if len(shapes) != 1 or any(shape[0] != n_outputs for shape, n_outputs in shapes):
            raise ValueError(f"Heads that are stacked must be of one width; got weights and outputs {sorted(shapes)}.")
        weight = torch.stack([own.detach() for own, _ in pairs])
        stacked = cls(weight.shape[2], len(weight), weight.shape[1]).to(weight)
        stacked.weight = nn.Parameter(weight)
        stacked.bias = nn.Parameter(
            torch.stack([own.new_zeros(len(own)) if bias is None else bias.detach() for own, bias in pairs])
        )
        return stacked

    def forward(self, features: Tensor) -> Tensor:
        """Features [..., in_features] to raw outputs [..., n_tasks, n_outputs]."""
        return F.linear(features, self.weight.flatten(0, 1), self.bias.flatten()).unflatten(-1, self.bias.shape)


def joined_outputs(heads: Iterable[LinearHead], features: Tensor) -> Tensor:
    """Raw outputs of separate heads side by side, [..., outputs of all], as one product; heads may differ in width.

    >>> heads = [LinearHead(8, 1), LinearHead(8, 4, n_dependent=1)]
    >>> joined_outputs(heads, torch.zeros(5, 8)).shape
    torch.Size([5, 5])
    """
    weights: list[Tensor] = []
    biases: list[Tensor] = []
    for head in heads:
        constants = len(head.bias) - len(head.linear.weight)
        weights.append(F.pad(head.linear.weight, (0, 0, 0, constants)) if constants else head.linear.weight)
        biases.append(head.bias)
    return F.linear(features, torch.cat(weights), torch.cat(biases))
