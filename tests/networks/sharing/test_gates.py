"""Gates, against their formulas written out."""

import itertools

import pytest
import torch

from polytask.networks.sharing import DSelectKGate, TopKGate, smooth_step, top_k_softmax


def test_top_k_is_a_softmax_of_the_largest():
    logits = torch.randn(20, 6)
    found = top_k_softmax(logits, k=3)
    for row, own in zip(logits, found, strict=True):
        kept = sorted(range(6), key=lambda e, row=row: -row[e])[:3]
        expected = torch.zeros(6)
        expected[kept] = torch.softmax(row[kept], dim=-1)
        torch.testing.assert_close(own, expected)


def test_top_k_keeps_k_of_equal_ones():
    assert int((TopKGate(3, 5, k=2)(torch.zeros(1, 3)) > 0).sum()) == 2


def test_the_smooth_step_is_flat_outside_and_smooth_at_the_edges():
    t = torch.tensor([-0.7, -0.5, 0.0, 0.5, 0.7], requires_grad=True)
    steps = smooth_step(t)
    torch.testing.assert_close(steps, torch.tensor([0.0, 0.0, 0.5, 1.0, 1.0]))
    (slopes,) = torch.autograd.grad(steps.sum(), t)
    torch.testing.assert_close(slopes, torch.tensor([0.0, 0.0, 1.5, 0.0, 0.0]))


def test_dselect_k_is_the_formula_of_the_paper():
    torch.manual_seed(0)
    gate, x = DSelectKGate(5, 8, k=2), torch.randn(4, 5)
    torch.nn.init.normal_(gate.selectors.weight, std=0.1)
    found = gate(x)
    for row, own in zip(x, found, strict=True):
        weights = torch.softmax(gate.weights.weight @ row + gate.weights.bias, dim=0)
        z = (gate.selectors.weight @ row + gate.selectors.bias).reshape(2, 3)
        expected = torch.zeros(8)
        for i, e in itertools.product(range(2), range(8)):
            chosen = torch.ones(())
            for j in range(3):
                step = smooth_step(z[i, j])
                chosen = chosen * (step if (e >> j) & 1 else 1 - step)
            expected[e] += weights[i] * chosen
        torch.testing.assert_close(own, expected)


def test_dselect_k_with_binary_codes_takes_at_most_k_experts():
    gate = DSelectKGate(5, 8, k=2)
    torch.nn.init.normal_(gate.selectors.weight, std=1e6)
    found = gate(torch.randn(50, 5))
    assert int((found > 0).sum(-1).max()) <= 2
    torch.testing.assert_close(found.sum(-1), torch.ones(50))


def test_selectors_and_their_weights_start_small():
    gate = DSelectKGate(50, 8, k=4)
    for layer, bound in ((gate.selectors, 0.01), (gate.weights, 0.05)):
        for p in (layer.weight, layer.bias):
            assert float(p.detach().abs().max()) <= bound
        assert float(layer.weight.detach().std()) == pytest.approx(bound / 3**0.5, rel=0.15)
