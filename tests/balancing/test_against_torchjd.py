"""Methods that torchjd 0.18 has too, on random, ill-conditioned, rank-deficient and structured Jacobians from 2 x 3 to 40 x 1000.

Where its solver is exact both must be equal; where it regularizes (UPGrad, DualProj, CAGrad) or stops early (MGDA, Nash-MTL) they
must be as near as that allows, and test_gramian_methods.py shows that ours is the optimum. GradVac, GradDrop, PCD, CR-MOGM and
the trimmed mean are compared in their own tests. Some of its methods need packages of their own, which not everybody has.
"""

import pytest
import torch
import torchjd.aggregation as peer

from polytask.balancing import (
    IMTLG,
    MGDA,
    AlignedMTL,
    CAGrad,
    ConFIG,
    DualProj,
    Equal,
    FairGrad,
    FixedWeights,
    NashMTL,
    PCGrad,
    UPGrad,
)
from tests.balancing._laws import direction


def randn(*shape, seed):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def rank_deficient():
    rows = randn(8, 3, seed=4)
    rows[:, 0] = rows[:, 0].abs() + 0.3  # so that there is a direction that helps all
    return rows @ randn(3, 60, seed=5)


JACOBIANS = {
    "random 2 x 3": randn(2, 3, seed=2),
    "random 5 x 20": randn(5, 20, seed=5),
    "random 12 x 300": randn(12, 300, seed=12),
    "random 40 x 1000": randn(40, 1000, seed=40),
    "ill-conditioned": randn(6, 50, seed=1) * torch.logspace(-2, 2, 6, dtype=torch.float64)[:, None],
    "nearly parallel": randn(1, 30, seed=2) + 1e-3 * randn(5, 30, seed=3),
    "rank deficient": rank_deficient(),
    "blocks": torch.block_diag(randn(2, 5, seed=6), randn(3, 7, seed=7), randn(1, 4, seed=8)),
    "sparse": randn(10, 100, seed=9) * (randn(10, 100, seed=10) > 1),
    "Vandermonde": torch.vander(torch.linspace(-1, 1, 6, dtype=torch.float64), 12),
    "all pairs in conflict": torch.eye(6, dtype=torch.float64) - 0.15,
}


def error(ours, theirs, jacobian):
    """Distance of the directions, in units of theirs."""
    found, expected = direction(ours, jacobian), theirs(jacobian)
    return float((found - expected).norm() / expected.norm())


PAIRS = {
    "AlignedMTL": (AlignedMTL, peer.AlignedMTL, 1e-8),
    "ConFIG": (ConFIG, peer.ConFIG, 1e-8),
    "IMTLG": (IMTLG, peer.IMTLG, 1e-8),
    "FairGrad": (lambda: FairGrad(alpha=2.0), lambda: peer.FairGrad(alpha=2.0), 1e-5),
    "CAGrad": (lambda: CAGrad(c=0.5), lambda: peer.CAGrad(c=0.5), 1e-3),
    "UPGrad": (UPGrad, peer.UPGrad, 1e-2),
    "DualProj": (DualProj, peer.DualProj, 1e-2),
    "MGDA": (MGDA, lambda: peer.MGDA(max_iters=1000, epsilon=1e-8), 5e-2),
}
TOLERANCE = {  # where regularization shows more, or another one of many least-squares solutions is taken (None: not compared)
    ("IMTLG", "rank deficient"): None,
    ("FairGrad", "rank deficient"): 1e-3,
    ("UPGrad", "ill-conditioned"): 0.1,
    ("DualProj", "ill-conditioned"): 0.1,
    ("MGDA", "rank deficient"): 0.1,
}
NEEDS = {"CAGrad": ("cvxpy", "clarabel"), "UPGrad": ("quadprog",), "DualProj": ("quadprog",), "NashMTL": ("cvxpy", "ecos")}


def skip_without(method):
    for package in NEEDS.get(method, ()):
        pytest.importorskip(package)


@pytest.mark.parametrize("name", JACOBIANS)
@pytest.mark.parametrize("method", PAIRS)
def test_equals_torchjd(method, name):
    ours, theirs, usual = PAIRS[method]
    tolerance = TOLERANCE.get((method, name), usual)
    skip_without(method)
    if tolerance is not None:
        assert error(ours(), theirs(), JACOBIANS[name]) <= tolerance


@pytest.mark.filterwarnings("ignore:You are solving a parameterized problem:UserWarning")
@pytest.mark.parametrize("name", [name for name in JACOBIANS if name not in ("ill-conditioned", "rank deficient")])
def test_nash_has_the_direction_of_torchjd_and_its_own_length(name):
    """There the length is cut to ``max_norm``, here it is sqrt(n_tasks); its twenty steps do not suffice for the other two."""
    skip_without("NashMTL")
    jacobian = JACOBIANS[name]
    found, expected = direction(NashMTL(), jacobian), peer.NashMTL(n_tasks=len(jacobian))(jacobian)
    torch.testing.assert_close(found / found.norm(), expected / expected.norm(), rtol=0, atol=1e-3)
    assert float(found.norm()) == pytest.approx(len(jacobian) ** 0.5, rel=1e-6)


@pytest.mark.parametrize("name", ["random 2 x 3", "random 5 x 20", "blocks", "all pairs in conflict"])
def test_pcgrad_is_that_of_torchjd_on_average(name):
    """Both draw the order of projections: means of 400 draws, within 5 standard errors."""
    jacobian, ours, theirs = JACOBIANS[name], PCGrad(), peer.PCGrad()
    found = torch.stack([direction(ours, jacobian) for _ in range(400)])
    expected = torch.stack([theirs(jacobian) for _ in range(400)])
    standard_error = ((found.var(0) + expected.var(0)) / 400).sqrt()
    assert ((found.mean(0) - expected.mean(0)).abs() <= 5 * standard_error + 1e-9).all()


@pytest.mark.parametrize("name", JACOBIANS)
def test_fixed_and_equal_weights_are_those_of_torchjd(name):
    jacobian = JACOBIANS[name]
    weights = torch.linspace(0, 1, len(jacobian), dtype=torch.float64)
    given = FixedWeights(dict(enumerate(weights.tolist())))
    torch.testing.assert_close(direction(given, jacobian), peer.Constant(weights)(jacobian))
    torch.testing.assert_close(direction(Equal(), jacobian), peer.Mean()(jacobian))
