"""Networks of one stack with learning rates and decays of their own are those that training alone gives."""

import pytest

from polytask.exceptions import OptionError
from polytask.training import Checkpoint, Replica
from tests.training._problems import Job, assert_close_weights, assert_same_weights, make_table, train_one, train_stack

OWN = [
    Replica(learning_rate=0.02, weight_decay=0.5),
    Replica(),
    Replica(learning_rate=0.001),
    Replica(weight_decay=0.0, learning_rate=0.007),
]
JOBS = [Job(seed=1), Job(seed=2, hidden=[0, 2, 3, 4, 5]), Job(range(30, 89), range(30), seed=3, fold=1), Job(seed=1)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "adam"},
        {"optimizer": "sgd:momentum=0.9", "schedule": "plateau:patience=1", "weight_decay": 0.1},
        {"optimizer": "heads=rmsprop:momentum=0.5", "ema": 0.9},
        {"regularization": "l1:strength=0.05"},
        {"regularization": "l2:strength=2,on=all", "optimizer": "adam", "schedule": "plateau:patience=1,per_task=true"},
        {"stopping": "per_task", "patience": 2, "max_epochs": 8},
    ],
    ids=["adamw", "adam", "sgd, plateau", "by part, average", "proximal", "decay of parts", "stops per task"],
)
def test_a_stack_of_own_settings_gives_the_networks_that_training_alone_gives(options):
    table = make_table()
    given = {"max_epochs": 4, **options}
    stack = train_stack(table, JOBS, own_settings=OWN, **given)
    for r, (job, own) in enumerate(zip(JOBS, OWN, strict=True)):
        rates = {"learning_rate": 0.01, "weight_decay": 0.01} | given
        rates |= {name: value for name, value in vars(own).items() if value is not None}
        assert_close_weights(stack.weights[r], train_one(table, job, **rates).weights[0])


def test_own_settings_of_one_network_are_its_settings():
    table, own = make_table(), Replica(learning_rate=0.02, weight_decay=0.5)
    first = train_one(table, own_settings=[own], max_epochs=2)
    assert_same_weights(first.weights[0], train_one(table, learning_rate=0.02, weight_decay=0.5, max_epochs=2).weights[0])


def test_networks_keep_their_settings_when_others_have_stopped():
    table = make_table()
    jobs = [Job(seed=s, valid=range(60 + 3 * s, 66 + 3 * s)) for s in range(8)]
    own = [Replica(learning_rate=0.06 - 0.005 * s) for s in range(8)]
    options = {"max_epochs": 20, "patience": 1}
    stack = train_stack(table, jobs, own_settings=own, **options)
    alone = [train_one(table, job, learning_rate=o.learning_rate, **options) for job, o in zip(jobs, own, strict=True)]
    assert stack.history.n_epochs.tolist() == [run.history.n_epochs.item() for run in alone]
    assert len(set(stack.history.n_epochs.tolist())) > 2
    for r, run in enumerate(alone):
        assert_close_weights(stack.weights[r], run.weights[0])


def test_a_run_goes_on_with_the_settings_of_those_that_are_left(tmp_path):
    table = make_table()
    jobs = [Job(seed=s, valid=range(60 + 3 * s, 66 + 3 * s)) for s in range(8)]
    own = [Replica(learning_rate=0.06 - 0.005 * s) for s in range(8)]
    options = {"max_epochs": 20, "patience": 1, "own_settings": own}
    whole = train_stack(table, jobs, **options)

    def stop(record):
        if record.epoch == 6:
            raise SystemExit

    with pytest.raises(SystemExit):
        train_stack(table, jobs, checkpoint=Checkpoint(tmp_path / "state", every=0), on_epoch=stop, **options)
    resumed = train_stack(table, jobs, checkpoint=Checkpoint(tmp_path / "state", every=0), **options)
    for first, second in zip(whole.weights, resumed.weights, strict=True):
        assert_same_weights(first, second)


def test_rates_that_an_optimizer_names_are_not_overruled():
    with pytest.raises(OptionError, match="`learning_rate` of their own where `optimizer` names one"):
        train_stack(make_table(), JOBS, own_settings=OWN, optimizer="heads=sgd:learning_rate=0.1")


@pytest.mark.parametrize(
    "wrong", [{"learning_rate": 0.0}, {"learning_rate": "fast"}, {"weight_decay": -1.0}, {"dropout": 1.0}, {"dropout": -0.1}]
)
def test_settings_out_of_their_range_are_refused(wrong):
    with pytest.raises(OptionError, match=f"`{next(iter(wrong))}` of a Replica must be"):
        Replica(**wrong)


def test_settings_of_networks_that_are_built_hold_no_dropout():
    with pytest.raises(OptionError, match="cannot change the dropout of networks that are built"):
        train_stack(make_table(), JOBS[:1], own_settings=[Replica(dropout=0.1)])
