"""What architectures have in common that hold encoders themselves, and read their stages."""

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from polytask.exceptions import OptionError
from polytask.networks._recipe import Recipe
from polytask.networks.encoders import TableInputs


class OnEncoders(Recipe):
    """A sharing that holds encoders itself; it is built by ``build_on(make_encoder, n_tasks)``."""

    reads: Literal["features", "stages", "encoders"] = "encoders"

    def build(self, *args: Any) -> nn.Module:
        """Refuse: there is nothing to build on features alone."""
        raise OptionError(f"{type(self).__name__} holds its encoders itself: it is built by `build_on(make_encoder, n_tasks)`.")


def stages_of(encoder: nn.Module, *, owner: str) -> list[nn.Module]:
    """The blocks of an encoder, at least one; raises :class:`OptionError` if it does not show its stages."""
    lacking = [name for name in ("embed", "blocks", "finish", "stage_features") if not hasattr(encoder, name)]
    if lacking:
        raise OptionError(
            f"{owner} reads the stages of an encoder, and {type(encoder).__name__} does not show them: it has no "
            f"{', '.join(map(repr, lacking))}. Take MLP, ResNet or FTTransformer, or another sharing."
        )
    blocks = list(encoder.blocks)  # type: ignore[arg-type]
    if not blocks:
        raise OptionError(f"{owner} reads the stages of an encoder, and this one has no layer. Let `n_layers` be 1 or more.")
    return blocks


def keep_blocks_only(encoder: nn.Module, blocks: list[nn.Module]) -> None:
    """Let an encoder have no parameter but those of its blocks; what is before and after them is another's."""
    kept = {id(p) for block in blocks for p in block.parameters()}
    for module in encoder.modules():
        for name, p in list(module._parameters.items()):
            if p is not None and id(p) not in kept:
                module._parameters[name] = None


def without_texts(make_encoder: Callable[[], nn.Module]) -> nn.Module:
    """A fresh encoder that reads prepared inputs only: without the projections of texts, which are large."""
    encoder = make_encoder()
    for module in encoder.modules():
        if isinstance(module, TableInputs):
            module.texts = nn.ModuleList()
    return encoder


def as_read(stage: Tensor, last: Tensor) -> Tensor:
    """Of a stage of tokens those that the last stage has too: [..., L, d] to [..., 1, d]; of rows all."""
    return stage[..., : last.shape[-2], :]


def weighted(weights: Tensor, stages: Tensor) -> Tensor:
    """Sums [..., rest] of stages [n, rest] by weights [..., n]; as a product of matrices, which mixed precision casts.

    >>> weighted(torch.eye(3)[:2], torch.ones(3, 5, 4)).shape
    torch.Size([2, 5, 4])
    """
    return (weights @ stages.flatten(1)).unflatten(-1, stages.shape[1:])


def relative(strengths: Tensor) -> Tensor:
    """Strengths [n_tasks, n_parts] of any sign, as shares of each row."""
    sizes = strengths.abs()
    return sizes / sizes.sum(-1, keepdim=True).clamp(min=torch.finfo(sizes.dtype).tiny)
