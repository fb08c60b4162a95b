"""The small exact solvers, against their optimality conditions."""

import numpy as np
import pytest

from polytask.balancing._solvers import cosines_and_norms, min_norm_weights, nonnegative_quadratic, square_root
from tests.balancing._laws import MATRICES


@pytest.mark.parametrize("name", MATRICES)
def test_the_square_root_squared_is_the_matrix(name):
    cosines, _ = cosines_and_norms(MATRICES[name] @ MATRICES[name].T)
    root = square_root(cosines)
    np.testing.assert_allclose(root.T @ root, cosines, atol=1e-13)


@pytest.mark.parametrize("seed", range(20))
def test_no_move_that_stays_nonnegative_lowers_the_quadratic(seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(8, rng.integers(3, 12)))
    matrix = rows @ rows.T
    linear = matrix @ rng.normal(size=8)
    u = nonnegative_quadratic(matrix, linear)
    slope = matrix @ u - linear
    assert (u >= 0).all()
    assert (slope >= -1e-9).all()
    assert abs(u @ slope) <= 1e-9


@pytest.mark.parametrize("name", MATRICES)
def test_no_gradient_is_nearer_to_the_origin_than_the_point_of_least_norm(name):
    jacobian = MATRICES[name].numpy()
    cosines, norms = cosines_and_norms(MATRICES[name] @ MATRICES[name].T)
    w = min_norm_weights(cosines, norms)
    point = w @ jacobian
    assert (w >= 0).all()
    assert w.sum() == pytest.approx(1)
    # optimal: every gradient reaches at least as far along the point as the point itself does
    slack = 1e-8 * np.linalg.norm(point) * norms + 1e-15 * norms * norms.max()
    assert (jacobian @ point >= point @ point - slack).all()
