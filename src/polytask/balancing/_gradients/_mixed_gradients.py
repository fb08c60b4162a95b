"""The weighted sum of the tasks' gradients where the weights are known: one backward pass for all."""

from collections.abc import Sequence

import torch
from torch import Tensor

from polytask.balancing._gradients._arrivals import Arrivals, grad
from polytask.balancing._gradients._graph import TaskGraph


def mixed_gradients(
    graph: TaskGraph, shared: Sequence[Tensor], others: Sequence[Tensor], factors: Tensor, weights: Tensor, *, like: Tensor
) -> tuple[list[Tensor], dict[Tensor, Tensor]]:
    """Gradients of shared parameters, or features, with weights; of all others of the plain sum of the losses.

    Parameters
    ----------
    graph : TaskGraph
        Divided at ``shared``, if these are features; else where tasks meet.
    shared, others : sequence of Tensor
    factors : Tensor of shape (n_tasks,)
        The losses are multiplied by these; a task with 0 is not gone through.
    weights : Tensor of shape (n_tasks,)
    like : Tensor
        A loss.

    Returns
    -------
    mixed : list of Tensor
        One for each of ``shared``.
    own : dict of Tensor to Tensor
    """
    mixed: dict[Tensor, Tensor] = {}
    own: dict[Tensor, Tensor] = {}
    wanted = {id(tensor) for tensor in shared}

    def add(to: dict[Tensor, Tensor], leaf: Tensor, gradient: Tensor | None) -> None:
        if gradient is not None:
            to[leaf] = to[leaf] + gradient if leaf in to else gradient

    def write(task: int, leaf: Tensor, gradient: Tensor) -> None:
        if id(leaf) in wanted:
            add(mixed, leaf, gradient * weights[task].to(gradient))
        else:
            add(own, leaf, gradient)

    arrivals = Arrivals(graph, factors, like=like, write=write)
    arriving = arrivals.combined(weights)
    below = {id(leaf) for leaf in graph.below}
    trunk = [p for p in shared if id(p) in below]
    reached = arriving if graph.at_features else grad(graph.boundary, trunk, arriving)
    for tensor, gradient in zip(shared if graph.at_features else trunk, reached, strict=True):
        add(mixed, tensor, gradient)
    unbalanced = [p for p in others if id(p) in below]
    if unbalanced:
        plain = arrivals.combined(torch.ones_like(weights))
        for p, gradient in zip(unbalanced, grad(graph.boundary, unbalanced, plain), strict=True):
            add(own, p, gradient)
    return [mixed[tensor] if tensor in mixed else torch.zeros_like(tensor) for tensor in shared], own
