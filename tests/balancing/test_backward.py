"""The backward pass that balances: the same gradients as by hand, whatever is shared, absent, frozen or reused."""

import pytest
import torch
from torch import nn

from polytask.balancing import MGDA, BalancingMethod, Equal, Observed, backward
from polytask.exceptions import OptionError, PolytaskError


class Given(BalancingMethod):
    """Fixed weights, seen batched."""

    batched = True

    def __init__(self, *weights):
        super().__init__()
        self.weights = torch.tensor(weights)
        self.seen = None

    def forward(self, seen):
        self.seen = seen
        return self.weights


class Summed(BalancingMethod):
    """The plain sum, by way of the Gramian."""

    needs = frozenset({"gramian"})
    seen = None

    def forward(self, seen):
        self.seen = seen
        return torch.ones(len(seen.tasks))


class SummedRows(BalancingMethod):
    """The plain sum, by way of the Jacobian."""

    needs = frozenset({"jacobian"})

    def forward(self, seen):
        return seen.jacobian.sum(0)


def network(n_heads=3):
    generator = torch.Generator().manual_seed(1)
    trunk = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 6), nn.LayerNorm(6)).double()
    heads = nn.ModuleList(nn.Linear(6, 1) for _ in range(n_heads)).double()
    for p in (*trunk.parameters(), *heads.parameters()):
        nn.init.normal_(p, std=0.5, generator=generator)
    return trunk, heads


X = torch.linspace(-2, 2, 55, dtype=torch.float64).reshape(11, 5).sin()


def losses_of(z, heads, form="list"):
    found = [head(z).square().mean() for head in heads]
    if form == "one operation":
        return torch.cat([head(z) for head in heads], 1).square().mean(0)
    return torch.stack(found) if form == "stack" else found


def filled(*modules):
    return [None if p.grad is None else p.grad.clone() for module in modules for p in module.parameters()]


def plain_sum():
    trunk, heads = network()
    torch.stack(losses_of(trunk(X), heads)).sum().backward()
    return filled(trunk, heads)


FORMS = ["list", "stack", "one operation"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("method", [Summed, SummedRows])
@pytest.mark.parametrize("level", ["shared_params", "features"])
def test_summing_the_rows_gives_the_gradient_of_the_sum(form, method, level):
    trunk, heads = network()
    z = trunk(X)
    where = {"shared_params": trunk.parameters()} if level == "shared_params" else {"features": z}
    backward(losses_of(z, heads, form), method(), **where)
    torch.testing.assert_close(filled(trunk, heads), plain_sum(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("form", FORMS)
def test_rows_are_the_gradients_that_sequential_backwards_give(form):
    trunk, heads = network()
    rows = [
        torch.cat([g.ravel() for g in torch.autograd.grad(loss, list(trunk.parameters()))])
        for loss in [head(trunk(X)).square().mean() for head in heads]
    ]
    expected = torch.stack(rows)
    found = backward(losses_of(trunk(X), heads, form), Summed(), shared_params=trunk.parameters())
    torch.testing.assert_close(found.gramian, expected @ expected.T, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("form", FORMS)
def test_heads_get_the_gradient_of_their_own_loss_whatever_the_weights(form):
    class Halved(Summed):
        def forward(self, seen):
            return torch.full((len(seen.tasks),), 0.5)

    trunk, heads = network()
    backward(losses_of(trunk(X), heads, form), Halved(), shared_params=trunk.parameters())
    expected = plain_sum()
    n_trunk = len(list(trunk.parameters()))
    torch.testing.assert_close(filled(heads), expected[n_trunk:])
    torch.testing.assert_close(filled(trunk), [g / 2 for g in expected[:n_trunk]])


def test_a_parameter_that_is_not_listed_as_shared_gets_the_plain_sum():
    trunk, heads = network()
    backward(losses_of(trunk(X), heads), Summed(), shared_params=trunk[2].parameters())
    torch.testing.assert_close(filled(trunk, heads), plain_sum())


def test_a_parameter_that_two_heads_use_directly_can_be_balanced():
    w, v = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 5.0], requires_grad=True)
    backward([w.square().sum(), (w * v).sum()], Summed(), shared_params=[w])
    assert w.grad.tolist() == [5.0, 9.0]
    assert v.grad.tolist() == [1.0, 2.0]


def test_a_module_used_twice_counts_twice():
    layer, heads = nn.Linear(6, 6).double(), network()[1]
    z = layer(layer(X[:, :1].expand(-1, 6)))
    backward(losses_of(z, heads), Summed(), shared_params=layer.parameters())
    found = filled(layer)
    layer.zero_grad()
    torch.stack(losses_of(layer(layer(X[:, :1].expand(-1, 6))), heads)).sum().backward()
    torch.testing.assert_close(found, filled(layer))


def test_frozen_and_unused_parameters_get_no_gradient():
    trunk, heads = network()
    trunk[0].weight.requires_grad_(False)
    unused = nn.Linear(2, 2)
    backward(losses_of(trunk(X), heads), Summed(), shared_params=[*trunk.parameters(), *unused.parameters()])
    assert trunk[0].weight.grad is None
    assert unused.weight.grad is None
    assert trunk[2].weight.grad is not None


def test_each_task_may_have_inputs_of_its_own():
    trunk, heads = network(2)
    parts = [trunk(X[:4]), trunk(X[4:])]
    backward([head(z).square().mean() for head, z in zip(heads, parts, strict=True)], Summed(), shared_params=trunk.parameters())
    found = filled(trunk, heads)
    trunk.zero_grad(), heads.zero_grad()
    sum(head(trunk(x)).square().mean() for head, x in zip(heads, (X[:4], X[4:]), strict=True)).backward()
    torch.testing.assert_close(found, filled(trunk, heads))


def test_several_features_are_one_representation():
    trunk, heads = network(2)
    parts = [trunk(X[:4]), trunk(X[4:])]
    losses = [head(z).square().mean() for head, z in zip(heads, parts, strict=True)]
    found = backward(losses, Summed(), features=parts)
    assert found.gramian[0, 1] == 0
    assert all(p.grad is not None for p in trunk.parameters())


def test_gradients_add_up_as_in_torch():
    w = torch.tensor([1.0], requires_grad=True)
    backward(w * 2, Given(1.0))
    backward(w * 3, Given(1.0))
    assert w.grad.tolist() == [5.0]


def test_the_gradient_does_not_flow_through_the_weights():
    class ByLoss(BalancingMethod):
        def forward(self, seen):
            assert not seen.losses.requires_grad
            return seen.losses

    w = torch.tensor([2.0, 3.0], requires_grad=True)
    backward(w * 1.0, ByLoss())
    assert w.grad.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("method", [Given(0.5, 0.5), Summed()])
def test_a_penalty_is_added_unweighted(method):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    where = {} if method.needs == {"losses"} else {"shared_params": [w]}
    backward(w * 1.0, method, penalty=10 * w.sum(), **where)
    weight = 0.5 if method.needs == {"losses"} else 1.0
    assert w.grad.tolist() == [10 + weight, 10 + weight]


# ------------------------------------------------------------------ absent tasks


def test_a_method_sees_the_present_tasks_only_and_their_names():
    trunk, heads = network()
    method = Summed()
    found = backward(
        losses_of(trunk(X), heads),
        method,
        shared_params=trunk.parameters(),
        label_weight=torch.tensor([4.0, 0.0, 2.0]),
        tasks=["price", "sold", "grade"],
    )
    assert method.seen.tasks == ("price", "grade")
    assert method.seen.gramian.shape == (2, 2)
    assert found.weights.tolist() == [1.0, 0.0, 1.0]
    assert found.gramian[1].isnan().all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("level", ["shared_params", "features", "losses only"])
def test_an_absent_task_leaves_no_gradient_whatever_its_loss(form, level):
    trunk, heads = network()
    z = trunk(X)
    where = {"shared_params": {"shared_params": trunk.parameters()}, "features": {"features": z}}.get(level, {})
    losses = losses_of(z, heads, form)
    if form == "list":
        losses[1] = losses[1] * torch.nan
    method = Equal() if level == "losses only" else Summed()
    backward(losses, method, label_weight=torch.tensor([1.0, 0.0, 1.0]), **where)
    gradient = heads[1].weight.grad
    assert gradient is None or (gradient == 0).all()
    assert all(torch.isfinite(p.grad).all() for p in trunk.parameters())


def test_with_all_tasks_absent_nothing_moves():
    trunk, heads = network()
    backward(losses_of(trunk(X), heads), Summed(), shared_params=trunk.parameters(), label_weight=torch.zeros(3))
    assert all(p.grad is None or (p.grad == 0).all() for p in (*trunk.parameters(), *heads.parameters()))


@pytest.mark.parametrize("weight", [1.0, float("nan")])
def test_an_absent_task_has_no_gradient_whatever_weight_it_is_given(weight):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    backward(w**2, Given(1.0, weight), label_weight=torch.tensor([4.0, 0.0]))
    assert w.grad.tolist() == [2.0, 0.0]


def test_a_loss_that_is_not_finite_names_its_task():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(PolytaskError, match="loss of 'sold' is not finite"):
        backward([w[0], w[1] * torch.inf], Equal(), tasks=["price", "sold"])
    assert w.grad is None


def test_a_loss_that_is_not_finite_can_be_skipped():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    found = backward([w[0] * 3, w[1] * torch.nan], Equal(), nonfinite="skip")
    assert w.grad.tolist() == [3.0, 0.0]
    assert found.weights.tolist() == [1.0, 0.0]


# ------------------------------------------------------------------ replicas, refusals


def test_replicas_do_not_mix():
    w = torch.ones(2, 3, requires_grad=True)
    backward(w * torch.tensor([[1.0], [10.0]]), Equal())
    torch.testing.assert_close(w.grad, torch.tensor([[1.0], [10.0]]).expand(2, 3) / 3)


def test_without_label_weights_all_tasks_are_present():
    method = Given(1.0, 1.0)
    backward(torch.ones(2, requires_grad=True) * 1.0, method)
    assert method.seen.label_weight.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Summed compares the gradients of the tasks"),
        ({"shared_params": [torch.ones(1, requires_grad=True)]}, "No loss depends on any"),
        ({"features": torch.ones(1)}, "`features` must be tensors"),
        ({"features": 1, "shared_params": 1}, "not both"),
        ({"tasks": ["a", "a"]}, r"name each of the 2 losses once; got \['a', 'a'\]"),
        ({"tasks": ["a"]}, r"name each of the 2 losses once; got 1 name\(s\), \['a'\], for losses of shape \(2,\)"),
        ({"label_weight": torch.tensor([1.0, -1.0])}, "must not be negative"),
        ({"nonfinite": "drop"}, "must be 'error' or 'skip'"),
    ],
)
def test_what_cannot_be_served_is_refused_in_words(arguments, message):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    if not arguments.keys() & {"features", "shared_params"} and arguments:
        arguments = {**arguments, "shared_params": [w]}
    with pytest.raises(OptionError, match=message):
        backward([w[0] * 1, w[1] * 1], Summed(), **arguments)


def test_a_method_that_needs_what_cannot_be_given_is_refused():
    class Validated(Given):
        needs = frozenset({"validation_batch"})

    with pytest.raises(OptionError, match=r"Validated needs \['validation_batch'\], which `backward` cannot give"):
        backward(torch.ones(1, requires_grad=True), Validated(1.0))


# ------------------------------------------------------------------ what is told


def test_conflicts_are_the_share_of_pairs_that_point_apart():
    w = torch.tensor([1.0, 1.0], requires_grad=True)
    found = backward([w[0] * 1, -w[0] + w[1], w[1] * 2], Summed(), shared_params=[w])
    assert found.conflicts == pytest.approx(1 / 3)
    torch.testing.assert_close(found.cosines[1, 2].item(), 0.5**0.5)


def test_equal_shares_among_the_tasks_present_of_every_replica():
    weights = Equal()(Observed(torch.ones(3, 2), torch.tensor([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]), (0, 1)))
    assert weights.tolist() == [[0.5, 0.5], [0.0, 1.0], [0.0, 0.0]]


def test_a_loss_of_zero_is_not_an_absent_task():
    assert Equal()(Observed(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 1.0]), (0, 1))).tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda losses, p: {"losses": losses[0]}, "got a single number"),
        (lambda losses, p: {"losses": []}, "got none"),
        (lambda losses, p: {"losses": [1.0, 2.0]}, "got float among them"),
        (lambda losses, p: {"method": MGDA}, "must be a balancing method"),
        (lambda losses, p: {"method": "mgda"}, "must be a balancing method"),
        (lambda losses, p: {"shared_params": p}, "got a single Parameter"),
        (lambda losses, p: {"shared_params": nn.Linear(2, 2)}, "got a single Linear"),
        (lambda losses, p: {"shared_params": iter(())}, "gone through once"),
        (lambda losses, p: {"label_weight": [1, 1]}, "got list"),
        (lambda losses, p: {"label_weight": torch.ones(3)}, r"got \(3,\)"),
        (lambda losses, p: {"label_weight": torch.tensor([1.0, torch.nan])}, "nor NaN"),
    ],
)
def test_what_is_no_input_is_refused_in_words(change, message):
    p = nn.Parameter(torch.ones(2))
    losses = [p[0] ** 2, (p**2).sum()]
    given = {"losses": losses, "method": MGDA(), "shared_params": [p]} | change(losses, p)
    with pytest.raises(OptionError, match=message):
        backward(**given)


def test_parameters_listed_twice_count_once():
    p = nn.Parameter(torch.tensor([1.0, 2.0]))
    losses = [p[0] ** 2, (p**2).sum()]
    backward(losses, MGDA(), shared_params=[p])
    once, p.grad = p.grad, None
    backward([p[0] ** 2, (p**2).sum()], MGDA(), shared_params=[p, p])
    torch.testing.assert_close(p.grad, once)


def test_features_listed_twice_are_refused():
    p = nn.Parameter(torch.tensor([1.0, 2.0]))
    z = p * 2
    with pytest.raises(OptionError, match="one of them twice"):
        backward([z[0], z[1]], MGDA(), features=[z, z])


def test_features_that_no_loss_depends_on_are_refused():
    p = nn.Parameter(torch.tensor([1.0, 2.0]))
    z, stale = p * 2, p * 2
    with pytest.raises(OptionError, match="No loss depends on `features`"):
        backward([z[0], z[1]], MGDA(), features=stale)
    assert p.grad is None
    backward([0 * z[0], 0 * z[1]], MGDA(), features=z)  # gradients of zero are none of that
    assert not p.grad.any()
