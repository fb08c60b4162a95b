"""Proximal steps in the metric of an optimizer: whatever it is, it ends where the loss plus the penalty is least."""

import pytest
import torch

from polytask.optim import L1, OPTIMIZERS, SGD, GroupLasso, column_norms, group_factors, part_optimizers, step_sizes

NAME = "encoder.layers.0.weight"
COLUMNS = {NAME: torch.tensor([0, 1, 1, 2, 3, 3])}
RATES = {"sgd": 0.2, "sgd:momentum=0.9": 0.03, "adagrad": 0.2, "adamax": 0.06, "adadelta": 1.0}
OTHERS = ["adamw", "adam", "nadam", "radam", "adamax", "rmsprop:momentum=0.5", "adagrad", "adadelta", "sgd:momentum=0.9"]
PENALTIES = [L1(0.05), GroupLasso(0.12)]


def problem():
    """A quadratic whose curvature differs much between weights, so that steps do, and its least point with a penalty."""
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(6, 6, generator=generator, dtype=torch.float64) * 0.3 + torch.eye(6, dtype=torch.float64)
    curvature = mixing @ torch.diag(torch.tensor([0.2, 0.3, 1.0, 1.0, 3.0, 0.5], dtype=torch.float64)) @ mixing.mT
    target = torch.tensor([[1.0, -0.5, 0.2, 0.05, 0.02, -0.03], [0.6, 0.3, -0.1, 0.02, 0.05, 0.01]], dtype=torch.float64)
    return curvature, target


def train(optimizer, penalty, *, steps):
    curvature, target = problem()
    weight = torch.nn.Parameter(0.3 * torch.ones_like(target))
    rate = RATES.get(optimizer, RATES.get(optimizer.split(":")[0], 0.03))
    made = part_optimizers({NAME: weight}, optimizer, learning_rate=rate, weight_decay=0.0)
    (member,) = made.members
    for step in range(steps):
        for group in made.param_groups:
            group["lr"] = rate * (1 - step / steps)
        made.zero_grad()
        weight.grad = (weight.detach() - target) @ curvature
        made.step()
        sizes = step_sizes(member, member.param_groups[0], weight)
        penalty.shrink_({NAME: weight}, lambda name, sizes=sizes: sizes, columns=COLUMNS)
    return weight.detach()


def least(penalty):
    return train("sgd", penalty, steps=2500)


@pytest.fixture(scope="module")
def least_of():
    return {own: least(own) for own in PENALTIES}


def test_the_least_point_of_plain_steps_is_one(least_of):
    """By the conditions of a minimum: the gradient is as large as the penalty where weights are not 0, no larger elsewhere."""
    curvature, target = problem()
    found = least_of[L1(0.05)]
    gradient = (found - target) @ curvature
    torch.testing.assert_close(gradient[found != 0], -0.05 * found.sign()[found != 0], atol=1e-6, rtol=0)
    assert bool((gradient[found == 0].abs() <= 0.05).all())
    assert 0 < int((found == 0).sum()) < found.numel()
    alive = column_norms({NAME: least_of[GroupLasso(0.12)]}, COLUMNS) > 0
    assert 0 < int(alive.sum()) < 4


@pytest.mark.parametrize(
    ("optimizer", "penalty"), [(own, PENALTIES[0]) for own in OTHERS] + [(own, PENALTIES[1]) for own in ("adamw", "adagrad")]
)
def test_every_optimizer_ends_where_loss_and_penalty_are_least(optimizer, penalty, least_of):
    steps = 4000 if optimizer in ("radam", "adadelta") else 1500  # which are slow
    found, expected = train(optimizer, penalty, steps=steps), least_of[penalty]
    torch.testing.assert_close(found, expected, atol=5e-3, rtol=0)
    large = expected.abs() > 1e-2
    assert bool((found[large] != 0).all())
    assert bool((found[expected == 0] == 0).all())  # exact zeros, the same ones


def test_every_optimizer_by_name_is_tested_but_muon():
    assert {own.split(":")[0] for own in OTHERS} == set(OPTIMIZERS.classes) - {"muon"}


def test_momentum_adds_up():
    weight = torch.nn.Parameter(torch.ones(2, 2))
    (member,) = SGD(momentum=0.9).build({NAME: weight}, learning_rate=0.1, weight_decay=0.0, part="encoder")
    assert step_sizes(member, member.param_groups[0], weight) == pytest.approx(1.0)


def test_groups_with_steps_of_their_own_are_shrunk_to_the_minimum():
    generator = torch.Generator().manual_seed(0)
    for scale in (0.01, 0.3, 1.0, 3.0):
        z = torch.randn(3, 5, generator=generator, dtype=torch.float64)
        amounts = scale * torch.rand(3, 5, generator=generator, dtype=torch.float64) ** 4
        (factor,) = group_factors([z], [amounts], sums=lambda own: own[0].sum(0), spread=lambda k, own: own)
        w = z * factor
        dead = (z / amounts).norm(dim=0) <= 1  # the condition of a minimum at 0
        assert (w.any(0) == ~dead).all()
        residual = (w - z) / amounts + w / w.norm(dim=0)
        torch.testing.assert_close(residual[:, ~dead], torch.zeros_like(residual[:, ~dead]), atol=1e-6, rtol=0)


def test_a_weight_that_makes_no_step_stays():
    z, amounts = torch.tensor([[3.0], [4.0]]), torch.tensor([[0.0], [5.0]])
    (factor,) = group_factors([z], [amounts], sums=lambda own: own[0].sum(0), spread=lambda k, own: own)
    assert factor[0].item() == 1.0
    assert 0 < factor[1].item() < 1
