"""PBI against automatic differentiation of its objective, and the point that it seeks."""

import pytest
import torch

from polytask.balancing import PBI, backward, pbi_weights
from tests.balancing._laws import MATRICES, assert_resumes, assert_takes_tasks_that_come_and_go, observed


@pytest.mark.parametrize("seed", range(4))
def test_weights_are_the_slope_of_the_objective(seed):
    losses, preference, ideal = torch.rand(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    losses = losses.clone().requires_grad_()
    along = (losses - ideal) @ preference / preference.norm()
    aside = (losses - ideal - along * preference / preference.norm()).norm()
    (along + 3 * aside).backward()
    torch.testing.assert_close(pbi_weights(losses.detach(), preference, ideal=ideal, theta=3.0), losses.grad)


def test_ends_where_losses_stand_as_preferred_on_a_concave_front():
    """Two losses whose front is the quarter of a circle about the origin: a weighted sum reaches only its ends."""
    angle = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
    method, optimizer = PBI(preference={0: 1.0, 1: 2.0}), torch.optim.SGD([angle], lr=0.03)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: 1 / (1 + k / 10))
    for _ in range(300):
        losses = torch.cat([angle.cos(), angle.sin()])
        backward(losses, method)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    assert float(angle.detach().tan()) == pytest.approx(2, rel=0.1)  # the last steps go to and fro over the ray


def test_on_the_ray_it_is_the_ray():
    losses = torch.tensor([1e-6, 2e-6], dtype=torch.float64)
    torch.testing.assert_close(pbi_weights(losses, torch.tensor([1.0, 2.0]).double()), losses / losses.norm())
    assert PBI()(observed(MATRICES["one task"])).tolist() == [1.0]


@pytest.mark.parametrize("losses", [[0.0, 0.0], [1e-6, 1e6], [3.0, 3.0], [-1.0, 1.0]])
def test_is_finite(losses):
    assert torch.isfinite(PBI()(observed(MATRICES["identical"], torch.tensor(losses)))).all()


def test_resumes_and_tasks_come_and_go():
    assert_resumes(PBI, [MATRICES["random"]] * 4)
    assert_takes_tasks_that_come_and_go(PBI)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="`theta` of PBI must be >= 0"):
        PBI(theta=-1)
    with pytest.raises(ValueError, match="`preference` of PBI must be positive"):
        PBI(preference={"a": 0.0})
