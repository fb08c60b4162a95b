"""Methods that weigh losses: against their definitions by autograd, and as their papers say they move."""

import pytest
import torch

from polytask.balancing import (
    DWA,
    FAMO,
    IMTLL,
    RGW,
    RLW,
    STCH,
    FixedWeights,
    GeometricMean,
    GradNorm,
    Observed,
    ScaleInvariant,
    Uncertainty,
    backward,
    dwa_weights,
    famo_weights,
    geometric_mean_weights,
    grad_norm_targets,
    random_weights,
    scale_invariant_weights,
    stch_weights,
)
from polytask.exceptions import OptionError
from tests.balancing._laws import MATRICES, assert_resumes, assert_takes_tasks_that_come_and_go, observed

METHODS = [DWA, FAMO, IMTLL, RGW, RLW, STCH, GeometricMean, GradNorm, ScaleInvariant, Uncertainty]
LOSSES = torch.tensor([0.3, 2.0, 5.0], dtype=torch.float64)


def step(losses, tasks=None):
    losses = torch.as_tensor(losses, dtype=torch.float64)
    return Observed(losses, torch.ones(len(losses)), tuple(range(len(losses))) if tasks is None else tasks)


@pytest.mark.parametrize("method", METHODS)
def test_resumes_bit_for_bit(method):
    assert_resumes(method, [MATRICES["random"]] * 6)


@pytest.mark.parametrize("method", METHODS)
def test_tasks_come_and_go(method):
    assert_takes_tasks_that_come_and_go(method)


@pytest.mark.parametrize("method", [m for m in METHODS if m not in (RLW, RGW)])
def test_equal_losses_and_gradients_get_equal_weights(method):
    weights = method()(observed(torch.eye(3, dtype=torch.float64)))
    torch.testing.assert_close(weights, weights[:1].expand(3))


# ------------------------------------------------------------------ functions


@pytest.mark.parametrize(
    ("weights", "objective"),
    [
        (scale_invariant_weights, lambda x: x.log().mean()),
        (geometric_mean_weights, lambda x: x.log().mean().exp()),
        (
            lambda x: stch_weights(x, torch.tensor([0.2, 0.3, 0.5]).double(), ideal=0.1, mu=0.4),
            lambda x: 0.4 * torch.logsumexp(torch.tensor([0.2, 0.3, 0.5]).double() * (x - 0.1) / 0.4, 0),
        ),
    ],
)
def test_weights_are_the_slope_of_the_objective(weights, objective):
    losses = LOSSES.clone().requires_grad_()
    objective(losses).backward()
    torch.testing.assert_close(weights(LOSSES), losses.grad)


def test_famo_weights_are_the_slope_of_the_mixture_of_log_losses_up_to_their_sum():
    logits, losses = torch.tensor([0.5, -1.0, 0.2], dtype=torch.float64), LOSSES.clone().requires_grad_()
    (torch.softmax(logits, 0) * losses.log()).sum().backward()
    torch.testing.assert_close(famo_weights(LOSSES, logits), losses.grad / losses.grad.sum())


def test_smooth_tchebycheff_becomes_the_worst_task_alone():
    assert stch_weights(LOSSES, torch.full((3,), 1 / 3).double(), mu=1e-3).tolist() == pytest.approx([0, 0, 1 / 3])


def test_the_task_that_learns_slowly_gets_more_weight():
    weights = dwa_weights(torch.tensor([1.0, 1.0]), torch.tensor([1.0, 2.0]))
    assert weights[0] > weights[1]


def test_error_names_both_shapes():
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        dwa_weights(torch.ones(2), torch.ones(3))


def test_a_task_that_trains_slowly_shall_have_a_longer_gradient():
    targets = grad_norm_targets(torch.tensor([1.0, 1.0]), torch.ones(2), torch.tensor([0.9, 0.1]), alpha=1.0)
    torch.testing.assert_close(targets, torch.tensor([1.8, 0.2]))


def test_random_weights_are_equal_on_average():
    generator = torch.Generator().manual_seed(0)
    mean = torch.stack([random_weights(3, generator=generator) for _ in range(20_000)]).mean(0)
    torch.testing.assert_close(mean, torch.full((3,), 1 / 3, dtype=torch.float64), atol=0.01, rtol=0)  # 5 standard errors


# ------------------------------------------------------------------ memories


def test_uncertainty_comes_to_rest_at_the_log_of_the_loss():
    method = Uncertainty(learning_rate=0.05)
    for _ in range(2000):
        weights = method(step(LOSSES))
    torch.testing.assert_close(weights, 1 / (2 * LOSSES), rtol=0.02, atol=0)


def test_impartial_scales_bring_losses_to_one():
    method = IMTLL(learning_rate=0.05)
    for _ in range(2000):
        weights = method(step(LOSSES))
    torch.testing.assert_close(weights * LOSSES, torch.ones(3, dtype=torch.float64), rtol=0.02, atol=0)


def test_the_first_update_of_the_log_variance_is_that_of_torch_adam():
    s = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    adam, method = torch.optim.Adam([s], lr=0.03), Uncertainty(learning_rate=0.03)
    for losses in (LOSSES, LOSSES.flip(0), LOSSES * 2):
        method(step(losses))
        adam.zero_grad()
        (0.5 * (-s).exp() * losses + 0.5 * s).sum().backward()
        adam.step()
    found = torch.stack([method.memory["log_variance"][k] for k in range(3)])
    torch.testing.assert_close(found, s.detach())


def test_dynamic_averages_start_equal_and_follow_two_epochs():
    method = DWA(temperature=1.0)
    assert method(step([1, 1])).tolist() == [1, 1]
    method.end_epoch(torch.tensor([4.0, 4.0]))
    assert method(step([1, 1])).tolist() == [1, 1]
    method.end_epoch(torch.tensor([4.0, 2.0]))
    torch.testing.assert_close(method(step([1, 1])), 2 * torch.softmax(torch.tensor([1.0, 0.5], dtype=torch.float64), 0))


def test_dynamic_averages_take_a_task_absent_for_an_epoch_as_steady():
    method = DWA()
    method.end_epoch(torch.tensor([4.0, 4.0]))
    method.end_epoch(torch.tensor([4.0, torch.nan]))
    assert method(step([1, 1])).tolist() == [1, 1]


def test_famo_moves_towards_the_task_that_fell_least():
    method = FAMO()
    method(step(LOSSES))
    method.after_step(LOSSES * torch.tensor([0.5, 0.9, 1.0]))
    weights = method(step(LOSSES)) * LOSSES
    assert weights[2] > weights[1] > weights[0]


def test_famo_follows_its_authors_update():
    """The update of the authors' code, by autograd and torch's Adam."""
    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    adam, method = torch.optim.Adam([w], lr=0.025, weight_decay=0.01), FAMO()
    before = LOSSES
    for shrink in ([0.9, 0.8, 0.99], [0.7, 1.1, 0.9], [0.9, 0.9, 0.5]):
        after = before * torch.tensor(shrink, dtype=torch.float64)
        method(step(before))
        method.after_step(after)
        delta = (before + 1e-8).log() - (after + 1e-8).log()
        w.grad = torch.autograd.grad(torch.softmax(w, 0), w, grad_outputs=delta)[0]
        adam.step()
        before = after
    torch.testing.assert_close(torch.stack([method.memory["logits"][k] for k in range(3)]), w.detach())


def test_famo_reads_nothing_of_a_task_that_was_absent():
    method = FAMO()
    method(step(LOSSES[:2], tasks=("a", "b")))
    method.after_step(torch.tensor([0.1, 0.2, torch.nan]), tasks=("a", "b", "c"))
    assert set(method.memory["logits"]) == {"a", "b"}


def test_grad_norm_brings_gradients_to_one_norm():
    method, jacobian = GradNorm(alpha=0.0, learning_rate=0.02), torch.diag(torch.tensor([1.0, 3.0, 0.5], dtype=torch.float64))
    for _ in range(1500):
        weights = method(observed(jacobian))
    norms = weights * jacobian.diagonal()
    torch.testing.assert_close(norms, norms.mean().expand(3), rtol=0.05, atol=0)
    assert weights.sum() == pytest.approx(3)


# ------------------------------------------------------------------ settings


def test_fixed_weights_go_by_name():
    w = torch.tensor([1.0, 1.0], requires_grad=True)
    backward(w * 1.0, FixedWeights({"b": 3.0, "a": 2.0}), tasks=["a", "b"])
    assert w.grad.tolist() == [2.0, 3.0]


def test_a_task_without_a_fixed_weight_is_named():
    with pytest.raises(OptionError, match=r"got none for \['b'\]"):
        backward(torch.ones(2, requires_grad=True) * 1, FixedWeights({"a": 1.0}), tasks=["a", "b"])


def test_preferences_of_smooth_tchebycheff_are_over_the_tasks_present():
    method = STCH(preference={"a": 1.0, "b": 3.0, "c": 5.0}, mu=1.0)
    weights = method(step([1.0, 1.0], tasks=("a", "b")))
    torch.testing.assert_close(weights / 2, stch_weights(torch.ones(2), torch.tensor([0.25, 0.75]), mu=1.0).double())


@pytest.mark.parametrize("method", [GeometricMean, ScaleInvariant])
def test_losses_below_zero_have_no_logarithm(method):
    with pytest.raises(ValueError, match=f"Losses of {method.__name__} must not be negative"):
        method()(step([1.0, -1.0]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DWA(temperature=0), "`temperature` of DWA must be positive; got 0"),
        (lambda: STCH(mu=0), "`mu` of STCH must be positive; got 0"),
        (lambda: STCH(preference={"a": 0.0}), "`preference` of STCH must be positive"),
        (lambda: FAMO(learning_rate=0), "`learning_rate` of FAMO must be > 0"),
        (lambda: Uncertainty(learning_rate=-1), "`learning_rate` of Uncertainty must be positive"),
        (lambda: Uncertainty(start="one"), "`start` of Uncertainty must be 'zero' or 'first_loss'; got 'one'"),
        (lambda: IMTLL(start="one"), "`start` of IMTLL must be 'zero' or 'first_loss'"),
        (lambda: IMTLL(learning_rate=-1), "`learning_rate` of IMTLL must be positive"),
        (lambda: GradNorm(learning_rate=-1), "`learning_rate` of GradNorm must be positive"),
        (lambda: FixedWeights({}), "`weights` of FixedWeights must be numbers"),
        (lambda: FixedWeights({"a": -1.0}), "`weights` of FixedWeights must be numbers"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises((ValueError, OptionError), match=message):
        make()


@pytest.mark.parametrize("method, rest", [(Uncertainty, 0.5), (IMTLL, 1.0)])
def test_scales_that_start_at_the_first_loss_are_at_rest_and_free_of_units(method, rest):
    units = torch.tensor([1e-3, 1.0, 1e4]).double()
    one, other = (method(start="first_loss", learning_rate=0.05) for _ in range(2))
    for number in range(5):
        losses = torch.tensor([1.0, 2.0, 0.5]).double() * (1 + number * torch.tensor([0.1, -0.1, 0.3]).double())
        weights = one(Observed(losses, torch.ones(3), ("a", "b", "c")))
        if number == 0:
            torch.testing.assert_close(weights * losses, torch.full_like(losses, rest))
        torch.testing.assert_close(other(Observed(losses * units, torch.ones(3), ("a", "b", "c"))) * units, weights)


@pytest.mark.parametrize("method", [Uncertainty, IMTLL])
def test_a_first_loss_of_zero_starts_at_zero_and_a_later_task_at_its_own(method):
    own = method(start="first_loss")
    assert torch.isfinite(own(Observed(torch.tensor([0.0, 2.0]).double(), torch.ones(2), ("a", "b")))).all()
    expected = method(start="first_loss")(Observed(torch.tensor([5.0]).double(), torch.ones(1), ("c",)))
    torch.testing.assert_close(own(Observed(torch.tensor([1.0, 5.0]).double(), torch.ones(2), ("a", "c")))[1:], expected)
