"""Networks of one stack may differ in dropout."""

import pytest
import torch
from torch import nn

from polytask.networks.sharing import MMoE
from polytask.training import OneNetwork, StackedNetworks, TrainingSettings, fit
from tests.training._problems import (
    Job,
    assert_close_weights,
    data_of,
    make_table,
    module_of,
    stacked_data_of,
    train_one,
)

RATES = [0.0, 0.25, 0.6]


class _Dropped(nn.Module):
    """Dropout of what is read, at two places, times a parameter."""

    def __init__(self, rate):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.dropout = nn.Dropout(rate)

    def forward(self, x):
        return self.scale * torch.stack([self.dropout(x), self.dropout(x)])


def outputs_of(rates, *, n=200, training=True):
    network = StackedNetworks([_Dropped(rate) for rate in rates])
    network.set_training(training)
    torch.manual_seed(0)
    return network.forward((torch.full((len(rates), n, n), 3.0),))


def test_each_network_drops_its_own_share_and_scales_what_is_left():
    found = outputs_of(RATES)
    for rate, own in zip(RATES, found, strict=True):
        assert float((own == 0).float().mean()) == pytest.approx(rate, abs=0.01)
        torch.testing.assert_close(own[own != 0], torch.full_like(own[own != 0], 3 / (1 - rate)))
    assert torch.equal(found[0], torch.full_like(found[0], 3.0))  # exactly, at a rate of 0


def test_masks_differ_between_networks_and_places():
    found = outputs_of([0.5, 0.5, 0.1]) == 0
    assert float((found[0] == found[1]).float().mean()) == pytest.approx(0.5, abs=0.01)
    assert float((found[0, 0] == found[0, 1]).float().mean()) == pytest.approx(0.5, abs=0.01)


def test_nothing_is_dropped_outside_of_training():
    assert bool((outputs_of(RATES, training=False) == 3).all())


def train_with(table, jobs, rates, **options):
    """A stack of networks with these rates."""
    modules = [module_of(table, seed=job.seed, dropout=rate) for job, rate in zip(jobs, rates, strict=True)]
    network, data = StackedNetworks(modules), stacked_data_of(table, jobs)
    settings = TrainingSettings(**{"max_epochs": 4, "batch_size": 16, "learning_rate": 0.01, **options})
    history = fit(network, data, table.tasks, settings=settings, seeds=[job.seed for job in jobs])
    return modules, history


def weights_of(module):
    return {name: p.detach() for name, p in module.named_parameters()}


def test_a_network_without_dropout_is_the_same_beside_those_with_it():
    table, jobs = make_table(), [Job(seed=4), Job(seed=1), Job(seed=2)]
    modules, _ = train_with(table, jobs, [0.5, 0.0, 0.3])
    assert_close_weights(weights_of(modules[1]), train_one(table, jobs[1], max_epochs=4).weights[0])
    assert [module.encoder.layers[2].p for module in modules] == [0.5, 0.0, 0.3]
    assert not any(module.training for module in modules)


def test_more_dropout_learns_the_training_rows_less_well_in_a_stack_as_alone():
    table, jobs = make_table(), [Job(seed=1)] * 2
    _, history = train_with(table, jobs, [0.0, 0.7], max_epochs=8, patience=None)
    stacked = history.epochs[-1].train_losses.mean(-1)
    alone = train_one(table, jobs[0], dropout=0.7, max_epochs=8, patience=None).history.epochs[-1].train_losses.mean()
    assert stacked[1] > stacked[0]
    assert float(stacked[1]) == pytest.approx(float(alone), rel=0.15)


def test_networks_keep_their_dropout_when_others_have_stopped():
    network = StackedNetworks([_Dropped(rate) for rate in RATES])
    network.keep(torch.tensor([0, 2]))
    found = network.forward((torch.ones(2, 200, 200),))
    assert bool((found[0] == 1).all())
    assert float((found[1] == 0).float().mean()) == pytest.approx(RATES[2], abs=0.01)


def test_experts_of_a_stack_may_differ_in_dropout():
    network = StackedNetworks([MMoE(dropout=rate).build(5, 2).experts for rate in (0.0, 0.9)])
    found = network.forward((torch.randn(2, 100, 5),))
    silent = (found == 0).flatten(1).float().mean(1)
    assert float(silent[0]) < 0.7 < 0.9 < float(silent[1])


def test_one_network_has_the_dropout_it_is_built_with():
    table, job = make_table(), Job(seed=3)
    module = module_of(table, seed=3, dropout=0.5)
    settings = TrainingSettings(max_epochs=2, batch_size=16, learning_rate=0.01)
    fit(OneNetwork(module), data_of(table, job), table.tasks, settings=settings, seeds=[3])
    assert_close_weights(weights_of(module), train_one(table, job, dropout=0.5, max_epochs=2).weights[0])
