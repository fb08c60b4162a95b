"""The gradient of every task, each on its own, as cheaply as it can be had."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge

from polytask.balancing._graph import TaskGraph

Arriving = list[Tensor | None]


@dataclass
class TaskGradients:
    """Gradients of the tasks with respect to some tensors, and of the parameters that are not balanced.

    Attributes
    ----------
    wrt : list of Tensor
        Shared parameters, or features.
    rows : Tensor of shape (n_tasks, n_parameters)
        The Jacobian: per task its gradients of ``wrt``, flattened side by side.
    own : dict of Tensor to Tensor
        Gradients of the parameters of single tasks, each of the plain sum of the losses: no other loss reaches it.
    """

    wrt: list[Tensor]
    rows: Tensor
    own: dict[Tensor, Tensor] = field(default_factory=dict)

    def split(self, flat: Tensor) -> list[Tensor]:
        """A direction [n_parameters] in the shapes of ``wrt``."""
        parts = flat.split([tensor.numel() for tensor in self.wrt])
        return [part.view_as(tensor) for part, tensor in zip(parts, self.wrt, strict=True)]

    def write(self, row: int, tensors: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> None:
        """Add gradients to a row of the Jacobian; those of other tensors to ``own``."""
        starts = {id(tensor): start for tensor, start in zip(self.wrt, self._starts(), strict=True)}
        for tensor, gradient in zip(tensors, gradients, strict=True):
            if gradient is None:
                continue
            if id(tensor) in starts:
                self.rows[row, starts[id(tensor)] :][: tensor.numel()] += gradient.detach().reshape(-1)
            else:
                self.own[tensor] = self.own[tensor] + gradient if tensor in self.own else gradient.detach()

    def _starts(self) -> list[int]:
        starts = [0]
        for tensor in self.wrt:
            starts.append(starts[-1] + tensor.numel())
        return starts[:-1]


def feature_gradients(graph: TaskGraph, features: Sequence[Tensor], factors: Tensor, *, like: Tensor) -> TaskGradients:
    """Gradients [n_tasks, values of the features]: every task's own part is gone through, the trunk is not.

    Parameters
    ----------
    graph : TaskGraph
        Divided at ``features``.
    factors : Tensor of shape (n_tasks,)
        The losses are multiplied by these; a task with 0 has a row of zeros, whatever its loss is.
    like : Tensor
        A loss: dtype and device of the root gradients.
    """
    found = TaskGradients(list(features), _zeros(len(factors), features))
    for task in torch.nonzero(factors).ravel().tolist():
        arriving = _through_heads(graph, task, factors, found, like)
        found.write(task, features, arriving)
    return found


def parameter_gradients(
    graph: TaskGraph, shared: Sequence[Tensor], others: Sequence[Tensor], factors: Tensor, *, like: Tensor
) -> TaskGradients:
    """Gradients [n_tasks, n_shared_parameters]: the heads once each, then the trunk once per task.

    Parameters
    ----------
    graph : TaskGraph
        Divided where tasks meet.
    shared, others : sequence of Tensor
        Parameters that are balanced; parameters that get the gradient of the sum.
    factors, like
        As in :func:`feature_gradients`.
    """
    found = TaskGradients(list(shared), _zeros(len(factors), shared))
    below = {id(leaf) for leaf in graph.below}
    trunk = [p for p in shared if id(p) in below]
    unbalanced = [p for p in others if id(p) in below]
    total: Arriving = [None] * len(graph.boundary)
    for task in torch.nonzero(factors).ravel().tolist():
        arriving = _through_heads(graph, task, factors, found, like)
        found.write(task, trunk, _grad(graph.boundary, trunk, arriving))
        if unbalanced:
            total = [new if old is None else old if new is None else old + new for old, new in zip(total, arriving, strict=True)]
    if unbalanced:
        found.write(0, unbalanced, _grad(graph.boundary, unbalanced, total))
    return found


def _through_heads(graph: TaskGraph, task: int, factors: Tensor, found: TaskGradients, like: Tensor) -> Arriving:
    """Gradients that arrive at the boundary from one task; those of the parameters above it are written on the way."""
    one_root = not graph.separate
    if one_root:
        start = torch.zeros(len(factors), dtype=like.dtype, device=like.device)
        start[task] = factors[task]
    else:
        start = factors[task].to(like)
    root = graph.roots[0 if one_root else task]
    if root is None:
        return [None] * len(graph.boundary)
    at_root = [(edge.node, edge.output_nr) == (root.node, root.output_nr) for edge in graph.boundary]
    if any(at_root):  # nothing lies above
        return [start if here else None for here in at_root]
    leaves = graph.own[0 if one_root else task]
    reached = _grad([root], [*graph.boundary, *leaves], [start])
    found.write(task, leaves, reached[len(graph.boundary) :])
    return reached[: len(graph.boundary)]


def _grad(outputs: Sequence[GradientEdge], inputs: Sequence[Any], arriving: Arriving) -> Arriving:
    """:func:`torch.autograd.grad` that keeps the graph, and gives None for what is not reached."""
    pairs = [(edge, gradient) for edge, gradient in zip(outputs, arriving, strict=True) if gradient is not None]
    if not inputs or not pairs:
        return [None] * len(inputs)
    edges, given = zip(*pairs, strict=True)
    return list(torch.autograd.grad(edges, inputs, given, retain_graph=True, allow_unused=True))


def _zeros(n_tasks: int, tensors: Sequence[Tensor]) -> Tensor:
    n_values = sum(tensor.numel() for tensor in tensors)
    return torch.zeros(n_tasks, n_values, dtype=tensors[0].dtype, device=tensors[0].device)
