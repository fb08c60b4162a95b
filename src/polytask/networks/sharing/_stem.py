"""STEM: shared and task-specific embeddings."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from polytask.exceptions import OptionError
from polytask.networks._recipe import Recipe
from polytask.networks._setting_checks import check_counts, check_share
from polytask.networks.sharing._cgc import numbered
from polytask.networks.sharing._experts import Experts, mixed
from polytask.networks.sharing._gates import SoftmaxGate
from polytask.networks.sharing._towers import through_towers, towers_at_once, towers_of


class STEMLayer(nn.Module):
    """The module that :class:`STEM` builds: prepared inputs to one representation [..., n, out_features] per task."""

    def __init__(
        self,
        make_encoder: Callable[[], nn.Module],
        n_tasks: int,
        *,
        n_task_experts: int,
        n_shared_experts: int,
        width: int,
        n_layers: int,
        dropout: float,
        tower_width: int,
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(make_encoder() for _ in range(n_tasks))
        self.shared_encoder = make_encoder()
        in_features: int = self.shared_encoder.out_features  # type: ignore[assignment]
        shape: dict[str, Any] = {"width": width, "n_layers": n_layers, "dropout": dropout}
        self.own = nn.ModuleList(Experts(in_features, n_task_experts, **shape) for _ in range(n_tasks))
        self.shared = Experts(in_features, n_shared_experts, **shape)
        n_experts = n_tasks * n_task_experts + n_shared_experts
        self.gates = nn.ModuleList(SoftmaxGate(in_features, n_experts) for _ in range(n_tasks))
        self.towers = towers_of(width, n_tasks, width=tower_width)
        self.n_task_experts, self.n_shared_experts = n_task_experts, n_shared_experts
        self.out_features = tower_width or width

    def forward(self, *prepared: Tensor) -> list[Tensor]:
        """One tensor [..., n, out_features] per task, which its loss sends no gradient through to another task's part."""
        return through_towers(self.towers, self._mixtures(prepared))

    def at_once(self, *prepared: Tensor) -> list[Tensor]:
        """The same, faster, for where the gradients of tasks need not be told apart."""
        mixtures = self._mixtures(prepared)
        return towers_at_once(self.towers, torch.stack(mixtures, dim=-2)) if len(self.towers) else mixtures

    def _mixtures(self, prepared: Sequence[Tensor]) -> list[Tensor]:
        features, of_all = self._features(prepared)
        own = [experts(x) for experts, x in zip(self.own, features, strict=True)]  # each [..., n, m, width]
        shared, stopped = self.shared(of_all), [outputs.detach() for outputs in own]
        found = []
        for task, gate in enumerate(self._gates(features, of_all)):
            read = [*stopped[:task], own[task], *stopped[task + 1 :], shared]
            found += mixed([gate], torch.cat(read, dim=-2))
        return found

    def task_weights(self, *prepared: Tensor) -> Tensor:
        """Mean weight of each expert over rows, [n_tasks, experts of all]."""
        return torch.stack([gate.mean(-2) for gate in self._gates(*self._features(prepared))], dim=-2)

    def part_names(self, tasks: Sequence[str]) -> list[str]:
        """What the columns of :meth:`task_weights` are."""
        own = [name for task in tasks for name in numbered(f"own of {task}", self.n_task_experts)]
        return own + numbered("shared", self.n_shared_experts)

    def _features(self, prepared: Sequence[Tensor]) -> tuple[list[Tensor], Tensor]:
        return [encoder(*prepared) for encoder in self.encoders], self.shared_encoder(*prepared)

    def _gates(self, features: Sequence[Tensor], of_all: Tensor) -> list[Tensor]:
        return [gate(x + of_all) for gate, x in zip(self.gates, features, strict=True)]


class STEM(Recipe):
    """Shared and task-specific embeddings: embedding tables of all tasks and of each, with experts on each of them.

    A task reads the experts of all: the shared ones, its own, and those of the other tasks as they are, by which no gradient
    of its loss goes back ("all forward, task-specific backward"). So its own tables tell what a category means for this task.

    Parameters
    ----------
    n_task_experts, n_shared_experts : int, default=1
        Experts on the features of each task, and on the shared ones.
    width : int, default=64
        Units of each layer of an expert.
    n_layers : int, default=1
        Layers of an expert, each with ReLU.
    dropout : float in [0, 1), default=0.0
        Within the experts.
    tower_width : int, default=0
        Width of one hidden layer per task after the mixture; 0 for none.

    Notes
    -----
    Each table of embeddings is within an encoder of its own, one per task and a shared one; with ``encoder=MLP(n_layers=0)``
    these are the tables alone, as in the paper. It needs columns of categories: without any, it is refused.

    References
    ----------
    Su, Pan, Wang, Xiao, Quan, Chen & Jiang, "STEM: Unleashing the Power of Embeddings for Multi-task Recommendation", AAAI 2024.
    arXiv:2308.13537

    Examples
    --------
    >>> from polytask.networks import MLP, TableShape
    >>> encoder, shape = MLP(n_layers=0), TableShape(2, cardinalities=(30,))
    >>> layer = STEM(width=16).build_on(lambda: encoder.build(shape), 3)
    >>> [tuple(z.shape) for z in layer(torch.zeros(5, 2), torch.zeros(5, 1, dtype=torch.long))]
    [(5, 16), (5, 16), (5, 16)]
    """

    # DIFFERS FROM PAPER: a gate is one linear layer, as in CGC, where the authors' code has a small network
    reads = "encoders"

    def __init__(
        self,
        *,
        n_task_experts: int = 1,
        n_shared_experts: int = 1,
        width: int = 64,
        n_layers: int = 1,
        dropout: float = 0.0,
        tower_width: int = 0,
    ) -> None:
        self.n_task_experts = n_task_experts
        self.n_shared_experts = n_shared_experts
        self.width = width
        self.n_layers = n_layers
        self.dropout = dropout
        self.tower_width = tower_width

    def build(self, *args: Any) -> nn.Module:
        """STEM holds its encoders itself: see :meth:`build_on`."""
        raise OptionError("STEM has encoders of its own: it is built by `build_on(make_encoder, n_tasks)`.")

    def build_on(self, make_encoder: Callable[[], nn.Module], n_tasks: int) -> STEMLayer:
        """Make the layer.

        Raises
        ------
        OptionError
            If a setting is out of its range, or nothing of the encoder is a table of categories.
        """
        check_counts("STEM", n_task_experts=self.n_task_experts, n_shared_experts=self.n_shared_experts)
        check_counts("STEM", width=self.width, n_layers=self.n_layers)
        check_counts("STEM", at_least=0, tower_width=self.tower_width)
        check_share("STEM", dropout=self.dropout)
        encoder = make_encoder()
        if not any(isinstance(part, nn.Embedding) or getattr(part, "cardinalities", ()) for part in encoder.modules()):
            raise OptionError(
                "STEM has tables of embeddings for each task, and this table has no categorical column to embed. Take another "
                "sharing, such as MMoE() or PLE(), or declare a column as categorical."
            )
        if not _embeds(encoder):
            raise OptionError(
                "STEM has tables of embeddings for each task, and all categorical columns here are small ones, which an "
                "encoder without layers reads one-hot, with no weights of their own. Take an encoder with layers, such as "
                "MLP(n_layers=1), or another sharing, such as MMoE() or PLE()."
            )
        return STEMLayer(make_encoder, n_tasks, **self.get_params(deep=False))


def _embeds(encoder: nn.Module) -> bool:
    """Whether an encoder has weights of the categories of any column: a table, or a layer that reads them one-hot."""
    if any(isinstance(part, nn.Embedding) for part in encoder.modules()):
        return True
    inputs = [part for part in encoder.modules() if getattr(part, "cardinalities", ())]
    of_inputs = {id(p) for part in inputs for p in part.parameters() if part is not encoder}
    return bool(inputs) and any(id(p) not in of_inputs for p in encoder.parameters())
