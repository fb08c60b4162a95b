"""Towers: one hidden layer per task after what tasks share."""

from collections.abc import Sequence

from torch import Tensor, nn


def towers_of(in_features: int, n_tasks: int, *, width: int) -> nn.ModuleList:
    """A layer with ReLU for each task; none with ``width`` 0."""
    return nn.ModuleList(nn.Sequential(nn.Linear(in_features, width), nn.ReLU()) for _ in range(n_tasks if width else 0))


def through_towers(towers: nn.ModuleList, representations: Sequence[Tensor]) -> list[Tensor]:
    """Each representation through the tower of its task, if there are towers."""
    if not len(towers):
        return list(representations)
    return [tower(z) for tower, z in zip(towers, representations, strict=True)]
