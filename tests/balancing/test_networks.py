"""Balancing in networks that trip other libraries: mixed precision, checkpointing, BatchNorm, compiled, recurrent, attention."""

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from polytask.balancing import MGDA, BalancingMethod, PCGrad, UPGrad, backward


class Summed(BalancingMethod):
    needs = frozenset({"gramian"})

    def forward(self, seen):
        return torch.ones(len(seen.tasks))


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.layer = kind(4, 6, batch_first=True)

    def forward(self, x):
        return self.layer(x)[0][:, -1]


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(4, 6)
        self.layer = nn.TransformerEncoderLayer(6, nhead=2, dim_feedforward=8, dropout=0.0, batch_first=True)

    def forward(self, x):
        return self.layer(self.embed(x)).mean(1)


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(4, 6, 3, padding=1), nn.BatchNorm1d(6), nn.ReLU())

    def forward(self, x):
        return self.layers(x.transpose(1, 2)).mean(-1)


class Checkpointed(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 6), nn.Linear(6, 6)

    def forward(self, x):
        hidden = checkpoint(lambda z: torch.tanh(self.second(torch.tanh(z))), self.first(x), use_reentrant=False)
        return hidden.mean(1)


TRUNKS = {
    "rnn": lambda: Recurrent(nn.RNN),
    "lstm": lambda: Recurrent(nn.LSTM),
    "gru": lambda: Recurrent(nn.GRU),
    "transformer": Attention,
    "convolution with BatchNorm": Convolutional,
    "checkpointed": Checkpointed,
}


def network(name):
    torch.manual_seed(0)
    return TRUNKS[name]().double(), nn.ModuleList(nn.Linear(6, 1) for _ in range(3)).double()


X = torch.linspace(-3, 3, 8 * 5 * 4, dtype=torch.float64).reshape(8, 5, 4).cos()


def losses_of(z, heads):
    return [(head(z) - k).square().mean() for k, head in enumerate(heads)]


def gradients(*modules):
    return [p.grad for module in modules for p in module.parameters()]


def rows_one_after_another(trunk, heads):
    """The Jacobian by a forward and a backward pass per task."""
    rows = []
    for k in range(len(heads)):
        loss = losses_of(trunk(X), heads)[k]
        found = torch.autograd.grad(loss, list(trunk.parameters()), allow_unused=True)
        rows.append(torch.cat([g.ravel() for g in found]))
    return torch.stack(rows)


@pytest.mark.parametrize("name", TRUNKS)
def test_the_jacobian_is_that_of_sequential_backwards(name):
    trunk, heads = network(name)
    expected = rows_one_after_another(trunk, heads)
    found = backward(losses_of(trunk(X), heads), Summed(), shared_params=trunk.parameters())
    torch.testing.assert_close(found.gramian, expected @ expected.T, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("level", ["shared_params", "features"])
@pytest.mark.parametrize("method", [PCGrad, MGDA, UPGrad])
@pytest.mark.parametrize("name", TRUNKS)
def test_every_parameter_of_trunk_and_heads_moves(name, method, level):
    trunk, heads = network(name)
    z = trunk(X)
    where = {"features": z} if level == "features" else {"shared_params": trunk.parameters()}
    backward(losses_of(z, heads), method(), **where)
    assert all(g is not None and torch.isfinite(g).all() for g in gradients(trunk, heads))
    assert sum(float(g.abs().sum()) for g in gradients(trunk)) > 0


def test_running_statistics_are_updated_once():
    trunk, heads = network("convolution with BatchNorm")
    backward(losses_of(trunk(X), heads), PCGrad(), shared_params=trunk.parameters())
    assert trunk.layers[1].num_batches_tracked == 1
    twin, _ = network("convolution with BatchNorm")
    twin(X)
    torch.testing.assert_close(trunk.layers[1].running_mean, twin.layers[1].running_mean, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["rnn", "transformer"])
def test_a_compiled_trunk_gives_the_same(name):
    trunk, heads = network(name)
    backward(losses_of(trunk(X), heads), PCGrad(), shared_params=trunk.parameters())
    expected = gradients(trunk, heads)
    trunk, heads = network(name)
    with torch._functorch.config.patch(donated_buffer=False):  # the trunk is gone down several times
        compiled = torch.compile(trunk, backend="aot_eager")
        backward(losses_of(compiled(X), heads), PCGrad(), shared_params=trunk.parameters())
    torch.testing.assert_close(gradients(trunk, heads), expected)


# ------------------------------------------------------------------ mixed precision


def mixed_network():
    torch.manual_seed(0)
    trunk = nn.Sequential(nn.Linear(4, 16), nn.LayerNorm(16), nn.GELU(), nn.Linear(16, 6))
    return trunk, nn.ModuleList(nn.Linear(6, 1) for _ in range(3))


@pytest.mark.parametrize("level", ["shared_params", "features"])
def test_autocast_with_layer_norm(level):
    trunk, heads = mixed_network()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        z = trunk(X[:, 0].float())
        losses = [(head(z).float() - k).square().mean() for k, head in enumerate(heads)]
    where = {"features": z} if level == "features" else {"shared_params": trunk.parameters()}
    found = backward(losses, PCGrad(), **where)
    assert torch.isfinite(found.gramian).all()
    assert all(p.grad.dtype == p.dtype == torch.float32 for p in (*trunk.parameters(), *heads.parameters()))


@pytest.mark.parametrize("level", ["shared_params", "features"])
def test_a_scaled_loss_gives_the_same_step(level):
    stepped = []
    for scale in (None, 1024.0):
        trunk, heads = mixed_network()
        z = trunk(X[:, 0].float())
        losses = [(head(z) - k).square().mean() for k, head in enumerate(heads)]
        optimizer = torch.optim.SGD([*trunk.parameters(), *heads.parameters()], lr=0.1)
        scaler = torch.amp.GradScaler("cpu", init_scale=scale) if scale else None
        where = {"features": z} if level == "features" else {"shared_params": trunk.parameters()}
        found = backward(losses, MGDA(), scaler=scaler, penalty=0.1 * trunk[0].weight.square().sum(), **where)
        if scaler is None:
            optimizer.step()
        else:
            scaler.step(optimizer)
            scaler.update()
        stepped.append([*(p.detach().clone() for p in (*trunk.parameters(), *heads.parameters())), found.weights])
    torch.testing.assert_close(stepped[1], stepped[0])


def test_a_scaled_gradient_that_overflows_is_left_to_the_scaler():
    w = torch.tensor([0.0, 2.0], requires_grad=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    optimizer = torch.optim.SGD([w], lr=0.1)
    backward([w.sqrt().sum(), w.sum()], PCGrad(), shared_params=[w], scaler=scaler)
    scaler.step(optimizer)
    assert w.tolist() == [0.0, 2.0]


def test_a_gradient_that_overflows_without_a_scaler_names_the_task():
    w = torch.tensor([0.0, 2.0], requires_grad=True)
    with pytest.raises(ValueError, match="gradient of task 'sold' is not finite"):
        backward([w.sum(), w.sqrt().sum()], PCGrad(), shared_params=[w], tasks=["price", "sold"])
