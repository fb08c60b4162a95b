"""LTB, learning to branch: which blocks tasks share is learned."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from polytask.networks._setting_checks import check_counts, check_number
from polytask.networks.sharing._stages import OnEncoders, keep_blocks_only, stages_of, weighted, without_texts


class LTBLayer(nn.Module):
    """The module that :class:`LTB` builds: prepared inputs to one representation per task.

    Attributes
    ----------
    encoders : ModuleList of n_nodes encoders
        Their blocks of one depth are the nodes there; the first one has besides what is before and after the blocks.
    branching : ParameterList
        For each depth the log-probabilities of where a node reads, [n_nodes, n_nodes], up to a constant and divided by ``speed``;
        the last one of tasks, [n_tasks, n_nodes].
    """

    def __init__(
        self, make_encoder: Callable[[], nn.Module], n_tasks: int, *, n_nodes: int, temperature: float, speed: float
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(without_texts(make_encoder) for _ in range(n_nodes))
        n_blocks = len(stages_of(self.encoders[0], owner="LTB"))
        for encoder in self.encoders[1:]:
            keep_blocks_only(encoder, list(encoder.blocks))  # type: ignore[arg-type]
        self.out_features: int = self.encoders[0].out_features  # type: ignore[assignment]
        self.temperature, self.speed = temperature, speed
        readers = [n_nodes] * (n_blocks - 1) + [n_tasks]
        self.branching = nn.ParameterList(nn.Parameter(torch.zeros(n, n_nodes)) for n in readers)

    def forward(self, *prepared: Tensor) -> list[Tensor]:
        """All nodes of a depth at a time; each reads one of those before, drawn in training, the most probable one otherwise."""
        encoders: list[Any] = list(self.encoders)
        read, blocks = [encoders[0].embed(*prepared)] * len(encoders), [encoder.blocks for encoder in encoders]
        for depth, logits in enumerate(self.branching):
            made = torch.stack([own[depth](z) for own, z in zip(blocks, read, strict=True)])
            read = [weighted(own, made) for own in self._chosen(self.speed * logits).unbind()]
        return [encoders[0].finish(z) for z in read]

    def _chosen(self, logits: Tensor) -> Tensor:
        """One-hot rows; in training drawn, with the slope of the smooth draw."""
        if not self.training:
            return _one_hot(logits)
        uniform = torch.rand_like(logits).clamp(min=torch.finfo(logits.dtype).tiny)
        soft = ((logits - (-uniform.log()).log()) / self.temperature).softmax(dim=-1)
        # DIFFERS FROM PAPER: the draw itself forward (straight through), so that training and inference compute alike; one
        # temperature; and no second training of the tree that was found
        return _one_hot(soft) + soft - soft.detach()

    def task_weights(self, *prepared: Tensor) -> Tensor:
        """How probable each node of the last depth is for each task, [n_tasks, n_nodes]."""
        return (self.speed * self.branching[-1]).softmax(dim=-1)

    def part_names(self, tasks: Sequence[str]) -> list[str]:
        """What the columns of :meth:`task_weights` are."""
        return [f"branch {k + 1}" for k in range(len(self.encoders))]


class LTB(OnEncoders):
    r"""LTB, learning to branch: at every depth there are several blocks, each reads one of those before, and which is learned.

    .. math:: d_{ij} = \mathrm{softmax}_i((\log \theta_{ij} + \epsilon_{ij}) / \tau), \quad \epsilon_{ij} \sim \mathrm{Gumbel}

    So tasks share the first blocks and part where that pays: a tree. At inference each block and each task reads where it is most
    probable; at the start, where all are alike, all read the first one, which is hard sharing.

    Parameters
    ----------
    n_nodes : int, optional
        Blocks at every depth; by default as many as tasks.
    temperature : float > 0, default=1.0
        :math:`\tau`: smaller is nearer to a choice.
    speed : float > 0, default=30.0
        How much faster than the rest log-probabilities learn; what was drawn at random for too long is learned badly.

    Notes
    -----
    In the paper the temperature falls over training, and the tree that was found is trained again from the start.

    References
    ----------
    Guo, Lee & Ulbricht, "Learning to Branch for Multi-Task Learning", ICML 2020. arXiv:2006.01895

    Examples
    --------
    >>> from polytask.networks import MLP, TableShape
    >>> layer = LTB().build_on(lambda: MLP(width=8).build(TableShape(3)), 2)
    >>> [tuple(z.shape) for z in layer(torch.zeros(5, 3), torch.zeros(5, 0, dtype=torch.long))]
    [(5, 8), (5, 8)]
    >>> [tuple(logits.shape) for logits in layer.branching]
    [(2, 2), (2, 2)]
    """

    def __init__(self, *, n_nodes: int | None = None, temperature: float = 1.0, speed: float = 30.0) -> None:
        self.n_nodes = n_nodes
        self.temperature = temperature
        self.speed = speed

    def build_on(self, make_encoder: Callable[[], nn.Module], n_tasks: int) -> LTBLayer:
        """Make the blocks of all depths; raises :class:`OptionError` if a setting is out of its range."""
        if self.n_nodes is not None:
            check_counts("LTB", n_nodes=self.n_nodes)
        check_number("LTB", low=1e-3, temperature=self.temperature, speed=self.speed)
        settings = {"temperature": self.temperature, "speed": self.speed}
        return LTBLayer(make_encoder, n_tasks, n_nodes=self.n_nodes or n_tasks, **settings)


def _one_hot(values: Tensor) -> Tensor:
    """1 at the largest of each row, the first one of equals; 0 elsewhere."""
    return (torch.arange(values.shape[-1], device=values.device) == values.argmax(dim=-1, keepdim=True)).to(values.dtype)
