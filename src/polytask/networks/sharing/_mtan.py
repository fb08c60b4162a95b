"""MTAN: one encoder, from whose stages each task selects by attention."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from polytask.networks.sharing._stages import OnEncoders, as_read, stages_of, without_texts
from polytask.networks.sharing._towers import check_counts


class MTANLayer(nn.Module):
    """The module that :class:`MTAN` builds: prepared inputs to one representation per task."""

    def __init__(self, make_encoder: Callable[[], nn.Module], n_tasks: int, *, attention_width: int) -> None:
        super().__init__()
        self.encoder = without_texts(make_encoder)
        stages_of(self.encoder, owner="MTAN")
        self.out_features: int = self.encoder.out_features  # type: ignore[assignment]
        widths: list[int] = list(self.encoder.stage_features)  # type: ignore[arg-type]
        # DIFFERS FROM PAPER: fully connected instead of convolutions, and no batch normalization, so that a row does not depend
        # on its neighbours; the first features of a block are what it reads
        self.passes = nn.ModuleList(nn.Sequential(nn.Linear(width, width), nn.ReLU()) for width in widths[1:-1])
        inputs = [read + (widths[k] if k else 0) for k, read in enumerate(widths[:-1])]  # what a block reads, and what was passed
        self.attentions = nn.ModuleList(
            nn.ModuleList(
                nn.Sequential(
                    nn.Linear(width, attention_width or made), nn.ReLU(), nn.Linear(attention_width or made, made), nn.Sigmoid()
                )
                for width, made in zip(inputs, widths[1:], strict=True)
            )
            for _ in range(n_tasks)
        )

    def forward(self, *prepared: Tensor) -> list[Tensor]:
        """Of every stage each task takes its share, knowing what it took of the one before."""
        encoder: Any = self.encoder
        stages = [encoder.embed(*prepared)]
        for block in encoder.blocks:
            stages.append(block(stages[-1]))
        found = []
        for attention in self.attentions:
            taken: Tensor | None = None
            for depth, (read, made) in enumerate(pairwise(stages)):
                seen = as_read(read, made)
                if taken is not None:
                    seen = torch.cat([seen, self.passes[depth - 1](as_read(taken, made))], dim=-1)
                taken = attention[depth](seen) * made  # type: ignore[index]
            found.append(encoder.finish(taken))
        return found


class MTAN(OnEncoders):
    r"""MTAN, multi-task attention network: one encoder for all; each task multiplies its stages by masks of its own.

    .. math:: \hat a_t^{(j)} = a_t^{(j)} \odot p^{(j)}, \quad
        a_t^{(j)} = \sigma(h_t^{(j)}(g_t^{(j)}([u^{(j)}; f^{(j)}(\hat a_t^{(j-1)})])))

    u is what a block of the encoder reads, p what it makes; f is shared by all tasks, g and h belong to each.

    Parameters
    ----------
    attention_width : int, default=0
        Features between g and h; 0 for those of the stage.

    Notes
    -----
    The paper is about images; here all layers are fully connected, and none is normalized over the batch.

    References
    ----------
    Liu, Johns & Davison, "End-to-End Multi-Task Learning with Attention", CVPR 2019. arXiv:1803.10704

    Examples
    --------
    >>> from polytask.networks import MLP, TableShape
    >>> layer = MTAN().build_on(lambda: MLP(width=8).build(TableShape(3)), 2)
    >>> [tuple(z.shape) for z in layer(torch.zeros(5, 3), torch.zeros(5, 0, dtype=torch.long))]
    [(5, 8), (5, 8)]
    """

    reads = "stages"

    def __init__(self, *, attention_width: int = 0) -> None:
        self.attention_width = attention_width

    def build_on(self, make_encoder: Callable[[], nn.Module], n_tasks: int) -> MTANLayer:
        """Make the encoder and the attention of each task; raises :class:`OptionError` if ``attention_width`` is negative."""
        check_counts("MTAN", at_least=0, attention_width=self.attention_width)
        return MTANLayer(make_encoder, n_tasks, attention_width=self.attention_width)
