"""Optimizers, schedules and averages in the loop: alone as in a stack, stopped and resumed as never stopped."""

import pytest
import torch

from polytask.exceptions import ModelFolderError, OptionError
from polytask.optim import OPTIMIZERS, Plateau, part_optimizers
from polytask.training import Checkpoint, OneNetwork, StackedNetworks, TrainingSettings
from polytask.training._own_parts import learned_shares, own_tasks
from polytask.training._plateau import PlateauFactors
from polytask.training._update import Update
from tests.training._problems import (
    Job,
    assert_close_weights,
    assert_same_weights,
    data_of,
    make_table,
    module_of,
    stacked_data_of,
    train_one,
    train_stack,
)

ELEMENTWISE = [name for name, own in OPTIMIZERS.classes.items() if own.elementwise]
JOBS = [Job(seed=s, valid=range(60 + 4 * s, 68 + 4 * s)) for s in range(4)]


class Killed(Exception):
    """Stands for whatever ends a process."""


def killer(epoch):
    def kill(record):
        if record.epoch == epoch:
            raise Killed

    return kill


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_stack_gives_what_each_network_gives_alone(table, name):
    options = {"optimizer": name, "max_epochs": 2, "weight_decay": 0.1}
    jobs = [Job(seed=1), Job(seed=2, hidden=(0, 2))]
    both = train_stack(table, jobs, **options)
    for job, own in zip(jobs, both.weights, strict=True):
        assert_close_weights(own, train_one(table, job, **options).weights[0])


OPTIONS = [
    *({"optimizer": name} for name in OPTIMIZERS.classes if name != "adamw"),
    {"optimizer": {"encoder": "muon", "heads": "sgd"}, "schedule": "one_cycle"},
    {"ema": 0.9, "schedule": "step"},
    {"schedule": "plateau:patience=1,per_task=true", "ema": 0.99},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_resumed_run_equals_one_never_stopped(table, tmp_path, options):
    options = {"dropout": 0.3, "max_epochs": 4, "learning_rate": 0.05, **options}
    checkpoint = Checkpoint(tmp_path / "state.polytask", every=0.0)
    whole = train_one(table, **options)
    with pytest.raises(Killed):
        train_one(table, **options, on_epoch=killer(3), checkpoint=checkpoint)
    assert_same_weights(whole.weights[0], train_one(table, **options, checkpoint=checkpoint).weights[0])


STACKED = [{"optimizer": "nadam", "ema": 0.8}, {"optimizer": "sgd", "schedule": "plateau:patience=1,per_task=true"}]


@pytest.mark.parametrize("options", STACKED, ids=str)
@pytest.mark.parametrize("epoch", [2, 5])
def test_a_resumed_stack_equals_one_never_stopped(table, tmp_path, options, epoch):
    """Networks leave the stack in between, with their share of the optimizer's state, averages and factors."""
    options = {"dropout": 0.3, "max_epochs": 12, "patience": 1, "learning_rate": 0.05, **options}
    checkpoint = Checkpoint(tmp_path / "state.polytask", every=0.0)
    whole = train_stack(table, JOBS, **options)
    assert len(set(whole.history.n_epochs.tolist())) > 1
    assert max(whole.history.n_epochs.tolist()) > epoch
    with pytest.raises(Killed):
        train_stack(table, JOBS, **options, on_epoch=killer(epoch), checkpoint=checkpoint)
    resumed = train_stack(table, JOBS, **options, checkpoint=checkpoint)
    for first, second in zip(whole.weights, resumed.weights, strict=True):
        assert_same_weights(first, second)


def test_a_checkpoint_of_other_settings_is_refused(table, tmp_path):
    checkpoint = Checkpoint(tmp_path / "state.polytask", every=0.0)
    train_one(table, ema=0.9, max_epochs=2, checkpoint=checkpoint)
    with pytest.raises(ModelFolderError, match="other `schedule`, `ema`"):
        train_one(table, max_epochs=4, checkpoint=checkpoint)


def test_a_checkpoint_holds_parameters_and_their_averages(table, tmp_path):
    from polytask.storage import read_checkpoint

    path = tmp_path / "state.polytask"
    train_one(table, ema=0.9, max_epochs=2, checkpoint=Checkpoint(path, every=0.0))
    tensors, _ = read_checkpoint(path)
    now, average = (tensors[f"{key}/encoder.layers.0.weight"] for key in ("now", "update/average"))
    assert now.shape == average.shape
    assert not torch.equal(now, average)


def test_what_is_kept_is_the_average_of_the_parameters(table):
    """Against averages taken by hand of the parameters after every step of a run without averages."""
    options = {"max_epochs": 3, "batch_size": 60, "patience": None}
    average = {name: p.detach().clone() for name, p in module_of(table, seed=0).named_parameters()}
    for steps in range(1, 4):  # a step for each epoch of one batch; the plan stays
        now = train_one(table, Job(valid=()), **options, max_steps=steps).weights[0]
        share = max(1 - 0.8, 9 / (10 + steps - 1))
        average = {name: (1 - share) * average[name] + share * p for name, p in now.items()}
    kept = train_one(table, Job(valid=()), **options, ema=0.8).weights[0]
    for name, own in average.items():
        torch.testing.assert_close(kept[name], own, rtol=1e-4, atol=1e-6)


def test_a_plateau_lowers_the_rate_of_each_network_by_its_own_skill():
    falls = PlateauFactors(Plateau(by=0.5, patience=2), (2,), 1)
    for skills in ([0.1, 0.1], [0.2, 0.1], [0.3, 0.1], [0.4, torch.nan], [0.5, 0.0], [0.6, 0.0]):
        now = torch.tensor(skills)
        falls.end_epoch(now[:, None], now)
    assert falls.of(None).tolist() == [1.0, 0.25]  # NaN, no labels, starts the wait anew


def test_per_task_a_head_falls_by_its_own_task():
    falls = PlateauFactors(Plateau(by=0.5, patience=1, per_task=True), (), 2)
    for first, second in ((0.1, 0.1), (0.2, 0.0)):
        falls.end_epoch(torch.tensor([first, second]), torch.tensor(0.5 * (first + second)))
    assert [float(falls.of(k)) for k in (0, 1, None)] == [1.0, 0.5, 0.5]


@pytest.mark.parametrize("name", ["sgd", "adamw", "rmsprop"])
def test_a_fallen_factor_is_a_lower_learning_rate(table, name):
    found = []
    for rate, factor in ((0.02, 0.25), (0.005, 1.0)):
        module = module_of(table)
        network = OneNetwork(module)
        own = {"optimizer": name, "schedule": "plateau:warmup=0", "learning_rate": rate}
        optimizer = part_optimizers(network.parameters, name, learning_rate=rate, weight_decay=0.1)
        update = Update(network, optimizer, TrainingSettings(**own), n_tasks=6, total_steps=10)
        update.plateau.factor.fill_(factor)
        for k in range(3):
            for p in module.parameters():
                p.grad = torch.randn(p.shape, generator=torch.Generator().manual_seed(k))
            update.step(k)
        found.append({key: p.detach() for key, p in module.named_parameters()})
    assert_close_weights(*found)


def test_what_serves_no_task_of_a_network_counts_in_no_penalty(table):
    n_tasks, hidden = len(table.tasks), "sharing.towers.1.0.weight"
    module, data = module_of(table, tower_width=3), data_of(table, Job())
    for network, learned in (
        (OneNetwork(module), torch.arange(n_tasks) != 1),
        (StackedNetworks([module, module]), torch.stack([torch.arange(n_tasks) != 1, torch.ones(n_tasks) > 0])),
    ):
        inputs = data.batch(torch.zeros(*learned.shape[:-1], 1, dtype=torch.long))[0]
        shares = learned_shares(network, inputs, learned)
        assert {name.split(".")[-3] for name in shares if "towers" in name} == {"1"}
        settings = TrainingSettings(regularization="l1:on=sharing,strength=1;soft_orthogonality:on=sharing,strength=1")
        optimizer = part_optimizers(network.parameters, "sgd", learning_rate=0.1, weight_decay=0)
        update = Update(network, optimizer, settings, n_tasks=n_tasks, total_steps=10, penalty_shares=shares)
        before = update.sparse_penalty()
        update.penalty().backward()
        assert bool((network.parameters[hidden].grad != 0).flatten(-2).any(-1).equal(learned[..., 1]))
        with torch.no_grad():
            network.parameters[hidden] += 1
        assert (update.sparse_penalty() != before).equal(learned[..., 1])


def test_what_is_held_moves_where_it_has_a_gradient(table):
    module = module_of(table)
    network = StackedNetworks([module, module])
    held = ["heads.1.linear.weight", "heads.2.linear.weight"]
    shares = {name: torch.tensor([0.0, 1.0]) for name in held}
    optimizer = part_optimizers(network.parameters, "adam", learning_rate=0.1, weight_decay=0.1)
    update = Update(network, optimizer, TrainingSettings(), n_tasks=6, total_steps=10, penalty_shares=shares, holds=held)
    before = {name: p.detach().clone() for name, p in network.parameters.items()}
    for name, p in network.parameters.items():  # of the second head a penalty of the module, say
        p.grad = torch.zeros_like(p) if name == held[0] else torch.ones_like(p)
    update.step(0)
    moved = {name: [not torch.equal(before[name][r], p[r]) for r in (0, 1)] for name, p in network.parameters.items()}
    assert moved.pop(held[0]) == [False, True]  # decay moves the other network's
    assert all(all(own) for own in moved.values())


def test_the_average_of_what_a_stopped_task_owns_stays(table):
    network = StackedNetworks([module_of(table, seed=seed) for seed in range(2)])
    own = own_tasks(network, stacked_data_of(table, [Job(), Job()]).batch(torch.zeros(2, 1, dtype=torch.long))[0])
    optimizer = part_optimizers(network.parameters, "adam", learning_rate=0.1, weight_decay=0)
    settings = TrainingSettings(ema=0.9, stopping="per_task")
    update = Update(network, optimizer, settings, n_tasks=6, total_steps=10, own_tasks=own)
    for done in range(2):
        before = {name: average.clone() for name, average in update.averages.items()}
        for p in network.parameters.values():
            p.grad = torch.ones_like(p)
        update.step(done)
        update.stopped = torch.arange(12).reshape(2, 6) == 1  # the second task of the first network
    stays = {name for name, average in update.averages.items() if torch.equal(average[0], before[name][0])}
    assert stays == {"heads.1.linear.weight", "heads.1.bias"}
    assert not any(torch.equal(average[1], before[name][1]) for name, average in update.averages.items())


def test_own_parts_are_heads_and_towers(table):
    network = OneNetwork(module_of(table, tower_width=3))
    found = own_tasks(network, data_of(table, Job()).batch(torch.arange(3))[0])
    assert {name for name in found if found[name] == 1} == {
        "sharing.towers.1.0.weight",
        "sharing.towers.1.0.bias",
        "heads.1.linear.weight",
        "heads.1.bias",
    }
    assert not any(name.startswith("encoder") for name in found)
    assert len(found) == 4 * len(table.tasks)


@pytest.mark.parametrize("value", [0, 1, "much", True])
def test_an_average_of_another_share_is_refused(value):
    with pytest.raises(OptionError, match="`ema` must be in"):
        TrainingSettings(ema=value)
