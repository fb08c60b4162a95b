"""Whatever route the gradients take, they are those of sequential backward passes; what no short way serves goes the long one."""

import copy
import pickle

import pytest
import torch
from torch import nn
from torch.autograd.graph import get_gradient_edge
from torch.utils.checkpoint import checkpoint

from polytask.balancing import BalancingMethod, backward
from polytask.balancing._gradients import _task_gradients as routes
from polytask.balancing._gradients._arrivals import Arrivals
from polytask.balancing._gradients._blocks import HeadBlock, OuterBlock, WrittenBlock
from polytask.balancing._gradients._graph import divide
from polytask.balancing._gradients._held_block import HeldBlock
from polytask.balancing._gradients._workspace import Workspace, workspace_of
from polytask.exceptions import OptionError

N_TASKS = 3
WEIGHTS = torch.tensor([0.7, 2.0, -0.4], dtype=torch.float64)


class Weighted(BalancingMethod):
    """Fixed weights by way of the Gramian."""

    needs = frozenset({"gramian"})

    def forward(self, seen):
        return WEIGHTS[list(seen.tasks)]


class WeightedRows(BalancingMethod):
    """The same by way of the Jacobian."""

    needs = frozenset({"jacobian"})

    def forward(self, seen):
        return WEIGHTS[list(seen.tasks)].to(seen.jacobian) @ seen.jacobian


class Doubled(torch.autograd.Function):
    """A function with a backward pass of its own."""

    @staticmethod
    def forward(context, x):
        return x.clone()

    @staticmethod
    def backward(context, gradient):
        return 2 * gradient


class Trunk(nn.Module):
    """Wide layers [5 -> 24 -> 24 -> 24], so that products of rows pay with 6 rows; ``between`` stands in the middle."""

    def __init__(self, between="plain", width=24):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(5, width), nn.Linear(width, width), nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.between = between

    def forward(self, x):
        z = torch.tanh(self.first(x))
        if self.between == "checkpointed":
            z = checkpoint(lambda z: torch.tanh(self.second(z)), z, use_reentrant=False)
        else:
            z = torch.tanh(self.second(z))
        match self.between:
            case "reused":
                z = torch.tanh(self.second(z))
            case "residual":
                z = z + torch.relu(self.second(z))
            case "custom":
                z = Doubled.apply(z)
            case "norm":
                z = self.norm(z)
            case "weight used otherwise":
                z = z * self.third.weight.sum(1)
            case "hook":
                z.register_hook(lambda g: 3 * g)
            case "no bias":
                z = z @ self.second.weight.T
            case "with rows of words":
                z = self.second(torch.stack([z, z.sin()], 1)).mean(1)
        return self.third(z) if self.between == "linear end" else torch.relu(self.third(z))


class DeepHead(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, 4), nn.Tanh(), nn.Linear(4, 2))

    def forward(self, z):
        return self.layers(z)


class ReadTwice(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.one, self.two = nn.Linear(width, 2), nn.Linear(width, 1, bias=False)

    def forward(self, z):
        return self.one(z) * self.two(z)


class NotLinear(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(width, 2)

    def forward(self, z):
        return self.linear(z.exp())


HEADS = {"linear": lambda width: nn.Linear(width, 2), "deep": DeepHead, "read twice": ReadTwice, "not linear": NotLinear}
BETWEEN = [
    "plain",
    "reused",
    "residual",
    "custom",
    "norm",
    "weight used otherwise",
    "hook",
    "no bias",
    "with rows of words",
    "checkpointed",
    "linear end",
]
X = torch.linspace(-2, 2, 30, dtype=torch.float64).reshape(6, 5).sin()


def network(between="plain", heads="linear"):
    torch.manual_seed(0)
    return Trunk(between).double(), nn.ModuleList(HEADS[heads](24) for _ in range(N_TASKS)).double()


def losses_of(trunk, heads, x=X):
    z = trunk(x)
    return z, [(head(z) - k).square().mean() for k, head in enumerate(heads)]


def sequential(trunk, heads, level="shared_params", x=X):
    """Gramian and gradients by a forward and a backward pass per task; the heads get those of the plain sum."""
    rows, own = [], []
    for k in range(N_TASKS):
        z, losses = losses_of(trunk, heads, x)
        wrt = [*trunk.parameters()] if level == "shared_params" else [z]
        found = torch.autograd.grad(losses[k], wrt, retain_graph=True, allow_unused=True)
        rows.append(torch.cat([torch.zeros_like(p).ravel() if g is None else g.ravel() for p, g in zip(wrt, found, strict=True)]))
        own += torch.autograd.grad(losses[k], [*heads[k].parameters()])
    rows = torch.stack(rows)
    shared = torch.autograd.grad(
        (torch.stack(losses_of(trunk, heads, x)[1]) * WEIGHTS).sum(), [*trunk.parameters()], allow_unused=True
    )
    return rows @ rows.T, list(shared), own


@pytest.mark.parametrize("method", [Weighted, WeightedRows])
@pytest.mark.parametrize("heads", HEADS)
@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("level", ["shared_params", "features"])
def test_gradients_are_those_of_sequential_backwards(between, heads, level, method):
    trunk, tops = network(between, heads)
    gramian, shared, own = sequential(trunk, tops, level)
    z, losses = losses_of(trunk, tops)
    where = {"features": z} if level == "features" else {"shared_params": trunk.parameters()}
    for _ in range(2):  # the second time in memory that is used again
        for p in (*trunk.parameters(), *tops.parameters()):
            p.grad = None
        z, losses = losses_of(trunk, tops)
        where = {"features": z} if level == "features" else {"shared_params": trunk.parameters()}
        found = backward(losses, method(), **where)
        torch.testing.assert_close(found.gramian, gramian, rtol=1e-12, atol=1e-14)
        torch.testing.assert_close([p.grad for p in trunk.parameters()], shared, rtol=1e-12, atol=1e-14)
        torch.testing.assert_close([p.grad for p in tops.parameters()], own, rtol=1e-12, atol=1e-14)


def test_an_absent_task_leaves_the_others_as_they_are():
    trunk, heads = network()
    gramian, *_ = sequential(trunk, heads)
    found = backward(
        losses_of(trunk, heads)[1], Weighted(), shared_params=trunk.parameters(), label_weight=torch.tensor([1.0, 0.0, 1.0])
    )
    present = torch.tensor([0, 2])
    torch.testing.assert_close(found.gramian[present][:, present], gramian[present][:, present], rtol=1e-12, atol=1e-14)
    assert found.gramian[1].isnan().all()


@pytest.mark.parametrize("chunk_size", [1, 2, 3])
@pytest.mark.parametrize("heads", ["linear", "not linear"])
@pytest.mark.parametrize("between", ["plain", "reused", "custom", "weight used otherwise", "hook"])
@pytest.mark.parametrize("level", ["shared_params", "features"])
def test_some_tasks_at_a_time_give_the_same(between, heads, level, chunk_size):
    trunk, tops = network(between, heads)
    gramian, shared, own = sequential(trunk, tops, level)
    z, losses = losses_of(trunk, tops)
    where = {"features": z} if level == "features" else {"shared_params": trunk.parameters()}
    found = backward(losses, Weighted(), chunk_size=chunk_size, **where)
    torch.testing.assert_close(found.gramian, gramian, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close([p.grad for p in trunk.parameters()], shared, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close([p.grad for p in tops.parameters()], own, rtol=1e-12, atol=1e-14)


def test_some_tasks_at_a_time_where_one_is_absent_and_parameters_are_used_by_losses():
    w, v = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 5.0], requires_grad=True)
    losses = [w.square().sum(), (w * v).sum(), w.sum() * torch.nan]
    present = torch.tensor([1.0, 1.0, 0.0])
    found = backward(losses, Weighted(), shared_params=[w], label_weight=present, chunk_size=1)
    assert found.gramian[0, 1] == 26
    torch.testing.assert_close(w.grad, 0.7 * torch.tensor([2.0, 4.0]) + 2 * torch.tensor([3.0, 5.0]))
    assert v.grad.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("method", "chunk_size", "message"), [(Weighted, 0, "from 1; got 0"), (WeightedRows, 2, "whole Jacobian")]
)
def test_a_chunk_size_that_cannot_be_served_is_refused(method, chunk_size, message):
    w = torch.ones(2, requires_grad=True)
    with pytest.raises(OptionError, match=message):
        backward([w.sum(), w.sum(), w.sum()], method(), shared_params=[w], chunk_size=chunk_size)


# ------------------------------------------------------------------ which route


def kinds(between, **options):
    trunk, heads = network(between)
    losses = losses_of(trunk, heads)[1]
    graph = divide(losses)
    ones = torch.ones(N_TASKS, dtype=torch.float64)
    found = routes.parameter_gradients(graph, list(trunk.parameters()), [], ones, like=losses[0], **options)
    names = {id(p): name for name, p in trunk.named_parameters()}
    return {names[id(p)]: type(block) for block in found.blocks for p in block.wrt}


@pytest.mark.parametrize(
    ("between", "as_products"),
    [
        ("plain", {"second.weight", "third.weight"}),
        ("reused", {"second.weight", "third.weight"}),
        ("norm", {"second.weight", "third.weight"}),
        ("weight used otherwise", {"second.weight"}),
        ("checkpointed", {"third.weight"}),
        ("hook", {"second.weight", "third.weight"}),
    ],
)
def test_wide_layers_are_kept_as_products(between, as_products):
    found = kinds(between, written=False)
    assert {name for name, kind in found.items() if kind is OuterBlock} == as_products


@pytest.mark.parametrize("products_pay", [False, True])
@pytest.mark.parametrize("between", BETWEEN)
def test_large_gradients_of_few_tasks_stay_where_they_are(between, products_pay, monkeypatch):
    monkeypatch.setattr(routes, "_LARGE", 100)  # the weights of the trunk, and no bias
    if not products_pay:
        monkeypatch.setattr(routes, "_products_pay", lambda weight, n, n_tasks: False)
    gramian, shared, own = sequential(*network(between))
    trunk, tops = network(between)
    assert HeldBlock in kinds(between, written=False).values()
    assert HeldBlock not in kinds(between, written=True).values()
    for _ in range(2):  # the second time added to what is there
        found = backward(losses_of(trunk, tops)[1], Weighted(), shared_params=trunk.parameters())
        torch.testing.assert_close(found.gramian, gramian, rtol=1e-12, atol=1e-14)
    halves = [None if p.grad is None else p.grad / 2 for p in trunk.parameters()]
    torch.testing.assert_close(halves, shared, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close([p.grad / 2 for p in tops.parameters()], own, rtol=1e-12, atol=1e-14)


def test_gradients_that_stay_where_they_are_may_come_in_parts_or_not_at_all():
    one, two = torch.zeros(2, 3), torch.zeros(4)
    block, given = HeldBlock([one, two], 3), torch.arange(6.0).reshape(3, 2).T
    block.write(0, one, given)
    block.write(0, one, given)
    block.write(2, one, torch.ones(2, 3))
    torch.testing.assert_close(given, torch.arange(6.0).reshape(3, 2).T)
    expected = torch.tensor([[4 * 55.0, 0, 2 * 15.0], [0, 0, 0], [2 * 15.0, 0, 6.0]], dtype=torch.float64)
    torch.testing.assert_close(block.gramian(), expected)
    mixed = block.combine(torch.tensor([1.0, 5.0, -1.0]))
    torch.testing.assert_close(mixed, [2 * given - 1, torch.zeros(4)])
    torch.testing.assert_close(block.row(0), [2 * given, torch.zeros(4)])
    torch.testing.assert_close(block.row(1), [torch.zeros(2, 3), torch.zeros(4)])


def test_a_jacobian_that_is_asked_for_is_written_out():
    assert set(kinds("plain", written=True).values()) == {WrittenBlock}


def test_all_linear_heads_are_gone_through_at_once():
    calls = []

    def arrivals(heads):
        trunk, tops = network(heads=heads)
        z, losses = losses_of(trunk, tops)
        edge = get_gradient_edge(z)
        edge.node.register_prehook(lambda g: calls.append(1))
        found = Arrivals(divide(losses, [z]), torch.ones(3, dtype=torch.float64), like=losses[0], write=lambda *_: None)
        return len(found.products)

    assert arrivals("linear") == N_TASKS
    assert arrivals("deep") == N_TASKS
    assert arrivals("not linear") == 0
    assert not calls  # nothing below the heads


def test_gradients_at_linear_heads_are_kept_as_products():
    trunk, heads = network()
    z, losses = losses_of(trunk, heads)
    ones = torch.ones(N_TASKS, dtype=torch.float64)
    found = routes.feature_gradients(divide(losses, [z]), [z], ones, like=losses[0], written=False)
    assert isinstance(found.blocks[0], HeadBlock)
    expected = torch.stack([torch.autograd.grad(loss, z, retain_graph=True)[0].ravel() for loss in losses])
    torch.testing.assert_close(found.rows, expected, rtol=1e-12, atol=1e-16)


def test_digits_that_cancel_are_not_lost():
    inputs = torch.ones(64, 500) + 1e-3 * torch.randn(64, 500, generator=torch.Generator().manual_seed(0))
    arriving = torch.randn(2, 64, 20, generator=torch.Generator().manual_seed(1))
    arriving -= arriving.mean(1, keepdim=True)  # the gradients of rows all but cancel
    rows = torch.stack([g.double().T @ inputs.double() for g in arriving]).view(2, -1)
    found = OuterBlock(torch.zeros(20, 500), inputs, arriving, Workspace()).gramian()
    torch.testing.assert_close(found, rows @ rows.T, rtol=1e-4, atol=float(1e-5 * (rows @ rows.T).abs().max()))


# ------------------------------------------------------------------ memory


def test_memory_is_used_again():
    workspace, like = Workspace(), torch.zeros(1)
    first = workspace.take("rows", (4, 10), like)
    place = first.data_ptr()
    del first
    assert workspace.take("rows", (4, 10), like).data_ptr() == place


def test_memory_that_is_held_is_left_alone():
    workspace, like = Workspace(), torch.zeros(1)
    held = workspace.take("rows", (4, 10), like)[1:]
    held.fill_(7.0)
    workspace.take("rows", (4, 10), like).fill_(0.0)
    assert (held == 7).all()


def test_memory_shrinks_with_what_is_asked():
    workspace, like = Workspace(), torch.zeros(1)
    workspace.take("rows", (100, 100), like)
    assert workspace.take("rows", (10,), like).untyped_storage().nbytes() == 40


def test_memory_is_neither_copied_nor_saved():
    method = Weighted()
    w = torch.ones(100, requires_grad=True)
    backward([w.sum(), (2 * w).sum(), (w * w).sum()], method, shared_params=[w])
    assert workspace_of(method)._kept
    assert not workspace_of(copy.deepcopy(method))._kept
    assert len(pickle.dumps(workspace_of(method))) < 200
    assert set(method.state_dict()) == {"_extra_state"}


def test_a_jacobian_that_a_method_keeps_stays_as_it_was():
    class Keeper(WeightedRows):
        kept: list = []  # noqa: RUF012

        def forward(self, seen):
            self.kept.append(seen.jacobian)
            return super().forward(seen)

    method = Keeper()
    for factor in (1.0, 5.0):
        w = torch.ones(4, requires_grad=True)
        backward([(factor * w).sum()] * 1 + [w.sum(), (w * w).sum()], method, shared_params=[w])
    assert (method.kept[0][0] == 1).all()
    assert (method.kept[1][0] == 5).all()
