"""Towers: one hidden layer per task after what tasks share."""

from collections.abc import Sequence

from torch import Tensor, nn

from polytask.networks.sharing._at_once import linear_at_once, stacked


def towers_of(in_features: int, n_tasks: int, *, width: int) -> nn.ModuleList:
    """A layer with ReLU, and room for dropout, for each task; none with ``width`` 0."""
    n_towers = n_tasks if width else 0
    return nn.ModuleList(nn.Sequential(nn.Linear(in_features, width), nn.ReLU(), nn.Dropout(0.0)) for _ in range(n_towers))


def through_towers(towers: nn.ModuleList, representations: Sequence[Tensor]) -> list[Tensor]:
    """Each representation through the tower of its task, if there are towers."""
    if not len(towers):
        return list(representations)
    return [tower(z) for tower, z in zip(towers, representations, strict=True)]


def towers_at_once(towers: nn.ModuleList, representations: Tensor) -> list[Tensor]:
    """The same of [..., n, n_tasks, d], or of [..., n, 1, d] where all read the same, as one product."""
    if not len(towers):
        return list(representations.unbind(-2))
    layers, _, dropout = zip(*towers, strict=True)
    found = linear_at_once(*stacked(layers), representations, relu=True)
    return list(dropout[0](found).unbind(-2))
