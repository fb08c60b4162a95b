"""A batch in parts makes the step of the whole batch."""

import pytest
import torch

from polytask.balancing import Equal, MicroBatches, PCGrad, backward
from polytask.exceptions import OptionError, PolytaskError
from tests.balancing import _two_processes as two
from tests.balancing.test_processes import NAMES


def losses_of(trunk, heads, x, y, weight):
    errors = (torch.cat([head(trunk(x)) for head in heads], 1) - y) ** 2 * weight
    return errors.sum(0) / weight.sum(0).clamp(min=1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("step", [0, 1])
def test_parts_equal_the_whole(name, step):
    x, y, weight = two.batch(step)
    trunk, heads = two.network()
    make = two.make_of(name)
    where = {"shared_params": trunk.parameters()} if make().needs & {"gramian", "jacobian"} else {}
    whole = backward(losses_of(trunk, heads, x, y, weight), make(), label_weight=weight.sum(0), **where)
    expected = [p.grad for p in (*trunk.parameters(), *heads.parameters())]
    trunk, heads = two.network()
    parts = MicroBatches(make(), shared_params=trunk.parameters())
    for rows in (slice(0, 3), slice(3, 7), slice(7, 12)):
        part = x[rows], y[rows], weight[rows]
        parts.add(losses_of(trunk, heads, *part), label_weight=part[2].sum(0))
    found = parts.backward()
    torch.testing.assert_close(found.weights.double(), whole.weights.double(), equal_nan=True)
    torch.testing.assert_close([p.grad for p in (*trunk.parameters(), *heads.parameters())], expected)


def test_a_second_batch_starts_anew():
    w = torch.tensor([2.0], requires_grad=True)
    parts = MicroBatches(Equal())
    for factor in (1.0, 5.0):
        parts.add([w[0] * factor])
        parts.backward()
    assert w.grad.tolist() == [6.0]


def test_without_parts_there_is_nothing_to_balance():
    with pytest.raises(OptionError, match="call `add`"):
        MicroBatches(Equal()).backward()


def test_parts_have_the_same_tasks():
    w = torch.tensor([2.0], requires_grad=True)
    parts = MicroBatches(PCGrad(), shared_params=[w])
    parts.add([w[0] * 1], tasks=["a"])
    with pytest.raises(OptionError, match=r"got \['b'\] after \['a'\]"):
        parts.add([w[0] * 1], tasks=["b"])


@pytest.mark.parametrize("method", [Equal(), PCGrad()])
def test_a_loss_that_is_not_finite_is_told_or_skipped(method):
    w = torch.tensor([2.0, 1.0], requires_grad=True)
    parts = MicroBatches(method, shared_params=[w])
    with pytest.raises(PolytaskError, match="The loss of 'b' is not finite"):
        parts.add([w[0] * 1, w[1] * torch.nan], tasks=["a", "b"])
    parts = MicroBatches(method, shared_params=[w], nonfinite="skip")
    parts.add([w[0] * 1, w[1] * torch.nan], tasks=["a", "b"])
    parts.add([w[0] * 3, w[1] * 4], tasks=["a", "b"])
    weights = parts.backward().weights.double()
    torch.testing.assert_close(w.grad, torch.tensor([2.0, 4.0]) * weights.float())  # of b one part counts


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"label_weight": torch.tensor([1.0, -1.0])}, "must not be negative"),
        ({"label_weight": [1.0, 1.0]}, "must be a tensor"),
        ({"label_weight": torch.tensor([1.0, torch.inf])}, "nor NaN or infinite"),
        ({"tasks": ["a", "a"]}, "name each of the 2 losses once"),
        ({"tasks": ["a"]}, r"2 losses once; got 1 name"),
    ],
)
def test_what_is_no_input_is_refused(arguments, words):
    w = torch.tensor([2.0, 1.0], requires_grad=True)
    with pytest.raises(OptionError, match=words):
        MicroBatches(Equal(), shared_params=[w]).add([w[0] * 1, w[1] * 1], **arguments)
    with pytest.raises(OptionError, match="must be a balancing method"):
        MicroBatches("pcgrad", shared_params=[w])


def test_a_part_without_any_graph_is_refused():
    with pytest.raises(OptionError, match="none of them has"):
        MicroBatches(Equal()).add([torch.tensor(1.0)])
    parts = MicroBatches(Equal())
    parts.add([torch.tensor(0.0)], label_weight=torch.zeros(1))  # a part without a label
