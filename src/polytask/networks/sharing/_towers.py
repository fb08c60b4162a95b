"""Towers: one hidden layer per task after what tasks share; and the checks that recipes of experts have in common."""

from collections.abc import Sequence

from torch import Tensor, nn

from polytask.exceptions import OptionError


def towers_of(in_features: int, n_tasks: int, *, width: int) -> nn.ModuleList:
    """A layer with ReLU for each task; none with ``width`` 0."""
    return nn.ModuleList(nn.Sequential(nn.Linear(in_features, width), nn.ReLU()) for _ in range(n_tasks if width else 0))


def through_towers(towers: nn.ModuleList, representations: Sequence[Tensor]) -> list[Tensor]:
    """Each representation through the tower of its task, if there are towers."""
    if not len(towers):
        return list(representations)
    return [tower(z) for tower, z in zip(towers, representations, strict=True)]


def check_counts(owner: str, *, at_least: int = 1, **settings: int) -> None:
    """Raise an :class:`OptionError` if a setting is no integer of at least so much."""
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
            raise OptionError(f"`{name}` of {owner} must be an integer >= {at_least}; got {value!r}.")


def check_share(owner: str, **settings: float) -> None:
    """Raise an :class:`OptionError` if a setting is not in [0, 1)."""
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
            raise OptionError(f"`{name}` of {owner} must be in [0, 1); got {value!r}.")
