"""COSMOS against automatic differentiation of its objective, and a network that is told its preference."""

import pytest
import torch
from scipy.stats import kstest

from polytask.balancing import COSMOS, backward, cosmos_weights
from tests.balancing._laws import MATRICES, assert_resumes, assert_takes_tasks_that_come_and_go, observed


@pytest.mark.parametrize("seed", range(4))
def test_weights_are_the_slope_of_the_objective(seed):
    losses, preference = torch.rand(2, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    losses = losses.clone().requires_grad_()
    cosine = torch.nn.functional.cosine_similarity(losses, preference, dim=0)
    (preference @ losses - 2 * cosine).backward()
    torch.testing.assert_close(cosmos_weights(losses.detach(), preference), losses.grad)


def test_preferences_are_drawn_from_a_dirichlet_distribution():
    """The first of three coordinates of Dirichlet(1.2, 1.2, 1.2) is Beta(1.2, 2.4)."""
    method = COSMOS(alpha=1.2)
    first = [float(method.draw(range(3))[0]) for _ in range(1000)]
    assert kstest(first, "beta", args=(1.2, 2.4)).pvalue > 1e-3


def test_a_step_uses_the_preference_that_was_drawn_once():
    method, seen = COSMOS(penalty=0.0), observed(MATRICES["random"])
    drawn = method.draw(range(4))
    torch.testing.assert_close(method(seen), drawn)
    assert not torch.equal(method(seen), drawn)


def test_absent_tasks_are_left_out_of_the_preference():
    method = COSMOS(penalty=0.0)
    drawn = method.draw("abc")
    weights = method(observed(MATRICES["identical"], tasks=("a", "c")))
    torch.testing.assert_close(weights, drawn[[0, 2]] / drawn[[0, 2]].sum())


def test_one_network_learns_the_front():
    """Losses (x - 0)^2 and (x - 1)^2: the best x for a preference (r, 1 - r) is 1 - r."""
    torch.manual_seed(0)
    x, method = torch.nn.Linear(2, 1), COSMOS(penalty=0.0, alpha=1.0)
    optimizer = torch.optim.Adam(x.parameters(), lr=0.03)
    for _ in range(400):
        value = x(method.draw(range(2)).float())
        backward(torch.cat([value**2, (value - 1) ** 2]), method)
        optimizer.step()
        optimizer.zero_grad()
    for r in (0.1, 0.5, 0.9):
        assert float(x(torch.tensor([r, 1 - r])).detach()) == pytest.approx(1 - r, abs=0.05)


@pytest.mark.parametrize("losses", [[0.0, 0.0], [1e-6, 1e6], [3.0, 3.0], [-1.0, 1.0]])
def test_is_finite(losses):
    assert torch.isfinite(COSMOS()(observed(MATRICES["identical"], torch.tensor(losses)))).all()
    assert torch.isfinite(COSMOS()(observed(MATRICES["one task"], torch.tensor(losses[1:])))).all()


def test_resumes_and_tasks_come_and_go():
    assert_resumes(COSMOS, [MATRICES["random"]] * 6)
    assert_takes_tasks_that_come_and_go(COSMOS)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="`alpha` of COSMOS must be > 0"):
        COSMOS(alpha=0)
