"""DB-MTL against its formulas, written out with automatic differentiation of the log losses."""

import pytest
import torch

from polytask.balancing import DBMTL
from tests.balancing._laws import (
    MATRICES,
    assert_finite,
    assert_non_conflicting,
    assert_permutation_equivariant,
    assert_resumes,
    assert_scale_invariant,
    assert_takes_tasks_that_come_and_go,
    direction,
)


def test_equals_the_formulas_on_log_losses():
    generator = torch.Generator().manual_seed(0)
    mixes = torch.randn(3, 5, dtype=torch.float64, generator=generator)
    method, mean = DBMTL(beta=0.8, beta_decay=0.5), torch.zeros(3, 5, dtype=torch.float64)
    for k in range(1, 6):
        x = torch.randn(5, dtype=torch.float64, generator=generator, requires_grad=True)
        losses = [(mix * x).sin().square().sum() + 0.1 for mix in mixes]
        jacobian = torch.stack([torch.autograd.grad(loss, x, retain_graph=True)[0] for loss in losses])
        of_logs = torch.stack([torch.autograd.grad(loss.log(), x, retain_graph=True)[0] for loss in losses])
        beta = 0.8 / k**0.5
        mean = beta * mean + (1 - beta) * of_logs
        norms = [float(row.norm()) for row in mean]
        expected = sum(max(norms) / norm * row for norm, row in zip(norms, mean, strict=True))
        found = direction(method, jacobian, torch.stack(losses).detach())
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)


def test_all_tasks_get_the_norm_of_the_longest():
    jacobian = torch.diag(torch.tensor([1.0, 10.0, 0.01], dtype=torch.float64))
    torch.testing.assert_close(direction(DBMTL(beta=0.0), jacobian), torch.full((3,), 10.0, dtype=torch.float64))


def test_the_unit_of_a_loss_does_not_matter():
    """Multiplying a loss multiplies its gradient too; the logarithm takes both away."""
    losses, factor = torch.rand(4, dtype=torch.float64) + 0.5, torch.tensor([1e-3, 1.0, 1e3, 1.0], dtype=torch.float64)
    first, second = DBMTL(), DBMTL()
    for _ in range(3):
        one = direction(first, MATRICES["random"], losses)
        other = direction(second, MATRICES["random"] * factor[:, None], losses * factor)
    torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-6)


def test_the_length_of_a_gradient_does_not_turn_the_direction():
    assert_scale_invariant(lambda: DBMTL(beta=0.0), MATRICES["random"])


@pytest.mark.parametrize("name", MATRICES)
def test_is_finite_and_follows_a_permutation(name):
    assert_finite(DBMTL, MATRICES[name])
    assert_permutation_equivariant(DBMTL, MATRICES[name])


def test_it_may_harm_a_task():
    with pytest.raises(AssertionError):
        assert_non_conflicting(DBMTL, MATRICES["random"])


def test_resumes_and_tasks_come_and_go():
    assert_resumes(DBMTL, [MATRICES["random"]] * 6)
    assert_takes_tasks_that_come_and_go(DBMTL)


def test_what_has_no_logarithm_is_refused():
    with pytest.raises(ValueError, match="Losses of DBMTL must not be negative"):
        direction(DBMTL(), MATRICES["identical"], torch.tensor([1.0, -1.0]))
    with pytest.raises(ValueError, match=r"`beta` of DBMTL must be in \[0, 1\)"):
        DBMTL(beta=1)
