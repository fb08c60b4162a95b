"""MTAN: one encoder, from whose stages each task selects by attention."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from polytask.networks._setting_checks import check_counts
from polytask.networks.sharing._stages import OnEncoders, as_read, stages_of, without_texts


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
        stages = self._stages(prepared)
        return [encoder.finish(self._attended(attention, stages)[-1][1]) for attention in self.attentions]

    def task_weights(self, *prepared: Tensor) -> Tensor:
        """How much of the features of each stage the masks let through, and what they do not, [n_tasks, n_stages + 1].

        Means of masks over rows and features, divided by the number of stages, so that a task's entries sum to 1. Which features
        a task selects is not told.
        """
        stages = self._stages(prepared)
        masks = [[mask for mask, _ in self._attended(attention, stages)] for attention in self.attentions]
        means = torch.stack([torch.stack([mask.mean() for mask in own]) for own in masks]) / (len(stages) - 1)
        return torch.cat([means, 1 - means.sum(1, keepdim=True)], dim=1)

    def part_names(self, tasks: Sequence[str]) -> list[str]:
        """What the columns of :meth:`task_weights` are."""
        return [*(f"stage {k + 1}" for k in range(len(self.encoder.stage_features) - 1)), "left out"]  # type: ignore[arg-type]

    def _stages(self, prepared: Sequence[Tensor]) -> list[Tensor]:
        """What the first block reads, and what each block makes."""
        encoder: Any = self.encoder
        stages = [encoder.embed(*prepared)]
        for block in encoder.blocks:
            stages.append(block(stages[-1]))
        return stages

    def _attended(self, attention: Any, stages: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """Of every stage the mask of one task, and what it takes by it."""
        found: list[tuple[Tensor, Tensor]] = []
        for depth, (read, made) in enumerate(pairwise(stages)):
            seen = as_read(read, made)
            if found:
                seen = torch.cat([seen, self.passes[depth - 1](as_read(found[-1][1], made))], dim=-1)
            mask = attention[depth](seen)
            found.append((mask, mask * made))
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
