"""The tasks' gradients of some parameters: written out, or as the products that they are."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from polytask.balancing._gradients._workspace import Workspace

_CANCELLED = 1e-4  # a product of sums smaller than this share of its terms has lost too many digits
_CHUNK = 2**22  # values of a temporary


class Block(Protocol):
    """Gradients of some tensors, one per task."""

    wrt: list[Tensor]

    def gramian(self, *, precise: bool = False) -> Tensor:
        """Inner products [n_tasks, n_tasks], float64; ``precise``: summed in float64 as well."""

    def combine(self, weights: Tensor) -> list[Tensor]:
        """Sum of the tasks' gradients with these weights [n_tasks], for each of ``wrt``."""

    def row(self, task: int) -> list[Tensor]:
        """Gradients of one task."""


class WrittenBlock:
    """Gradients written out side by side.

    Parameters
    ----------
    rows : Tensor of shape (n_tasks, values of all of ``wrt``)
        Filled by :meth:`write`; what is never written counts as zero.
    """

    def __init__(self, wrt: Sequence[Tensor], rows: Tensor) -> None:
        self.wrt = list(wrt)
        self.rows = rows
        sizes = [tensor.numel() for tensor in self.wrt]
        starts = [sum(sizes[:k]) for k in range(len(sizes))]
        self._place = {id(tensor): slice(a, a + n) for tensor, a, n in zip(self.wrt, starts, sizes, strict=True)}
        self._written: set[tuple[int, int]] = set()

    def __contains__(self, tensor: Tensor) -> bool:
        return id(tensor) in self._place

    def write(self, task: int, tensor: Tensor, gradient: Tensor) -> None:
        """Put a gradient into its place, or add it to what is there."""
        part = self.rows[task, self._place[id(tensor)]]
        key = task, id(tensor)
        if key in self._written:
            part += gradient.detach().reshape(-1)
        else:
            part.view(tensor.shape).copy_(gradient)
            self._written.add(key)

    def finish(self) -> None:
        """Zero what was not written."""
        if len(self._written) == len(self.rows) * len(self.wrt):
            return
        for task, row in enumerate(self.rows):
            for key, part in self._place.items():
                if (task, key) not in self._written:
                    row[part] = 0
                    self._written.add((task, key))

    def gramian(self, *, precise: bool = False) -> Tensor:
        """Inner products [n_tasks, n_tasks]."""
        if precise:
            return precise_gramian(self.rows)
        rows = self.rows if self.rows.dtype.itemsize >= 4 else self.rows.float()
        return (rows @ rows.T).double()

    def inner(self, tensor: Tensor, gradient: Tensor, *, precise: bool = False) -> Tensor:
        """Inner products [n_tasks] of one more gradient of a tensor with these; ``precise``: summed in float64 as well."""
        rows = self.rows[:, self._place[id(tensor)]]
        if precise:
            size = max(1, _CHUNK // max(1, len(rows)))
            flat = gradient.detach().reshape(-1)
            parts = zip(rows.split(size, dim=1), flat.split(size), strict=True)
            return sum((a.double() @ b.double() for a, b in parts), rows.new_zeros(len(rows), dtype=torch.float64))
        kind = rows.dtype if rows.dtype.itemsize >= 4 else torch.float32
        return (rows.to(kind) @ gradient.detach().reshape(-1).to(kind)).double()

    def combine(self, weights: Tensor) -> list[Tensor]:
        """Weighted sums."""
        flat = weights.to(self.rows) @ self.rows
        return [flat[self._place[id(tensor)]].view_as(tensor) for tensor in self.wrt]

    def row(self, task: int) -> list[Tensor]:
        """Gradients of one task."""
        return [self.rows[task, self._place[id(tensor)]].view_as(tensor) for tensor in self.wrt]


class OuterBlock:
    """Gradients ``G[t].T @ A`` of the weight of a linear layer, kept as the gradients G of its outputs and its inputs A.

    Cheaper where the batch is smaller than the layer is wide: inner products come out of ``<A A.T, G[s] G[t].T>``, and only the
    final direction is multiplied out.

    Parameters
    ----------
    weight : Tensor of shape (out, in)
    inputs : Tensor of shape (n, in)
    arriving : Tensor of shape (n_tasks, n, out)
    """

    def __init__(self, weight: Tensor, inputs: Tensor, arriving: Tensor, workspace: Workspace) -> None:
        self.wrt = [weight]
        self.inputs = inputs
        self.arriving = arriving
        self.workspace = workspace

    def gramian(self, *, precise: bool = False) -> Tensor:
        """Inner products [n_tasks, n_tasks]; written out where gradients of rows cancel, since digits would be lost."""
        n_tasks, n, out = self.arriving.shape
        if precise:
            inputs = self.inputs.double()
            return precise_gramian(torch.stack([(g.double().T @ inputs).view(-1) for g in self.arriving]))
        flat = self.arriving.view(n_tasks, -1)
        kernel = self.inputs @ self.inputs.T
        half = kernel.triu(1)  # kernel = half + half.T + diagonal: a product with a triangle costs little more than half
        half.diagonal().add_(kernel.diagonal() / 2)
        size = max(1, min(n_tasks, _CHUNK // max(1, n * out)))
        passed = self.workspace.take("passed", (size, n, out), self.arriving)
        found = kernel.new_empty(n_tasks, n_tasks)
        for start in range(0, n_tasks, size):
            stop = min(start + size, n_tasks)
            for task in range(start, stop):
                _times_triangle(half, self.arriving[task], out=passed[task - start])
            torch.mm(passed[: stop - start].view(stop - start, -1), flat.T, out=found[start:stop])
        found = found + found.T
        terms = kernel.diagonal().sum() * torch.linalg.vector_norm(flat, dim=1) ** 2
        if bool((found.diagonal() < _CANCELLED * terms).any()):
            rows = torch.stack([g.T @ self.inputs for g in self.arriving]).view(n_tasks, -1)
            found = rows @ rows.T
        return found.double()

    def combine(self, weights: Tensor) -> list[Tensor]:
        """The weighted sum."""
        _, n, out = self.arriving.shape
        mixed = weights.to(self.arriving) @ self.arriving.view(len(weights), -1)
        return [mixed.view(n, out).T @ self.inputs]

    def row(self, task: int) -> list[Tensor]:
        """Gradient of one task."""
        return [self.arriving[task].T @ self.inputs]


class HeadBlock:
    """Gradients of a representation that linear heads read, kept as the gradients of the heads' outputs and their weights.

    Parameters
    ----------
    feature : Tensor of shape (n, in)
    outputs : Tensor of shape (n, outputs of all heads)
        Gradients that arrive at the heads' outputs; each output belongs to one task.
    weights : Tensor of shape (in, outputs)
        Of the heads, side by side.
    owner : Tensor of shape (outputs,)
        The task of each output.
    """

    def __init__(self, feature: Tensor, outputs: Tensor, weights: Tensor, owner: Tensor, *, n_tasks: int) -> None:
        self.wrt = [feature]
        self.outputs = outputs
        self.weights = weights
        self.owner = owner
        self.n_tasks = n_tasks

    def gramian(self, *, precise: bool = False) -> Tensor:
        """Inner products [n_tasks, n_tasks]."""
        outputs, weights = (self.outputs.double(), self.weights.double()) if precise else (self.outputs, self.weights)
        pairs = ((outputs.T @ outputs) * (weights.T @ weights)).double()
        summed = pairs.new_zeros(self.n_tasks, len(pairs)).index_add_(0, self.owner, pairs)
        return pairs.new_zeros(self.n_tasks, self.n_tasks).index_add_(1, self.owner, summed)

    def combine(self, weights: Tensor) -> list[Tensor]:
        """The weighted sum."""
        return [(self.outputs * weights.to(self.outputs)[self.owner]) @ self.weights.T]

    def row(self, task: int) -> list[Tensor]:
        """Gradient of one task."""
        own = self.owner == task
        return [self.outputs[:, own] @ self.weights[:, own].T]


def precise_gramian(rows: Tensor) -> Tensor:
    """Inner products [..., n_tasks, n_tasks] of rows [..., n_tasks, values], summed in float64 without a copy of them all."""
    parts = (part.double() for part in rows.split(max(1, _CHUNK // max(1, rows.shape[:-1].numel())), dim=-1))
    return sum((part @ part.mT for part in parts), rows.new_zeros(*rows.shape[:-1], rows.shape[-2], dtype=torch.float64))


def _times_triangle(upper: Tensor, values: Tensor, *, out: Tensor) -> None:
    """Product of an upper triangle [n, n] with values [n, d], leaving out most of what is zero."""
    n = len(upper)
    step = max(32, -(-n // 4))
    for start in range(0, n, step):
        torch.mm(upper[start : start + step, start:], values[start:], out=out[start : start + step])
