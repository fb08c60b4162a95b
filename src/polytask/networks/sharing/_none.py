"""No sharing: an encoder of its own for every task."""

from collections.abc import Callable

from torch import Tensor, nn

from polytask.networks.sharing._hard import HardSharing
from polytask.networks.sharing._stages import OnEncoders, without_texts


class NoSharingLayer(nn.Module):
    """The module that :class:`NoSharing` builds: prepared inputs to one representation per task."""

    def __init__(self, make_encoder: Callable[[], nn.Module], n_tasks: int) -> None:
        super().__init__()
        # one after the other: on a CPU batched matrix products of towers took 0.9 to 1.4 times as long
        self.encoders = nn.ModuleList(without_texts(make_encoder) for _ in range(n_tasks))
        self.out_features: int = self.encoders[0].out_features  # type: ignore[assignment]

    def forward(self, *prepared: Tensor) -> list[Tensor]:
        """Each encoder's features."""
        return [encoder(*prepared) for encoder in self.encoders]


class NoSharing(OnEncoders):
    """No sharing: every task has an encoder of its own; only the inputs are prepared together.

    Tasks are as if each had been learned alone, but in one network with one stop. It is what joint architectures are to be
    compared with at equal cost per task; methods of balancing that compare gradients have nothing to do here.

    References
    ----------
    Single-task networks, the usual baseline; such as in Caruana, "Multitask Learning", Machine Learning 28, 1997.

    Examples
    --------
    >>> import torch
    >>> from polytask.networks import MLP, TableShape
    >>> layer = NoSharing().build_on(lambda: MLP(width=8).build(TableShape(3)), 2)
    >>> [tuple(z.shape) for z in layer(torch.zeros(5, 3), torch.zeros(5, 0, dtype=torch.long))]
    [(5, 8), (5, 8)]
    """

    def __init__(self) -> None:
        pass

    def build_on(self, make_encoder: Callable[[], nn.Module], n_tasks: int) -> NoSharingLayer:
        """Make an encoder for each task."""
        return NoSharingLayer(make_encoder, n_tasks)

    def of_twin(self) -> HardSharing:
        """Hard sharing: of the encoders a single task has one, and that is all of the network."""
        return HardSharing()
