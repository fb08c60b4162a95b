"""CR-MOGM against torchjd, around several methods."""

import pytest
import torch
import torchjd.aggregation as peer

from polytask.balancing import CRMOGM, FAMO, MGDA, GradDrop, ScaleInvariant, UPGrad
from polytask.exceptions import OptionError
from tests.balancing._laws import (
    MATRICES,
    assert_finite,
    assert_non_conflicting,
    assert_permutation_equivariant,
    assert_resumes,
    assert_takes_tasks_that_come_and_go,
    direction,
    observed,
)


def test_equals_torchjd_over_steps():
    ours = CRMOGM(UPGrad(), alpha=0.7)
    theirs = peer.GramianWeightedAggregator(peer.CRMOGMWeighting(peer.UPGradWeighting(), alpha=0.7))
    noise = torch.Generator().manual_seed(1)
    for _ in range(5):
        jacobian = torch.randn(4, 9, dtype=torch.float64, generator=noise)
        # torchjd's projection adds 1e-4 to the Gramian
        torch.testing.assert_close(direction(ours, jacobian), theirs(jacobian), rtol=2e-3, atol=2e-3)


def test_weights_are_the_running_mean_of_those_inside():
    method, noise = CRMOGM(MGDA(), alpha=0.8), torch.Generator().manual_seed(1)
    expected = None
    for _ in range(5):
        seen = observed(torch.randn(3, 5, dtype=torch.float64, generator=noise))
        inside = MGDA()(seen)
        expected = inside if expected is None else 0.8 * expected + 0.2 * inside
        torch.testing.assert_close(method(seen), expected)


def test_without_smoothing_it_is_the_method_inside():
    torch.testing.assert_close(direction(CRMOGM(alpha=0.0), MATRICES["random"]), direction(MGDA(), MATRICES["random"]))


def test_needs_what_is_needed_inside():
    assert CRMOGM(ScaleInvariant()).needs == {"losses"}
    assert CRMOGM().needs == {"gramian"}


def test_passes_on_the_losses_after_the_step():
    method = CRMOGM(FAMO())
    losses = torch.tensor([1.0, 2.0])
    method(observed(MATRICES["identical"], losses))
    method.after_step(losses * torch.tensor([0.5, 1.0]))
    assert len(method.method.memory["logits"]) == 2


@pytest.mark.parametrize("name", MATRICES)
def test_is_finite_and_follows_a_permutation(name):
    assert_finite(CRMOGM, MATRICES[name])
    if name not in ("scaled from 1e-6 to 1e6", "opposite"):
        assert_permutation_equivariant(CRMOGM, MATRICES[name], rtol=1e-6)


def test_smoothed_weights_may_harm_a_task():
    def after_a_step():
        method = CRMOGM()
        direction(method, torch.eye(4, 9, dtype=torch.float64) * torch.tensor([1.0, 9.0, 9.0, 9.0])[:, None])
        return method

    with pytest.raises(AssertionError):
        assert_non_conflicting(after_a_step, MATRICES["random"])


def test_resumes_and_tasks_come_and_go():
    assert_resumes(lambda: CRMOGM(UPGrad()), [MATRICES["random"]] * 6)
    assert_takes_tasks_that_come_and_go(CRMOGM)


def test_what_cannot_be_smoothed_is_refused():
    with pytest.raises(OptionError, match="CRMOGM smooths weights; GradDrop gives a direction"):
        CRMOGM(GradDrop())
    with pytest.raises(ValueError, match=r"`alpha` of CRMOGM must be in \[0, 1\]; got 3"):
        CRMOGM(alpha=3)
