"""The trimmed mean against scipy and torchjd."""

import pytest
import torch
import torchjd.aggregation as peer
from scipy.stats import trim_mean

from polytask.balancing import TrimmedMean, trimmed_mean_direction
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


@pytest.mark.parametrize("trim", [0, 1, 2])
@pytest.mark.parametrize("name", ["wide", "scaled from 1e-6 to 1e6"])
def test_equals_scipy_and_torchjd(name, trim):
    jacobian = MATRICES[name]
    found = trimmed_mean_direction(jacobian, trim=trim)
    torch.testing.assert_close(found, torch.as_tensor(trim_mean(jacobian.numpy(), (trim + 0.01) / len(jacobian), axis=0)))
    torch.testing.assert_close(found, peer.TrimmedMean(trim)(jacobian))


def test_one_wild_task_does_not_matter():
    jacobian = MATRICES["random"].clone()
    jacobian[0] = 1e9
    assert direction(TrimmedMean(), jacobian).abs().max() <= MATRICES["random"].abs().max()


@pytest.mark.parametrize("name", MATRICES)
def test_is_finite_and_follows_a_permutation(name):
    assert_finite(TrimmedMean, MATRICES[name])
    assert_permutation_equivariant(TrimmedMean, MATRICES[name])


def test_few_tasks_are_trimmed_less():
    assert torch.equal(direction(TrimmedMean(trim=3), MATRICES["identical"]), torch.ones(3, dtype=torch.float64))
    assert torch.equal(direction(TrimmedMean(trim=3), MATRICES["one task"]), MATRICES["one task"][0])


@pytest.mark.parametrize("law", [assert_non_conflicting, assert_scale_invariant])
def test_it_may_harm_a_task_and_depends_on_units(law):
    with pytest.raises(AssertionError):
        law(TrimmedMean, MATRICES["random"])


def test_resumes_and_tasks_come_and_go():
    assert_resumes(TrimmedMean, [MATRICES["random"]] * 4)
    assert_takes_tasks_that_come_and_go(TrimmedMean)


def test_a_negative_trim_is_refused():
    with pytest.raises(ValueError, match="`trim` of TrimmedMean must be >= 0; got -1"):
        TrimmedMean(trim=-1)
