"""The Gramian of many tasks in little memory: the gradients of some tasks at a time, those of the others gone through again."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from polytask.balancing._gradients._arrivals import Arrivals, grad
from polytask.balancing._gradients._blocks import WrittenBlock
from polytask.balancing._gradients._graph import TaskGraph
from polytask.balancing._gradients._workspace import Workspace


def chunked_gramian(
    graph: TaskGraph,
    shared: Sequence[Tensor],
    factors: Tensor,
    *,
    chunk_size: int,
    like: Tensor,
    workspace: Workspace,
    precise: bool = False,
) -> Tensor:
    """Inner products [n_tasks, n_tasks] of the tasks' gradients, with no more than ``chunk_size`` + 1 of them held at once.

    With c tasks at a time, m tasks take about m (m / c + 1) / 2 backward passes through the shared part.

    Parameters
    ----------
    graph, shared, factors, like, workspace
        As in :func:`~polytask.balancing._gradients._task_gradients.task_gradients`.
    chunk_size : int >= 1
    precise : bool, default=False
        Whether sums are made in float64 as well; else in float32, if the gradients are.
    """
    above: dict[tuple[int, int], Tensor] = {}
    wanted = {id(p) for p in shared}

    def write(task: int, leaf: Tensor, gradient: Tensor) -> None:
        if id(leaf) in wanted:
            key = task, id(leaf)
            above[key] = above[key] + gradient if key in above else gradient

    arrivals = Arrivals(graph, factors, like=like, write=write)
    below = {id(leaf) for leaf in graph.below}
    trunk = [p for p in shared if id(p) in below]

    def gradients_of(task: int) -> list[tuple[Tensor, Tensor]]:
        arriving = arrivals.of(task)
        reached: Any = zip(shared, arriving, strict=True)
        if not graph.at_features:
            reached = zip(trunk, grad(graph.boundary, trunk, arriving), strict=True)
        extra = [(p, above[task, id(p)]) for p in shared if (task, id(p)) in above]
        return [(p, g) for p, g in reached if g is not None] + extra

    gramian = torch.zeros(len(factors), len(factors), dtype=torch.float64, device=factors.device)
    size = sum(p.numel() for p in shared)
    for start in range(0, len(arrivals.tasks), chunk_size):
        held, later = arrivals.tasks[start : start + chunk_size], arrivals.tasks[start + chunk_size :]
        block = WrittenBlock(shared, workspace.take("rows", (len(held), size), shared[0]))
        for row, task in enumerate(held):
            for p, gradient in gradients_of(task):
                block.write(row, p, gradient)
        block.finish()
        place = torch.tensor(held, device=factors.device)
        gramian[place[:, None], place] = block.gramian(precise=precise)
        for task in later:
            inner = torch.stack(
                [block.inner(p, gradient, precise=precise) for p, gradient in gradients_of(task)]
                or [gramian.new_zeros(len(held))]
            )
            gramian[place, task] = gramian[task, place] = inner.sum(0)
    return gramian
