"""What lies above the shared part of a network, and what below: read from the graph that autograd keeps."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

from polytask.exceptions import OptionError


@dataclass
class TaskGraph:
    """The graph of the losses, divided at the edges where the tasks meet.

    Attributes
    ----------
    roots : list of GradientEdge or None
        One per task, or a single one; None for a loss without a graph.
    separate : bool
        Whether each task has its root; else all losses come out of one operation.
    boundary : list of GradientEdge
        Where the tasks' own parts meet the trunk.
    own : list of list of Tensor
        Per root the leaves (parameters) above the boundary.
    below : list of Tensor
        Leaves under the boundary.
    at_features : bool
        Whether the boundary was given; else it is where tasks first meet.
    """

    roots: list[GradientEdge | None]
    separate: bool
    boundary: list[GradientEdge]
    own: list[list[Tensor]] = field(default_factory=list)
    below: list[Tensor] = field(default_factory=list)
    at_features: bool = False

    @property
    def leaves(self) -> list[Tensor]:
        """All parameters, each once."""
        return list(dict.fromkeys([*self.below, *(leaf for leaves in self.own for leaf in leaves)]))


def roots_of(losses: Tensor | Sequence[Tensor]) -> tuple[list[GradientEdge | None], bool]:
    """One root per task if the losses are a sequence or were put together by ``torch.stack``; else one for all, and False."""
    if not isinstance(losses, Tensor):
        return [get_gradient_edge(loss) if loss.requires_grad else None for loss in losses], True
    if losses.dim() == 1 and losses.grad_fn is not None and losses.grad_fn.name() == "StackBackward0":
        edges = losses.grad_fn.next_functions
        return [None if node is None else GradientEdge(node, number) for node, number in edges], True
    return [get_gradient_edge(losses) if losses.requires_grad else None], False


def divide(losses: Tensor | Sequence[Tensor], features: Iterable[Tensor] | None = None) -> TaskGraph:
    """Divide the graph at ``features``, or where two tasks first meet; losses out of one operation meet right there.

    Raises
    ------
    OptionError
        If one of the features was computed from another: what goes down from both would count twice.
    """
    roots, separate = roots_of(losses)
    if features is not None:
        boundary = [get_gradient_edge(feature) for feature in features]
        stops = {(edge.node, edge.output_nr) for edge in boundary}
        _check_side_by_side(boundary, stops)
        own = [_leaves_above(root, stops) for root in roots]
        return TaskGraph(roots, separate, boundary, own, _leaves_below(boundary), at_features=True)
    if not separate:
        boundary = [root for root in roots if root is not None]
        return TaskGraph(roots, separate, boundary, [[]], _leaves_below(boundary))
    trunk, entered = _trunk(roots)
    edges: dict[tuple[Any, int], None] = {}
    own = [_leaves_above(root, trunk, edges) for root in roots]
    boundary = [GradientEdge(node, number) for node, number in edges]
    if any(edge.node in entered for edge in boundary):
        # as where gates read the features that experts are computed from: what goes down would count twice
        starts = [root for root in roots if root is not None]
        return TaskGraph(roots, separate, starts, [[] for _ in roots], _leaves_below(starts))
    return TaskGraph(roots, separate, boundary, own, [node.variable for node in trunk if hasattr(node, "variable")])


def leaves_of(root: GradientEdge) -> list[Tensor]:
    """All leaves that a root leads to, in an order that depends on its own graph only."""
    return _leaves_above(root, ())


def is_reached(graph: TaskGraph) -> bool:
    """Whether one of the losses depends on what comes out of the boundary."""
    stops = {(edge.node, edge.output_nr) for edge in graph.boundary}
    stack: list[Any] = [(root.node, root.output_nr) for root in graph.roots if root is not None]
    seen: set[Any] = set(stack)
    while stack:
        edge = stack.pop()
        if edge in stops:
            return True
        more = {child for child in edge[0].next_functions if child[0] is not None} - seen
        seen |= more
        stack += more
    return False


def _check_side_by_side(boundary: list[GradientEdge], stops: set[Any]) -> None:
    seen: set[Any] = set()
    stack = [edge.node for edge in boundary]
    while stack:
        for child in stack.pop().next_functions:
            if child in stops:
                raise OptionError(
                    "`features` must not be computed from each other; got one that is. Give the last shared representation only."
                )
            if child[0] is not None and child[0] not in seen:
                seen.add(child[0])
                stack.append(child[0])


def _trunk(roots: list[GradientEdge | None]) -> tuple[dict[Any, None], set[Any]]:
    """Nodes that more than one root reaches, in the order of the walk; and those among them that another one leads to."""
    owner: dict[Any, int] = {}
    met: dict[Any, None] = {}
    for number, root in enumerate(roots):
        stack = [] if root is None else [root.node]
        while stack:
            node = stack.pop()
            if owner.setdefault(node, number) != number:
                met[node] = None
                continue
            stack += [child for child, _ in node.next_functions if child is not None and owner.get(child) != number]
    trunk: dict[Any, None] = {}
    entered: set[Any] = set()
    stack = list(met)
    while stack:
        node = stack.pop()
        if node not in trunk:
            trunk[node] = None
            children = [child for child, _ in node.next_functions if child is not None]
            entered.update(children)
            stack += children
    return trunk, entered


def _leaves_above(
    root: GradientEdge | None, stops: Container[Any], edges: dict[tuple[Any, int], None] | None = None
) -> list[Tensor]:
    """Leaves reached from the root without passing a stop: nodes if ``edges`` are collected, else (node, number) pairs."""
    leaves: dict[Tensor, None] = {}
    seen: set[Any] = set()
    stack = [] if root is None else [(root.node, root.output_nr)]
    while stack:
        edge = stack.pop()
        if (edge[0] if edges is not None else edge) in stops:
            if edges is not None:
                edges[edge] = None
            continue
        if edge[0] in seen:
            continue
        seen.add(edge[0])
        if hasattr(edge[0], "variable"):
            leaves[edge[0].variable] = None
        stack += [(child, number) for child, number in edge[0].next_functions if child is not None]
    return list(leaves)


def _leaves_below(edges: Iterable[GradientEdge]) -> list[Tensor]:
    leaves: dict[Tensor, None] = {}
    seen: set[Any] = set()
    stack = [edge.node for edge in edges]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            leaves[node.variable] = None
        stack += [child for child, _ in node.next_functions if child is not None]
    return list(leaves)


def reachable(leaves: Iterable[Tensor], wanted: Iterable[Tensor]) -> list[Tensor]:
    """Those of ``wanted`` that are among ``leaves``, each once; parameters that are frozen or unused are not."""
    there = {id(leaf) for leaf in leaves}
    return list(dict.fromkeys(p for p in wanted if id(p) in there))
