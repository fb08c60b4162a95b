"""The small exact solvers, against their optimality conditions."""

import numpy as np
import pytest
import torch

from polytask.balancing._cagrad import cagrad_weights
from polytask.balancing._solvers import (
    cosines_and_norms,
    definite_factor,
    eigen,
    min_norm_of_two,
    min_norm_weights,
    nonnegative_quadratic,
    nonnegative_quadratics,
    square_root,
)
from polytask.balancing._upgrad import upgrad_weights
from tests.balancing._laws import MATRICES


@pytest.mark.parametrize("name", MATRICES)
def test_the_square_root_squared_is_the_matrix(name):
    cosines, _ = cosines_and_norms(MATRICES[name] @ MATRICES[name].T)
    root = square_root(cosines)
    np.testing.assert_allclose(root.T @ root, cosines, atol=1e-13)


@pytest.mark.parametrize("name", MATRICES)
def test_eigenvectors_times_eigenvalues_are_the_matrix(name):
    cosines, _ = cosines_and_norms(MATRICES[name] @ MATRICES[name].T)
    values, vectors = eigen(cosines)
    np.testing.assert_allclose(vectors * values @ vectors.T, cosines, atol=1e-13)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(len(cosines)), atol=1e-13)
    assert (np.diff(values) >= 0).all()


def test_only_a_matrix_far_from_singular_has_a_definite_factor():
    factor = definite_factor(np.array([[4.0, 2.0], [2.0, 3.0]]))
    np.testing.assert_allclose(factor @ factor.T, [[4.0, 2.0], [2.0, 3.0]])
    assert definite_factor(np.ones((2, 2))) is None  # the same task twice
    assert definite_factor(np.array([[1.0, 1 - 1e-12], [1 - 1e-12, 1.0]])) is None
    assert definite_factor(np.zeros((2, 2))) is None


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


def cosines_of(rng, kind):
    rows = {
        "random": rng.normal(size=(30, 90)),
        "many conflicts": rng.normal(size=(30, 90)) - 0.3 * rng.normal(size=90),
        "hardly of full rank": rng.normal(size=(30, 31)),
        "rank deficient": rng.normal(size=(30, 12)),
        "twice the same": np.repeat(rng.normal(size=(15, 90)), 2, axis=0),
        "opposite": np.concatenate([rows := rng.normal(size=(15, 90)), -rows]),
        "nearly parallel": rng.normal(size=90) + 1e-5 * rng.normal(size=(30, 90)),
    }[kind]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows @ rows.T


KINDS = [
    "random",
    "many conflicts",
    "hardly of full rank",
    "rank deficient",
    "twice the same",
    "opposite",
    "nearly parallel",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_many_at_once_are_each_as_low_as_one_by_one(kind, seed):
    rng = np.random.default_rng(seed)
    matrix = cosines_of(rng, kind)
    linear = np.concatenate([-matrix, rng.normal(size=(5, 30)) @ matrix])
    together = nonnegative_quadratics(matrix, linear)
    alone = np.stack([nonnegative_quadratic(matrix, one) for one in linear])
    assert (together >= 0).all()
    values = [0.5 * np.einsum("ki,ij,kj->k", u, matrix, u) - (linear * u).sum(1) for u in (together, alone)]
    assert (values[0] <= values[1] + 1e-10).all()
    if kind in ("random", "many conflicts"):  # elsewhere there are many minimizers, of one and the same direction
        np.testing.assert_allclose(together, alone, atol=1e-9)


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


@pytest.mark.parametrize(
    ("gradients", "weights"),
    [
        ([[1.0, 0.0], [0.0, 3.0]], [0.9, 0.1]),
        ([[2.0, 0.0], [-1.0, 0.0]], [1 / 3, 2 / 3]),  # opposite: no direction is left
        ([[1.0, 0.0], [5.0, 1.0]], [1.0, 0.0]),  # the short one is nearest, on either side
        ([[5.0, 1.0], [1.0, 0.0]], [0.0, 1.0]),
        ([[1.0, 2.0], [1.0, 2.0]], [0.5, 0.5]),
        ([[1e-9, 0.0], [1e9, 1e9]], [1.0, 0.0]),
        ([[0.0, 0.0], [1.0, 1.0]], [1.0, 0.0]),
    ],
)
def test_between_two_gradients_the_nearest_point_has_a_closed_form(gradients, weights):
    jacobian = torch.tensor(gradients, dtype=torch.float64)
    for found in (min_norm_weights(*cosines_and_norms(jacobian @ jacobian.T)), min_norm_of_two(jacobian @ jacobian.T)):
        np.testing.assert_allclose(found, weights, atol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_two_tasks_are_solved_as_with_a_third_that_takes_no_part(seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(2, 3)) * [[1.0], [3.0]]
    found = min_norm_weights(*cosines_and_norms(torch.from_numpy(rows @ rows.T)))
    point = found @ rows
    three = torch.from_numpy(np.vstack([rows, 2 * point + np.cross(*rows)]))  # beyond the nearest point
    np.testing.assert_allclose(min_norm_weights(*cosines_and_norms(three @ three.T)), [*found, 0.0], atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_triangles_that_differ_by_rounding_do_not_slow_solvers_down(seed, monkeypatch):
    rows = torch.from_numpy(np.random.default_rng(seed).normal(size=(8, 40)) + 0.3)
    gramian = rows @ rows.T
    uneven = gramian * (1 + 1e-7 * torch.randn(8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)))
    for slow in ("polytask.balancing._cagrad._worst_mixture", "polytask.balancing._solvers.nonnegative_quadratic"):
        monkeypatch.setattr(slow, None)  # the ways for what is not found at once
    for solve in (cagrad_weights, upgrad_weights):
        torch.testing.assert_close(solve(uneven), solve((uneven + uneven.T) / 2), rtol=1e-6, atol=1e-9)
