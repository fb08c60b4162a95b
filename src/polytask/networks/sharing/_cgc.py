"""CGC: customized gate control."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from polytask.networks._recipe import Recipe
from polytask.networks._setting_checks import check_counts, check_share
from polytask.networks.sharing._experts import Experts, mixed, run_at_once, run_each
from polytask.networks.sharing._gates import SoftmaxGate, gates_at_once
from polytask.networks.sharing._towers import through_towers, towers_at_once, towers_of


class CGCLevel(nn.Module):
    """Experts of each task, shared ones, and gates: one input per task and a shared one, to one output per task.

    With ``is_last=False`` there is a shared output too, from a gate over all experts, as between the levels of PLE.
    """

    def __init__(
        self,
        in_features: int,
        n_tasks: int,
        *,
        n_task_experts: int,
        n_shared_experts: int,
        width: int,
        n_layers: int,
        dropout: float,
        is_last: bool = True,
    ) -> None:
        super().__init__()
        shape = {"width": width, "n_layers": n_layers, "dropout": dropout}
        self.n_task_experts, self.n_shared_experts = n_task_experts, n_shared_experts
        self.own = nn.ModuleList(Experts(in_features, n_task_experts, **shape) for _ in range(n_tasks))  # type: ignore[arg-type]
        self.shared = Experts(in_features, n_shared_experts, **shape)  # type: ignore[arg-type]
        self.gates = nn.ModuleList(SoftmaxGate(in_features, n_task_experts + n_shared_experts) for _ in range(n_tasks))
        n_all = n_tasks * n_task_experts + n_shared_experts
        self.shared_gate = None if is_last else SoftmaxGate(in_features, n_all)

    def forward(self, inputs: Sequence[Tensor], shared_input: Tensor) -> tuple[list[Tensor], Tensor | None]:
        """Inputs [..., n, d] to representations [..., n, width] of each task, and the shared one."""
        own = [experts(x) for experts, x in zip(self.own, inputs, strict=True)]  # each [..., n, m, width]
        shared = self.shared(shared_input)
        found = []
        for gate, x, experts in zip(self.gates, inputs, own, strict=True):
            of_own, of_shared = gate(x).split([self.n_task_experts, self.n_shared_experts], dim=-1)
            found.append((of_own.unsqueeze(-1) * experts).sum(-2) + mixed([of_shared], shared)[0])
        everything = [] if self.shared_gate is None else [*own, shared]
        return found, self._shared_output(shared_input, everything)

    def at_once(self, inputs: Tensor | None, shared_input: Tensor) -> tuple[Tensor, Tensor | None]:
        """The same in fewer and larger products: inputs and representations [..., n, n_tasks, d]; None for the shared input."""
        n_tasks = len(self.own)
        if inputs is None:
            everything = run_at_once([*self.own, self.shared], shared_input)
            inputs = shared_input.unsqueeze(-2)
        else:
            each = run_each(list(self.own), inputs).flatten(-3, -2)  # type: ignore[arg-type]
            everything = torch.cat([each, self.shared(shared_input)], dim=-2)
        own, shared = everything.split([n_tasks * self.n_task_experts, self.n_shared_experts], dim=-2)
        gates = gates_at_once(list(self.gates), inputs)  # [..., n, T, m + s]
        of_own, of_shared = gates.split([self.n_task_experts, self.n_shared_experts], dim=-1)
        mean = (of_own.unsqueeze(-1) * own.unflatten(-2, (n_tasks, -1))).sum(-2) + of_shared @ shared
        return mean, self._shared_output(shared_input, [everything])

    def weights(self, inputs: Sequence[Tensor]) -> Tensor:
        """Mean weight of each expert over rows, [n_tasks, experts of all]; 0 for those of other tasks."""
        rows = []
        for k, (gate, x) in enumerate(zip(self.gates, inputs, strict=True)):
            own, shared = gate(x).mean(-2).split([self.n_task_experts, self.n_shared_experts], dim=-1)
            before, after = k * self.n_task_experts, (len(self.own) - 1 - k) * self.n_task_experts
            rows.append(torch.cat([F.pad(own, (before, after)), shared], dim=-1))
        return torch.stack(rows, dim=-2)

    def part_names(self, tasks: Sequence[str]) -> list[str]:
        """Names of the experts, in the order of :meth:`weights`."""
        own = [numbered(f"own of {task}", self.n_task_experts) for task in tasks]
        return [name for names in own for name in names] + numbered("shared", self.n_shared_experts)

    def _shared_output(self, shared_input: Tensor, everything: Sequence[Tensor]) -> Tensor | None:
        if self.shared_gate is None:
            return None
        return mixed([self.shared_gate(shared_input)], torch.cat(list(everything), dim=-2))[0]


def numbered(name: str, count: int) -> list[str]:
    """The name alone, or with a number where there are several.

    >>> numbered("shared", 1), numbered("shared", 2)
    (['shared'], ['shared 1', 'shared 2'])
    """
    return [name] if count == 1 else [f"{name} {k + 1}" for k in range(count)]


class CGCLayer(nn.Module):
    """The module that :class:`CGC` builds: features [..., n, d] to one representation per task."""

    def __init__(self, in_features: int, n_tasks: int, *, tower_width: int, width: int, **settings: int | float) -> None:
        super().__init__()
        self.level = CGCLevel(in_features, n_tasks, width=width, **settings)  # type: ignore[arg-type]
        self.towers = towers_of(width, n_tasks, width=tower_width)
        self.n_tasks, self.out_features = n_tasks, tower_width or width

    def forward(self, features: Tensor) -> list[Tensor]:
        """One tensor [..., n, out_features] per task."""
        return through_towers(self.towers, self.level([features] * self.n_tasks, features)[0])

    def at_once(self, features: Tensor) -> list[Tensor]:
        """The same, faster, for where the gradients of tasks need not be told apart."""
        return towers_at_once(self.towers, self.level.at_once(None, features)[0])

    def task_weights(self, features: Tensor) -> Tensor:
        """Mean weight of each expert over rows, [n_tasks, experts of all]."""
        return self.level.weights([features] * self.n_tasks)

    def part_names(self, tasks: Sequence[str]) -> list[str]:
        """What the columns of :meth:`task_weights` are."""
        return self.level.part_names(tasks)


class CGC(Recipe):
    r"""Customized gate control: each task has experts of its own besides the shared ones, and a gate over these two.

    .. math:: z_t(x) = \sum_{e \in \text{own of } t, \text{ shared}} g_t(x)_e \, f_e(x)

    Parameters
    ----------
    n_task_experts, n_shared_experts : int, default=2
        Experts of each task, and of all.
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
    In the paper experts and gates read the inputs themselves: ``encoder=MLP(n_layers=0)`` does so. Here they read features.

    References
    ----------
    Tang, Liu, Zhao & Gong, "Progressive Layered Extraction (PLE): A Novel Multi-Task Learning (MTL) Model for Personalized
    Recommendations", RecSys 2020.

    Examples
    --------
    >>> layer = CGC(n_task_experts=1, n_shared_experts=2, width=16).build(8, 3)
    >>> [tuple(z.shape) for z in layer(torch.zeros(5, 8))]
    [(5, 16), (5, 16), (5, 16)]
    >>> layer.task_weights(torch.zeros(5, 8)).shape
    torch.Size([3, 5])
    """

    def __init__(
        self,
        *,
        n_task_experts: int = 2,
        n_shared_experts: int = 2,
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

    def build(self, in_features: int, n_tasks: int) -> CGCLayer:
        """Make the layer; raises :class:`OptionError` if a setting is out of its range."""
        check_counts("CGC", n_task_experts=self.n_task_experts, n_shared_experts=self.n_shared_experts)
        check_counts("CGC", width=self.width, n_layers=self.n_layers)
        check_counts("CGC", at_least=0, tower_width=self.tower_width)
        check_share("CGC", dropout=self.dropout)
        return CGCLayer(in_features, n_tasks, **self.get_params(deep=False))
