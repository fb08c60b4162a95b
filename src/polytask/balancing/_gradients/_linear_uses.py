"""Linear layers as autograd recorded them: what went in, and the weight."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.autograd.graph import GradientEdge


@dataclass(frozen=True)
class LinearUse:
    """One use of a linear layer, ``inputs @ weight.T`` with or without a bias.

    Attributes
    ----------
    node : Node
        Of autograd; the edge (node, 0) is where the gradient of the layer's outputs [n, out] arrives.
    input_slot : int
        Which of the node's next functions leads to the inputs.
    """

    node: Any
    input_slot: int

    @property
    def output(self) -> GradientEdge:
        """Where the gradient of the outputs arrives."""
        return GradientEdge(self.node, 0)

    @property
    def input_edge(self) -> tuple[Any, int]:
        """Where the gradient of the inputs goes."""
        edge: tuple[Any, int] = self.node.next_functions[self.input_slot]
        return edge

    @property
    def weight_node(self) -> Any:
        """Transpose of the weight, or None if that needs no gradient."""
        return self.node.next_functions[self.input_slot + 1][0]

    @property
    def inputs(self) -> Tensor:
        """[n, in]; only where the weight needs a gradient."""
        found: Tensor = self.node._saved_self if self.input_slot == 0 else self.node._saved_mat1
        return found

    @property
    def weight(self) -> Tensor:
        """The weight, transposed: [in, out]; only where the inputs need a gradient."""
        found: Tensor = self.node._saved_mat2
        return found


def linear_use(node: Any) -> LinearUse | None:
    """The linear layer that a node is; None for anything else, and where saved tensors are packed away (checkpoints)."""
    name = node.name()
    if name == "AddmmBackward0":
        if node._saved_alpha != 1 or node._saved_beta != 1:
            return None
        saved, slot = (node._raw_saved_mat1, node._raw_saved_mat2), 1
    elif name == "MmBackward0":
        saved, slot = (node._raw_saved_self, node._raw_saved_mat2), 0
    else:
        return None
    use = LinearUse(node, slot)
    if any(one.unpack_hook is not None for one in saved):
        return None
    return use


def linear_uses(leaf: Any, parents: dict[Any, list[tuple[Any, int]]]) -> list[LinearUse] | None:
    """All uses of a parameter, if it is the weight of linear layers and nothing else; else None.

    Parameters
    ----------
    leaf : Node
        Where the gradient of the parameter is accumulated.
    parents : dict of node to list of (node, slot)
        Of :func:`parents_below`.
    """
    uses = []
    for transpose, _ in parents[leaf]:
        if transpose is None or transpose.name() != "TBackward0":
            return None
        for node, slot in parents[transpose]:
            use = None if node is None else linear_use(node)
            if use is None or slot != use.input_slot + 1:
                return None
            uses.append(use)
    return uses or None


def parents_below(boundary: Iterable[GradientEdge]) -> dict[Any, list[tuple[Any, int]]]:
    """For every node under the boundary those that lead to it, with the number of the way; (None, 0) from above it."""
    parents: dict[Any, list[tuple[Any, int]]] = {}
    stack = []
    for edge in boundary:
        if edge.node not in parents:
            parents[edge.node] = []
            stack.append(edge.node)
        parents[edge.node].append((None, 0))
    while stack:
        node = stack.pop()
        for slot, (child, _) in enumerate(node.next_functions):
            if child is None:
                continue
            if child not in parents:
                parents[child] = []
                stack.append(child)
            parents[child].append((node, slot))
    return parents
