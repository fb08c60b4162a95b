"""GO4Align against its formulas, with groups found by trying all of them."""

from itertools import product

import pytest
import torch

from polytask.balancing import GO4Align, go4align_weights
from tests.balancing._laws import MATRICES, assert_resumes, assert_takes_tasks_that_come_and_go, observed


def by_trying_all(wanted, n_groups):
    """Means of the groups with the least sum of squares within."""
    best, found = float("inf"), wanted
    for groups in product(range(n_groups), repeat=len(wanted)):
        if len(set(groups)) < n_groups:
            continue
        labels = torch.tensor(groups)
        means = torch.stack([wanted[labels == g].mean() for g in groups])
        spread = float((wanted - means).square().sum())
        if spread < best:
            best, found = spread, means
    return found


@pytest.mark.parametrize("n_groups", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_equals_the_formulas_with_the_best_groups(n_groups, seed):
    generator = torch.Generator().manual_seed(seed)
    losses = torch.rand(6, dtype=torch.float64, generator=generator) + 0.1
    indicators = torch.randn(6, dtype=torch.float64, generator=generator)
    wanted = indicators.exp() / indicators.exp().sum() * losses.sum() / losses
    torch.testing.assert_close(go4align_weights(losses, indicators, n_groups=n_groups), by_trying_all(wanted, n_groups))


def test_indicators_follow_the_authors_update():
    """The weights of each step, with one group for each task, by the update as its authors write it."""
    method, probabilities = GO4Align(n_groups=9, learning_rate=0.3), torch.full((3,), 1 / 3, dtype=torch.float64)
    for losses in ([1.0, 2.0, 0.5], [0.9, 0.3, 0.7], [2.0, 0.1, 1.0]):
        losses = torch.tensor(losses, dtype=torch.float64)
        probabilities = probabilities * torch.exp(-0.3 * losses)
        probabilities = probabilities / probabilities.sum()
        torch.testing.assert_close(method(observed(MATRICES["random"][:3], losses)), losses.sum() / losses * probabilities)


def test_with_as_many_groups_as_tasks_weighted_losses_are_alike():
    losses = torch.tensor([1e-6, 1.0, 1e6], dtype=torch.float64)
    weighted = GO4Align(n_groups=3, learning_rate=0.0)(observed(MATRICES["random"][:3], losses)) * losses
    torch.testing.assert_close(weighted, weighted[:1].expand(3))


def test_tasks_of_a_group_share_a_weight():
    weights = GO4Align()(observed(MATRICES["random"], torch.tensor([1.0, 1.2, 8.0, 9.0])))
    assert weights[0] == weights[1]
    assert weights[2] == weights[3]
    assert weights[0] > weights[2]


@pytest.mark.parametrize("losses", [[0.0, 1.0], [1e-6, 1e6], [3.0, 3.0]])
def test_is_finite(losses):
    assert torch.isfinite(GO4Align()(observed(MATRICES["identical"], torch.tensor(losses)))).all()
    assert torch.isfinite(GO4Align()(observed(MATRICES["one task"], torch.tensor(losses[1:])))).all()


def test_resumes_and_tasks_come_and_go():
    assert_resumes(GO4Align, [MATRICES["random"]] * 6)
    assert_takes_tasks_that_come_and_go(GO4Align)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="`n_groups` of GO4Align must be >= 1"):
        GO4Align(n_groups=0)
