"""Which parameters a loss reaches, read from the graph that autograd keeps."""

from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor


def shared_parameters(losses: Sequence[Tensor]) -> list[Tensor]:
    """Parameters that more than one of the losses reaches.

    Parameters
    ----------
    losses : sequence of n_tasks Tensors
        Each out of its own part of the network. Losses that come out of one operation reach all the same parameters.

    Examples
    --------
    >>> import torch
    >>> trunk, first, second = (torch.ones(1, requires_grad=True) for _ in range(3))
    >>> found = shared_parameters([trunk * first, trunk * second])
    >>> len(found), found[0] is trunk
    (1, True)
    """
    seen: dict[Tensor, int] = {}
    for loss in losses:
        for leaf in parameters_below([loss]):
            seen[leaf] = seen.get(leaf, 0) + 1
    return [leaf for leaf, n_losses in seen.items() if n_losses > 1]


def parameters_below(tensors: Iterable[Tensor]) -> list[Tensor]:
    """Parameters from which any of the tensors was computed."""
    leaves: dict[Tensor, None] = {}
    seen: set[Any] = set()
    stack = [tensor.grad_fn for tensor in tensors if tensor.grad_fn is not None]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            leaves[node.variable] = None
        stack += [child for child, _ in node.next_functions if child is not None]
    return list(leaves)
