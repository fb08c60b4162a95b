"""The whole network: encoder, sharing, heads."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from polytask.networks._dropout import set_dropout_, with_dropout
from polytask.networks._recipe import Recipe
from polytask.networks.encoders import TableShape
from polytask.networks.heads import LinearHead, MemberHead, joined_outputs
from polytask.networks.initialization import initialization_of, initialize_
from polytask.tasks import FittedTask

MANY_HEADS = 8  # from here on heads that read the same features are one matrix product


class MultiTaskModule(nn.Module):
    """Encoder, sharing and one head per task, in one module.

    ``forward`` gives the raw outputs of all tasks side by side, [..., n, total outputs]; ``slices`` says which are whose.

    Parameters
    ----------
    encoder : Module
    sharing : Module
    heads : sequence of LinearHead
    reads_features : bool, default=True
        Whether the sharing reads what the encoder makes. If not it holds encoders itself and reads prepared inputs; ``encoder``
        only prepares these then, and has no parameters.
    """

    def __init__(
        self, encoder: nn.Module, sharing: nn.Module, heads: Sequence[LinearHead], *, reads_features: bool = True
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.sharing = sharing
        self.heads = nn.ModuleList(heads)
        self.reads_features = reads_features

    def prepare(self, numeric: Tensor, categorical: Tensor, *tokens: Tensor) -> tuple[Tensor, ...]:
        """Everything that needs no gradient; see the encoder."""
        return self.encoder.prepare(numeric, categorical, *tokens)  # type: ignore[operator]

    def load_statistics(self, buffers: Mapping[str, Tensor]) -> None:
        """Put what an encoder took from the training rows (scaling, bins) into every encoder of this network."""
        for module in self.modules():
            if module is self.encoder or type(module) is type(self.encoder):
                own = dict(module.named_buffers())
                for name in buffers.keys() & own.keys():  # an encoder within a sharing may lack what only prepares
                    own[name].copy_(buffers[name])

    def features(self, *prepared: Tensor) -> Any:
        """Prepared inputs to the features that all tasks read; where each reads its own, the prepared inputs as they are."""
        return self.encoder(*prepared) if self.reads_features else prepared

    def representations(self, features: Any) -> list[Tensor]:
        """What :meth:`features` gives to one representation per task."""
        found: list[Tensor] = self.sharing(features) if self.reads_features else self.sharing(*features)
        return found

    def outputs_of(self, features: Any) -> list[Tensor]:
        """What :meth:`features` gives to raw outputs, a tensor for each task."""
        return [head(z) for head, z in zip(self.heads, self.representations(features), strict=True)]

    def penalty(self) -> Tensor | None:
        """What the sharing adds to the loss of no task, a scalar; None if nothing."""
        own = getattr(self.sharing, "penalty", None)
        return None if own is None else own()

    def task_weights(self, *prepared: Tensor) -> Tensor | None:
        """How much each task uses each part of the sharing, mean over rows, [n_tasks, n_parts]; None if all use all alike.

        ``part_names(task_names)`` of the sharing says which parts these are.
        """
        own = getattr(self.sharing, "task_weights", None)
        if own is None:
            return None
        features = self.features(*prepared)
        found: Tensor = own(features) if self.reads_features else own(*features)
        return found

    def forward(self, *prepared: Tensor) -> Tensor:
        """Prepared inputs to raw outputs of all tasks."""
        read = getattr(self.sharing, "at_once", self.sharing)  # some sharings are faster where tasks need no way of their own
        features = self.features(*prepared)
        representations = read(features) if self.reads_features else read(*features)
        if len(self.heads) >= MANY_HEADS:
            alike = all(z is representations[0] for z in representations)
            if alike and all(type(head) is LinearHead and not head.drops for head in self.heads):
                return joined_outputs(self.heads, representations[0])  # type: ignore[arg-type]
        return torch.cat([head(z) for head, z in zip(self.heads, representations, strict=True)], dim=-1)


def build_module(
    encoder: Recipe,
    sharing: Recipe,
    *,
    shape: TableShape,
    tasks: Sequence[FittedTask],
    generator: torch.Generator | None = None,
    initialization: Any = None,
    dropout: Mapping[str, float] | None = None,
) -> MultiTaskModule:
    """Build a network for these tasks; the heads start at the constant prediction of each task.

    Parameters
    ----------
    tasks : sequence of FittedTask
        With statistics.
    generator : torch.Generator, optional
        Where the starting parameters are drawn from; the global generator is left as it was.
    initialization : Initializer, str, mapping of part to either, or None
        See :func:`polytask.networks.initialization.initialization_of`; by default every layer starts as it does.
    dropout : mapping of "encoder", "sharing", "heads", "shared" or "all" to float in [0, 1), optional
        Rates in place of those of the recipes; see :class:`polytask.optim.Dropout`.

    Raises
    ------
    OptionError
        If an initialization is not known, or would let units of hidden layers start alike; if a dropout reaches nothing.

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
    encoder = with_dropout(encoder, dropout or {})
    with torch.random.fork_rng(devices=[]):
        if generator is not None:
            torch.manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
        built = encoder.build(shape)
        if reads_features := sharing.reads == "features":
            shared = sharing.build(built.out_features, len(tasks))
        else:
            shared = sharing.build_on(lambda: encoder.build(shape), len(tasks))
            _drop_parameters(built)
        members = {"n_members": shared.n_members} if hasattr(shared, "n_members") else {}
        head_of: Any = MemberHead if members else LinearHead
        heads = [head_of(shared.out_features, t.n_outputs, n_dependent=t.n_dependent_outputs, **members) for t in tasks]
        with torch.no_grad():
            for head, task in zip(heads, tasks, strict=True):
                head.bias.copy_(torch.as_tensor(task.constant_raw()))
        module = MultiTaskModule(built, shared, heads, reads_features=reads_features)
        set_dropout_(module, encoder, dropout or {})
        if initialization is not None:
            initialize_(module, initialization_of(initialization))
            if hasattr(shared, "align"):  # encoders that are to start alike
                shared.align()  # type: ignore[operator]
    return module


def _drop_parameters(encoder: nn.Module) -> None:
    """Leave what prepares inputs: buffers."""
    for module in encoder.modules():
        for name in list(module._parameters):
            module._parameters[name] = None


def output_slices(tasks: Sequence[FittedTask]) -> list[slice]:
    """Where each task's raw outputs stand in the output of a :class:`MultiTaskModule`."""
    return _slices([task.n_outputs for task in tasks])


def target_slices(tasks: Sequence[FittedTask]) -> list[slice]:
    """Where each task's targets stand in the joined target [n, total targets]."""
    return _slices([task.n_targets for task in tasks])


def _slices(widths: Sequence[int]) -> list[slice]:
    ends = torch.tensor(list(widths)).cumsum(0).tolist()
    return [slice(end - width, end) for end, width in zip(ends, widths, strict=True)]
