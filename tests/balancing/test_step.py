"""A whole step: equal to the loop by hand, to torchjd, and to automatic differentiation through the step."""

from copy import deepcopy

import pytest
import torch
import torchjd.aggregation as peer
from scipy.optimize import minimize
from torch import nn

from polytask import balancing
from polytask.balancing import (
    CRMOGM,
    DWA,
    FAMO,
    FORUM,
    MOML,
    SAMO,
    AutoLambda,
    Equal,
    MicroBatches,
    MoDo,
    PCGrad,
    SDMGrad,
    backward,
    method_names,
    sdm_grad_weights,
    step,
)
from polytask.balancing._ahead import Ahead
from polytask.exceptions import OptionError, PolytaskError
from tests.balancing import _two_processes as two

AHEAD = [FORUM, AutoLambda, MOML, MoDo, SAMO, SDMGrad]


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.trunk = nn.Sequential(nn.Linear(4, 5), nn.Tanh()).double()
        self.heads = nn.ModuleList(nn.Linear(5, 1) for _ in range(3)).double()
        for p in self.parameters():
            nn.init.normal_(p, std=0.5, generator=generator)

    def losses(self, batch):
        x, y = batch
        z = self.trunk(x)
        return [(head(z)[:, 0] - y[:, k]).square().mean() for k, head in enumerate(self.heads)]


def batches(seed, n=3):
    generator = torch.Generator().manual_seed(seed)
    return [[torch.randn(8, width, dtype=torch.float64, generator=generator) for width in (4, 3)] for _ in range(n)]


def flat(network):
    return torch.cat([p.detach().reshape(-1) for p in network.parameters()])


def run(method, network, *, seeds, optimizer=None, closure=None):
    """Steps of one batch of each seed, or as many batches as the method takes."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05) if optimizer is None else optimizer
    for seed in seeds:
        balance = step(
            network.losses if closure is None else closure,
            batches(seed, method.n_batches),
            method,
            optimizer=optimizer,
            shared_params=network.trunk.parameters(),
        )
    return balance


# ------------------------------------------------------------------ methods that need nothing more


@pytest.mark.parametrize("make", [Equal, PCGrad, FAMO])
def test_a_scaler_makes_the_same_step(make):
    stepped, norms = [], []
    for scaler in (None, torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=2)):
        network, method = Network(), make()
        optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
        for seed in range(3):
            step(
                network.losses,
                batches(seed, 1),
                method,
                optimizer=optimizer,
                shared_params=network.trunk.parameters(),
                penalty=lambda network=network: 0.1 * network.trunk[0].weight.square().sum(),
                before_step=lambda network=network: norms.append(nn.utils.clip_grad_norm_(network.parameters(), 0.5).item()),
                scaler=scaler,
            )
        stepped.append(flat(network))
    torch.testing.assert_close(stepped[1], stepped[0])
    assert norms[3:] == pytest.approx(norms[:3])
    assert scaler.get_scale() == 2048.0  # `update` was called in each step


def test_a_step_whose_scaled_gradients_overflow_is_left_out():
    network, scaler = Network(), torch.amp.GradScaler("cpu", init_scale=2.0**60)
    before = flat(network)
    closure = lambda batch: [loss * 1e300 for loss in network.losses(batch)]  # noqa: E731
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    step(closure, batches(0, 1), PCGrad(), optimizer=optimizer, shared_params=network.trunk.parameters(), scaler=scaler)
    assert torch.equal(flat(network), before)
    assert scaler.get_scale() == 2.0**59


@pytest.mark.parametrize("make", AHEAD)
def test_a_scaler_is_refused_where_gradients_are_taken_ahead(make):
    network, method = Network(), make()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    with pytest.raises(OptionError, match=f"{make.__name__} takes gradients of its own, which a `scaler` does not reach"):
        step(
            network.losses,
            batches(0, method.n_batches),
            method,
            optimizer=optimizer,
            shared_params=network.trunk.parameters(),
            scaler=torch.amp.GradScaler("cpu"),
        )


@pytest.mark.parametrize("make", [Equal, PCGrad])
def test_equals_backward_and_the_step_of_the_optimizer(make):
    network, other, method = Network(), Network(), make()
    adam = torch.optim.Adam(other.parameters(), lr=0.01)
    balance = run(make(), network, seeds=range(3), optimizer=torch.optim.Adam(network.parameters(), lr=0.01))
    for seed in range(3):
        adam.zero_grad()
        expected = backward(other.losses(batches(seed)[0]), method, shared_params=other.trunk.parameters())
        adam.step()
    assert torch.equal(flat(network), flat(other))
    assert torch.equal(balance.weights, expected.weights)


def test_balances_at_what_the_module_of_the_features_gives():
    network, other = Network(), Network()
    sgd, own = (torch.optim.SGD(n.parameters(), lr=0.1) for n in (network, other))
    step(network.losses, batches(0, 1), PCGrad(), optimizer=sgd, features=network.trunk)
    kept = []
    other.trunk.register_forward_hook(lambda module, given, output: kept.append(output))
    backward(other.losses(batches(0, 1)[0]), PCGrad(), features=kept)
    own.step()
    assert torch.equal(flat(network), flat(other))
    assert not network.trunk._forward_hooks


def test_calls_the_method_with_the_losses_after_the_step():
    network, method = Network(), FAMO()
    run(method, network, seeds=[0])
    before, after = Network().losses(batches(0)[0]), network.losses(batches(0)[0])
    fallen = torch.stack(before).log() - torch.stack(after).log()
    logits = torch.stack([method.memory["logits"][k] for k in range(3)])
    assert torch.equal(logits.argsort(), fallen.argsort(descending=True))  # the one that fell least counts most


def test_takes_label_weights_a_penalty_and_clipping():
    network, other = Network(), Network()
    sgd, own = (torch.optim.SGD(n.parameters(), lr=0.1) for n in (network, other))
    weight = torch.tensor([1.0, 0.0, 1.0])
    step(
        lambda batch: (network.losses(batch), weight),
        batches(0, 1),
        Equal(),
        optimizer=sgd,
        penalty=lambda: flat_penalty(network),
        before_step=lambda: nn.utils.clip_grad_norm_(network.parameters(), 0.1),
    )
    backward(other.losses(batches(0, 1)[0]), Equal(), label_weight=weight, penalty=flat_penalty(other))
    nn.utils.clip_grad_norm_(other.parameters(), 0.1)
    own.step()
    assert torch.equal(flat(network), flat(other))


def flat_penalty(network):
    return 0.1 * sum(p.square().sum() for p in network.parameters())


# ------------------------------------------------------------------ double sampling


@pytest.mark.parametrize(
    ("make", "make_peer"),
    [
        (lambda: MoDo(gamma=0.2, rho=0.1), lambda: peer.MoDoWeighting(gamma=0.2, rho=0.1)),
        (lambda: SDMGrad(pull=0.4), lambda: peer.SDMGradWeighting(lambda_=0.4)),
    ],
)
def test_double_sampling_equals_torchjd(make, make_peer):
    network, other, method, weighting = Network(), Network(), make(), make_peer()
    sgd, own = (torch.optim.SGD(n.parameters(), lr=0.05) for n in (network, other))
    shared = list(other.trunk.parameters())
    for seed in range(4):
        step(network.losses, batches(seed), method, optimizer=sgd, shared_params=network.trunk.parameters())
        third, first, second = batches(seed)
        rows = []
        for batch in (first, second):
            grads = [torch.autograd.grad(loss, shared, retain_graph=True) for loss in other.losses(batch)]
            rows.append(torch.stack([torch.cat([g.reshape(-1) for g in row]) for row in grads]))
        weights = weighting(rows[0] @ rows[1].T)
        losses = torch.stack(other.losses(third))
        of_shared = torch.autograd.grad(losses @ weights, shared, retain_graph=True)
        own.zero_grad()
        losses.sum().backward()
        for p, g in zip(shared, of_shared, strict=True):
            p.grad = g
        own.step()
    torch.testing.assert_close(flat(network), flat(other), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("pull", [0.0, 0.3, 100.0])
def test_without_noise_sdmgrad_is_the_shortest_with_the_mean_added(pull):
    jacobian = torch.randn(4, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    start = torch.full((4,), 0.25, dtype=torch.float64)
    found = sdm_grad_weights(start, jacobian @ jacobian.T, pull=pull, learning_rate=0.01, max_iter=3000)
    total = {"type": "eq", "fun": lambda w: w.sum() - 1}
    value = lambda w: float((torch.as_tensor(w + pull / 4) @ jacobian).square().sum())  # noqa: E731
    best = minimize(value, start.numpy(), bounds=[(0, 1)] * 4, constraints=[total], options={"ftol": 1e-14})
    assert value(found.numpy()) == pytest.approx(best.fun, rel=1e-6)


# ------------------------------------------------------------------ held-out rows


def ahead_of(network, optimizer, seed=0):
    return Ahead(network.losses, batches(seed, 2), tasks=None, optimizer=optimizer)


def losses_at(network, values, batch):
    """Losses [3] as a function of the parameters."""
    names = [name for name, _ in network.named_parameters()]

    class Of(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self):
            return torch.stack(self.network.losses(batch))

    return torch.func.functional_call(Of(), {f"network.{n}": v for n, v in zip(names, values, strict=True)}, ())


def through_the_step(network, batch, weights, *, rate):
    """Parameters after a step with these weights, differentiable with respect to them."""
    values = [p.detach().clone().requires_grad_() for p in network.parameters()]
    loss = weights @ losses_at(network, values, batch)
    grads = torch.autograd.grad(loss, values, create_graph=True)
    return [v - rate * g for v, g in zip(values, grads, strict=True)]


@pytest.mark.parametrize("primary", [None, [1]])
def test_auto_lambda_has_the_slope_of_the_held_out_loss_through_the_step(primary):
    network = Network()
    method, sgd = AutoLambda(primary=primary), torch.optim.SGD(network.parameters(), lr=0.05)
    found, present = method.slope(ahead_of(network, sgd))
    train, held_out = batches(0, 2)
    weights = torch.full((3,), 0.1, dtype=torch.float64, requires_grad=True)
    after = losses_at(network, through_the_step(network, train, weights, rate=0.05), held_out)
    after[[0, 1, 2] if primary is None else primary].sum().backward()
    assert present.all()
    torch.testing.assert_close(found, weights.grad, rtol=1e-4, atol=1e-8)  # differences of 1% of the parameters' scale


def test_auto_lambda_counts_momentum_and_weight_decay_as_they_will():
    network, method = Network(), AutoLambda()
    sgd = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, weight_decay=0.1)
    run(Equal(), network, seeds=[7], optimizer=sgd)
    gradient = ahead_of(network, sgd).gradient(0, torch.full((3,), 0.1, dtype=torch.float64))
    moves = method._virtual_step(ahead_of(network, sgd), gradient)
    before = flat(network)
    step(lambda batch: [0.1 * loss for loss in network.losses(batch)], batches(0, 1), Sum(), optimizer=sgd)
    torch.testing.assert_close(flat(network) - before, torch.cat([m.reshape(-1) for m in moves]), rtol=1e-9, atol=1e-12)


class Sum(Equal):
    def forward(self, seen):
        return torch.ones_like(seen.losses)


def test_auto_lambda_gives_more_weight_to_the_task_that_helps():
    """Task 1 has the labels of the primary task, task 2 has noise."""
    torch.manual_seed(0)
    true, network, method = torch.randn(4, dtype=torch.float64), Network(), AutoLambda(primary=[0], learning_rate=0.02)
    adam = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(60):
        pair = []
        for _ in range(2):
            x = torch.randn(16, 4, dtype=torch.float64)
            pair.append([x, torch.stack([x @ true, x @ true, 3 * torch.randn(16).double()], dim=1)])
        step(network.losses, pair, method, optimizer=adam)
    weights = method.memory["weights"]
    assert weights[1] > weights[2] + 0.1


def test_moml_has_the_slopes_of_all_held_out_losses_through_the_step():
    network, method = Network(), MOML(inner_learning_rate=0.2)
    sgd = torch.optim.SGD(network.parameters(), lr=0.05)
    logits = torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64, requires_grad=True)
    method.remember("logits", (0, 1, 2), logits)
    found, _, _ = method.slopes(ahead_of(network, sgd))
    train, held_out = batches(0, 2)
    after = losses_at(network, through_the_step(network, train, torch.softmax(logits, 0), rate=0.2), held_out)
    expected = torch.stack([torch.autograd.grad(loss, logits, retain_graph=True)[0] for loss in after])
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_moml_goes_down_the_slopes_of_all_tasks():
    network, method = Network(), MOML(learning_rate=1e-3)
    slopes, _, _ = method.slopes(ahead_of(network, torch.optim.SGD(network.parameters(), lr=0.05)))
    units = slopes / slopes.norm(dim=1, keepdim=True)
    run(method, network, seeds=[0])
    moved = torch.stack([method.memory["logits.first"][k] for k in range(3)])  # of Adam: the slope, times 0.1
    assert (units @ moved >= -1e-9).all()


# ------------------------------------------------------------------ laws of all that look ahead


@pytest.mark.parametrize("make", AHEAD)
def test_resumes_bit_for_bit(make):
    whole, method = Network(), make()
    run(method, whole, seeds=range(4))
    half, first = Network(), make()
    run(first, half, seeds=range(2))
    rest, second = deepcopy(half), make()
    second.load_state_dict(first.state_dict())
    run(second, rest, seeds=range(2, 4))
    assert torch.equal(flat(rest), flat(whole))


@pytest.mark.parametrize("make", AHEAD)
def test_tasks_may_be_absent_from_any_batch(make):
    network, method = Network(), make()
    weights = iter([torch.tensor(w) for w in ([1.0, 0, 1], [0.0, 1, 1], [1.0, 1, 0], [0.0, 0, 0], [1.0, 1, 1]) * 40])
    kept = network.heads[0].bias.detach().clone()
    for seed in range(6):
        balance = run(method, network, seeds=[seed], closure=lambda batch: (network.losses(batch), next(weights)))
        assert torch.isfinite(balance.weights).all()
    assert torch.isfinite(flat(network)).all()
    assert not torch.equal(network.heads[0].bias, kept)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("make", AHEAD)
def test_is_finite_at_any_scale_of_one_loss(make, scale):
    network, method = Network(), make()

    def closure(batch):
        first, *others = network.losses(batch)
        return [scale * first, *others]

    sgd = torch.optim.SGD(network.parameters(), lr=1e-9)
    for seed in range(4):
        weights = run(method, network, seeds=[seed], optimizer=sgd, closure=closure).weights
        assert torch.isfinite(weights).all()
        assert weights.sum() > 0


@pytest.mark.parametrize("make", AHEAD)
def test_one_task_and_no_gradient_are_served(make):
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    sgd, method = torch.optim.SGD([w], lr=0.1), make()
    balance = step(lambda x: [(w * x).sum() ** 2], [1.0] * method.n_batches, method, optimizer=sgd, shared_params=[w])
    assert torch.isfinite(balance.weights).all()
    assert (w == 0).all()


@pytest.mark.parametrize("make", [MoDo, SDMGrad, MOML, SAMO, FORUM])
def test_identical_tasks_share_alike(make):
    w = torch.ones(3, dtype=torch.float64, requires_grad=True)
    sgd, method = torch.optim.SGD([w], lr=0.01), make()
    data = list(torch.randn(method.n_batches, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    weights = step(lambda x: [(w @ x - 1) ** 2] * 2, data, method, optimizer=sgd, shared_params=[w]).weights
    assert weights.tolist() == pytest.approx([0.5, 0.5])


def test_smoothing_passes_what_lies_ahead_to_the_method_inside():
    network, method = Network(), CRMOGM(MoDo(), alpha=0.0)
    other = Network()
    run(method, network, seeds=range(2))
    run(MoDo(), other, seeds=range(2))
    torch.testing.assert_close(flat(network), flat(other))


def test_parameters_are_put_back_bit_for_bit_even_after_an_error():
    network, method = Network(), AutoLambda()
    kept, sgd = flat(network), torch.optim.SGD(network.parameters(), lr=0.1)

    def closure(batch):
        if not torch.equal(flat(network), kept):
            raise RuntimeError("elsewhere")
        return network.losses(batch)

    with pytest.raises(RuntimeError, match="elsewhere"):
        step(closure, batches(0, 2), method, optimizer=sgd)
    assert torch.equal(flat(network), kept)
    assert all(p.grad is None for p in network.parameters())


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize("make", AHEAD)
def test_backward_refuses_and_names_step(make):
    network = Network()
    with pytest.raises(OptionError, match=f"{make.__name__} needs .* which `backward` cannot give: use `step`"):
        backward(network.losses(batches(0)[0]), make(), shared_params=network.trunk.parameters())
    with pytest.raises(OptionError, match=f"{make.__name__} needs"):
        MicroBatches(make(), shared_params=network.trunk.parameters())
    assert make not in method_names().values()


@pytest.mark.parametrize(
    ("method", "n", "message"),
    [
        (MoDo(), 1, r"MoDo takes 3 batch\(es\), independent batches of training rows; got 1"),
        (AutoLambda(), 3, r"AutoLambda takes 2 batch\(es\), a training batch, then one of rows that are held out; got 3"),
        (DWA(), 2, r"DWA takes 1 batch\(es\), a training batch; got 2"),
    ],
)
def test_another_number_of_batches_is_refused(method, n, message):
    network = Network()
    sgd = torch.optim.SGD(network.parameters(), lr=0.1)
    with pytest.raises(OptionError, match=message):
        step(network.losses, batches(0, n), method, optimizer=sgd, shared_params=network.trunk.parameters())


def test_what_cannot_be_served_is_refused():
    network = Network()
    sgd = torch.optim.SGD(network.parameters(), lr=0.1)
    with pytest.raises(OptionError, match="`features` of different batches are of different rows"):
        step(network.losses, batches(0), MoDo(), optimizer=sgd, features=network.trunk)
    with pytest.raises(OptionError, match="must be the module that computes them; got Tensor"):
        step(network.losses, batches(0, 1), PCGrad(), optimizer=sgd, features=torch.ones(2))
    with pytest.raises(OptionError, match="was not called by the closure"):
        step(network.losses, batches(0, 1), PCGrad(), optimizer=sgd, features=nn.Linear(2, 2))
    with pytest.raises(OptionError, match=r"`primary` of AutoLambda must be among the tasks \[0, 1, 2\]; got \['a'\]"):
        step(network.losses, batches(0, 2), AutoLambda(primary=["a"]), optimizer=sgd)
    with pytest.raises(PolytaskError, match="The loss of 0 is not finite on batch 1"):
        run(
            MoDo(),
            network,
            seeds=[0],
            closure=lambda b: [loss / 0 if b[0][0, 0] < 9 and k == 0 else loss for k, loss in enumerate(network.losses(b))],
        )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MoDo(gamma=0), "`gamma` of MoDo must be > 0"),
        (lambda: SDMGrad(pull=-1), "`pull` of SDMGrad must be >= 0"),
        (lambda: AutoLambda(initial=0), "`initial` of AutoLambda must be positive"),
        (lambda: MOML(learning_rate=0), "of MOML must be positive"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name", two.AHEAD)
def test_a_loss_that_is_not_finite_is_skipped_where_that_is_asked(name):
    network, method = Network(), getattr(balancing, name)()
    sgd = torch.optim.SGD(network.parameters(), lr=0.1)
    before = [p.detach().clone() for p in network.parameters()]

    def closure(batch):
        return [loss * torch.nan if k == 0 else loss for k, loss in enumerate(network.losses(batch))]

    given = batches(0, method.n_batches)
    step(closure, given, method, optimizer=sgd, shared_params=network.trunk.parameters(), nonfinite="skip")
    assert all(torch.isfinite(p).all() for p in network.parameters())
    assert not all(map(torch.equal, network.parameters(), before))
    with pytest.raises(OptionError, match="`nonfinite` must be 'error' or 'skip'"):
        step(closure, given, method, optimizer=sgd, shared_params=network.trunk.parameters(), nonfinite="no")
