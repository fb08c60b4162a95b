"""PLE: progressive layered extraction."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from polytask.networks._recipe import Recipe
from polytask.networks._setting_checks import check_counts, check_share
from polytask.networks.sharing._cgc import CGCLevel
from polytask.networks.sharing._towers import through_towers, towers_at_once, towers_of


class PLELayer(nn.Module):
    """The module that :class:`PLE` builds: features [..., n, d] to one representation per task."""

    def __init__(self, in_features: int, n_tasks: int, *, n_levels: int, width: int, tower_width: int, **settings: Any) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            CGCLevel(width if k else in_features, n_tasks, width=width, is_last=k == n_levels - 1, **settings)
            for k in range(n_levels)
        )
        self.towers = towers_of(width, n_tasks, width=tower_width)
        self.n_tasks, self.out_features = n_tasks, tower_width or width

    def forward(self, features: Tensor) -> list[Tensor]:
        """One tensor [..., n, out_features] per task."""
        representations: list[Tensor] = [features] * self.n_tasks
        for level in self.levels:
            representations, features = level(representations, features)
        return through_towers(self.towers, representations)

    def at_once(self, features: Tensor) -> list[Tensor]:
        """The same, faster, for where the gradients of tasks need not be told apart."""
        representations, _ = self._through(list(self.levels), features)
        return towers_at_once(self.towers, representations)  # type: ignore[arg-type]

    def task_weights(self, features: Tensor) -> Tensor:
        """Mean weight of each expert of the last level over rows, [n_tasks, experts of all]."""
        representations, features = self._through(list(self.levels[:-1]), features)
        each = [features] * self.n_tasks if representations is None else representations.unbind(-2)
        found: Tensor = self.levels[-1].weights(each)  # type: ignore[operator]
        return found

    def _through(self, levels: Sequence[Any], features: Tensor) -> tuple[Tensor | None, Tensor]:
        """Representations [..., n, n_tasks, d] that some levels make, and the shared one."""
        representations: Tensor | None = None
        for level in levels:
            representations, features = level.at_once(representations, features)
        return representations, features

    def part_names(self, tasks: Sequence[str]) -> list[str]:
        """What the columns of :meth:`task_weights` are."""
        found: list[str] = self.levels[-1].part_names(tasks)  # type: ignore[operator]
        return found


class PLE(Recipe):
    """Progressive layered extraction: levels of :class:`CGC`, of which each task's experts read what its gate made before.

    Between two levels there is a shared representation too, by a gate over the experts of all tasks; so at the lower levels
    what one task has of its own reaches the others by it, and at the last one no more.

    Parameters
    ----------
    n_levels : int, default=2
        With 1 it is :class:`CGC`.
    n_task_experts, n_shared_experts : int, default=2
        Experts of each task, and of all, at each level.
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
    In the paper experts and gates read the inputs themselves: ``encoder=MLP(n_layers=0)`` does so. Here they read features.

    References
    ----------
    Tang, Liu, Zhao & Gong, "Progressive Layered Extraction (PLE): A Novel Multi-Task Learning (MTL) Model for Personalized
    Recommendations", RecSys 2020.

    Examples
    --------
    >>> import torch
    >>> layer = PLE(n_task_experts=1, n_shared_experts=2, width=16).build(8, 3)
    >>> [tuple(z.shape) for z in layer(torch.zeros(5, 8))]
    [(5, 16), (5, 16), (5, 16)]
    """

    def __init__(
        self,
        *,
        n_levels: int = 2,
        n_task_experts: int = 2,
        n_shared_experts: int = 2,
        width: int = 64,
        n_layers: int = 1,
        dropout: float = 0.0,
        tower_width: int = 0,
    ) -> None:
        self.n_levels = n_levels
        self.n_task_experts = n_task_experts
        self.n_shared_experts = n_shared_experts
        self.width = width
        self.n_layers = n_layers
        self.dropout = dropout
        self.tower_width = tower_width

    def build(self, in_features: int, n_tasks: int) -> PLELayer:
        """Make the layer; raises :class:`OptionError` if a setting is out of its range."""
        check_counts("PLE", n_task_experts=self.n_task_experts, n_shared_experts=self.n_shared_experts)
        check_counts("PLE", n_levels=self.n_levels, width=self.width, n_layers=self.n_layers)
        check_counts("PLE", at_least=0, tower_width=self.tower_width)
        check_share("PLE", dropout=self.dropout)
        return PLELayer(in_features, n_tasks, **self.get_params(deep=False))
