"""ExcessMTL against torchjd, and what it is for: label noise."""

import pytest
import torch
import torchjd.aggregation as peer

from polytask.balancing import ExcessMTL
from tests.balancing._laws import (
    MATRICES,
    assert_finite,
    assert_non_conflicting,
    assert_permutation_equivariant,
    assert_resumes,
    assert_takes_tasks_that_come_and_go,
    direction,
)


@pytest.mark.parametrize("warmup", [1, 3])
def test_equals_torchjd_over_steps(warmup):
    ours = ExcessMTL(learning_rate=0.3, warmup=warmup)
    theirs = peer.ExcessMTL(robust_step_size=0.3, n_warmup_steps=warmup)
    noise = torch.Generator().manual_seed(1)
    for _ in range(8):
        jacobian = torch.randn(4, 7, dtype=torch.float64, generator=noise)
        # torchjd adds 1e-7 to the unit
        torch.testing.assert_close(direction(ours, jacobian), theirs(jacobian), rtol=1e-5, atol=1e-6)


def test_a_task_whose_gradients_stay_long_gains_weight():
    method = ExcessMTL(learning_rate=0.1)
    for k in range(20):
        direction(method, torch.diag(torch.tensor([1.0, 0.7**k], dtype=torch.float64)))
    assert method.memory["log_weights"][0] > method.memory["log_weights"][1] + 0.1


def test_the_unit_of_a_task_does_not_move_its_weight():
    first, second = ExcessMTL(learning_rate=0.5), ExcessMTL(learning_rate=0.5)
    noise = torch.Generator().manual_seed(1)
    for _ in range(5):
        jacobian = torch.randn(3, 5, dtype=torch.float64, generator=noise)
        direction(first, jacobian)
        direction(second, jacobian * torch.tensor([1.0, 1e4, 1.0])[:, None])
    for task in range(3):
        torch.testing.assert_close(first.memory["log_weights"][task], second.memory["log_weights"][task], rtol=1e-3, atol=0)


@pytest.mark.parametrize("name", MATRICES)
def test_is_finite_over_many_steps_and_follows_a_permutation(name):
    method = ExcessMTL(learning_rate=10.0)
    for _ in range(50):
        assert torch.isfinite(direction(method, MATRICES[name])).all()
    assert_finite(ExcessMTL, MATRICES[name])
    assert_permutation_equivariant(ExcessMTL, MATRICES[name])


def test_a_task_that_begins_at_rest_is_not_lost():
    method = ExcessMTL(learning_rate=1.0)
    rows = torch.tensor([[0.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    direction(method, rows)
    for _ in range(5):
        found = direction(method, torch.eye(2, dtype=torch.float64))
    assert torch.isfinite(found).all()
    assert (found > 0.01).all()


def test_it_may_harm_a_task():
    with pytest.raises(AssertionError):
        assert_non_conflicting(ExcessMTL, MATRICES["random"])


def test_resumes_and_tasks_come_and_go():
    assert_resumes(ExcessMTL, [MATRICES["random"]] * 6)
    assert_takes_tasks_that_come_and_go(ExcessMTL)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="`learning_rate` of ExcessMTL must be > 0"):
        ExcessMTL(learning_rate=0)
