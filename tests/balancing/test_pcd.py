"""PCD against torchjd, and its solution against the conditions that make it the least one."""

import pytest
import torch
import torchjd.aggregation as peer

from polytask.balancing import PCD, pcd_weights
from tests.balancing._laws import (
    MATRICES,
    assert_finite,
    assert_non_conflicting,
    assert_resumes,
    assert_takes_tasks_that_come_and_go,
    direction,
)


def make(**settings):
    return PCD(primary=0, **settings)


@pytest.mark.parametrize("name", ["random", "wide", "identical", "one task"])
@pytest.mark.parametrize("tau", [0.0, 0.1, 0.5])
def test_equals_torchjd_over_steps(name, tau):
    ours, theirs = make(tau=tau, beta=0.9), peer.PCD(tau=tau, beta=0.9)
    noise = torch.Generator().manual_seed(5)
    for _ in range(6):
        jacobian = MATRICES[name] * (1 + 0.5 * torch.randn(MATRICES[name].shape, dtype=torch.float64, generator=noise))
        torch.testing.assert_close(direction(ours, jacobian), theirs(jacobian), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("seed", range(6))
def test_is_the_nearest_direction_that_keeps_the_constraints(seed):
    """Karush-Kuhn-Tucker: feasible, multipliers >= 0, and zero where a constraint is slack."""
    generator = torch.Generator().manual_seed(seed)
    jacobian = torch.randn(6, 9, dtype=torch.float64, generator=generator)
    scales = torch.rand(6, dtype=torch.float64, generator=generator) + 0.5
    weights = pcd_weights(jacobian @ jacobian.T, scales, primary=2, tau=0.3) / scales  # of the scaled gradients
    multipliers = weights / weights[2]  # the direction before it is rescaled has 1 there
    scaled = jacobian * scales[:, None]
    slack = scaled @ (multipliers @ scaled) - 0.3 * scaled.square().sum(1)
    others = torch.tensor([0, 1, 3, 4, 5])
    assert (slack[others] >= -1e-9).all()
    assert (multipliers >= 0).all()
    torch.testing.assert_close((slack * multipliers)[others], torch.zeros(5, dtype=torch.float64), rtol=0, atol=1e-8)


def test_has_the_length_of_the_primary_gradient():
    found = direction(make(), MATRICES["random"])
    assert float(found.norm()) == pytest.approx(float(MATRICES["random"][0].norm()))


def test_contradicting_secondaries_are_let_go():
    jacobian = torch.tensor([[0.0, 1.0], [1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(direction(make(tau=0.5), jacobian), jacobian[0])


def test_the_unit_of_a_secondary_does_not_matter():
    scaled = MATRICES["random"].clone()
    scaled[2] *= 1e4
    torch.testing.assert_close(
        direction(make(tau=0.2, eps=0.0), scaled), direction(make(tau=0.2, eps=0.0), MATRICES["random"]), rtol=1e-7, atol=1e-9
    )


@pytest.mark.parametrize("name", [n for n in MATRICES if n not in ("opposite",)])
def test_harms_none_where_that_can_be(name):
    assert_non_conflicting(make, MATRICES[name], atol=1e-7)


@pytest.mark.parametrize("name", MATRICES)
def test_is_finite(name):
    assert_finite(make, MATRICES[name])


def test_opposite_tasks_stop_at_best():
    """With a share of zero the nearest direction that harms neither of two opposite tasks is none."""
    assert direction(make(tau=0.0), MATRICES["opposite"]).norm() <= 1e-9


def test_without_the_primary_task_nothing_shared_moves():
    assert (direction(PCD(primary="a"), MATRICES["identical"], tasks=("b", "c")) == 0).all()
    assert (direction(make(), torch.tensor([[0.0, 0.0], [1.0, 2.0]], dtype=torch.float64)) == 0).all()


def test_resumes_and_tasks_come_and_go():
    assert_resumes(make, [MATRICES["random"]] * 6)
    assert_takes_tasks_that_come_and_go(make)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"`tau` of PCD must be in \[0, 1\]"):
        PCD(primary="a", tau={"b": 2.0})
    with pytest.raises(TypeError, match="primary"):
        PCD()
