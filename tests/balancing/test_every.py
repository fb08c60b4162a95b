"""Weights kept between solves: exact where solved, one backward pass between, by name, resumable."""

import pytest
import torch
from torch import nn

from polytask.balancing import DWA, MGDA, CAGrad, Equal, Every, GradNorm, PCGrad, TrimmedMean, UPGrad, backward
from polytask.exceptions import OptionError
from tests.balancing._laws import MATRICES, assert_resumes, direction, observed

X = torch.linspace(-2, 2, 55, dtype=torch.float64).reshape(11, 5).sin()


def network():
    torch.manual_seed(0)
    trunk = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 6)).double()
    return trunk, nn.ModuleList(nn.Linear(6, 1) for _ in range(3)).double()


def losses_of(z, heads, form="list"):
    if form == "one operation":
        return torch.cat([head(z) - k for k, head in enumerate(heads)], 1).square().mean(0)
    if form == "not linear":
        return [(head(z.sin()) - k).square().mean() for k, head in enumerate(heads)]
    return [(head(z) - k).square().mean() for k, head in enumerate(heads)]


def filled(*modules):
    return [p.grad for module in modules for p in module.parameters()]


@pytest.mark.parametrize("form", ["list", "one operation", "not linear"])
@pytest.mark.parametrize("level", ["shared_params", "features", "part of the trunk"])
def test_a_step_between_uses_the_weights_of_the_last_solve(level, form):
    method = Every(MGDA(), 3)
    trunk, heads = network()

    def step(method):
        for p in (*trunk.parameters(), *heads.parameters()):
            p.grad = None
        z = trunk(X)
        shared = trunk[2].parameters() if level == "part of the trunk" else trunk.parameters()
        where = {"features": z} if level == "features" else {"shared_params": shared}
        found = backward(losses_of(z, heads, form), method, **where)
        return found, [g.clone() for g in filled(trunk, heads)]

    exact, expected = step(MGDA())
    for number in range(4):
        found, gradients = step(method)
        assert (found.gramian is None) == (number in (1, 2))
        torch.testing.assert_close(found.weights, exact.weights)
        torch.testing.assert_close(gradients, expected, rtol=1e-10, atol=1e-13)


def test_every_step_is_the_method_itself():
    jacobian = MATRICES["random"]
    method = Every(UPGrad(), 1)
    for factor in (1.0, -2.0, 3.0):
        rows = jacobian * torch.tensor([1.0, factor, 1.0, 1.0], dtype=torch.float64)[:, None]
        torch.testing.assert_close(direction(method, rows), direction(UPGrad(), rows))


def test_between_solves_the_gradients_do_not_matter():
    method = Every(MGDA(), 2)
    first = method(observed(MATRICES["random"]))
    assert torch.equal(method(observed(-3 * MATRICES["random"].flip(0))), first)
    assert not torch.equal(method(observed(MATRICES["random"].flip(0))), first)


def test_a_task_that_appears_is_solved_for_at_once():
    method, jacobian = Every(MGDA(), 100), MATRICES["random"]
    direction(method, jacobian[:2], tasks=("a", "b"))
    assert not method.compares_now(("b",))
    assert method.compares_now(("a", "c"))
    weights = method(observed(jacobian[1:3], tasks=("b", "c")))
    torch.testing.assert_close(weights, MGDA()(observed(jacobian[1:3])))


def test_absent_tasks_leave_the_others_their_weights():
    method, jacobian = Every(CAGrad(), 100), MATRICES["random"]
    weights = method(observed(jacobian, tasks=("a", "b", "c", "d")))
    kept = method(observed(jacobian[[2, 0]], tasks=("c", "a")))
    assert torch.equal(kept, weights[[2, 0]])


@pytest.mark.parametrize("method", [MGDA, PCGrad])
def test_resumes_between_solves(method):
    generator = torch.Generator().manual_seed(0)
    assert_resumes(lambda: Every(method(), 3), [torch.randn(4, 9, dtype=torch.float64, generator=generator) for _ in range(9)])


@pytest.mark.parametrize("method", [Equal, DWA, GradNorm, TrimmedMean])
def test_methods_whose_weights_do_not_last_are_refused(method):
    with pytest.raises(OptionError, match=f"weights of {method.__name__} cannot be kept"):
        Every(method(), 5)


@pytest.mark.parametrize("k", [0, -1, 2.5, True])
def test_steps_are_a_whole_number(k):
    with pytest.raises(OptionError, match="whole number of steps from 1"):
        Every(MGDA(), k)


def test_only_methods_are_taken():
    with pytest.raises(OptionError, match="must be a balancing method"):
        Every("mgda", 5)
