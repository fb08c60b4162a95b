"""Parameter groups and the optimizer, against torch."""

import pytest
import torch
from torch import nn

from polytask.networks.encoders import TableInputs, TableShape
from polytask.optim import adamw


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


def parameters(module):
    return dict(module.named_parameters())


def test_weights_are_decayed_and_biases_are_not():
    groups = adamw(parameters(network()), learning_rate=0.1, weight_decay=0.3).param_groups
    assert [[tuple(p.shape) for p in group["params"]] for group in groups] == [[(8, 4), (2, 8)], [(8,), (2,)]]
    assert [group["weight_decay"] for group in groups] == [0.3, 0.0]
    assert {group["lr"] for group in groups} == {0.1}


def test_embeddings_are_not_decayed():
    inputs = TableInputs(TableShape(1, cardinalities=(50,)))
    groups = adamw(parameters(inputs), learning_rate=0.1, weight_decay=0.3).param_groups
    assert [group["weight_decay"] for group in groups] == [0.0]


def test_every_parameter_is_in_one_group():
    own = parameters(network())
    found = [id(p) for group in adamw(own, learning_rate=0.1, weight_decay=0.3).param_groups for p in group["params"]]
    assert sorted(found) == sorted(map(id, own.values()))


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_steps_are_those_of_adamw_of_torch(decay):
    ours, theirs = network(), network()
    first = adamw(parameters(ours), learning_rate=0.1, weight_decay=decay)
    weights, biases = ([p for name, p in theirs.named_parameters() if name.endswith(end)] for end in ("weight", "bias"))
    second = torch.optim.AdamW([{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}], lr=0.1)
    for _ in range(5):
        for module, optimizer in ((ours, first), (theirs, second)):
            optimizer.zero_grad()
            module(torch.ones(3, 4)).square().sum().backward()
            optimizer.step()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)  # fused and plain steps round differently


def test_a_parameter_without_gradient_is_only_decayed():
    p = nn.Parameter(torch.ones(3))
    optimizer = adamw({"weight": p}, learning_rate=0.1, weight_decay=0.5)
    p.grad = torch.zeros(3)
    optimizer.step()
    torch.testing.assert_close(p.detach(), torch.full((3,), 0.95))
