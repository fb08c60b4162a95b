"""GradDrop against torchjd and its definition in probability."""

import pytest
import torch
import torchjd.aggregation as peer

from polytask.balancing import GradDrop, grad_drop_direction
from tests.balancing._laws import (
    MATRICES,
    assert_finite,
    assert_resumes,
    assert_takes_tasks_that_come_and_go,
    direction,
)


@pytest.mark.parametrize("name", ["random", "wide", "rank deficient", "opposite", "scaled from 1e-6 to 1e6"])
@pytest.mark.parametrize("leak", [None, 0.3])
def test_equals_torchjd_on_the_same_draws(name, leak):
    jacobian = MATRICES[name]
    leaks = None if leak is None else torch.linspace(0, leak, len(jacobian), dtype=torch.float64)
    torch.manual_seed(3)
    expected = peer.GradDrop(leak=leaks)(jacobian)
    torch.manual_seed(3)
    found = grad_drop_direction(jacobian, leak=leaks)
    torch.testing.assert_close(found, expected)


def test_a_sign_wins_as_often_as_its_share():
    """Gradients 3 and -1: the positive one with probability (1 + 2/4) / 2 = 0.75."""
    jacobian = torch.tensor([[3.0], [-1.0]], dtype=torch.float64).expand(2, 20_000)
    found = grad_drop_direction(jacobian, generator=torch.Generator().manual_seed(0))
    assert set(found.tolist()) == {3.0, -1.0}
    assert float((found == 3).double().mean()) == pytest.approx(0.75, abs=0.015)  # 5 standard errors


def test_where_signs_agree_nothing_is_dropped():
    assert torch.equal(direction(GradDrop(), MATRICES["identical"]), torch.full((3,), 2.0, dtype=torch.float64))


def test_a_full_leak_is_the_sum_and_goes_by_name():
    jacobian = MATRICES["random"]
    torch.testing.assert_close(direction(GradDrop(leak=1.0), jacobian), jacobian.sum(0))
    pair = torch.tensor([[3.0] * 50, [-3.0] * 50], dtype=torch.float64)
    found = direction(GradDrop(leak={"kept": 1.0}), pair, tasks=("kept", "dropped"))
    assert set(found.tolist()) == {3.0, 0.0}  # the kept one is always there


@pytest.mark.parametrize("name", MATRICES)
def test_is_finite(name):
    assert_finite(GradDrop, MATRICES[name])


def test_it_may_harm_a_task():
    harmed = [MATRICES["random"] @ direction(GradDrop(random_state=seed), MATRICES["random"]) < 0 for seed in range(10)]
    assert any(bool(task.any()) for task in harmed)


def test_resumes_bit_for_bit():
    assert_resumes(GradDrop, [MATRICES["random"]] * 6)


def test_tasks_come_and_go():
    assert_takes_tasks_that_come_and_go(GradDrop)


def test_leak_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"`leak` of GradDrop must be in \[0, 1\]; got 2"):
        GradDrop(leak=2)
