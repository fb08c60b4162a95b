"""FORUM against its steps written out in plain PyTorch, with the mixture that cvxpy finds."""

from copy import deepcopy

import cvxpy
import numpy as np
import pytest
import torch

from polytask.balancing import FORUM, forum_weights
from tests.balancing.test_step import Network, batches, flat, run


def by_cvxpy(rows, q, rho):
    """Mixture [T] and the pull of the gap."""
    matrix = np.vstack([rows.numpy(), q.numpy()])
    w = cvxpy.Variable(len(matrix), nonneg=True)
    objective = 0.5 * cvxpy.sum_squares(matrix.T @ w) - rho * float(q @ q) * w[-1]
    cvxpy.Problem(cvxpy.Minimize(objective), [cvxpy.sum(w[:-1]) == 1]).solve(solver="CLARABEL")
    return torch.as_tensor(w.value[:-1]), float(w.value[-1])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("scale", [0.1, 10.0])
def test_the_mixture_is_the_one_that_cvxpy_finds(seed, scale):
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(4, 6, dtype=torch.float64, generator=generator)
    q = scale * (torch.randn(6, dtype=torch.float64, generator=generator) + rows.mean(0))
    found = forum_weights(rows @ rows.T, rows @ q, float(q @ q), rho=0.3)
    torch.testing.assert_close(found, by_cvxpy(rows, q, 0.3)[0], rtol=0, atol=2e-4)


def by_hand(network, logits, train, held_out, *, rho, rate, steps):
    """Direction of the parameters, and of the logits."""
    logits = logits.clone().requires_grad_()
    parameters = list(network.parameters())
    loss = torch.softmax(logits, 0) @ torch.stack(network.losses(train))
    here = torch.autograd.grad(loss, [logits, *parameters])
    inner = deepcopy(network)
    sgd = torch.optim.SGD(inner.parameters(), lr=rate)
    for _ in range(steps):
        sgd.zero_grad()
        (torch.softmax(logits.detach(), 0) @ torch.stack(inner.losses(train))).backward()
        sgd.step()
    there = torch.autograd.grad(torch.softmax(logits, 0) @ torch.stack(inner.losses(train)).detach(), logits)[0]
    q = torch.cat([here[0] - there, *(g.reshape(-1) for g in here[1:])])
    rows = []
    for held_loss in network.losses(held_out):
        found = torch.autograd.grad(held_loss, parameters, retain_graph=True, allow_unused=True)
        row = torch.cat([torch.zeros(p.numel()) if g is None else g.reshape(-1) for p, g in zip(parameters, found, strict=True)])
        rows.append(torch.cat([torch.zeros(3, dtype=row.dtype), row / row.norm()]))
    rows = torch.stack(rows)
    mixture, pull = by_cvxpy(rows, q, rho)
    total = mixture @ rows + pull * q
    return total[3:], total[:3]


def test_equals_the_steps_written_out():
    network, other, method = Network(), Network(), FORUM(rho=0.2, inner_learning_rate=0.05, inner_steps=3)
    logits = torch.tensor([0.4, -0.3, 0.1], dtype=torch.float64)
    method.remember("logits", (0, 1, 2), logits)
    train, held_out = batches(0, 2)
    run(method, network, seeds=[0], optimizer=torch.optim.SGD(network.parameters(), lr=1.0))
    direction, of_logits = by_hand(other, logits, train, held_out, rho=0.2, rate=0.05, steps=3)
    torch.testing.assert_close(flat(network), flat(other) - direction, rtol=0, atol=1e-4)  # cvxpy's tolerance
    moved = torch.stack([method.memory["logits.first"][k] for k in range(3)])  # of Adam: the slope, times 0.1
    torch.testing.assert_close(moved, 0.1 * of_logits, rtol=0, atol=1e-5)


def test_the_mixture_is_smoothed_from_the_second_epoch_on():
    network, method = Network(), FORUM()
    run(method, network, seeds=[0])
    first = torch.stack([method.memory["mixture"][k] for k in range(3)])
    assert float(first.sum()) == pytest.approx(1)
    method.end_epoch(torch.ones(3))
    rest = deepcopy(method)
    run(method, deepcopy(network), seeds=[1])
    rest.memory["mixture"].clear()
    run(rest, network, seeds=[1])
    new = torch.stack([rest.memory["mixture"][k] for k in range(3)]) * 2**0.75  # it began at zero
    torch.testing.assert_close(torch.stack([method.memory["mixture"][k] for k in range(3)]), first + (new - first) / 2**0.75)


def test_learns():
    network, method = Network(), FORUM()
    before = sum(float(loss.detach()) for loss in network.losses(batches(0, 1)[0]))
    for _ in range(60):
        run(method, network, seeds=[0], optimizer=torch.optim.SGD(network.parameters(), lr=0.02))
    assert sum(float(loss.detach()) for loss in network.losses(batches(0, 1)[0])) < 0.9 * before


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="of FORUM must be positive"):
        FORUM(rho=0)
