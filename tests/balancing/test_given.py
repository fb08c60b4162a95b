"""What a user gives is checked in words that say what was expected, and a step that is refused leaves ``.grad`` as it was."""

import pytest
import torch

from polytask.balancing import MGDA, MOML, Equal, FixedWeights, MicroBatches, backward, step
from polytask.exceptions import OptionError, PolytaskError

INF, NAN = float("inf"), float("nan")
METHODS = pytest.mark.parametrize("method", [Equal(), MGDA()])


def parameter():
    """With a gradient of a step before, which must stay."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    w.grad = torch.tensor([7.0, 7.0])
    return w


def losses_of(w):
    return [w[0] ** 2, w.square().sum()]


def where(method, w):
    return {"shared_params": [w]} if method.compares_gradients else {}


def refused(w, words, losses, method, **given):
    with pytest.raises(PolytaskError, match=words):
        backward(losses, method, **given)
    assert w.grad.tolist() == [7.0, 7.0]


@METHODS
@pytest.mark.parametrize(
    ("penalty", "words"),
    [
        (lambda w: w * 1, r"of shape \(\); got shape \(2,\)"),
        (lambda w: w[:1] * 1, r"of shape \(\); got shape \(1,\)"),
        (lambda w: w.sum() * NAN, "`penalty` is not finite; got nan"),
        (lambda w: w.sum() * INF, "`penalty` is not finite; got inf"),
        (lambda w: 3.0, r"got 3.0. Leave it out \(None\)"),
        (lambda w: torch.tensor(3.0), "without a graph"),
        (lambda w: w.detach().sum(), "without a graph"),
        (lambda w: w.sum() * 1j, "of complex64"),
    ],
)
def test_a_penalty_that_is_no_finite_scalar_with_a_graph_is_refused(method, penalty, words):
    w = parameter()
    refused(w, words, losses_of(w), method, penalty=penalty(w), **where(method, w))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda w, z: {"shared_params": [torch.ones(1, requires_grad=True)]}, "No loss depends on any"),
        (lambda w, z: {"shared_params": ["w"]}, "got str among them"),
        (lambda w, z: {"shared_params": 3}, "must be several parameters.* got int"),
        (lambda w, z: {"features": w * 2}, "No loss depends on `features`"),
        (lambda w, z: {"features": []}, "`features` must be tensors"),
        (lambda w, z: {"features": torch.nn.Linear(2, 2)}, "`features` must be tensors"),
        (lambda w, z: {"features": [z, z]}, "one of them twice"),
        (lambda w, z: {"features": z, "losses": [z[0] ** 2, (z[1] - 4).square().sqrt()]}, "gradient of task 1 is not finite"),
        (lambda w, z: {"features": z, "method": FixedWeights({"a": 1.0})}, "must hold every task"),
    ],
)
def test_a_step_that_is_refused_late_leaves_the_gradient_of_the_penalty_out_too(given, words):
    w = parameter()
    z = w * 2
    settings = {"losses": losses_of(z), "method": MGDA(), "penalty": w.sum()} | given(w, z)
    refused(w, words, settings.pop("losses"), settings.pop("method"), **settings)


@METHODS
@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (torch.tensor([1.0, INF]), "nor NaN or infinite"),
        (torch.tensor([1.0, NAN]), "nor NaN or infinite"),
        (torch.tensor([1.0, -1.0]), "must not be negative"),
        (torch.ones(3), r"one number per task, 2; got \(3,\)"),
        (torch.ones(2, 2), r"one number per task, 2; got \(2, 2\)"),
        (torch.tensor([1j, 1]), "got torch.complex64"),
        (torch.ones(2, device="meta"), "got one on meta"),
    ],
)
def test_label_weights_that_are_none_are_refused(method, weight, words):
    w = parameter()
    refused(w, words, losses_of(w), method, label_weight=weight, penalty=w.sum(), **where(method, w))


@pytest.mark.parametrize("weight", [torch.tensor([True, False]), torch.tensor([3, 0]), torch.tensor([3.0, 0.0]).double()])
def test_label_weights_may_be_of_any_real_dtype(weight):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    assert backward(losses_of(w), Equal(), label_weight=weight).weights.tolist() == [1.0, 0.0]


@METHODS
@pytest.mark.parametrize(
    ("losses", "words"),
    [
        (lambda w: [w * 1, w**2], r"scalars, of shape \(\); got shapes \[\(2,\), \(2,\)\]. Take the mean"),
        (lambda w: [w[:1] ** 2, w[1:] ** 2], r"got shapes \[\(1,\), \(1,\)\]"),
        (lambda w: [w[0] * 1, w[:1] * 1], r"got shapes \[\(\), \(1,\)\]"),
        (lambda w: [loss.detach() for loss in losses_of(w)], "must have a graph"),
        (lambda w: torch.stack(losses_of(w)).detach(), "must have a graph"),
        (lambda w: [torch.tensor(1), torch.tensor(2)], "must be real floating point numbers; got int64"),
        (lambda w: torch.tensor([1, 2]), "must be real floating point numbers; got int64"),
        (lambda w: [w[0] * 1j, w[1] * 1j], "must be real floating point numbers; got complex64"),
        (lambda w: [], "got none"),
        (lambda w: w[:0] * 1, "got none"),
        (lambda w: {"a": w[0] * 1}, r"got dict. Give `list\(losses.values\(\)\)`"),
        (lambda w: (loss for loss in losses_of(w)), "got generator"),
        (lambda w: None, "got NoneType"),
        (lambda w: [w[0] * 1, torch.ones((), device="meta")], r"must be on one device; got \['cpu', 'meta'\]"),
    ],
)
def test_losses_that_are_none_are_refused(method, losses, words):
    w = parameter()
    refused(w, words, losses(w), method, penalty=w.sum(), **where(method, w))
    with pytest.raises(PolytaskError, match=words):
        MicroBatches(method, shared_params=[w]).add(losses(w))
    assert w.grad.tolist() == [7.0, 7.0]


def test_without_any_label_losses_need_no_graph():
    w = parameter()
    backward([torch.tensor(0.0)] * 2, Equal(), label_weight=torch.zeros(2))
    assert w.grad.tolist() == [7.0, 7.0]


@METHODS
@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        (["a"], r"each of the 2 losses once; got 1 name\(s\), \['a'\]"),
        (["a", "b", "c"], r"each of the 2 losses once; got 3 name\(s\)"),
        (["a", "a"], r"each of the 2 losses once; got \['a', 'a'\]"),
        ("ab", "such as a list of 2 names; got 'ab'"),
        (3, "such as a list of 2 names; got 3"),
        ([["a"], ["b"]], "names that can be looked up"),
    ],
)
def test_names_that_do_not_fit_are_refused(method, tasks, words):
    w = parameter()
    refused(w, words, losses_of(w), method, tasks=tasks, **where(method, w))


@pytest.mark.parametrize("method", [Equal(), MOML()])
@pytest.mark.parametrize(
    ("closure", "penalty", "words"),
    [
        (losses_of, lambda w: w.sum() * NAN, "`penalty` is not finite"),
        (losses_of, lambda w: w * 1, r"got shape \(2,\)"),
        (lambda w: [w * 1, w * 2], None, r"got shapes \[\(2,\), \(2,\)\]"),
        (lambda w: [loss.detach() for loss in losses_of(w)], None, "must have a graph"),
        (lambda w: (losses_of(w), torch.tensor([1.0, INF])), None, "nor NaN or infinite"),
        (lambda w: [w[0] * NAN, w[1] * 1], None, "loss of 0 is not finite"),
    ],
)
def test_a_whole_step_that_is_refused_leaves_gradients_and_parameters(method, closure, penalty, words):
    w = parameter()
    sgd, batches = torch.optim.SGD([w], lr=0.1), [0] * method.n_batches
    with pytest.raises(PolytaskError, match=words):
        step(lambda _: closure(w), batches, method, optimizer=sgd, penalty=penalty and (lambda: penalty(w)))
    assert w.grad.tolist() == [7.0, 7.0]
    assert w.tolist() == [1.0, 2.0]


def test_what_is_refused_is_an_option_or_a_number():
    """Options are told apart from numbers that went astray in training."""
    w = parameter()
    with pytest.raises(OptionError):
        backward(losses_of(w), Equal(), penalty=1.0)
    with pytest.raises(PolytaskError) as told:
        backward(losses_of(w), Equal(), penalty=w.sum() * NAN)
    assert not isinstance(told.value, OptionError)
