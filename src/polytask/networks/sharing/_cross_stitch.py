"""Cross-stitch networks: a network per task, whose activations are mixed after every block."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from polytask.networks._setting_checks import check_flag, check_number
from polytask.networks.sharing._stages import OnEncoders, relative, stages_of, weighted, without_texts


class CrossStitchLayer(nn.Module):
    """The module that :class:`CrossStitch` builds: prepared inputs to one representation per task."""

    def __init__(self, make_encoder: Callable[[], nn.Module], n_tasks: int, *, self_weight: float, per_channel: bool) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(without_texts(make_encoder) for _ in range(n_tasks))
        blocks = stages_of(self.encoders[0], owner="CrossStitch")
        self.out_features: int = self.encoders[0].out_features  # type: ignore[assignment]
        # DIFFERS FROM PAPER: for more than two tasks the rest is divided equally; a single one has nothing to mix
        weights = torch.full((n_tasks, n_tasks), (1 - self_weight) / max(n_tasks - 1, 1)).fill_diagonal_(
            self_weight if n_tasks > 1 else 1.0
        )
        widths: list[int] = self.encoders[0].stage_features[1:] if per_channel else [1] * len(blocks)  # type: ignore[index, assignment]
        self.stitches = nn.ParameterList(nn.Parameter(weights[..., None].repeat(1, 1, width)) for width in widths)

    def forward(self, *prepared: Tensor) -> list[Tensor]:
        """Blocks of all tasks side by side, mixed after each."""
        encoders: list[Any] = list(self.encoders)
        own, blocks = [encoder.embed(*prepared) for encoder in encoders], [encoder.blocks for encoder in encoders]
        for depth, stitch in enumerate(self.stitches):
            activations = torch.stack([block[depth](z) for block, z in zip(blocks, own, strict=True)])
            own = _mixed(stitch, activations)
        return [encoder.finish(z) for encoder, z in zip(encoders, own, strict=True)]

    def task_weights(self, *prepared: Tensor) -> Tensor:
        """How much each task takes of each task's network, [n_tasks, n_tasks]: mean size of its weights, as shares."""
        return relative(torch.stack([stitch.abs().mean(-1) for stitch in self.stitches]).mean(0))

    def part_names(self, tasks: Sequence[str]) -> list[str]:
        """What the columns of :meth:`task_weights` are."""
        return [f"network of {task}" for task in tasks]


class CrossStitch(OnEncoders):
    r"""Cross-stitch networks: a network per task; after every block each task mixes what all of them made, by learned weights.

    .. math:: \tilde x_t = \sum_s \alpha_{ts} \, x_s

    Parameters
    ----------
    self_weight : float in [0, 1], default=0.9
        :math:`\alpha_{tt}` at the start; the others divide the rest (0.1 for two tasks).
    per_channel : bool, default=True
        Weights of its own for every feature, as in the paper; otherwise one matrix per block.

    Notes
    -----
    In the paper the networks were trained alone first, and the weights of stitches learn 100 to 1000 times as fast as the rest.
    Here all starts fresh and learns at one rate.

    References
    ----------
    Misra, Shrivastava, Gupta & Hebert, "Cross-stitch Networks for Multi-task Learning", CVPR 2016. arXiv:1604.03539

    Examples
    --------
    >>> from polytask.networks import MLP, TableShape
    >>> layer = CrossStitch().build_on(lambda: MLP(width=8).build(TableShape(3)), 2)
    >>> [tuple(z.shape) for z in layer(torch.zeros(5, 3), torch.zeros(5, 0, dtype=torch.long))]
    [(5, 8), (5, 8)]
    >>> layer.task_weights()
    tensor([[0.9000, 0.1000],
            [0.1000, 0.9000]], grad_fn=<DivBackward0>)
    """

    def __init__(self, *, self_weight: float = 0.9, per_channel: bool = True) -> None:
        self.self_weight = self_weight
        self.per_channel = per_channel

    def build_on(self, make_encoder: Callable[[], nn.Module], n_tasks: int) -> CrossStitchLayer:
        """Make the encoders and stitches; raises :class:`OptionError` if a setting is out of its range."""
        check_number("CrossStitch", high=1.0, self_weight=self.self_weight)
        check_flag("CrossStitch", per_channel=self.per_channel)
        # DIFFERS FROM PAPER: no networks trained alone before, one learning rate
        return CrossStitchLayer(make_encoder, n_tasks, self_weight=self.self_weight, per_channel=self.per_channel)


def _mixed(stitch: Tensor, activations: Tensor) -> list[Tensor]:
    """Weights [n_tasks, n_tasks, d or 1] and activations [n_tasks, ..., d] to one tensor [..., d] per task."""
    if stitch.shape[-1] == 1:
        return list(weighted(stitch[..., 0], activations).unbind())
    rows = stitch.reshape(*stitch.shape[:2], *[1] * (activations.dim() - 2), -1)  # 3 to 4 times as fast as einsum
    return [(row * activations).sum(0) for row in rows.unbind()]
