"""MMoE, written out from the paper."""

import pytest
import torch

from polytask.exceptions import OptionError
from polytask.networks import MMoE, sharing_of
from polytask.networks.sharing._experts import Experts, run_at_once, run_each
from polytask.networks.sharing._towers import through_towers, towers_at_once, towers_of


def expert_of(experts, number, x):
    """One expert as a loop over its layers."""
    for weight, bias in zip(experts.weights, experts.biases, strict=True):
        x = torch.relu(x @ weight[number].T + bias[number])
    return x


def by_hand(layer, x):
    """The formula of the paper: for each task the sum over experts of gate times expert."""
    found = []
    for task, gate in enumerate(layer.gates):
        weights = torch.softmax(x @ gate.linear.weight.T, dim=-1)
        total = sum(weights[:, [e]] * expert_of(layer.experts, e, x) for e in range(layer.experts.n_experts))
        if len(layer.towers):
            total = torch.relu(total @ layer.towers[task][0].weight.T + layer.towers[task][0].bias)
        found.append(total)
    return found


@pytest.mark.parametrize("settings", [{}, {"n_layers": 3}, {"tower_width": 2}])
def test_is_the_formula_of_the_paper(settings):
    layer, x = MMoE(n_experts=3, width=5, **settings).build(4, 2), torch.randn(7, 4)
    for own, expected in zip(layer(x), by_hand(layer, x), strict=True):
        torch.testing.assert_close(own, expected)


def test_weights_of_tasks_are_the_mean_of_their_gates():
    layer, x = MMoE(n_experts=3).build(4, 2), torch.randn(7, 4)
    expected = torch.stack([torch.softmax(x @ gate.linear.weight.T, dim=-1).mean(0) for gate in layer.gates])
    torch.testing.assert_close(layer.task_weights(x), expected)


def test_groups_of_experts_run_together_as_alone():
    groups, x = [Experts(4, 2, width=3, n_layers=2) for _ in range(3)], torch.randn(7, 4)
    alone = torch.stack([group(x) for group in groups], dim=-3)
    torch.testing.assert_close(run_at_once(groups, x).unflatten(-2, (3, 2)), alone)
    inputs = [x, 2 * x, -x]
    alone = torch.stack([group(own) for group, own in zip(groups, inputs, strict=True)], dim=-3)
    torch.testing.assert_close(run_each(groups, torch.stack(inputs, dim=-2)), alone)


def test_an_expert_starts_as_a_linear_layer_does():
    torch.manual_seed(0)
    weights = Experts(64, 50, width=64).weights[0]
    assert float(weights.detach().std()) == pytest.approx(1 / 8 / 3**0.5, rel=0.02)


def test_experts_drop_out_in_training_only():
    layer, x = MMoE(n_experts=2, width=64, dropout=0.5).build(4, 1), torch.randn(7, 4)
    assert not torch.equal(layer(x)[0], layer(x)[0])
    layer.eval()
    assert torch.equal(layer(x)[0], layer(x)[0])


@pytest.mark.parametrize(
    "text, said",
    [
        ("mmoe:gate=hard", "'gate' of MMoE in `sharing` must be 'softmax' or 'top_k' or 'dselect_k'; got 'hard'"),
        ("mmoe:gate=top_k,k=9", "`k` of MMoE must be between 1 and the number of experts, 8; got 9"),
        ("mmoe:gate=dselect_k,n_experts=6", "`n_experts` of MMoE must be a power of two above 1; got 6. Take 4 or 8"),
        ("mmoe:dropout=1", r"`dropout` of MMoE must be in \[0, 1\); got 1"),
        ("mmoe:experts=4", "MMoE in `sharing` has no setting 'experts'. Did you mean 'n_experts'"),
        ("mmoe:n_experts=2.5", "'n_experts' of MMoE in `sharing` must be a whole number; got 2.5"),
        ("mmo", "`sharing` must be a sharing architecture; got 'mmo'. Did you mean 'mmoe'"),
    ],
)
def test_what_cannot_be_is_refused(text, said):
    with pytest.raises(OptionError, match=said):
        sharing_of(text)


def test_towers_run_at_once_drop_units_as_those_of_each():
    towers, z = towers_of(16, 3, width=400), torch.randn(2, 5, 3, 16)
    alone = torch.stack(through_towers(towers, z.unbind(-2)))
    torch.testing.assert_close(torch.stack(towers_at_once(towers, z)), alone)
    for tower in towers:
        tower[2].p = 0.25
    dropped = torch.stack(towers_at_once(towers, z))
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], alone[kept] / 0.75)
    assert float((~kept)[alone != 0].float().mean()) == pytest.approx(0.25, abs=0.03)
