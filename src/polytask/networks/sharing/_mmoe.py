"""MMoE: multi-gate mixture of experts."""

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from polytask.exceptions import PolytaskWarning
from polytask.networks._recipe import Recipe
from polytask.networks._setting_checks import check_counts, check_share
from polytask.networks.sharing._experts import Experts, mixed
from polytask.networks.sharing._gates import Gate, check_gate, gate_of, gates_at_once
from polytask.networks.sharing._towers import through_towers, towers_at_once, towers_of


class MMoELayer(nn.Module):
    """The module that :class:`MMoE` builds: features [..., n, d] to one representation per task."""

    def __init__(
        self,
        in_features: int,
        n_tasks: int,
        *,
        n_experts: int,
        width: int,
        n_layers: int,
        gate: Gate,
        k: int,
        dropout: float,
        tower_width: int,
    ) -> None:
        super().__init__()
        self.experts = Experts(in_features, n_experts, width=width, n_layers=n_layers, dropout=dropout)
        self.gates = nn.ModuleList(gate_of(gate, in_features, n_experts, k=k) for _ in range(n_tasks))
        self.towers = towers_of(width, n_tasks, width=tower_width)
        self.out_features = tower_width or width

    def forward(self, features: Tensor) -> list[Tensor]:
        """One tensor [..., n, out_features] per task."""
        gates = [gate(features) for gate in self.gates]
        return through_towers(self.towers, mixed(gates, self.experts(features)))

    def at_once(self, features: Tensor) -> list[Tensor]:
        """The same, faster, for where the gradients of tasks need not be told apart."""
        gates = gates_at_once(list(self.gates), features.unsqueeze(-2))
        return towers_at_once(self.towers, gates @ self.experts(features))

    def task_weights(self, features: Tensor) -> Tensor:
        """Mean weight of each expert over rows, [n_tasks, n_experts]."""
        return torch.stack([gate(features).mean(-2) for gate in self.gates], dim=-2)

    def part_names(self, tasks: Sequence[str]) -> list[str]:
        """What the columns of :meth:`task_weights` are."""
        return [f"expert {k + 1}" for k in range(self.experts.n_experts)]


class MMoE(Recipe):
    r"""Multi-gate mixture of experts: all tasks share experts, and each task weighs them by a gate of its own.

    .. math:: z_t(x) = \sum_e g_t(x)_e \, f_e(x)

    Parameters
    ----------
    n_experts : int, default=8
    width : int, default=64
        Units of each layer of an expert.
    n_layers : int, default=1
        Layers of an expert, each with ReLU.
    gate : {"softmax", "top_k", "dselect_k"}, default="softmax"
        As in the paper; only the k largest weights, exactly 0 elsewhere (without the noise and the balancing loss of its
        paper); or k selectors of single experts that are learned smoothly, :class:`~polytask.networks.sharing.DSelectKGate`.
    k : int, default=2
        Experts that a gate may choose; not for "softmax", where another number than this is told as a warning.
    dropout : float in [0, 1), default=0.0
        Within the experts.
    tower_width : int, default=0
        Width of one hidden layer per task after the mixture; 0 for none.

    Notes
    -----
    In the paper experts and gates read the inputs themselves: ``encoder=MLP(n_layers=0)`` does so. Here they read features.

    References
    ----------
    Ma, Zhao, Yi, Chen, Hong & Chi, "Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts",
    KDD 2018.

    Examples
    --------
    >>> layer = MMoE(n_experts=4, width=16).build(8, 3)
    >>> [tuple(z.shape) for z in layer(torch.zeros(5, 8))]
    [(5, 16), (5, 16), (5, 16)]
    >>> layer.task_weights(torch.zeros(5, 8)).shape
    torch.Size([3, 4])
    """

    def __init__(
        self,
        *,
        n_experts: int = 8,
        width: int = 64,
        n_layers: int = 1,
        gate: Gate = "softmax",
        k: int = 2,
        dropout: float = 0.0,
        tower_width: int = 0,
    ) -> None:
        self.n_experts = n_experts
        self.width = width
        self.n_layers = n_layers
        self.gate = gate
        self.k = k
        self.dropout = dropout
        self.tower_width = tower_width

    def build(self, in_features: int, n_tasks: int) -> MMoELayer:
        """Make the layer; raises :class:`OptionError` if a setting is out of its range."""
        check_counts("MMoE", n_experts=self.n_experts, width=self.width, n_layers=self.n_layers, k=self.k)
        check_counts("MMoE", at_least=0, tower_width=self.tower_width)
        check_share("MMoE", dropout=self.dropout)
        check_gate(self.gate, self.n_experts, k=self.k, owner="MMoE")
        if self.gate == "softmax" and self.k != 2:
            message = (
                f"`k` of MMoE is for the gates 'top_k' and 'dselect_k': with 'softmax' every task reads all {self.n_experts} "
                f"experts, and k={self.k} changes nothing."
            )
            warnings.warn(message, PolytaskWarning, stacklevel=2)
        return MMoELayer(in_features, n_tasks, **self.get_params(deep=False))
