"""AdaTT, written out from the paper."""

import pytest
import torch

from polytask.networks import AdaTT
from tests.networks.sharing.test_mmoe import expert_of


def by_hand(layer, x):
    inputs = [x] * layer.n_tasks
    for level in layer.levels:
        own = [[expert_of(group, e, z) for e in range(group.n_experts)] for group, z in zip(level.experts, inputs, strict=True)]
        everything = [out for outs in own for out in outs]
        found = []
        for task, z in enumerate(inputs):
            gate = torch.softmax(z @ level.gates[task].weight.T + level.gates[task].bias, dim=-1)
            fused = sum(gate[:, [e]] * out for e, out in enumerate(everything))
            native = level.native[task] if len(level.native) else torch.ones(1)
            found.append(fused + sum(v * out for v, out in zip(native, own[task], strict=True)))
        inputs = found
    return inputs


@pytest.mark.parametrize("settings", [{}, {"n_task_experts": 3, "n_levels": 1}, {"n_task_experts": 2, "n_layers": 2}])
def test_is_the_formula_of_the_paper(settings):
    layer, x = AdaTT(width=5, **settings).build(4, 3), torch.randn(7, 4)
    for own, at_once, expected in zip(layer(x), layer.at_once(x), by_hand(layer, x), strict=True):
        torch.testing.assert_close(own, expected)
        torch.testing.assert_close(at_once, expected)


def test_every_task_reads_the_experts_of_all():
    layer, x = AdaTT(n_levels=1, width=5).build(4, 3), torch.randn(7, 4)
    losses = [z.square().sum() for z in layer(x)]
    for experts in layer.levels[0].experts:
        assert all(bool(torch.autograd.grad(loss, experts.weights[0], retain_graph=True)[0].any()) for loss in losses)


def test_shares_of_experts_count_the_native_part():
    layer, x = AdaTT(width=5).build(4, 2), torch.randn(7, 4)
    for gate in layer.levels[1].gates:
        torch.nn.init.zeros_(gate.weight)
        torch.nn.init.zeros_(gate.bias)
    torch.testing.assert_close(layer.task_weights(x), torch.tensor([[0.75, 0.25], [0.25, 0.75]]))


def test_shares_of_several_experts_are_of_the_sizes_of_their_weights():
    layer, x = AdaTT(n_levels=1, n_task_experts=2, width=5).build(4, 2), torch.randn(7, 4)
    level, rows = layer.levels[0], []
    for task in range(2):
        weights = torch.softmax(level.gates[task](x), dim=-1)
        weights[:, 2 * task : 2 * task + 2] += level.native[task]
        rows.append((weights.abs() / weights.abs().sum(1, keepdim=True)).mean(0))
    torch.testing.assert_close(layer.task_weights(x), torch.stack(rows))
