"""The gradients of few tasks, kept as backward passes give them."""

from collections.abc import Sequence

import torch
from torch import Tensor


class HeldBlock:
    """Gradients of large tensors, each in the memory that its backward pass took: nothing is copied.

    For few tasks; the number of operations grows with its square, and with the number of tensors.

    Parameters
    ----------
    wrt : sequence of Tensor
    n_tasks : int
        What is never written counts as zero.
    """

    def __init__(self, wrt: Sequence[Tensor], n_tasks: int) -> None:
        self.wrt = list(wrt)
        self.n_tasks = n_tasks
        self._held: dict[int, dict[int, Tensor]] = {id(tensor): {} for tensor in self.wrt}  # of each tensor by task

    def __contains__(self, tensor: Tensor) -> bool:
        return id(tensor) in self._held

    def write(self, task: int, tensor: Tensor, gradient: Tensor) -> None:
        """Keep a gradient, or the sum with the one that is there; neither is changed."""
        held, new = self._held[id(tensor)], gradient.detach()
        held[task] = held[task] + new if task in held else new

    def gramian(self, *, precise: bool = False) -> Tensor:
        """Inner products [n_tasks, n_tasks], float64; ``precise``: summed in float64 as well."""
        places, products = [], []
        for held in self._held.values():
            flat = {task: _at_least_float32(gradient.reshape(-1), precise=precise) for task, gradient in held.items()}
            for a in flat:
                for b in flat:
                    if a <= b:
                        places.append((a, b))
                        products.append(torch.dot(flat[a], flat[b]))
        gramian = [[0.0] * self.n_tasks for _ in range(self.n_tasks)]
        for (a, b), product in zip(places, torch.stack(products).tolist() if products else (), strict=True):
            gramian[a][b] += product
            gramian[b][a] = gramian[a][b]
        return torch.tensor(gramian, dtype=torch.float64, device=self.wrt[0].device)

    def combine(self, weights: Tensor) -> list[Tensor]:
        """Sum of the tasks' gradients with these weights [n_tasks], for each of ``wrt``."""
        factors, found = weights.tolist(), []
        for tensor, held in zip(self.wrt, self._held.values(), strict=True):
            total = torch.zeros_like(tensor, requires_grad=False) if not held else None
            for task, gradient in held.items():
                total = gradient * factors[task] if total is None else total.add_(gradient, alpha=factors[task])
            assert total is not None
            found.append(total)
        return found

    def row(self, task: int) -> list[Tensor]:
        """Gradients of one task."""
        return [
            held[task] if task in held else torch.zeros_like(tensor, requires_grad=False)
            for tensor, held in zip(self.wrt, self._held.values(), strict=True)
        ]


def _at_least_float32(flat: Tensor, *, precise: bool) -> Tensor:
    if precise:
        return flat.double()
    return flat if flat.dtype.itemsize >= 4 else flat.float()
