"""Low-rank adapters of tasks on shared layers."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from polytask.exceptions import OptionError
from polytask.networks._recipe import Recipe
from polytask.networks._setting_checks import check_counts


class _Adapter(nn.Module):
    """A matrix of low rank, which is zero at the start."""

    def __init__(self, in_features: int, width: int, *, rank: int) -> None:
        super().__init__()
        bound = in_features**-0.5
        self.down = nn.Parameter(torch.empty(rank, in_features).uniform_(-bound, bound))
        self.up = nn.Parameter(torch.zeros(width, rank))

    @property
    def input_weight(self) -> Tensor:
        """What reads the features, [rank, d]."""
        return self.down

    def forward(self, features: Tensor) -> Tensor:
        """Features [..., n, d] to [..., n, width]."""
        return F.linear(F.linear(features, self.down), self.up)


class TaskAdaptersLayer(nn.Module):
    """The module that :class:`TaskAdapters` builds: features [..., n, d] to one representation per task."""

    def __init__(self, in_features: int, n_tasks: int, *, n_layers: int, width: int, rank: int, alpha: float) -> None:
        super().__init__()
        widths = [in_features] + [width] * (n_layers - 1)
        self.layers = nn.ModuleList(nn.Linear(before, width) for before in widths)
        self.adapters = nn.ModuleList(
            nn.ModuleList(_Adapter(before, width, rank=rank) for _ in range(n_tasks)) for before in widths
        )
        self.scale, self.n_tasks, self.out_features = alpha / rank, n_tasks, width

    def forward(self, features: Tensor) -> list[Tensor]:
        """One tensor [..., n, out_features] per task."""
        representations = [features] * self.n_tasks
        for k, layer in enumerate(self.layers):
            shared = [layer(features)] * self.n_tasks if k == 0 else [layer(z) for z in representations]
            own = [adapter(z) for adapter, z in zip(self._of(k), representations, strict=True)]
            representations = [(z + self.scale * more).relu() for z, more in zip(shared, own, strict=True)]
        return representations

    def at_once(self, features: Tensor) -> list[Tensor]:
        """The same in fewer and larger products."""
        found = features.unsqueeze(-2)  # [..., n, 1 or n_tasks, d]
        for k, layer in enumerate(self.layers):
            down, up = (torch.stack([getattr(own, name) for own in self._of(k)]) for name in ("down", "up"))
            low = torch.einsum("...td,trd->...tr", found.expand(*found.shape[:-2], self.n_tasks, -1), down)
            found = (layer(found) + self.scale * torch.einsum("...tr,thr->...th", low, up)).relu()
        return list(found.unbind(-2))

    def task_weights(self, features: Tensor) -> Tensor:
        """What a task adds to the weights of layers, and these, as shares of the sum of their norms, [n_tasks, n_tasks + 1].

        Mean over layers; of the rows it does not depend. A column is of the own additions of each task, the last of the weights
        that all share.
        """
        found = []
        for k, layer in enumerate(self.layers):
            own: list[Any] = self._of(k)
            added = torch.stack([(self.scale * (adapter.up @ adapter.down)).norm() for adapter in own])
            shared = layer.weight.norm().expand_as(added)  # type: ignore[operator]
            found.append(torch.cat([torch.diag(added), shared[:, None]], dim=1) / (added + shared)[:, None])
        return torch.stack(found).mean(0)

    def part_names(self, tasks: Sequence[str]) -> list[str]:
        """What the columns of :meth:`task_weights` are."""
        return [*(f"own of {task}" for task in tasks), "shared"]

    def _of(self, layer: int) -> list[nn.Module]:
        """The adapters of all tasks at a layer."""
        return list(self.adapters[layer].children())


class TaskAdapters(Recipe):
    r"""Shared layers, to whose weights each task adds a matrix of low rank.

    .. math:: z_t^{(l)} = \mathrm{ReLU}\big((W^{(l)} + \tfrac{\alpha}{r} B_t^{(l)} A_t^{(l)}) \, z_t^{(l-1)} + b^{(l)}\big)

    The tasks begin with the same representation, since B starts at zero, and grow apart where that lowers their losses.

    Parameters
    ----------
    n_layers : int, default=1
        Layers with ReLU.
    width : int, default=64
    rank : int, default=4
        Rank r of what a task adds, at most ``width``.
    alpha : float, default=4.0
        What is added is multiplied by ``alpha / rank``.

    Notes
    -----
    In the paper a pretrained transformer stays as it is, and has adapters that all tasks share besides those of single tasks. A
    network for tables is not pretrained: here the shared weights are learned, which makes shared adapters a part of them.

    References
    ----------
    Agiza, Neseem & Reda, "MTLoRA: A Low-Rank Adaptation Approach for Efficient Multi-Task Learning", CVPR 2024.
    arXiv:2403.20320

    Examples
    --------
    >>> layer = TaskAdapters(rank=2, width=16).build(8, 3)
    >>> [tuple(z.shape) for z in layer(torch.zeros(5, 8))]
    [(5, 16), (5, 16), (5, 16)]
    """

    # DIFFERS FROM PAPER: the shared weights are trained, and there are no task-agnostic adapters; see the notes

    def __init__(self, *, n_layers: int = 1, width: int = 64, rank: int = 4, alpha: float = 4.0) -> None:
        self.n_layers = n_layers
        self.width = width
        self.rank = rank
        self.alpha = alpha

    def build(self, in_features: int, n_tasks: int) -> TaskAdaptersLayer:
        """Make the layer; raises :class:`OptionError` if a setting is out of its range."""
        check_counts("TaskAdapters", n_layers=self.n_layers, width=self.width, rank=self.rank)
        if self.rank > self.width:
            raise OptionError(
                f"`rank` of TaskAdapters must be at most `width`, the highest rank of a matrix that is added; got {self.rank} "
                f"and {self.width}."
            )
        if isinstance(self.alpha, bool) or not isinstance(self.alpha, int | float) or not 0 < self.alpha < float("inf"):
            raise OptionError(f"`alpha` of TaskAdapters must be a positive number; got {self.alpha!r}.")
        return TaskAdaptersLayer(in_features, n_tasks, **self.get_params(deep=False))
