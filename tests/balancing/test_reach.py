"""What tasks share, where they meet more than once: gates that read the features that experts are computed from."""

import torch
from torch import nn

from polytask.balancing import UPGrad, backward, shared_parameters


class Mixture(nn.Module):
    """Experts over an encoder; each task mixes them by a gate over the encoder itself."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(3, 4)
        self.experts = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
        self.gates = nn.ModuleList(nn.Linear(4, 2) for _ in range(3))
        self.heads = nn.ModuleList(nn.Linear(4, 1) for _ in range(3))

    def losses(self, x):
        z = self.encoder(x).tanh()
        experts = torch.stack([expert(z).tanh() for expert in self.experts], -1)
        mixed = [(experts * gate(z).softmax(-1)[:, None, :]).sum(-1) for gate in self.gates]
        return [(head(own) - k).square().mean() for k, (head, own) in enumerate(zip(self.heads, mixed, strict=True))]

    def shared(self):
        return [*self.encoder.parameters(), *self.experts.parameters()]


def test_the_jacobian_counts_every_way_down_once():
    torch.manual_seed(0)
    model, x = Mixture().double(), torch.randn(8, 3, dtype=torch.float64)
    losses, shared = model.losses(x), model.shared()
    rows = [torch.cat([g.ravel() for g in torch.autograd.grad(loss, shared, retain_graph=True)]) for loss in losses]
    jacobian = torch.stack(rows)
    gates = [torch.autograd.grad(sum(losses), list(model.gates.parameters()), retain_graph=True)]
    found = backward(model.losses(x), UPGrad(), shared_params=shared)
    torch.testing.assert_close(found.gramian, jacobian @ jacobian.T)
    direction = torch.cat([p.grad.ravel() for p in shared])
    torch.testing.assert_close(direction, found.weights @ jacobian)
    torch.testing.assert_close([p.grad for p in model.gates.parameters()], list(gates[0]))


def test_shared_parameters_are_those_that_two_losses_reach():
    model = Mixture()
    found = {id(p) for p in shared_parameters(model.losses(torch.randn(5, 3)))}
    assert found == {id(p) for p in model.shared()}


def test_a_single_loss_shares_nothing():
    assert shared_parameters([Mixture().losses(torch.randn(5, 3))[0]]) == []
