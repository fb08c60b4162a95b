"""MoCo against the algorithm of its paper, written out, and against the point that it tends to."""

import pytest
import torch
from scipy.optimize import minimize

from polytask.balancing import MoCo, backward, mgda_weights
from polytask.balancing._simplex import project_to_simplex
from polytask.exceptions import OptionError
from tests.balancing._laws import (
    MATRICES,
    assert_finite,
    assert_permutation_equivariant,
    assert_resumes,
    assert_scale_invariant,
    assert_takes_tasks_that_come_and_go,
    direction,
)


@pytest.mark.parametrize("normalize", [False, True])
def test_equals_the_algorithm_written_out(normalize):
    method, noise = MoCo(rho=0.1, normalize=normalize), torch.Generator().manual_seed(0)
    tracked, weights = torch.zeros(3, 6, dtype=torch.float64), torch.full((3,), 1 / 3, dtype=torch.float64)
    for k in range(1, 8):
        jacobian, losses = (torch.rand(shape, dtype=torch.float64, generator=noise) for shape in [(3, 6), (3,)])
        rows = torch.stack([g / g.norm() * loss for g, loss in zip(jacobian, losses, strict=True)]) if normalize else jacobian
        tracked = tracked - 0.5 / k**0.5 * (tracked - rows)
        moved = weights - 0.1 / k**0.5 * (tracked @ tracked.T + 0.1 * torch.eye(3)) @ weights
        weights = by_scipy(moved)
        torch.testing.assert_close(direction(method, jacobian, losses), weights @ tracked, rtol=1e-6, atol=1e-6)


def by_scipy(point):
    """Nearest point of the simplex."""
    found = minimize(
        lambda w: ((w - point.numpy()) ** 2).sum(),
        [1 / len(point)] * len(point),
        bounds=[(0, 1)] * len(point),
        constraints=[{"type": "eq", "fun": lambda w: w.sum() - 1}],
        options={"ftol": 1e-15},
    )
    return torch.as_tensor(found.x)


@pytest.mark.parametrize("scale", [1.0, 1e12])
def test_the_projection_is_in_the_simplex_at_any_scale(scale):
    point = torch.randn(9, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * scale
    found = project_to_simplex(point)
    assert (found >= 0).all()
    assert float(found.sum()) == pytest.approx(1)
    if scale == 1:
        torch.testing.assert_close(found, by_scipy(point), rtol=1e-6, atol=1e-6)


def test_tends_to_the_point_of_least_norm():
    method, jacobian = MoCo(beta_decay=0.0, gamma_decay=0.0, gamma=0.05), MATRICES["random"]
    for _ in range(2000):
        found = direction(method, jacobian)
    torch.testing.assert_close(found, mgda_weights(jacobian @ jacobian.T) @ jacobian, rtol=1e-5, atol=1e-6)


def test_tracks_the_mean_of_noisy_gradients():
    method, noise = MoCo(gamma=1e-12), torch.Generator().manual_seed(3)
    for _ in range(1000):
        found = direction(method, MATRICES["random"] + torch.randn(4, 9, dtype=torch.float64, generator=noise))
    torch.testing.assert_close(found, MATRICES["random"].mean(0), rtol=0, atol=0.25)  # one batch: a noise of 0.5


@pytest.mark.parametrize("name", MATRICES)
def test_is_finite_and_follows_a_permutation(name):
    assert_finite(MoCo, MATRICES[name])
    assert_permutation_equivariant(MoCo, MATRICES[name], rtol=1e-6)


def test_depends_on_units():
    with pytest.raises(AssertionError):
        assert_scale_invariant(MoCo, MATRICES["random"])


def test_resumes_and_tasks_come_and_go():
    assert_resumes(MoCo, [MATRICES["random"]] * 6)
    assert_takes_tasks_that_come_and_go(MoCo)


def test_features_are_refused_since_they_change_every_batch():
    z = torch.ones(2, requires_grad=True) * 1
    with pytest.raises(OptionError, match="MoCo remembers gradients from step to step"):
        backward(torch.stack([z.sum(), z.prod()]), MoCo(), features=z)


def test_other_parameters_than_before_are_refused():
    method = MoCo()
    direction(method, MATRICES["random"])
    with pytest.raises(OptionError, match="of 9 parameters; got 200 in this step"):
        direction(method, MATRICES["wide"])


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"`beta` of MoCo must be in \(0, 1\]"):
        MoCo(beta=0)
