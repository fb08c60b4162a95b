"""Methods that solve for weights from the Gramian: against definitions, scipy and torchjd, on ill gradients too."""

import numpy as np
import pytest
import torch
import torchjd.aggregation as peer
from scipy.optimize import minimize

from polytask.balancing import (
    IMTLG,
    MGDA,
    AlignedMTL,
    CAGrad,
    ConFIG,
    DualProj,
    FairGrad,
    NashMTL,
    UPGrad,
    cagrad_weights,
    fairgrad_weights,
)
from polytask.balancing._cagrad import _by_faces, _worst_mixture
from polytask.balancing._solvers import cosines_and_norms
from tests.balancing._laws import (
    MATRICES,
    assert_finite,
    assert_non_conflicting,
    assert_permutation_equivariant,
    assert_scale_invariant,
    assert_takes_tasks_that_come_and_go,
    direction,
)

METHODS = [MGDA, AlignedMTL, CAGrad, ConFIG, DualProj, FairGrad, IMTLG, NashMTL, UPGrad]
NON_CONFLICTING = [MGDA, DualProj, UPGrad, FairGrad, NashMTL]  # on every matrix
SCALE_INVARIANT = [NashMTL]
WELL_CONDITIONED = ["random", "wide", "identical", "one task", "a task of zeros"]


def jacobians(n_tasks, n_parameters, n=8):
    generator = torch.Generator().manual_seed(n_tasks)
    return [torch.randn(n_tasks, n_parameters, dtype=torch.float64, generator=generator) for _ in range(n)]


# ------------------------------------------------------------------ laws


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("method", METHODS)
def test_is_finite(method, name):
    assert_finite(method, MATRICES[name])


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("method", NON_CONFLICTING)
def test_harms_no_task(method, name):
    assert_non_conflicting(method, MATRICES[name], atol=1e-7)


@pytest.mark.parametrize("method", [ConFIG, IMTLG])
def test_harms_no_task_where_gradients_are_independent(method):
    assert_non_conflicting(method, MATRICES["random"])
    assert_non_conflicting(method, MATRICES["wide"])


@pytest.mark.parametrize("name", [*WELL_CONDITIONED, "rank deficient"])
@pytest.mark.parametrize("method", METHODS)
def test_follows_a_permutation_of_the_tasks(method, name):
    assert_permutation_equivariant(method, MATRICES[name], rtol=1e-6)


@pytest.mark.parametrize("method", SCALE_INVARIANT)
def test_the_direction_does_not_depend_on_the_unit_of_a_task(method):
    assert_scale_invariant(method, MATRICES["random"])


@pytest.mark.parametrize("method", [m for m in METHODS if m not in (*SCALE_INVARIANT, IMTLG, ConFIG)])
def test_the_direction_of_the_others_does(method):
    with pytest.raises(AssertionError):
        assert_scale_invariant(method, MATRICES["random"])


@pytest.mark.parametrize("method", METHODS)
def test_tasks_come_and_go(method):
    assert_takes_tasks_that_come_and_go(method)


@pytest.mark.parametrize("method", METHODS)
def test_without_any_gradient_nothing_moves(method):
    assert (direction(method(), torch.zeros(3, 4, dtype=torch.float64)) == 0).all()


@pytest.mark.parametrize("method", [MGDA, CAGrad, ConFIG, IMTLG, DualProj, UPGrad, AlignedMTL])
def test_tasks_that_agree_point_where_they_point(method):
    found = direction(method(), MATRICES["identical"])
    torch.testing.assert_close(found / found.norm(), torch.ones(3, dtype=torch.float64) / 3**0.5)


# ------------------------------------------------------------------ definitions


@pytest.mark.parametrize("jacobian", jacobians(6, 10))
def test_mgda_is_the_least_norm_that_slsqp_finds(jacobian):
    gramian = (jacobian @ jacobian.T).numpy()
    start = np.full(6, 1 / 6)
    sums_to_one = {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like}
    other = minimize(
        lambda w: w @ gramian @ w,
        start,
        jac=lambda w: 2 * gramian @ w,
        bounds=[(0, 1)] * 6,
        constraints=[sums_to_one],
        options={"ftol": 1e-14, "maxiter": 500},
    )
    found = direction(MGDA(), jacobian)
    assert found @ found <= other.fun * (1 + 1e-9)
    assert found @ found == pytest.approx(other.fun, rel=1e-6)


@pytest.mark.parametrize("jacobian", [*jacobians(5, 12), MATRICES["rank deficient"], MATRICES["scaled from 1e-6 to 1e6"]])
@pytest.mark.parametrize("c", [0.2, 0.5, 0.9])
def test_cagrad_reaches_its_dual_bound(jacobian, c):
    """Weak duality: for every w, min_t g_t'd <= g_w'g_0 + c|g_0||g_w|; equality at one w proves that d is the best direction."""
    mean, gramian = jacobian.mean(0), jacobian @ jacobian.T
    weights = cagrad_weights(gramian, c=c)
    d = weights @ jacobian
    assert (d - mean).norm() <= c * mean.norm() * (1 + 1e-9)
    lean = weights - 1 / len(jacobian)
    mixture = lean / lean.sum() @ jacobian
    bound = mixture @ mean + c * mean.norm() * mixture.norm()
    assert float((jacobian @ d).min()) == pytest.approx(float(bound), rel=1e-6, abs=1e-9 * float(jacobian.norm() * d.norm()))


@pytest.mark.parametrize("n_tasks", [2, 5, 24, 64])
def test_cagrad_by_faces_is_as_low_as_by_bisection(n_tasks):
    for lean, jacobian in zip((0.0, 0.3, -0.3), jacobians(n_tasks, 2 * n_tasks, n=3), strict=True):
        cosines, norms = cosines_and_norms((jacobian + lean) @ (jacobian + lean).T)
        norms = norms / norms.max()
        matrix = cosines * np.outer(norms, norms)
        inner = matrix.mean(1)
        radius = 0.5 * inner.mean() ** 0.5
        ways = _by_faces(cosines, norms, inner, radius), _worst_mixture(matrix, inner, radius)
        values = [w @ inner + radius * (w @ matrix @ w) ** 0.5 for w in ways]
        assert (ways[0] >= 0).all()
        assert ways[0].sum() == pytest.approx(1)
        assert values[0] == pytest.approx(values[1], rel=1e-8)


@pytest.mark.parametrize("jacobian", jacobians(4, 9))
@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 5.0])
def test_fairgrad_solves_its_equation(jacobian, alpha):
    gramian = jacobian @ jacobian.T
    w = fairgrad_weights(gramian, alpha=alpha)
    torch.testing.assert_close(gramian @ w, w ** (-1 / alpha), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("jacobian", jacobians(4, 9))
def test_nash_has_the_greatest_product_of_improvements_of_its_length(jacobian):
    d = direction(NashMTL(), jacobian)
    assert d.norm() == pytest.approx(2.0)  # sqrt(n_tasks)
    best = (jacobian @ d).log().sum()
    for other in torch.randn(500, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0)):
        near = d + 0.1 * other
        gains = jacobian @ (near * d.norm() / near.norm())
        assert (gains <= 0).any() or gains.log().sum() <= best + 1e-9


@pytest.mark.parametrize("jacobian", jacobians(4, 9))
def test_imtl_projects_equally_on_all_gradients(jacobian):
    projections = jacobian @ direction(IMTLG(), jacobian) / jacobian.norm(dim=1)
    torch.testing.assert_close(projections, projections.mean().expand(4), rtol=1e-8, atol=0)


@pytest.mark.parametrize("jacobian", jacobians(4, 9))
def test_config_has_one_angle_to_all_gradients(jacobian):
    d = direction(ConFIG(), jacobian)
    cosines = jacobian @ d / jacobian.norm(dim=1) / d.norm()
    torch.testing.assert_close(cosines, cosines.mean().expand(4), rtol=1e-8, atol=0)
    assert d.norm() == pytest.approx(float((jacobian @ (d / d.norm())).sum()))


@pytest.mark.parametrize("method", [UPGrad, DualProj])
def test_of_two_tasks_projections_have_a_closed_form(method):
    for seed in range(20):
        pair = torch.randn(2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        inner = pair[0] @ pair[1]
        if method is UPGrad:
            projected = pair - (inner.clamp(max=0) / (pair * pair).sum(1).flip(0))[:, None] * pair.flip(0)
            expected = projected.mean(0)
        else:
            expected = pair.mean(0)
            for g in pair:
                if expected @ g < 0:
                    expected = expected - (expected @ g) / (g @ g) * g
                    break
        torch.testing.assert_close(direction(method(), pair), expected)


# ------------------------------------------------------------------ peers


@pytest.mark.parametrize("shape", [(2, 3), (5, 20), (12, 300), (40, 1000)])
@pytest.mark.parametrize(
    ("ours", "theirs"), [(AlignedMTL, peer.AlignedMTL), (ConFIG, peer.ConFIG), (IMTLG, peer.IMTLG)], ids=lambda x: x.__name__
)
def test_equals_torchjd(ours, theirs, shape):
    for jacobian in jacobians(*shape, n=3):
        torch.testing.assert_close(direction(ours(), jacobian), theirs()(jacobian), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", MATRICES)
def test_mgda_is_never_longer_than_that_of_torchjd(name):
    ours, theirs = direction(MGDA(), MATRICES[name]), peer.MGDA()(MATRICES[name])
    assert ours.norm() <= theirs.norm() * (1 + 1e-9) + 1e-12


def test_torchjd_loses_the_direction_where_scales_differ_and_this_does_not():
    jacobian = MATRICES["scaled from 1e-6 to 1e6"]
    assert direction(CAGrad(), jacobian).norm() > 1e5
    assert direction(MGDA(), jacobian).norm() < 1e-5  # not longer than the shortest gradient


# ------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CAGrad(c=-1), "`c` of CAGrad must be >= 0; got -1"),
        (lambda: FairGrad(alpha=0), "`alpha` of FairGrad must be positive; got 0"),
        (lambda: MGDA(normalize="max"), "`normalize` of MGDA must be"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_mgda_of_normalized_gradients_does_not_depend_on_units():
    jacobian = MATRICES["random"]
    scaled = jacobian * torch.tensor([1e3, 1.0, 1e-3, 1.0], dtype=torch.float64)[:, None]
    first, second = direction(MGDA(normalize="l2"), jacobian), direction(MGDA(normalize="l2"), scaled)
    torch.testing.assert_close(first, second)
