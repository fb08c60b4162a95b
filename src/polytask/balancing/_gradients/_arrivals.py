"""What arrives at the shared part of a network, from each task on its own."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from polytask.balancing._gradients._graph import TaskGraph
from polytask.balancing._gradients._linear_uses import LinearUse, linear_use

Arriving = list[Tensor | None]
Sink = Callable[[int, Tensor, Tensor], None]


class Arrivals:
    """Gradients of the tasks at the boundary of the shared part; those of the parameters above it are handed on, once.

    Where every task enters the shared part by linear layers, which heads mostly are, all heads are gone through in one backward
    pass: the gradients of a head's outputs belong to its task alone, and what goes on from there is a product with its weight.

    Parameters
    ----------
    graph : TaskGraph
    factors : Tensor of shape (n_tasks,)
        The losses are multiplied by these; a task with 0 is not gone through, whatever its loss is.
    like : Tensor
        A loss: dtype and device of the gradients of losses.
    write : function of task, parameter and gradient
        Takes the gradients of the parameters above the boundary.
    """

    def __init__(self, graph: TaskGraph, factors: Tensor, *, like: Tensor, write: Sink) -> None:
        self.graph = graph
        self.factors = factors
        self.like = like
        self.write = write
        self.tasks: list[int] = [task for task, factor in enumerate(factors.tolist()) if factor]
        self.products: dict[int, list[list[tuple[Tensor, Tensor]]]] = {}  # per task and edge: gradients of outputs, weights
        self._gone_through: set[int] = set()
        self._place = {(edge.node, edge.output_nr): k for k, edge in enumerate(graph.boundary)}
        self._inside = {node for node, _ in self._place}
        if graph.separate:
            self._all_heads_at_once()

    def of(self, task: int) -> Arriving:
        """Gradients of one task, one per edge of the boundary."""
        if task not in self.products:
            return self._alone(task)
        return [
            None if not pairs else torch.mm(*pairs[0]) if len(pairs) == 1 else torch.stack([g @ w for g, w in pairs]).sum(0)
            for pairs in self.products[task]
        ]

    def combined(self, weights: Tensor) -> Arriving:
        """Weighted sum over the tasks, one per edge of the boundary."""
        total: Arriving = [None] * len(self.graph.boundary)
        if len(self.tasks) == len(self.products):
            for k in range(len(total)):
                pairs = [(task, g, w) for task in self.tasks for g, w in self.products[task][k]]
                if pairs:
                    outputs = torch.cat([g for _, g, _ in pairs], 1)
                    owner = torch.tensor([task for task, g, _ in pairs for _ in range(g.shape[1])], device=weights.device)
                    total[k] = (outputs * weights[owner].to(outputs)) @ torch.cat([w for *_, w in pairs], 0)
            return total
        for task in self.tasks:
            for k, new in enumerate(self.of(task)):
                if new is not None:
                    part, old = new * weights[task].to(new), total[k]
                    total[k] = part if old is None else old + part
        return total

    def _all_heads_at_once(self) -> None:
        """One backward pass from all losses whose tasks enter by linear layers down to the outputs of these."""
        graph = self.graph
        entries = {task: self._linear_entries(task) for task in self.tasks if graph.roots[task] is not None}
        at_once = [task for task, found in entries.items() if found is not None]
        if not at_once:
            return
        uses = [(task, use) for task in at_once for use in entries[task] or ()]
        leaves = [(task, leaf) for task in at_once for leaf in graph.own[task]]
        found = grad(
            [graph.roots[task] for task in at_once],
            [*(use.output for _, use in uses), *(leaf for _, leaf in leaves)],
            list(self.factors.to(self.like).unbind()) if len(at_once) == len(self.factors) else [self._start(t) for t in at_once],
        )
        for task in at_once:
            self.products[task] = [[] for _ in graph.boundary]
            self._gone_through.add(task)
        for (task, use), gradient in zip(uses, found[: len(uses)], strict=True):
            if gradient is not None:
                self.products[task][self._place[use.input_edge]].append((gradient, use.weight.detach().T))
        for (task, leaf), gradient in zip(leaves, found[len(uses) :], strict=True):
            if gradient is not None:
                self.write(task, leaf, gradient)

    def _linear_entries(self, task: int) -> list[LinearUse] | None:
        """The linear layers by which a task enters the shared part; None if it enters in any other way."""
        root = self.graph.roots[task]
        assert root is not None
        if (root.node, root.output_nr) in self._place:
            return None
        place, inside = self._place, self._inside
        found, seen, stack = [], {root.node}, [root.node]
        while stack:
            node = stack.pop()
            slots = []
            for slot, edge in enumerate(node.next_functions):
                child = edge[0]
                if child is None:
                    continue
                if edge in place:
                    slots.append(slot)
                elif child in inside:  # another output of a node of the boundary
                    return None
                elif child not in seen:
                    seen.add(child)
                    stack.append(child)
            if slots:
                use = linear_use(node)
                if use is None or slots != [use.input_slot]:
                    return None
                found.append(use)
        return found

    def _start(self, task: int) -> Tensor:
        return self.factors[task].to(self.like)

    def _alone(self, task: int) -> Arriving:
        """Gradients of one task by a backward pass of its own."""
        graph, one_root = self.graph, not self.graph.separate
        if one_root:
            start = torch.zeros(len(self.factors), dtype=self.like.dtype, device=self.like.device)
            start[task] = self.factors[task]
        else:
            start = self._start(task)
        root = graph.roots[0 if one_root else task]
        if root is None:
            return [None] * len(graph.boundary)
        at_root = [(edge.node, edge.output_nr) == (root.node, root.output_nr) for edge in graph.boundary]
        if any(at_root):  # nothing lies above
            return [start if here else None for here in at_root]
        leaves = [] if task in self._gone_through else graph.own[0 if one_root else task]
        reached = grad([root], [*graph.boundary, *leaves], [start])
        for leaf, gradient in zip(leaves, reached[len(graph.boundary) :], strict=True):
            if gradient is not None:
                self.write(task, leaf, gradient)
        self._gone_through.add(task)
        return reached[: len(graph.boundary)]


def grad(outputs: Sequence[Any], inputs: Sequence[Any], arriving: Sequence[Tensor | None]) -> Arriving:
    """:func:`torch.autograd.grad` that keeps the graph, and gives None for what is not reached."""
    pairs = [(edge, gradient) for edge, gradient in zip(outputs, arriving, strict=True) if gradient is not None]
    if not inputs or not pairs:
        return [None] * len(inputs)
    edges, given = zip(*pairs, strict=True)
    return list(torch.autograd.grad(edges, inputs, given, retain_graph=True, allow_unused=True))
