"""GradVac against the algorithm of its paper, written out on gradients, and against torchjd."""

import pytest
import torch
import torchjd.aggregation as peer

from polytask.balancing import GradVac, PCGrad, grad_vac_weights
from tests.balancing._laws import (
    MATRICES,
    assert_finite,
    assert_non_conflicting,
    assert_resumes,
    assert_scale_invariant,
    assert_takes_tasks_that_come_and_go,
    direction,
)


def by_the_paper(jacobian, targets, *, beta, generator):
    orders = torch.rand(len(jacobian), len(jacobian), dtype=torch.float64, generator=generator).argsort(1)
    total = torch.zeros_like(jacobian[0])
    for i, order in enumerate(orders):
        g = jacobian[i].clone()
        for j in order.tolist():
            if j == i:
                continue
            other = jacobian[j]
            phi, hat = g @ other / (g.norm() * other.norm()), targets[i, j].clone()
            targets[i, j] = (1 - beta) * hat + beta * phi
            if phi < hat:
                g += (
                    g.norm()
                    * (hat * (1 - phi**2).sqrt() - phi * (1 - hat**2).sqrt())
                    / (other.norm() * (1 - hat**2).sqrt())
                    * other
                )
        total += g
    return total


@pytest.mark.parametrize("name", ["random", "wide", "scaled from 1e-6 to 1e6"])
def test_equals_the_algorithm_on_gradients_over_steps(name):
    base = MATRICES[name]
    targets, method = torch.zeros(len(base), len(base), dtype=torch.float64), GradVac(beta=0.3, random_state=4)
    generator, noise = torch.Generator().manual_seed(4), torch.Generator().manual_seed(9)
    for _ in range(4):
        jacobian = base * torch.randn(base.shape, dtype=torch.float64, generator=noise)
        expected = by_the_paper(jacobian, targets, beta=0.3, generator=generator)
        torch.testing.assert_close(direction(method, jacobian), expected, rtol=1e-8, atol=1e-8 * float(jacobian.abs().max()))


def test_equals_torchjd_for_two_tasks():
    """With two tasks there is one order of visits, and no chance."""
    ours, theirs = GradVac(beta=0.2), peer.GradVac(beta=0.2, eps=0.0)
    noise = torch.Generator().manual_seed(2)
    for _ in range(10):
        jacobian = torch.randn(2, 6, dtype=torch.float64, generator=noise) + 0.8
        torch.testing.assert_close(direction(ours, jacobian), theirs(jacobian), rtol=1e-10, atol=1e-12)


def test_a_turned_gradient_has_the_cosine_that_was_asked_for():
    jacobian = torch.randn(2, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[0.0, 0.6], [-1.0, 0.0]], dtype=torch.float64)  # only the first is turned
    turned = grad_vac_weights(jacobian @ jacobian.T, targets)[0] @ jacobian - jacobian[1]
    assert float(turned @ jacobian[1] / (turned.norm() * jacobian[1].norm())) == pytest.approx(0.6)


def test_without_memory_it_is_pcgrad():
    for seed in range(5):
        expected = direction(PCGrad(random_state=seed), MATRICES["random"])
        torch.testing.assert_close(direction(GradVac(beta=0.0, random_state=seed), MATRICES["random"]), expected)


@pytest.mark.parametrize("name", MATRICES)
def test_is_finite_over_many_steps(name):
    method = GradVac(beta=0.5)
    for _ in range(30):
        assert torch.isfinite(direction(method, MATRICES[name])).all()
    assert_finite(GradVac, MATRICES[name])


def test_gradients_that_used_to_be_one_and_part_do_not_blow_up():
    method = GradVac(beta=1.0)
    direction(method, MATRICES["identical"])
    found = direction(method, torch.eye(2, 3, dtype=torch.float64))
    assert found.norm() < 1e4


def test_two_tasks_are_left_without_conflict_at_first():
    for seed in range(10):
        pair = torch.randn(2, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        assert_non_conflicting(GradVac, pair)


def test_a_larger_task_still_counts_for_more():
    with pytest.raises(AssertionError):
        assert_scale_invariant(GradVac, MATRICES["random"])


def test_resumes_bit_for_bit():
    assert_resumes(GradVac, [MATRICES["random"]] * 6)


def test_tasks_come_and_go():
    assert_takes_tasks_that_come_and_go(GradVac)


def test_beta_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"`beta` of GradVac must be in \[0, 1\]; got 2"):
        GradVac(beta=2)


def test_targets_are_those_of_the_tasks_by_name():
    """Three tasks in turns of two: as a method for each pair would have it, but for chance, which two tasks leave none."""
    whole, noise = GradVac(beta=0.4), torch.Generator().manual_seed(6)
    alone = {pair: GradVac(beta=0.4) for pair in [("a", "b"), ("c", "a"), ("b", "c")]}
    for _ in range(3):
        for pair, method in alone.items():
            jacobian = torch.randn(2, 5, dtype=torch.float64, generator=noise)
            assert torch.equal(direction(whole, jacobian, tasks=pair), direction(method, jacobian, tasks=pair))
