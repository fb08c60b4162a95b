"""AdaTT: adaptive task-to-task fusion."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from polytask.networks._recipe import Recipe
from polytask.networks._setting_checks import check_counts, check_share
from polytask.networks.sharing._at_once import softmax_at_once
from polytask.networks.sharing._cgc import numbered
from polytask.networks.sharing._experts import Experts, mixed, run_at_once, run_each
from polytask.networks.sharing._stages import relative
from polytask.networks.sharing._towers import through_towers, towers_at_once, towers_of


class AdaTTLevel(nn.Module):
    """One level of fusion: an input per task to an output per task."""

    def __init__(self, in_features: int, n_tasks: int, *, n_task_experts: int, width: int, n_layers: int, dropout: float) -> None:
        super().__init__()
        shape: dict[str, Any] = {"width": width, "n_layers": n_layers, "dropout": dropout}
        self.experts = nn.ModuleList(Experts(in_features, n_task_experts, **shape) for _ in range(n_tasks))
        self.gates = nn.ModuleList(nn.Linear(in_features, n_tasks * n_task_experts) for _ in range(n_tasks))
        bound = n_task_experts**-0.5  # as the authors' code; a single expert is taken as it is
        starts = [torch.empty(n_task_experts).uniform_(-bound, bound) for _ in range(n_tasks if n_task_experts > 1 else 0)]
        self.native = nn.ParameterList(nn.Parameter(start) for start in starts)

    def forward(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Inputs [..., n, d] to representations [..., n, width] of each task."""
        own = [experts(x) for experts, x in zip(self.experts, inputs, strict=True)]  # each [..., n, m, width]
        everything = torch.cat(own, dim=-2)
        return [fused + self._native(k, own[k]) for k, fused in enumerate(mixed(self.gate_weights(inputs), everything))]

    def at_once(self, inputs: Tensor) -> Tensor:
        """The same in fewer and larger products: [..., n, n_tasks, d] or, where all read the same, [..., n, 1, d]."""
        experts: list[Any] = list(self.experts)
        if inputs.shape[-2] == 1:
            everything = run_at_once(experts, inputs.squeeze(-2))
        else:
            everything = run_each(experts, inputs).flatten(-3, -2)
        return self.weights_at_once(inputs) @ everything

    def weights_at_once(self, inputs: Tensor) -> Tensor:
        """Weights [..., n, n_tasks, experts of all], the native ones included."""
        gates = softmax_at_once(list(self.gates), inputs)  # type: ignore[arg-type]
        return gates + self.native_weights()

    def gate_weights(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Weights [..., n, experts of all] of each task."""
        return [gate(x).softmax(-1) for gate, x in zip(self.gates, inputs, strict=True)]

    def native_weights(self) -> Tensor:
        """Weights [n_tasks, experts of all] that do not depend on the row; 0 for the experts of other tasks."""
        if len(self.native):
            return torch.block_diag(*self.native)
        like: Any = self.gates[0].weight
        return torch.eye(len(self.experts), dtype=like.dtype, device=like.device)

    def _native(self, task: int, own: Tensor) -> Tensor:
        """What a task takes of its own experts [..., n, m, width] whatever the row."""
        return own.squeeze(-2) if not len(self.native) else self.native[task] @ own


class AdaTTLayer(nn.Module):
    """The module that :class:`AdaTT` builds: features [..., n, d] to one representation per task."""

    def __init__(self, in_features: int, n_tasks: int, *, n_levels: int, width: int, tower_width: int, **settings: Any) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            AdaTTLevel(width if k else in_features, n_tasks, width=width, **settings) for k in range(n_levels)
        )
        self.towers = towers_of(width, n_tasks, width=tower_width)
        self.n_tasks, self.out_features = n_tasks, tower_width or width
        self.n_task_experts: int = settings["n_task_experts"]

    def forward(self, features: Tensor) -> list[Tensor]:
        """One tensor [..., n, out_features] per task."""
        representations = [features] * self.n_tasks
        for level in self.levels:
            representations = level(representations)
        return through_towers(self.towers, representations)

    def at_once(self, features: Tensor) -> list[Tensor]:
        """The same, faster, for where the gradients of tasks need not be told apart."""
        return towers_at_once(self.towers, self._before(features, len(self.levels)))

    def task_weights(self, features: Tensor) -> Tensor:
        """Share of each expert in the weights of the last level, by their sizes, mean over rows, [n_tasks, experts of all].

        The weight of one of a task's own experts is that of the gate and the native one together.
        """
        level: Any = self.levels[-1]
        return relative(level.weights_at_once(self._before(features, len(self.levels) - 1))).mean(-3)

    def part_names(self, tasks: Sequence[str]) -> list[str]:
        """What the columns of :meth:`task_weights` are."""
        return [name for task in tasks for name in numbered(f"of {task}", self.n_task_experts)]

    def _before(self, features: Tensor, n_levels: int) -> Tensor:
        """Representations [..., n, n_tasks, d] that some levels make, or the features [..., n, 1, d]."""
        found = features.unsqueeze(-2)
        for level in self.levels[:n_levels]:
            found = level.at_once(found)  # type: ignore[operator]
        return found


class AdaTT(Recipe):
    r"""Adaptive task-to-task fusion: experts belong to tasks, and every task reads those of all, its own once more.

    .. math:: z_t = \sum_e \mathrm{softmax}(W_t x_t + b_t)_e \, f_e + \sum_{e \text{ of } t} v_{t,e} \, f_e

    at each level, whose outputs :math:`z_t` are the inputs :math:`x_t` of the next. With one expert per task v is 1.

    Parameters
    ----------
    n_levels : int, default=2
    n_task_experts : int, default=1
        Experts of each task at each level.
    width : int, default=64
        Units of each layer of an expert.
    n_layers : int, default=1
        Layers of an expert, each with ReLU.
    dropout : float in [0, 1), default=0.0
        Within the experts.
    tower_width : int, default=0
        Width of one hidden layer per task after the last level; 0 for none.

    Notes
    -----
    This is the variant that the paper calls AdaTT-sp, with experts of tasks only.

    References
    ----------
    Li et al., "AdaTT: Adaptive Task-to-Task Fusion Network for Multitask Learning in Recommendations",
    KDD 2023. arXiv:2304.04959

    Examples
    --------
    >>> layer = AdaTT(width=16).build(8, 3)
    >>> [tuple(z.shape) for z in layer(torch.zeros(5, 8))]
    [(5, 16), (5, 16), (5, 16)]
    >>> layer.task_weights(torch.zeros(5, 8)).shape
    torch.Size([3, 3])
    """

    def __init__(
        self,
        *,
        n_levels: int = 2,
        n_task_experts: int = 1,
        width: int = 64,
        n_layers: int = 1,
        dropout: float = 0.0,
        tower_width: int = 0,
    ) -> None:
        self.n_levels = n_levels
        self.n_task_experts = n_task_experts
        self.width = width
        self.n_layers = n_layers
        self.dropout = dropout
        self.tower_width = tower_width

    def build(self, in_features: int, n_tasks: int) -> AdaTTLayer:
        """Make the layer; raises :class:`OptionError` if a setting is out of its range."""
        check_counts("AdaTT", n_levels=self.n_levels, n_task_experts=self.n_task_experts)
        check_counts("AdaTT", width=self.width, n_layers=self.n_layers)
        check_counts("AdaTT", at_least=0, tower_width=self.tower_width)
        check_share("AdaTT", dropout=self.dropout)
        return AdaTTLayer(in_features, n_tasks, **self.get_params(deep=False))
