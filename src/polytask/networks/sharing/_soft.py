"""Soft sharing: an encoder per task, and a penalty on how far apart they are."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from polytask.networks._setting_checks import check_flag, check_number
from polytask.networks.sharing._hard import HardSharing
from polytask.networks.sharing._stages import OnEncoders, without_texts


class SoftSharingLayer(nn.Module):
    """The module that :class:`SoftSharing` builds: prepared inputs to one representation per task."""

    def __init__(self, make_encoder: Callable[[], nn.Module], n_tasks: int, *, strength: float, same_start: bool) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(without_texts(make_encoder) for _ in range(n_tasks))
        self.out_features: int = self.encoders[0].out_features  # type: ignore[assignment]
        self.strength, self.same_start = strength, same_start
        self.align()

    def align(self) -> None:
        """Let all encoders start from the same parameters, if so asked; after an initialization again."""
        for encoder in self.encoders[1:] if self.same_start else ():
            encoder.load_state_dict(self.encoders[0].state_dict())

    def forward(self, *prepared: Tensor) -> list[Tensor]:
        """Each encoder's features."""
        return [encoder(*prepared) for encoder in self.encoders]

    def penalty(self) -> Tensor | None:
        """``strength`` times the mean over pairs of tasks of the squared distance of their encoders; None for one task."""
        n_tasks = len(self.encoders)
        if n_tasks == 1 or not self.strength:
            return None
        found = []
        for same in zip(*(encoder.parameters() for encoder in self.encoders), strict=True):
            together = torch.stack(same)
            found.append((together - together.mean(0)).square().sum())
        # over all pairs, the sum of squared distances is n_tasks times that from the mean
        return self.strength * 2 / (n_tasks - 1) * torch.stack(found).sum()


class SoftSharing(OnEncoders):
    r"""Soft sharing: every task has an encoder of its own, and a penalty holds their parameters together.

    .. math:: \Omega = \lambda \frac{2}{T (T - 1)} \sum_{s < t} \| \theta_s - \theta_t \|^2
        = \lambda \frac{2}{T - 1} \sum_t \| \theta_t - \bar\theta \|^2

    With :math:`\lambda = 0` nothing is shared; the larger it is, the nearer to one encoder for all (hard sharing). By the second
    form it is as well the penalty on the distance from the mean of all tasks (Evgeniou & Pontil 2004).

    Parameters
    ----------
    strength : float >= 0, default=0.001
        :math:`\lambda`.
    same_start : bool, default=True
        Let all encoders start from the same parameters: hidden units of networks that start apart do not correspond.

    References
    ----------
    Duong, Cohn, Bird & Cook, "Low Resource Dependency Parsing: Cross-lingual Parameter Sharing in a Neural Network
    Parser", ACL 2015.

    Evgeniou & Pontil, "Regularized Multi-Task Learning", KDD 2004.

    Examples
    --------
    >>> from polytask.networks import MLP, TableShape
    >>> layer = SoftSharing().build_on(lambda: MLP(width=8).build(TableShape(3)), 2)
    >>> [tuple(z.shape) for z in layer(torch.zeros(5, 3), torch.zeros(5, 0, dtype=torch.long))]
    [(5, 8), (5, 8)]
    >>> layer.penalty().item()
    0.0
    """

    def __init__(self, *, strength: float = 0.001, same_start: bool = True) -> None:
        self.strength = strength
        self.same_start = same_start

    def build_on(self, make_encoder: Callable[[], nn.Module], n_tasks: int) -> SoftSharingLayer:
        """Make an encoder for each task; raises :class:`OptionError` if a setting is out of its range."""
        check_number("SoftSharing", strength=self.strength)
        check_flag("SoftSharing", same_start=self.same_start)
        return SoftSharingLayer(make_encoder, n_tasks, strength=self.strength, same_start=self.same_start)

    def of_twin(self) -> HardSharing:
        """Hard sharing: of the encoders a single task has one, and that is all of the network."""
        return HardSharing()
