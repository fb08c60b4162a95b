"""All tasks at once give what every task gives alone."""

import pytest
import torch

from polytask.training import TaskLosses
from tests.training._problems import make_table

NAN, INF = float("nan"), float("inf")


@pytest.fixture
def table():
    return make_table()


def outputs_of(table, *leading, seed=0):
    width = sum(task.n_outputs for task in table.tasks)
    return torch.randn(*leading, len(table.target), width, generator=torch.Generator().manual_seed(seed))


def one_by_one(table, outputs, target, weight):
    widths = [task.n_outputs for task in table.tasks], [task.n_targets for task in table.tasks]
    parts = zip(table.tasks, outputs.split(widths[0], -1), target.split(widths[1], -1), weight.split(widths[1], -1), strict=True)
    sums, weights = zip(*(task.loss_sums(*part) for task, *part in parts), strict=True)
    return torch.stack(sums, -1), torch.stack(weights, -1)


@pytest.mark.parametrize("leading", [(), (2,), (2, 3)], ids=str)
@pytest.mark.parametrize("only", [None, 5], ids=["with multilabel", "one column each"])
def test_all_at_once_is_each_alone(leading, only):
    table = make_table(only=only)
    outputs = outputs_of(table, *leading).requires_grad_()
    sums, weights = TaskLosses(table.tasks)(outputs, table.target, table.weight)
    assert sums.shape == weights.shape == (*leading, len(table.tasks))
    expected = one_by_one(table, outputs, table.target, table.weight)
    torch.testing.assert_close((sums, weights), expected)
    mine, own = (torch.autograd.grad(total.sum(), outputs)[0] for total in (sums, expected[0]))
    torch.testing.assert_close(mine, own)


@pytest.mark.parametrize("garbage", [NAN, INF, 1e30])
def test_nothing_at_weight_zero_reaches_value_or_gradient(table, garbage):
    expected = TaskLosses(table.tasks)(outputs_of(table), table.target, table.weight)
    outputs, target = outputs_of(table), table.target.masked_fill(table.weight == 0, NAN)
    widths = torch.tensor([task.n_outputs if task.n_targets == 1 else 1 for task in table.tasks for _ in range(task.n_targets)])
    unused = (table.weight == 0).repeat_interleave(widths, dim=-1)
    outputs = outputs.masked_fill(unused, garbage).requires_grad_()
    sums, weights = TaskLosses(table.tasks)(outputs, target, table.weight)
    torch.testing.assert_close((sums, weights), expected)
    sums.sum().backward()
    assert outputs.grad.isfinite().all()
    assert (outputs.grad[unused] == 0).all()


def test_a_task_without_any_label_gives_two_zeros_and_no_gradient(table):
    table.weight[:, 2] = 0
    outputs = outputs_of(table).fill_(1.0).requires_grad_()
    sums, weights = TaskLosses(table.tasks)(outputs, table.target.index_fill(1, torch.tensor([2]), NAN), table.weight)
    sums.sum().backward()
    assert sums[2] == weights[2] == 0
    assert (outputs.grad[:, 2:5] == 0).all()
    assert (sums[[0, 1, 3, 4, 5]] > 0).all()


@pytest.mark.parametrize("bad", [NAN, INF])
def test_a_loss_that_is_not_finite_stays_with_its_task(table, bad):
    table.weight[:] = 1
    outputs = outputs_of(table)
    outputs[3, 0] = bad
    sums, _ = TaskLosses(table.tasks)(outputs, table.target, table.weight)
    assert sums.isfinite().tolist() == [False, True, True, True, True, True]


def test_runs_under_vmap(table):
    outputs = outputs_of(table, 3)
    losses = TaskLosses(table.tasks)
    both = torch.func.vmap(losses, in_dims=(0, None, None))(outputs, table.target, table.weight)
    torch.testing.assert_close(both, losses(outputs, table.target, table.weight))


def test_every_replica_may_see_other_labels(table):
    weight = torch.stack([table.weight, 2 * table.weight.flip(0)])
    outputs = outputs_of(table, 2)
    sums, weights = TaskLosses(table.tasks)(outputs, table.target, weight)
    torch.testing.assert_close((sums[1], weights[1]), TaskLosses(table.tasks)(outputs[1], table.target, weight[1]))


def test_error_names_all_shapes(table):
    with pytest.raises(ValueError, match=r"of TaskLosses must be .*got \(90, \d+\), \(90, 7\) and \(89, 7\)"):
        TaskLosses(table.tasks)(outputs_of(table), table.target, table.weight[1:])
