"""Gradients in the layout of their parameters: fused optimizers read other ones wrongly, without a word."""

import pytest
import torch

from polytask.balancing import PCGrad, backward


@pytest.mark.parametrize("stacked", [True, False])
def test_gradients_have_the_layout_of_their_parameters(stacked):
    torch.manual_seed(0)
    trunk, heads = torch.nn.Linear(3, 4), [torch.nn.Linear(4, 3) for _ in range(2)]
    z = trunk(torch.randn(8, 3)).tanh()
    losses = [head(z).T.contiguous().square().mean() for head in heads]
    backward(torch.stack(losses) if stacked else losses, PCGrad(), shared_params=trunk.parameters())
    for p in (*trunk.parameters(), *(p for head in heads for p in head.parameters())):
        assert p.grad.stride() == p.stride()


def test_a_fused_optimizer_takes_the_step_of_a_plain_one():
    found = []
    for fused in (True, False):
        w = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3))
        losses = [(w.T @ torch.tensor([[1.0, -2.0], [0.5, 3.0]])).square().mean(), (w.T @ torch.ones(2, 1)).mean()]
        backward(losses, PCGrad(), shared_params=[w])
        torch.optim.AdamW([w], lr=0.1, fused=fused).step()
        found.append(w.detach())
    torch.testing.assert_close(*found)
