"""CGC and PLE, written out from the paper."""

import pytest
import torch

from polytask.networks import CGC, PLE
from tests.networks.sharing.test_mmoe import expert_of


def level_by_hand(level, inputs, shared_input):
    """One level: a loop over tasks and experts."""
    own = [[expert_of(experts, e, x) for e in range(experts.n_experts)] for experts, x in zip(level.own, inputs, strict=True)]
    shared = [expert_of(level.shared, e, shared_input) for e in range(level.shared.n_experts)]
    found = []
    for gate, x, experts in zip(level.gates, inputs, own, strict=True):
        weights = torch.softmax(x @ gate.linear.weight.T, dim=-1)
        found.append(sum(weights[:, [e]] * out for e, out in enumerate([*experts, *shared])))
    if level.shared_gate is None:
        return found, None
    weights = torch.softmax(shared_input @ level.shared_gate.linear.weight.T, dim=-1)
    everything = [out for experts in own for out in experts] + shared
    return found, sum(weights[:, [e]] * out for e, out in enumerate(everything))


def test_cgc_is_the_formula_of_the_paper():
    layer, x = CGC(n_task_experts=2, n_shared_experts=3, width=5, n_layers=2).build(4, 3), torch.randn(7, 4)
    for own, expected in zip(layer(x), level_by_hand(layer.level, [x] * 3, x)[0], strict=True):
        torch.testing.assert_close(own, expected)


@pytest.mark.parametrize("n_levels", [1, 2, 3])
def test_ple_is_the_formula_of_the_paper(n_levels):
    layer = PLE(n_levels=n_levels, n_task_experts=2, n_shared_experts=1, width=5, tower_width=3).build(4, 3)
    x = shared = torch.randn(7, 4)
    inputs = [x] * 3
    for level in layer.levels:
        inputs, shared = level_by_hand(level, inputs, shared)
    expected = [torch.relu(tower[0](z)) for tower, z in zip(layer.towers, inputs, strict=True)]
    for own, at_once, hand in zip(layer(x), layer.at_once(x), expected, strict=True):
        torch.testing.assert_close(own, hand)
        torch.testing.assert_close(at_once, hand)


def test_ple_of_one_level_is_cgc():
    ple, cgc = PLE(n_levels=1, width=5).build(4, 2), CGC(width=5).build(4, 2)
    cgc.load_state_dict({key.replace("levels.0", "level"): value for key, value in ple.state_dict().items()})
    x = torch.randn(7, 4)
    for one, other in zip(ple(x), cgc(x), strict=True):
        assert torch.equal(one, other)


def test_a_task_has_no_weight_on_the_experts_of_another():
    layer = CGC(n_task_experts=2, n_shared_experts=1, width=5).build(4, 2)
    assert layer.part_names(["a", "b"]) == ["own of a 1", "own of a 2", "own of b 1", "own of b 2", "shared"]
    weights = layer.task_weights(torch.randn(7, 4))
    assert weights[0, 2:4].tolist() == weights[1, :2].tolist() == [0.0, 0.0]
    assert bool((weights[0, [0, 1, 4]] > 0).all())
