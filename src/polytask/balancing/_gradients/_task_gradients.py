"""The gradient of every task, each on its own, as cheaply as it can be had."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from polytask.balancing._gradients._arrivals import Arrivals, grad
from polytask.balancing._gradients._blocks import Block, HeadBlock, OuterBlock, WrittenBlock
from polytask.balancing._gradients._graph import TaskGraph
from polytask.balancing._gradients._held_block import HeldBlock
from polytask.balancing._gradients._linear_uses import LinearUse, linear_uses, parents_below
from polytask.balancing._gradients._workspace import Workspace

_FEW_TASKS = 3  # up to here gradients of large tensors stay where they are
_LARGE = 2**15  # values


@dataclass
class TaskGradients:
    """Gradients of the tasks with respect to some tensors, and of the parameters that are not balanced.

    Attributes
    ----------
    wrt : list of Tensor
        Shared parameters, or features.
    n_tasks : int
    blocks : list of Block
        The tasks' gradients of ``wrt``; every tensor is in one block.
    own : dict of Tensor to Tensor
        Gradients of the other parameters, each of the plain sum of the losses.
    """

    wrt: list[Tensor]
    n_tasks: int
    blocks: list[Block] = field(default_factory=list)
    own: dict[Tensor, Tensor] = field(default_factory=dict)

    @property
    def rows(self) -> Tensor:
        """The Jacobian [n_tasks, n_parameters]: per task its gradients of ``wrt``, flattened side by side."""
        if len(self.blocks) == 1 and isinstance(self.blocks[0], WrittenBlock):
            return self.blocks[0].rows
        return torch.stack([self._joined([block.row(task) for block in self.blocks]) for task in range(self.n_tasks)])

    def gramian(self, *, precise: bool = False) -> Tensor:
        """Inner products [n_tasks, n_tasks] of the tasks' gradients, float64; ``precise``: summed in float64 as well."""
        first, *others = [block.gramian(precise=precise) for block in self.blocks]
        return sum(others, first)

    def combine(self, weights: Tensor) -> list[Tensor]:
        """Sum of the tasks' gradients with these weights, one tensor for each of ``wrt``."""
        found = {
            id(tensor): part for block in self.blocks for tensor, part in zip(block.wrt, block.combine(weights), strict=True)
        }
        return [found[id(tensor)] for tensor in self.wrt]

    def split(self, flat: Tensor) -> list[Tensor]:
        """A direction [n_parameters] in the shapes of ``wrt``."""
        parts = flat.split([tensor.numel() for tensor in self.wrt])
        return [part.view_as(tensor) for part, tensor in zip(parts, self.wrt, strict=True)]

    def add_own(self, tensor: Tensor, gradient: Tensor) -> None:
        """Add a gradient of a parameter that is not balanced."""
        self.own[tensor] = self.own[tensor] + gradient if tensor in self.own else gradient.detach()

    def _joined(self, parts: list[list[Tensor]]) -> Tensor:
        found = {
            id(tensor): part
            for block, some in zip(self.blocks, parts, strict=True)
            for tensor, part in zip(block.wrt, some, strict=True)
        }
        return torch.cat([found[id(tensor)].reshape(-1) for tensor in self.wrt])


def task_gradients(
    graph: TaskGraph, shared: Sequence[Tensor], others: Sequence[Tensor], factors: Tensor, **options: Any
) -> TaskGradients:
    """Gradients at the features, or of the shared parameters; options as in :func:`feature_gradients`."""
    if graph.at_features:
        return feature_gradients(graph, shared, factors, **options)
    return parameter_gradients(graph, shared, others, factors, **options)


def feature_gradients(
    graph: TaskGraph,
    features: Sequence[Tensor],
    factors: Tensor,
    *,
    like: Tensor,
    workspace: Workspace | None = None,
    written: bool = True,
) -> TaskGradients:
    """Gradients [n_tasks, values of the features]: every task's own part is gone through, the trunk is not.

    Parameters
    ----------
    graph : TaskGraph
        Divided at ``features``.
    factors : Tensor of shape (n_tasks,)
        The losses are multiplied by these; a task with 0 has a row of zeros, whatever its loss is.
    like : Tensor
        A loss: dtype and device of the root gradients.
    workspace : Workspace, optional
        Memory to use again; fresh by default.
    written : bool, default=True
        Whether the Jacobian must be written out; else gradients may be kept as products.
    """
    found = TaskGradients(list(features), len(factors))
    arrivals = Arrivals(graph, factors, like=like, write=lambda task, leaf, gradient: found.add_own(leaf, gradient))
    n_outputs = sum(g.shape[1] for edges in arrivals.products.values() for pairs in edges for g, _ in pairs)
    few = n_outputs <= 4 * len(factors) or n_outputs <= 64
    if not written and few and arrivals.tasks and len(arrivals.products) == len(arrivals.tasks):
        for k, feature in enumerate(features):
            found.blocks.append(_head_block(arrivals, k, feature, len(factors)))
        return found
    workspace = workspace or Workspace()
    block = _written_block("rows", features, len(factors), workspace)
    for task in arrivals.tasks:
        for feature, gradient in zip(features, arrivals.of(task), strict=True):
            if gradient is not None:
                block.write(task, feature, gradient)
    block.finish()
    found.blocks.append(block)
    return found


def _head_block(arrivals: Arrivals, edge: int, feature: Tensor, n_tasks: int) -> Block:
    """Gradients of one feature as products."""
    parts = [(task, g, w) for task in arrivals.tasks for g, w in arrivals.products[task][edge]]
    if not parts:
        return WrittenBlock([feature], feature.new_zeros(n_tasks, feature.numel()))
    owner = torch.tensor([task for task, g, _ in parts for _ in range(g.shape[1])], device=feature.device)
    outputs, weights = torch.cat([g for _, g, _ in parts], 1), torch.cat([w for _, _, w in parts], 0).T
    return HeadBlock(feature, outputs, weights, owner, n_tasks=n_tasks)


def parameter_gradients(
    graph: TaskGraph,
    shared: Sequence[Tensor],
    others: Sequence[Tensor],
    factors: Tensor,
    *,
    like: Tensor,
    workspace: Workspace | None = None,
    written: bool = True,
) -> TaskGradients:
    """Gradients [n_tasks, n_shared_parameters]: the heads once each, then the trunk once per task.

    Parameters
    ----------
    graph : TaskGraph
        Divided where tasks meet.
    shared, others : sequence of Tensor
        Parameters that are balanced; parameters that get the gradient of the sum.
    factors, like, workspace, written
        As in :func:`feature_gradients`.
    """
    found = TaskGradients(list(shared), len(factors))
    workspace = workspace or Workspace()
    below = {id(leaf) for leaf in graph.below}
    trunk = [p for p in shared if id(p) in below]
    kept = {} if written else _kept_as_products(graph, trunk, len(factors))
    few = not written and len(factors) <= _FEW_TASKS
    held = HeldBlock([p for p in shared if few and p not in kept and p.numel() >= _LARGE], len(factors))
    block = _written_block("rows", [p for p in shared if p not in kept and p not in held], len(factors), workspace)

    def write(task: int, leaf: Tensor, gradient: Tensor) -> None:
        if leaf in held:
            held.write(task, leaf, gradient)
        elif leaf in block:
            block.write(task, leaf, gradient)
        else:
            found.add_own(leaf, gradient)

    arrivals = Arrivals(graph, factors, like=like, write=write)
    outer = {p: _outer_block(f"arriving {k}", p, uses, arrivals, workspace) for k, (p, uses) in enumerate(kept.items())}
    uses = [(p, number, use) for p, some in kept.items() for number, use in enumerate(some)]
    direct = [p for p in trunk if p not in kept]
    unbalanced = [p for p in others if id(p) in below]
    for task in arrivals.tasks:
        reached = grad(graph.boundary, [*(use.output for *_, use in uses), *direct], arrivals.of(task))
        starts = dict.fromkeys(kept, 0)
        for (p, _, use), gradient in zip(uses, reached[: len(uses)], strict=True):
            stop = starts[p] + len(use.inputs)
            outer[p].arriving[task, starts[p] : stop] = 0 if gradient is None else gradient
            starts[p] = stop
        for p, gradient in zip(direct, reached[len(uses) :], strict=True):
            if gradient is not None:
                write(task, p, gradient)
    block.finish()
    if unbalanced:
        ones = torch.ones_like(factors)
        for p, gradient in zip(unbalanced, grad(graph.boundary, unbalanced, arrivals.combined(ones)), strict=True):
            if gradient is not None:
                found.add_own(p, gradient)
    found.blocks = [*outer.values(), *(one for one in (held, block) if one.wrt)]
    return found


def _kept_as_products(graph: TaskGraph, trunk: Sequence[Tensor], n_tasks: int) -> dict[Tensor, list[LinearUse]]:
    """The shared weights of linear layers whose gradients are cheaper to keep as products, with the uses of each."""
    parents = parents_below(graph.boundary)
    leaves = {id(node.variable): node for node in parents if hasattr(node, "variable")}
    above = {id(leaf) for own in graph.own for leaf in own}
    found = {}
    for p in trunk:
        uses = linear_uses(leaves[id(p)], parents) if p.dim() == 2 and id(p) not in above else None
        if uses is not None and _products_pay(p, sum(len(use.inputs) for use in uses), n_tasks):
            found[p] = uses
    return found


def _products_pay(weight: Tensor, n: int, n_tasks: int) -> bool:
    """Whether multiplications are saved: those of one task, of pairs of tasks, and of the direction."""
    out, wide = weight.shape
    kept = n_tasks * n * n * out + n * n * wide + n_tasks**2 * n * out / 2 + n * wide * out
    written_out = n_tasks * n * wide * out + n_tasks**2 * wide * out
    return kept < written_out


def _outer_block(name: str, p: Tensor, uses: list[LinearUse], arrivals: Arrivals, workspace: Workspace) -> OuterBlock:
    inputs = [use.inputs.detach() for use in uses]
    joined = inputs[0] if len(inputs) == 1 else torch.cat(inputs)
    n_tasks = len(arrivals.factors)
    arriving = workspace.take(name, (n_tasks, len(joined), len(p)), joined)
    for absent in set(range(n_tasks)) - set(arrivals.tasks):
        arriving[absent] = 0
    return OuterBlock(p, joined, arriving, workspace)


def _written_block(name: str, tensors: Sequence[Tensor], n_tasks: int, workspace: Workspace) -> WrittenBlock:
    like: Any = tensors[0] if tensors else torch.empty(0)
    return WrittenBlock(tensors, workspace.take(name, (n_tasks, sum(tensor.numel() for tensor in tensors)), like))
