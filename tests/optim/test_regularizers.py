"""Penalties: each step against its closed form, and per network of a stack."""

import json

import pytest
import torch

from polytask.exceptions import OptionError
from polytask.optim import (
    L1,
    REGULARIZERS,
    ElasticNet,
    GroupLasso,
    SoftOrthogonality,
    column_norms,
    regularizers_of,
    shrink_groups_,
    soft_threshold_,
)


def parameters(seed=0, lead=()):
    generator = torch.Generator().manual_seed(seed)
    shapes = {"encoder.layers.0.weight": (3, 4), "encoder.layers.0.bias": (3,), "sharing.experts.weights.0": (2, 3, 4)}
    shapes |= {"sharing.alphas": (2, 2), "heads.0.linear.weight": (1, 3), "heads.0.bias": (1,)}
    return {name: torch.randn(*lead, *shape, generator=generator) for name, shape in shapes.items()}


def minimum(step, weight, penalty):
    """The proximal step by definition: the minimum of half the squared distance plus the penalty, found by small steps."""
    found = step.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([found], max_iter=500, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = 0.5 * (found - step).square().sum() + weight * penalty(found)
        value.backward()
        return value

    optimizer.step(closure)
    return found.detach()


def smooth_abs(w):
    return (w.square() + 1e-8).sqrt().sum()


def test_thresholds_are_minima_of_distance_and_penalty():
    w = torch.tensor([[0.3, -0.02, -1.0], [0.05, 0.4, 2.0]], dtype=torch.float64)
    torch.testing.assert_close(soft_threshold_(w.clone(), 0.1), minimum(w, 0.1, smooth_abs), atol=1e-3, rtol=0)
    groups = shrink_groups_(w.clone(), w.norm(dim=0), 0.2)
    by_hand = minimum(w, 0.2, lambda own: (own.square().sum(0) + 1e-8).sqrt().sum())
    torch.testing.assert_close(groups, by_hand, atol=1e-3, rtol=0)


def test_elastic_net_is_the_minimum_of_distance_and_both_penalties():
    w = {"heads.0.linear.weight": torch.tensor([[0.3, -0.02, -1.0]], dtype=torch.float64)}
    before = w["heads.0.linear.weight"].clone()
    ElasticNet(0.5, l1_ratio=0.4, on="heads").shrink_(w, lambda name: 0.2, columns={})
    by_hand = minimum(before, 0.1, lambda own: 0.4 * smooth_abs(own) + 0.3 * own.square().sum())
    torch.testing.assert_close(w["heads.0.linear.weight"], by_hand, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("on", "changed"),
    [
        ("shared", {"encoder.layers.0.weight", "sharing.experts.weights.0"}),
        ("encoder", {"encoder.layers.0.weight"}),
        ("heads", {"heads.0.linear.weight"}),
        ("all", {"encoder.layers.0.weight", "sharing.experts.weights.0", "heads.0.linear.weight"}),
    ],
)
def test_only_weights_of_the_part_are_moved(on, changed):
    own, before = parameters(), parameters()
    L1(0.5, on=on).shrink_(own, lambda name: 0.1, columns={})
    assert {name for name in own if not torch.equal(own[name], before[name])} == changed


@pytest.mark.parametrize("penalty", [L1(0.5), ElasticNet(0.5), GroupLasso(2.0)], ids=repr)
def test_every_network_of_a_stack_is_shrunk_by_its_own_rate_and_norms(penalty):
    columns = {"encoder.layers.0.weight": torch.tensor([0, 1, 1, 2]), "sharing.experts.weights.0": torch.tensor([0, 1, 1, 2])}
    rates = torch.tensor([0.1, 0.4])
    both = {name: torch.stack([parameters(0)[name], 0.3 * parameters(1)[name]]) for name in parameters()}
    alone = [parameters(0), {name: 0.3 * p for name, p in parameters(1).items()}]
    penalty.shrink_(both, lambda name: rates, columns=columns, n_replicas=2)
    for r, own in enumerate(alone):
        penalty.shrink_(own, lambda name, r=r: float(rates[r]), columns=columns)
        for name, p in own.items():
            torch.testing.assert_close(both[name][r], p)


def test_a_group_is_a_column_over_all_weights_that_read_it():
    own = {"a": torch.tensor([[3.0, 1.0, 1.0]]), "b": torch.tensor([[[4.0, 1.0, 1.0]]])}
    columns = dict.fromkeys(own, torch.tensor([0, 1, 1]))
    assert column_norms(own, columns).tolist() == [5.0, 2.0]
    GroupLasso(1.0).shrink_(own, lambda name: 1.0, columns=columns)
    torch.testing.assert_close(own["a"][0], torch.tensor([2.4, 1 - 2**0.5 / 2, 1 - 2**0.5 / 2]))  # sqrt of two features
    GroupLasso(2.0).shrink_(own, lambda name: 1.0, columns=columns)
    assert column_norms(own, columns)[1] == 0
    assert float(column_norms(own, columns)[0]) == pytest.approx(2.0)


def test_orthonormal_matrices_have_no_penalty_and_steps_lead_to_them():
    weight = torch.randn(3, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    own, penalty = {"encoder.0.weight": weight}, SoftOrthogonality(0.1)
    optimizer = torch.optim.SGD([weight], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        penalty.penalty(own, n_replicas=None).backward()
        optimizer.step()
    torch.testing.assert_close(weight @ weight.mT, torch.eye(3), atol=1e-3, rtol=0)
    assert float(penalty.penalty(own, n_replicas=None).detach()) < 1e-5
    assert penalty.penalty({"heads.0.linear.weight": weight}, n_replicas=None) is None


def test_the_penalty_of_a_stack_is_the_sum_of_those_of_its_networks():
    own, other, penalty = parameters(0), parameters(1), SoftOrthogonality(0.3, on="all")
    both = {name: torch.stack([own[name], other[name]]) for name in own}
    expected = sum(penalty.penalty(p, n_replicas=None) for p in (own, other))
    torch.testing.assert_close(penalty.penalty(both, n_replicas=2), expected)


def test_names_lists_and_json_mean_the_same():
    made = [L1(0.01, on="heads"), GroupLasso()]
    assert regularizers_of("l1:strength=0.01,on=heads;group_lasso") == made
    assert regularizers_of(["l1:strength=0.01,on=heads", GroupLasso()]) == made
    assert REGULARIZERS.text(made) == "l1:strength=0.01,on=heads;group_lasso"
    assert REGULARIZERS.from_json(json.loads(json.dumps(REGULARIZERS.to_json(made)))) == made
    assert regularizers_of(None) == []


@pytest.mark.parametrize(
    "given", ["l3", "l1:strength=-1", "l1:on=body", "group_lasso:on=heads", "elastic_net:l1_ratio=2", 0.1, [L1], "l1:strenght=1"]
)
def test_what_cannot_be_used_is_refused(given):
    with pytest.raises(OptionError, match=r"must be|Did you mean"):
        regularizers_of(given)


def test_the_same_twice_is_refused():
    with pytest.raises(OptionError, match="L1 of 'shared' is given twice in `o`"):
        regularizers_of("l1;l1:strength=0.1", option="`o`")
    assert len(regularizers_of("l1;l1:on=heads")) == 2
