"""The whole network: encoder, sharing, heads."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from polytask.networks._recipe import Recipe
from polytask.networks.encoders import TableShape
from polytask.networks.heads import LinearHead, joined_outputs
from polytask.tasks import FittedTask

MANY_HEADS = 8  # from here on heads that read the same features are one matrix product


class MultiTaskModule(nn.Module):
    """Encoder, sharing and one head per task, in one module.

    ``forward`` gives the raw outputs of all tasks side by side, [..., n, total outputs]; ``slices`` says which are whose.
    """

    def __init__(self, encoder: nn.Module, sharing: nn.Module, heads: Sequence[LinearHead]) -> None:
        super().__init__()
        self.encoder = encoder
        self.sharing = sharing
        self.heads = nn.ModuleList(heads)

    def prepare(self, numeric: Tensor, categorical: Tensor, *tokens: Tensor) -> tuple[Tensor, ...]:
        """Everything that needs no gradient; see the encoder."""
        return self.encoder.prepare(numeric, categorical, *tokens)  # type: ignore[operator]

    def features(self, *prepared: Tensor) -> Tensor:
        """Prepared inputs to the features that all tasks read."""
        found: Tensor = self.encoder(*prepared)
        return found

    def outputs_of(self, features: Tensor) -> list[Tensor]:
        """Features to raw outputs, a tensor for each task."""
        return [head(z) for head, z in zip(self.heads, self.sharing(features), strict=True)]

    def forward(self, *prepared: Tensor) -> Tensor:
        """Prepared inputs to raw outputs of all tasks."""
        features = self.features(*prepared)
        if len(self.heads) < MANY_HEADS:
            return torch.cat(self.outputs_of(features), dim=-1)
        representations = self.sharing(features)
        if all(z is representations[0] for z in representations) and all(type(head) is LinearHead for head in self.heads):
            return joined_outputs(self.heads, representations[0])  # type: ignore[arg-type]
        return torch.cat([head(z) for head, z in zip(self.heads, representations, strict=True)], dim=-1)


def build_module(
    encoder: Recipe, sharing: Recipe, *, shape: TableShape, tasks: Sequence[FittedTask], generator: torch.Generator | None = None
) -> MultiTaskModule:
    """Build a network for these tasks; the heads start at the constant prediction of each task.

    Parameters
    ----------
    tasks : sequence of FittedTask
        With statistics.
    generator : torch.Generator, optional
        Where the starting parameters are drawn from; the global generator is left as it was.

    Examples
    --------
    >>> import pandas as pd
    >>> from polytask.networks import MLP, HardSharing, TableShape, build_module
    >>> from polytask.tasks import Regression
    >>> task = Regression("price").fit(pd.DataFrame({"price": [1.0, 2.0]}))
    >>> task = task.with_statistics(task.encode(pd.DataFrame({"price": [1.0, 2.0]})), torch.ones(2, 1).numpy())
    >>> module = build_module(MLP(width=8), HardSharing(), shape=TableShape(3), tasks=[task])
    >>> sum(p.numel() for p in module.parameters())
    113
    """
    with torch.random.fork_rng(devices=[]):
        if generator is not None:
            torch.manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
        built = encoder.build(shape)
        shared = sharing.build(built.out_features, len(tasks))
        heads = [LinearHead(shared.out_features, t.n_outputs, n_dependent=t.n_dependent_outputs) for t in tasks]  # type: ignore[arg-type]
        with torch.no_grad():
            for head, task in zip(heads, tasks, strict=True):
                head.bias.copy_(torch.as_tensor(task.constant_raw()))
    return MultiTaskModule(built, shared, heads)


def output_slices(tasks: Sequence[FittedTask]) -> list[slice]:
    """Where each task's raw outputs stand in the output of a :class:`MultiTaskModule`."""
    return _slices([task.n_outputs for task in tasks])


def target_slices(tasks: Sequence[FittedTask]) -> list[slice]:
    """Where each task's targets stand in the joined target [n, total targets]."""
    return _slices([task.n_targets for task in tasks])


def _slices(widths: Sequence[int]) -> list[slice]:
    ends = torch.tensor(list(widths)).cumsum(0).tolist()
    return [slice(end - width, end) for end, width in zip(ends, widths, strict=True)]
