"""Heads as one product: the outputs and gradients of separate ones, under the parameters' names of separate ones."""

import pytest
import torch
from torch import nn

from polytask.networks import MLP, HardSharing, MultiTaskModule, TableShape
from polytask.networks import _multi_task_module as module_room
from polytask.networks.heads import LinearHead, StackedLinearHeads, joined_outputs


def separate(n_tasks=12, width=6):
    torch.manual_seed(0)
    heads = [LinearHead(width, 1 + k % 3, n_dependent=1 if k % 4 == 2 else None) for k in range(n_tasks)]
    for head in heads:
        nn.init.normal_(head.bias)
    return nn.ModuleList(heads).double()


def test_outputs_and_gradients_are_those_of_separate_heads():
    heads, z = separate(), torch.randn(9, 6, dtype=torch.float64, requires_grad=True)
    expected = torch.cat([head(z) for head in heads], -1)
    found = joined_outputs(heads, z)
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=1e-14)
    leaves = [z, *heads.parameters()]
    torch.testing.assert_close(
        torch.autograd.grad(found.sin().sum(), leaves), torch.autograd.grad(expected.sin().sum(), leaves), rtol=1e-12, atol=1e-13
    )


@pytest.mark.parametrize("tower_width", [0, 4])
def test_a_network_of_many_heads_gives_the_same_with_the_same_names(tower_width, monkeypatch):
    torch.manual_seed(0)
    encoder = MLP(n_layers=1, width=6, dropout=0.0).build(TableShape(3))
    sharing = HardSharing(tower_width=tower_width).build(6, 12)
    module = MultiTaskModule(encoder, sharing, list(separate(width=sharing.out_features))).double().eval()
    inputs = torch.randn(9, 3, dtype=torch.float64), torch.zeros(9, 0, dtype=torch.long)
    found = module(*inputs)
    monkeypatch.setattr(module_room, "MANY_HEADS", 100)
    torch.testing.assert_close(found, module(*inputs), rtol=1e-12, atol=1e-13)
    assert "heads.11.linear.weight" in module.state_dict()


def test_a_stack_of_networks_may_have_many_heads():
    heads, z = separate(), torch.randn(2, 9, 6, dtype=torch.float64)
    state = {name: torch.stack([p, 2 * p]) for name, p in heads.named_parameters()}

    class Joined(nn.Module):
        def __init__(self):
            super().__init__()
            self.heads = heads

        def forward(self, z):
            return joined_outputs(self.heads, z)

    joined = Joined()
    state = {f"heads.{name}": p for name, p in state.items()}
    found = torch.func.vmap(lambda own, z: torch.func.functional_call(joined, own, (z,)))(state, z)
    torch.testing.assert_close(found[0], joined(z[0]), rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(found[1], 2 * joined(z[1]), rtol=1e-12, atol=1e-13)


def test_stacked_heads_are_copies_of_separate_ones():
    heads = [nn.Linear(6, 2) for _ in range(5)]
    z = torch.randn(9, 6)
    torch.testing.assert_close(StackedLinearHeads.of(heads)(z), torch.stack([head(z) for head in heads], 1))
    alike = [LinearHead(6, 2) for _ in range(5)]
    torch.testing.assert_close(StackedLinearHeads.of(alike)(z), torch.stack([head(z) for head in alike], 1))


@pytest.mark.parametrize(
    "heads", [[nn.Linear(6, 2), nn.Linear(6, 3)], [LinearHead(6, 3, n_dependent=1)] * 2, [nn.Linear(6, 2), nn.Linear(5, 2)]]
)
def test_heads_of_different_widths_are_not_stacked(heads):
    with pytest.raises(ValueError, match="must be of one width"):
        StackedLinearHeads.of(heads)


def test_sizes_are_positive():
    with pytest.raises(ValueError, match="at least 1; got 6, 0 and 1"):
        StackedLinearHeads(6, 0)
