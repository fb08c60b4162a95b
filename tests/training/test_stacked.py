"""Several networks trained as one stack are those that would have been trained alone."""

import pytest
import torch

from polytask.training import StackedNetworks
from polytask.training._network import clip_gradients_, keep_replicas
from tests.training._problems import (
    Job,
    assert_close_weights,
    assert_same_weights,
    make_table,
    module_of,
    train_one,
    train_stack,
)

JOBS = {
    "seeds": [Job(seed=1), Job(seed=2), Job(seed=3)],
    "folds of different sizes": [Job(range(64), range(64, 90)), Job(range(30, 89), range(30), seed=4, fold=1), Job(range(50))],
    "single-task twins": [Job(), *(Job(hidden=[k for k in range(6) if k != task], seed=task) for task in range(6))],
    "one job": [Job(seed=5)],
}


@pytest.mark.parametrize("jobs", JOBS.values(), ids=JOBS.keys())
def test_a_stack_gives_the_networks_that_training_alone_gives(jobs):
    table = make_table()
    stack = train_stack(table, jobs, max_epochs=4)
    for r, job in enumerate(jobs):
        alone = train_one(table, job, max_epochs=4)
        assert_close_weights(stack.weights[r], alone.weights[0])
        assert stack.history.best_epoch[r] == alone.history.best_epoch
        torch.testing.assert_close(stack.history.best_skill[r], alone.history.best_skill, rtol=1e-3, atol=1e-4)


def histories(table, jobs, **options):
    stack = train_stack(table, jobs, **options)
    return stack, [train_one(table, job, **options) for job in jobs]


def test_a_network_that_stopped_early_stays_as_it_was_while_others_go_on():
    """With patience 1 the networks stop at different epochs; a few go on beside others before the stack is made smaller."""
    table = make_table()
    jobs = [Job(seed=s, valid=range(60 + 3 * s, 66 + 3 * s)) for s in range(8)]
    stack, alone = histories(table, jobs, max_epochs=25, patience=1, learning_rate=0.05)
    stopped = [run.history.n_epochs.item() for run in alone]
    assert len(set(stopped)) > 2, "the test needs networks that stop at different epochs"
    assert stack.history.n_epochs.tolist() == stopped
    assert stack.history.best_epoch.tolist() == [run.history.best_epoch.item() for run in alone]
    for r, run in enumerate(alone):
        assert_close_weights(stack.weights[r], run.weights[0])


def test_the_record_of_a_network_that_stopped_is_empty():
    table = make_table()
    jobs = [Job(seed=s, valid=range(60 + 3 * s, 66 + 3 * s)) for s in range(8)]
    history = train_stack(table, jobs, max_epochs=25, patience=1, learning_rate=0.05).history
    for r, n_epochs in enumerate(history.n_epochs.tolist()):
        seen = [bool(record.mean_skill[r].isfinite()) for record in history.epochs]
        assert seen == [True] * n_epochs + [False] * (len(history.epochs) - n_epochs)


def test_the_curves_of_a_stack_are_those_of_its_networks_alone():
    table = make_table()
    stack, alone = histories(table, JOBS["folds of different sizes"], max_epochs=3)
    for r, run in enumerate(alone):
        for mine, own in zip(stack.history.epochs, run.history.epochs, strict=True):
            torch.testing.assert_close(mine.train_losses[r], own.train_losses, equal_nan=True, rtol=1e-3, atol=1e-4)
            torch.testing.assert_close(mine.skills[r], own.skills, equal_nan=True, rtol=1e-3, atol=1e-4)


def test_a_network_does_not_depend_on_those_beside_it():
    table = make_table()
    first = train_stack(table, [Job(seed=1), Job(seed=2)]).weights[0]
    second = train_stack(table, [Job(seed=1), Job(seed=9, hidden=[0, 1], fold=1)]).weights[0]
    assert_close_weights(first, second)


def test_dropout_differs_between_networks_of_one_seed():
    table = make_table()
    first, second = train_stack(table, [Job(seed=1), Job(seed=1)], dropout=0.5).weights
    assert not torch.equal(first["encoder.layers.0.weight"], second["encoder.layers.0.weight"])


def test_networks_leave_the_stack_in_evaluation_mode():
    assert not any(module.training for module in train_stack(make_table(), JOBS["seeds"], max_epochs=1).modules)


def test_each_network_is_clipped_by_its_own_norm():
    small, large = torch.zeros(2, 3), torch.zeros(2, 2, 2)
    parameters = [small.requires_grad_(), large.requires_grad_()]
    parameters[0].grad = torch.tensor([[3.0, 0.0, 0.0], [0.3, 0.0, 0.0]])
    parameters[1].grad = torch.tensor([[[4.0, 0.0], [0.0, 0.0]], [[0.4, 0.0], [0.0, 0.0]]])
    clip_gradients_(parameters, 1.0, n_replicas=2)
    torch.testing.assert_close(parameters[0].grad[:, 0], torch.tensor([0.6, 0.3]))  # norms 5 and 0.5
    torch.testing.assert_close(parameters[1].grad[:, 0, 0], torch.tensor([0.8, 0.4]))


def test_clipping_one_network_is_that_of_torch():
    first, second = ([torch.randn(3, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()] for _ in range(2))
    first[0].grad, second[0].grad = torch.full((3, 2), 2.0), torch.full((3, 2), 2.0)
    clip_gradients_(first, 0.7, n_replicas=None)
    torch.nn.utils.clip_grad_norm_(second, 0.7)
    assert torch.equal(first[0].grad, second[0].grad)


def test_an_infinite_gradient_of_one_network_leaves_the_others_alone():
    p = torch.zeros(2, 1, requires_grad=True)
    p.grad = torch.tensor([[float("nan")], [2.0]])
    clip_gradients_([p], 1.0, n_replicas=2)
    torch.testing.assert_close(p.grad[1], torch.tensor([1.0]))


def test_kept_networks_keep_their_parameters_and_optimizer_state():
    modules = [module_of(make_table(), seed=s) for s in range(3)]
    network = StackedNetworks(modules)
    optimizer = torch.optim.AdamW(network.parameters.values(), lr=0.1)
    inputs = torch.ones(3, 5, 4), torch.zeros(3, 5, 0, dtype=torch.long)
    network.forward(inputs).sum().backward()
    optimizer.step()
    before = {name: p.detach().clone() for name, p in network.parameters.items()}
    moments = [optimizer.state[p]["exp_avg"].clone() for p in network.parameters.values()]
    keep_replicas(network, optimizer, torch.tensor([2, 0]))
    assert network.n_replicas == 2
    assert_same_weights(
        {name: p.detach() for name, p in network.parameters.items()}, {name: p[[2, 0]] for name, p in before.items()}
    )
    for p, moment in zip(network.parameters.values(), moments, strict=True):
        assert torch.equal(optimizer.state[p]["exp_avg"], moment[[2, 0]])
        assert any(p is q for group in optimizer.param_groups for q in group["params"])
    assert len(optimizer.state) == len(network.parameters)


def test_a_stack_runs_each_module_on_its_own_inputs():
    modules = [module_of(make_table(), seed=s) for s in range(3)]
    inputs = torch.randn(3, 5, 4), torch.zeros(3, 5, 0, dtype=torch.long)
    both = StackedNetworks(modules).forward(inputs)
    for r, module in enumerate(modules):
        torch.testing.assert_close(both[r], module(inputs[0][r], inputs[1][r]))
