"""Sluice networks: subspaces of every task's layers are mixed, and so are layers."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from polytask.exceptions import OptionError
from polytask.networks._setting_checks import check_counts, check_number
from polytask.networks.sharing._stages import OnEncoders, as_read, relative, stages_of, weighted, without_texts


class SluiceLayer(nn.Module):
    """The module that :class:`Sluice` builds: prepared inputs to one representation per task."""

    def __init__(
        self,
        make_encoder: Callable[[], nn.Module],
        n_tasks: int,
        *,
        n_subspaces: int,
        self_weight: float,
        orthogonality: float,
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(without_texts(make_encoder) for _ in range(n_tasks))
        n_blocks = len(stages_of(self.encoders[0], owner="Sluice"))
        self.n_subspaces, self.orthogonality = n_subspaces, orthogonality
        self.out_features: int = self.encoders[0].out_features  # type: ignore[assignment]
        if self.out_features % n_subspaces:
            raise OptionError(
                f"The width of the encoder must be a multiple of `n_subspaces` of Sluice; got {self.out_features} "
                f"and {n_subspaces}."
            )
        alphas = _biased(n_tasks * n_subspaces, self_weight).unflatten(1, (n_tasks, -1)).unflatten(0, (n_tasks, -1))
        self.alphas = nn.Parameter(alphas.repeat(n_blocks, 1, 1, 1, 1))  # [block, to task, to part, of task, of part]
        self.betas = nn.Parameter(_biased(n_blocks, self_weight)[-1].repeat(n_tasks, 1))  # [task, block]

    def forward(self, *prepared: Tensor) -> list[Tensor]:
        """Blocks of all tasks side by side, mixed after each; then of each task its layers, mixed."""
        encoders: list[Any] = list(self.encoders)
        own, blocks = [encoder.embed(*prepared) for encoder in encoders], [encoder.blocks for encoder in encoders]
        layers: list[list[Tensor]] = []  # of each depth and task [..., d]
        for depth, alphas in enumerate(self.alphas.unbind()):
            made = torch.stack([block[depth](z) for block, z in zip(blocks, own, strict=True)])
            parts = made.unflatten(-1, (self.n_subspaces, -1)).movedim(-2, 1).flatten(0, 1)  # [task and part, ..., d / parts]
            mixed = weighted(alphas.flatten(0, 1).flatten(1), parts)
            own = list(mixed.unflatten(0, (-1, self.n_subspaces)).movedim(1, -2).flatten(-2).unbind())
            layers.append(own)
        ends = [
            sum(beta * as_read(layer[t], own[t]) for beta, layer in zip(betas.unbind(), layers, strict=True))
            for t, betas in enumerate(self.betas.unbind())
        ]
        return [encoder.finish(z) for encoder, z in zip(encoders, ends, strict=True)]

    def penalty(self) -> Tensor | None:
        """How far from orthogonal the subspaces of layers are, summed over tasks and layers; None where it has no weight."""
        if not self.orthogonality or self.n_subspaces == 1:
            return None
        found = []
        encoders: list[Any] = list(self.encoders)
        for encoder in encoders:
            for block in encoder.blocks:
                linear = [module for module in block.modules() if isinstance(module, nn.Linear)][-1]
                parts = linear.weight.unflatten(0, (self.n_subspaces, -1))  # [part, d / parts, in]
                for k in range(self.n_subspaces):
                    found += [(parts[k] @ parts[other].T).square().sum() for other in range(k + 1, self.n_subspaces)]
        return self.orthogonality * torch.stack(found).sum()

    def task_weights(self, *prepared: Tensor) -> Tensor:
        """How much each task takes of each task's network, [n_tasks, n_tasks]: size of alphas, mean over layers, as shares."""
        return relative(self.alphas.abs().mean((0, 2, 4)))

    def part_names(self, tasks: Sequence[str]) -> list[str]:
        """What the columns of :meth:`task_weights` are."""
        return [f"network of {task}" for task in tasks]


class Sluice(OnEncoders):
    r"""Sluice networks: a network per task whose layers are divided into subspaces, which tasks mix by learned weights.

    .. math::
        \tilde h_{t,p,k} = \sum_{s,q} \alpha^k_{tp,sq} \, h_{s,q,k}, \quad z_t = \sum_k \beta_{t,k} \, \tilde h_{t,k}, \quad
        \Omega = \lambda \sum_{t,k} \| G_{t,k,1}^\top G_{t,k,2} \|_F^2

    G are the weights of a block's last linear layer that make each subspace: they are held orthogonal, so that one may become
    shared and the other private.

    Parameters
    ----------
    n_subspaces : int, default=2
        Parts of each layer; the encoder's width is a multiple.
    self_weight : float in [0, 1], default=0.9
        What :math:`\alpha` gives each subspace of itself at the start, and :math:`\beta` the last layer;
        the others divide the rest.
    orthogonality : float >= 0, default=0.01
        :math:`\lambda`.

    References
    ----------
    Ruder, Bingel, Augenstein & Søgaard, "Latent Multi-Task Architecture Learning", AAAI 2019. arXiv:1705.08142

    Examples
    --------
    >>> from polytask.networks import MLP, TableShape
    >>> layer = Sluice().build_on(lambda: MLP(width=8).build(TableShape(3)), 2)
    >>> [tuple(z.shape) for z in layer(torch.zeros(5, 3), torch.zeros(5, 0, dtype=torch.long))]
    [(5, 8), (5, 8)]
    >>> layer.alphas.shape, layer.betas.shape
    (torch.Size([2, 2, 2, 2, 2]), torch.Size([2, 2]))
    """

    def __init__(self, *, n_subspaces: int = 2, self_weight: float = 0.9, orthogonality: float = 0.01) -> None:
        self.n_subspaces = n_subspaces
        self.self_weight = self_weight
        self.orthogonality = orthogonality

    @property
    def width_multiple(self) -> int:  # type: ignore[override]
        """``n_subspaces``."""
        return self.n_subspaces

    def build_on(self, make_encoder: Callable[[], nn.Module], n_tasks: int) -> SluiceLayer:
        """Make the encoders and what mixes them; raises :class:`OptionError` if a setting is out of its range."""
        check_counts("Sluice", n_subspaces=self.n_subspaces)
        check_number("Sluice", high=1.0, self_weight=self.self_weight)
        check_number("Sluice", orthogonality=self.orthogonality)
        settings = {"n_subspaces": self.n_subspaces, "self_weight": self.self_weight, "orthogonality": self.orthogonality}
        return SluiceLayer(make_encoder, n_tasks, **settings)  # type: ignore[arg-type]


def _biased(n: int, own: float) -> Tensor:
    """A matrix [n, n] whose rows sum to 1, with ``own`` on the diagonal."""
    return torch.full((n, n), (1 - own) / max(n - 1, 1)).fill_diagonal_(own if n > 1 else 1.0)
