"""Early stopping task by task: who stops gives no gradient and keeps its head; the others go on."""

import numpy as np
import pytest
import torch

from polytask.exceptions import OptionError
from polytask.training import Checkpoint, OneNetwork, TrainingSettings, fit
from polytask.training._stopping import TaskStopping
from tests.training._problems import Job, assert_same_weights, data_of, make_table, module_of, train_one, train_stack
from tests.training.test_update import Killed, killer

OPTIONS = {"stopping": "per_task", "patience": 2, "max_epochs": 40, "learning_rate": 0.05}


@pytest.fixture(scope="module")
def table():
    return make_table()


def test_a_task_stops_after_its_own_patience_and_for_good():
    stopping = TaskStopping(patience=2, n_replicas=None, n_tasks=3)
    nan = float("nan")
    ended = []
    for epoch, skills in enumerate(
        [(0.1, 0.1, nan), (0.0, 0.2, nan), (0.0, 0.3, nan), (0.9, 0.2, nan), (0.9, 0.1, nan)], start=1
    ):
        stopping.update_tasks(torch.tensor(skills), epoch=epoch)
        ended.append((stopping.tasks_ended(epoch).tolist(), bool(stopping.has_ended(epoch))))
    assert [own for own, _ in ended] == [
        [False] * 3,
        [False] * 3,
        [True, False, False],
        [True, False, False],
        [True, True, False],
    ]
    assert [own for _, own in ended] == [False, False, False, False, True]
    assert stopping.n_epochs(5) == 5


def last_epochs(history):
    """The epoch of the last rise of every task, by hand from the told skills."""
    skills = np.stack([record.skills.numpy() for record in history.epochs])
    found = []
    for own in skills.T:
        best, last = -np.inf, 0
        for epoch, skill in enumerate(own, start=1):
            if skill > best and epoch - last <= OPTIONS["patience"]:
                best, last = skill, epoch
        found.append(last)
    return found


def test_a_stopped_task_has_no_training_loss_and_keeps_its_head(table):
    heads = []
    module = []

    def note(record):
        heads.append({name: p.detach().clone() for name, p in module[0].named_parameters()})

    module.append(module_of(table, tower_width=3))
    settings = TrainingSettings(batch_size=16, weight_decay=0.1, **OPTIONS)
    history = fit(OneNetwork(module[0]), data_of(table, Job()), table.tasks, settings=settings, seeds=[0], on_epoch=note)
    last = [own + OPTIONS["patience"] for own in last_epochs(history)]  # the last epoch in which a task learned
    assert len(set(last)) > 2
    assert len(history.epochs) == min(max(last), OPTIONS["max_epochs"])
    assert min(last) < len(history.epochs)
    train = torch.stack([record.train_losses for record in history.epochs])
    for task, end in enumerate(last):
        assert not train[:end, task].isnan().any()
        assert train[end:, task].isnan().all()
        for name in (f"heads.{task}.linear.weight", f"sharing.towers.{task}.0.weight", f"heads.{task}.bias"):
            assert all(torch.equal(own[name], heads[end - 1][name]) for own in heads[end:])
    shared = "encoder.layers.0.weight"
    assert not torch.equal(heads[min(last) - 1][shared], heads[min(last)][shared])


def test_a_single_task_stops_as_it_does_by_its_mean(table):
    job = Job(hidden=(1, 2, 3, 4, 5))
    first, second = (train_one(table, job, **{**OPTIONS, "stopping": own}) for own in ("mean", "per_task"))
    assert_same_weights(first.weights[0], second.weights[0])
    assert len(first.history.epochs) == len(second.history.epochs)


def test_each_network_of_a_stack_stops_its_own_tasks(table):
    jobs = [Job(seed=1), Job(seed=2, hidden=(0, 3)), Job(seed=3, valid=range(70, 80))]
    both = train_stack(table, jobs, **OPTIONS)
    for k, job in enumerate(jobs):
        alone = train_one(table, job, **OPTIONS)
        assert int(both.history.n_epochs[k]) == int(alone.history.n_epochs)
        assert int(both.history.best_epoch[k]) == int(alone.history.best_epoch)
        for name, p in alone.weights[0].items():
            torch.testing.assert_close(p, both.weights[k][name], rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("stacked", [False, True])
def test_a_resumed_run_equals_one_never_stopped(table, tmp_path, stacked):
    jobs = [Job(seed=1), Job(seed=2, valid=range(70, 80)), Job(seed=3)]
    options = {**OPTIONS, "max_epochs": 12, "patience": 1, "dropout": 0.2}

    def train(**own):
        return train_stack(table, jobs, **options, **own) if stacked else train_one(table, **options, **own)

    checkpoint = Checkpoint(tmp_path / "state.polytask", every=0.0)
    whole = train()
    with pytest.raises(Killed):
        train(on_epoch=killer(3), checkpoint=checkpoint)
    for first, second in zip(whole.weights, train(checkpoint=checkpoint).weights, strict=True):
        assert_same_weights(first, second)


def test_other_values_are_refused():
    with pytest.raises(OptionError, match="`stopping` must be 'mean' or 'per_task'"):
        TrainingSettings(stopping="task")
    with pytest.raises(OptionError, match="needs a `patience`"):
        TrainingSettings(stopping="per_task", patience=None)
