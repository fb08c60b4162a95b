"""SAMO against its steps written out naively in plain PyTorch."""

from copy import deepcopy

import pytest
import torch

from polytask.balancing import CRMOGM, FAMO, MGDA, SAMO, GradDrop, MoDo, PCGrad, ScaleInvariant, samo_perturbation, step
from polytask.exceptions import OptionError
from tests.balancing._laws import observed
from tests.balancing.test_step import Network, batches, flat, run


def naive(network, batch, *, rho, beta, eps, generator):
    """Gradients [3, P] of all parameters, each task's where its losses are worst nearby."""
    parameters = list(network.parameters())
    n_shared = len(list(network.trunk.parameters()))
    torch.stack(network.losses(batch)).mean().backward()
    mean = [p.grad.clone() for p in parameters]
    rows = []
    for task in range(3):
        noise = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in parameters][:n_shared]
        values = []
        for sign in (1, -1):
            moved = deepcopy(network)
            for p, z in zip(moved.trunk.parameters(), noise, strict=True):
                p.data += sign * eps * z
            values.append(float(moved.losses(batch)[task].detach()))
        zeroth = [(values[0] - values[1]) / (2 * eps) * z for z in noise]
        mixed = [(1 - beta) * g + beta * g.norm() * own / own.norm() for g, own in zip(mean[:n_shared], zeroth, strict=True)]
        length = torch.cat([v.reshape(-1) for v in mixed]).norm()
        moved = deepcopy(network)
        moved.zero_grad()
        for p, v in zip(moved.trunk.parameters(), mixed, strict=True):
            p.data += rho * v / length
        own = list(network.heads[task].parameters())
        head_length = torch.cat([p.grad.reshape(-1) for p in own]).norm()
        for p, q in zip(moved.heads[task].parameters(), own, strict=True):
            p.data += rho * q.grad / head_length
        moved.losses(batch)[task].backward()
        rows.append(torch.cat([torch.zeros(p.numel()) if p.grad is None else p.grad.reshape(-1) for p in moved.parameters()]))
    network.zero_grad()
    return torch.stack(rows)


@pytest.mark.parametrize("beta", [0.0, 0.3])
def test_equals_the_steps_written_out(beta):
    network, other, method, inside = Network(), Network(), SAMO(MGDA(), rho=0.2, beta=beta), MGDA()
    generator, n_shared = torch.Generator().manual_seed(0), sum(p.numel() for p in other.trunk.parameters())
    sgd = torch.optim.SGD(network.parameters(), lr=0.1)
    for seed in range(2):
        batch = batches(seed, 1)
        balance = step(network.losses, batch, method, optimizer=sgd, shared_params=network.trunk.parameters())
        rows = naive(other, batch[0], rho=0.2, beta=beta, eps=0.01, generator=generator)
        shared = rows[:, :n_shared]
        weights = inside(observed(shared))
        total = torch.cat([weights @ shared, rows[:, n_shared:].sum(0)])
        values = iter(total.split([p.numel() for p in other.parameters()]))
        for p in other.parameters():
            p.data -= 0.1 * next(values).view_as(p)
        torch.testing.assert_close(balance.weights, weights, rtol=1e-6, atol=1e-8)
        torch.testing.assert_close(flat(network), flat(other), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("make", [PCGrad, MGDA, ScaleInvariant, GradDrop])
def test_without_a_perturbation_it_is_the_method_inside(make):
    network, other = Network(), Network()
    run(SAMO(make(), rho=0.0), network, seeds=range(2))
    run(make(), other, seeds=range(2))
    torch.testing.assert_close(flat(network), flat(other), rtol=1e-9, atol=1e-12)


def test_the_perturbation_has_the_length_that_was_asked_for():
    mean, local = [torch.randn(3, 2), torch.zeros(4), torch.randn(5)], [torch.randn(3, 2), torch.randn(4), torch.zeros(5)]
    found = samo_perturbation(mean, local, rho=0.7, beta=0.4)
    assert float(torch.cat([v.reshape(-1) for v in found]).norm()) == pytest.approx(0.7, rel=1e-5)
    assert (found[1] == 0).all()  # no mean gradient, no share of it


def test_the_gradients_are_those_of_higher_losses():
    """Along the perturbation the losses rise, to the first order."""
    network = Network()
    batch = batches(0, 1)[0]
    before = torch.stack(network.losses(batch)).sum().detach()
    parameters = list(network.parameters())
    gradient = torch.autograd.grad(torch.stack(network.losses(batch)).sum(), parameters)
    for p, v in zip(parameters, samo_perturbation(gradient, gradient, rho=0.05), strict=True):
        p.data += v
    assert torch.stack(network.losses(batch)).sum().detach() > before


def test_the_losses_after_the_step_reach_the_method_inside():
    method, network = SAMO(FAMO()), Network()
    run(method, network, seeds=[0])
    assert len(method.method.memory["logits"]) == 3


def test_what_cannot_be_served_is_refused():
    network = Network()
    sgd = torch.optim.SGD(network.parameters(), lr=0.1)
    with pytest.raises(OptionError, match="SAMO takes a method that `backward` serves; got MoDo"):
        SAMO(MoDo())
    with pytest.raises(OptionError, match="CRMOGM cannot smooth SAMO"):
        CRMOGM(SAMO())
    with pytest.raises(OptionError, match="SAMO moves shared parameters and heads apart"):
        step(network.losses, batches(0, 1), SAMO(), optimizer=sgd)
    with pytest.raises(ValueError, match="`rho` of SAMO must be >= 0"):
        SAMO(rho=-1)
