"""PCGrad against the algorithm of its paper, written out on gradients."""

import pytest
import torch

from polytask.balancing import PCGrad, pcgrad_weights
from tests.balancing._laws import (
    MATRICES,
    assert_finite,
    assert_non_conflicting,
    assert_resumes,
    assert_scale_invariant,
    assert_takes_tasks_that_come_and_go,
)


def by_the_paper(jacobian, *, generator):
    orders = torch.rand(len(jacobian), len(jacobian), dtype=torch.float64, generator=generator).argsort(1)
    total = torch.zeros_like(jacobian[0])
    for i, order in enumerate(orders):
        g = jacobian[i].clone()
        for j in order.tolist():
            if j != i and g @ jacobian[j] < 0:
                g -= (g @ jacobian[j]) / (jacobian[j] @ jacobian[j]) * jacobian[j]
        total += g
    return total


@pytest.mark.parametrize("name", ["random", "wide", "rank deficient", "opposite", "scaled from 1e-6 to 1e6"])
@pytest.mark.parametrize("seed", range(5))
def test_equals_the_algorithm_on_gradients(name, seed):
    jacobian = MATRICES[name]
    expected = by_the_paper(jacobian, generator=torch.Generator().manual_seed(seed))
    found = pcgrad_weights(jacobian @ jacobian.T, generator=torch.Generator().manual_seed(seed)) @ jacobian
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9 * float(jacobian.abs().max()))


def test_tasks_that_agree_are_added_up():
    assert pcgrad_weights(torch.tensor([[1.0, 0.2], [0.2, 4.0]])).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", MATRICES)
def test_is_finite(name):
    assert_finite(PCGrad, MATRICES[name])


def test_two_tasks_are_left_without_conflict():
    for seed in range(20):
        pair = torch.randn(2, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        assert_non_conflicting(PCGrad, pair)


def test_a_larger_task_still_counts_for_more():
    with pytest.raises(AssertionError):
        assert_scale_invariant(PCGrad, MATRICES["random"])


def test_resumes_bit_for_bit():
    assert_resumes(PCGrad, [MATRICES["random"]] * 6)


def test_tasks_come_and_go():
    assert_takes_tasks_that_come_and_go(PCGrad)
