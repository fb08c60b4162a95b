"""Hard sharing: one representation for all tasks."""

from torch import Tensor, nn

from polytask.networks._recipe import Recipe
from polytask.networks._setting_checks import check_counts
from polytask.networks.sharing._towers import through_towers, towers_at_once, towers_of


class HardSharingLayer(nn.Module):
    """The module that :class:`HardSharing` builds: features [..., d] to one representation per task."""

    def __init__(self, in_features: int, n_tasks: int, *, tower_width: int) -> None:
        super().__init__()
        self.n_tasks = n_tasks
        self.out_features = tower_width or in_features
        self.towers = towers_of(in_features, n_tasks, width=tower_width)

    def forward(self, features: Tensor) -> list[Tensor]:
        """One tensor [..., out_features] per task; the same tensor for all where there are no towers."""
        return through_towers(self.towers, [features] * self.n_tasks)

    def at_once(self, features: Tensor) -> list[Tensor]:
        """The same, faster, for where the gradients of tasks need not be told apart."""
        return towers_at_once(self.towers, features.unsqueeze(-2)) if len(self.towers) else [features] * self.n_tasks


class HardSharing(Recipe):
    """Hard parameter sharing: all tasks read the same features.

    Parameters
    ----------
    tower_width : int, default=0
        Width of one hidden layer per task after the shared encoder; 0 for none.

    References
    ----------
    Caruana, "Multitask Learning", Machine Learning 28, 1997.

    Examples
    --------
    >>> import torch
    >>> layer = HardSharing().build(8, 3)
    >>> [tuple(z.shape) for z in layer(torch.zeros(5, 8))]
    [(5, 8), (5, 8), (5, 8)]
    """

    def __init__(self, *, tower_width: int = 0) -> None:
        self.tower_width = tower_width

    def build(self, in_features: int, n_tasks: int) -> HardSharingLayer:
        """Make the layer; raises :class:`OptionError` if ``tower_width`` is no count."""
        check_counts("HardSharing", at_least=0, tower_width=self.tower_width)
        return HardSharingLayer(in_features, n_tasks, tower_width=self.tower_width)
