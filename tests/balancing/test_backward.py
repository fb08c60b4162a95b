"""Equal weights, and the backward pass that uses weights."""

import pytest
import torch

from polytask.balancing import Equal, backward
from polytask.exceptions import OptionError


class Given(torch.nn.Module):
    needs = frozenset({"losses"})

    def __init__(self, *weights):
        super().__init__()
        self.weights = torch.tensor(weights)
        self.seen = None

    def forward(self, losses, label_weight):
        self.seen = losses, label_weight
        return self.weights


def test_tasks_present_share_equally():
    assert Equal()(torch.tensor([1.0, 9.0, 4.0]), torch.tensor([1.0, 0.0, 7.0])).tolist() == [0.5, 0.0, 0.5]


def test_every_replica_shares_among_its_own_tasks():
    weights = Equal()(torch.ones(3, 2), torch.tensor([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]))
    assert weights.tolist() == [[0.5, 0.5], [0.0, 1.0], [0.0, 0.0]]


def test_a_loss_of_zero_is_not_an_absent_task():
    assert Equal()(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 1.0])).tolist() == [0.5, 0.5]


def test_the_gradient_is_that_of_the_weighted_sum():
    w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    u = w.detach().clone().requires_grad_()
    weights = backward(w**2 + w.sum(), Given(0.2, 0.3, 0.5))
    ((u**2 + u.sum()) * torch.tensor([0.2, 0.3, 0.5])).sum().backward()
    torch.testing.assert_close(w.grad, u.grad)
    torch.testing.assert_close(weights, torch.tensor([0.2, 0.3, 0.5]))


def test_gradients_add_up_as_in_torch():
    w = torch.tensor([1.0], requires_grad=True)
    backward(w * 2, Given(1.0))
    backward(w * 3, Given(1.0))
    assert w.grad.tolist() == [5.0]


def test_the_gradient_does_not_flow_through_the_weights():
    w = torch.tensor([2.0, 3.0], requires_grad=True)

    class ByLoss(torch.nn.Module):
        needs = frozenset({"losses"})

        def forward(self, losses, label_weight):
            assert not losses.requires_grad
            return losses

    backward(w * 1.0, ByLoss())
    assert w.grad.tolist() == [2.0, 3.0]


def test_a_penalty_is_added_unweighted():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    backward(w * 1.0, Given(0.5, 0.5), penalty=10 * w)
    assert w.grad.tolist() == [10.5, 10.5]


@pytest.mark.parametrize("weight", [1.0, float("nan")])
def test_an_absent_task_has_no_gradient_whatever_weight_it_is_given(weight):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    backward(w**2, Given(1.0, weight), label_weight=torch.tensor([4.0, 0.0]))
    assert w.grad.tolist() == [2.0, 0.0]


def test_without_label_weights_all_tasks_are_present():
    method = Given(1.0, 1.0)
    backward(torch.ones(2, requires_grad=True) * 1.0, method)
    assert method.seen[1].tolist() == [1.0, 1.0]


def test_replicas_do_not_mix():
    w = torch.ones(2, 3, requires_grad=True)
    backward(w * torch.tensor([[1.0], [10.0]]), Equal())
    torch.testing.assert_close(w.grad, torch.tensor([[1.0], [10.0]]).expand(2, 3) / 3)


def test_a_method_that_needs_more_is_refused():
    class Gramian(Given):
        needs = frozenset({"gramian"})

    with pytest.raises(OptionError, match=r"Gramian needs \['gramian'\]"):
        backward(torch.ones(1, requires_grad=True), Gramian(1.0))
