"""A run that was stopped and resumed ends with the weights of one that never was, bit for bit."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from polytask.exceptions import ModelFolderError
from polytask.training import Checkpoint
from tests.training._problems import Job, assert_same_weights, make_table, train_one, train_stack

SCRIPT = Path(__file__).parent / "_killed_run.py"
DIFFERENT_ENDS = [Job(seed=s, valid=range(60 + 3 * s, 66 + 3 * s)) for s in range(6)]


class Killed(Exception):
    """Stands for whatever ends a process."""


def killer(epoch):
    def kill(record):
        if record.epoch == epoch:
            raise Killed

    return kill


def checkpoint(tmp_path):
    return Checkpoint(tmp_path / "state.polytask", every=0.0)


def assert_same_history(first, second):
    assert [(r.epoch, r.max_epochs, r.steps) for r in first.epochs] == [(r.epoch, r.max_epochs, r.steps) for r in second.epochs]
    for mine, other in zip(first.epochs, second.epochs, strict=True):
        for key in ("train_losses", "skills", "mean_skill"):
            torch.testing.assert_close(getattr(mine, key), getattr(other, key), rtol=0, atol=0, equal_nan=True)
    assert (first.steps, first.ended_by) == (second.steps, second.ended_by)
    for key in ("best_epoch", "best_skill", "n_epochs"):
        torch.testing.assert_close(getattr(first, key), getattr(second, key), rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("epoch", [1, 2, 5, 6])
def test_a_resumed_run_equals_one_never_stopped(tmp_path, epoch):
    table, options = make_table(), {"dropout": 0.3, "max_epochs": 6}
    whole = train_one(table, **options)
    with pytest.raises(Killed):
        train_one(table, **options, on_epoch=killer(epoch), checkpoint=checkpoint(tmp_path))
    resumed = train_one(table, **options, checkpoint=checkpoint(tmp_path))
    assert_same_weights(whole.weights[0], resumed.weights[0])
    assert_same_history(whole.history, resumed.history)


@pytest.mark.parametrize("epoch", [2, 6, 7, 8, 10, 11])
def test_a_resumed_stack_equals_one_never_stopped(tmp_path, epoch):
    """Also where some networks have stopped, and where these have left the stack already."""
    table, options = make_table(), {"dropout": 0.3, "max_epochs": 25, "patience": 1, "learning_rate": 0.05}
    whole = train_stack(table, DIFFERENT_ENDS, **options)
    n_epochs = whole.history.n_epochs.tolist()
    assert len(set(n_epochs)) > 2
    assert epoch <= max(n_epochs)
    with pytest.raises(Killed):
        train_stack(table, DIFFERENT_ENDS, **options, on_epoch=killer(epoch), checkpoint=checkpoint(tmp_path))
    resumed = train_stack(table, DIFFERENT_ENDS, **options, checkpoint=checkpoint(tmp_path))
    for first, second in zip(whole.weights, resumed.weights, strict=True):
        assert_same_weights(first, second)
    assert_same_history(whole.history, resumed.history)


@pytest.mark.parametrize("options", [{"max_epochs": 4}, {"patience": 3, "max_epochs": 60, "learning_rate": 0.05}])
def test_a_run_that_was_over_is_not_trained_further(tmp_path, options):
    table = make_table()
    done = train_one(table, **options, checkpoint=checkpoint(tmp_path))
    seen = []
    again = train_one(table, **options, checkpoint=checkpoint(tmp_path), on_epoch=seen.append)
    assert seen == []
    assert_same_weights(done.weights[0], again.weights[0])
    assert_same_history(done.history, again.history)


def test_a_stack_that_was_over_is_not_trained_further(tmp_path):
    table, options = make_table(), {"patience": 1, "max_epochs": 40, "learning_rate": 0.05}
    done = train_stack(table, DIFFERENT_ENDS, **options, checkpoint=checkpoint(tmp_path))
    assert done.history.ended_by == "patience"
    seen = []
    again = train_stack(table, DIFFERENT_ENDS, **options, checkpoint=checkpoint(tmp_path), on_epoch=seen.append)
    assert seen == []
    for first, second in zip(done.weights, again.weights, strict=True):
        assert_same_weights(first, second)


def test_a_run_ended_by_steps_can_go_on_to_more_steps(tmp_path):
    table = make_table()
    train_one(table, dropout=0.3, max_steps=10, checkpoint=checkpoint(tmp_path))
    assert_same_weights(
        train_one(table, dropout=0.3, checkpoint=checkpoint(tmp_path)).weights[0], train_one(table, dropout=0.3).weights[0]
    )


def test_an_interrupted_run_can_be_resumed(tmp_path):
    def interrupt(record):
        if record.epoch == 3:
            raise KeyboardInterrupt

    table = make_table()
    train_one(table, dropout=0.3, on_epoch=interrupt, checkpoint=checkpoint(tmp_path))
    resumed = train_one(table, dropout=0.3, checkpoint=checkpoint(tmp_path))
    assert_same_weights(resumed.weights[0], train_one(table, dropout=0.3).weights[0])


def test_keeping_a_checkpoint_changes_no_number(tmp_path):
    table = make_table()
    first = train_one(table, dropout=0.3, checkpoint=checkpoint(tmp_path)).weights[0]
    assert_same_weights(first, train_one(table, dropout=0.3).weights[0])


def test_writes_are_not_more_frequent_than_asked_for(tmp_path):
    kept = Checkpoint(tmp_path / "state.polytask", every=3600.0)
    train_one(make_table(), checkpoint=kept)
    seen = []
    train_one(make_table(), checkpoint=Checkpoint(kept.path), on_epoch=seen.append)
    assert [record.epoch for record in seen] == [2, 3, 4, 5, 6]  # only the first epoch was written


def test_seconds_go_on_where_they_were(tmp_path):
    table = make_table()
    with pytest.raises(Killed):
        train_one(table, on_epoch=killer(3), checkpoint=checkpoint(tmp_path))
    first = Checkpoint(tmp_path / "state.polytask")
    seen = []
    history = train_one(table, checkpoint=first, on_epoch=seen.append).history
    assert history.seconds > 0
    assert [record.epoch for record in history.epochs] == [1, 2, 3, 4, 5, 6]


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    train_one(make_table(), checkpoint=checkpoint(tmp_path))
    with pytest.raises(ModelFolderError, match="belongs to another run"):
        train_one(make_table(only=2), checkpoint=checkpoint(tmp_path))


def test_a_checkpoint_of_a_stack_of_another_size_is_refused(tmp_path):
    train_stack(make_table(), [Job(), Job(seed=1)], checkpoint=checkpoint(tmp_path))
    with pytest.raises(ModelFolderError, match="belongs to another run"):
        train_stack(make_table(), [Job(), Job(seed=1), Job(seed=2)], checkpoint=checkpoint(tmp_path))
    with pytest.raises(ModelFolderError, match="belongs to another run"):
        train_one(make_table(), checkpoint=checkpoint(tmp_path))


def test_a_damaged_checkpoint_is_refused(tmp_path):
    kept = checkpoint(tmp_path)
    train_one(make_table(), checkpoint=kept)
    kept.path.write_bytes(kept.path.read_bytes()[:-10])
    with pytest.raises(ModelFolderError, match="damaged"):
        train_one(make_table(), checkpoint=kept)


def in_a_process(path, epoch, kind):
    command = [sys.executable, str(SCRIPT), str(path), str(epoch), kind]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


@pytest.mark.parametrize("kind", ["one", "stack"])
def test_a_process_killed_and_started_again_equals_one_never_killed(tmp_path, kind):
    whole = in_a_process(tmp_path / "whole.polytask", 0, kind)
    killed = in_a_process(tmp_path / "killed.polytask", 3, kind)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed = in_a_process(tmp_path / "killed.polytask", 0, kind)
    assert whole.returncode == resumed.returncode == 0, whole.stderr + resumed.stderr
    assert whole.stdout == resumed.stdout != ""
