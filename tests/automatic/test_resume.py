import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import polytask
from polytask.automatic import RunFolder
from polytask.exceptions import ModelFolderError, OptionError
from tests.automatic._tables import assert_same_weights, houses, predictor

SCRIPT = Path(__file__).parent / "_run.py"


def stop_after(epoch):
    def on_epoch(record):
        if record.epoch == epoch:
            raise KeyboardInterrupt

    return on_epoch


@pytest.fixture
def run(tmp_path):
    """A run that was interrupted after two epochs of four."""
    predictor(epochs=4).fit(houses(), run_folder=tmp_path / "run", on_epoch=stop_after(2))
    return tmp_path / "run"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_run_goes_on_to_the_same_weights_bit_for_bit(tmp_path):
    command = [sys.executable, SCRIPT, tmp_path / "run", "5"]
    done = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    epochs = []
    resumed = predictor(epochs=8).fit(
        houses(), run_folder=tmp_path / "run", resume=True, on_epoch=lambda record: epochs.append(record.epoch)
    )
    assert epochs[0] > 1  # it did not start anew
    never_killed = predictor(epochs=8).fit(houses())
    assert_same_weights(resumed, never_killed)
    assert resumed.report_["curves"] == never_killed.report_["curves"]


def test_a_finished_run_can_be_resumed_to_itself(tmp_path):
    first = predictor(epochs=4).fit(houses(), run_folder=tmp_path / "run")
    assert_same_weights(first, predictor(epochs=4).fit(houses(), run_folder=tmp_path / "run", resume=True))


def test_a_new_run_starts_anew_in_the_same_folder(run):
    epochs = []
    predictor(epochs=4, seed=1).fit(houses(), run_folder=run, on_epoch=lambda record: epochs.append(record.epoch))
    assert epochs[0] == 1


def test_an_interrupted_run_resumed_equals_one_never_interrupted(run):
    resumed = predictor(epochs=4).fit(houses(), run_folder=run, resume=True)
    assert resumed.report_["ended_by"] == "epochs"
    assert_same_weights(resumed, predictor(epochs=4).fit(houses()))


def test_more_time_or_steps_may_be_given_to_a_resumed_run(tmp_path):
    predictor(epochs=4, max_steps=3).fit(houses(), run_folder=tmp_path / "run")
    resumed = predictor(epochs=4).fit(houses(), run_folder=tmp_path / "run", resume=True)
    assert_same_weights(resumed, predictor(epochs=4).fit(houses()))


def test_other_data_are_refused(run):
    frame = houses()
    frame.iloc[0, 0] += 1e-9
    with pytest.raises(OptionError, match="its data differ"):
        predictor(epochs=4).fit(frame, run_folder=run, resume=True)


@pytest.mark.parametrize(
    "settings", [{"seed": 1}, {"targets": ["price"]}, {"ignore": ["street", "part"]}, {"epochs": 5}], ids=lambda s: next(iter(s))
)
def test_other_options_are_refused(run, settings):
    with pytest.raises(OptionError, match="its options differ"):
        predictor(**{"epochs": 4} | settings).fit(houses(), run_folder=run, resume=True)


def test_other_versions_are_refused_and_both_named(run, monkeypatch):
    now = polytask.__version__
    monkeypatch.setattr(polytask, "__version__", "9.9.9")
    with pytest.raises(OptionError, match=f"its versions differ: polytask {now}.* then, polytask 9.9.9"):
        predictor(epochs=4).fit(houses(), run_folder=run, resume=True)


def test_another_number_of_threads_is_refused(run):
    threads = torch.get_num_threads()
    with pytest.raises(OptionError, match=f"its threads differ: {threads} then, {threads + 1} now"):
        predictor(epochs=4, threads=threads + 1).fit(houses(), run_folder=run, resume=True)


def test_without_a_run_there_is_nothing_to_resume(tmp_path):
    with pytest.raises(OptionError, match="no run to resume"):
        predictor().fit(houses(), run_folder=tmp_path / "run", resume=True)
    with pytest.raises(OptionError, match="needs a `run_folder`"):
        predictor().fit(houses(), resume=True)


@pytest.mark.parametrize("content", ["", "{", "[1]", "null"])
def test_a_run_that_cannot_be_read_is_refused(run, content):
    (run / "run.json").write_text(content)
    with pytest.raises(OptionError, match="cannot be read"):
        predictor(epochs=4).fit(houses(), run_folder=run, resume=True)


def test_a_damaged_checkpoint_is_refused(run):
    path = run / "training.checkpoint"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ModelFolderError, match="damaged"):
        predictor(epochs=4).fit(houses(), run_folder=run, resume=True)


def test_a_place_that_is_no_folder_is_refused(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(OptionError, match="cannot be written"):
        predictor().fit(houses(), run_folder=tmp_path / "run")


def test_the_folder_holds_fingerprints_and_state(run):
    assert {path.name for path in run.iterdir()} == {"run.json", "training.checkpoint"}
    marks = json.loads((run / "run.json").read_text())
    assert set(marks) == {"data", "options", "versions", "threads", "ended_by", "steps"}
    assert marks["ended_by"] == "interrupt"


def test_the_folder_tells_after_how_many_steps_a_run_was_stopped(tmp_path):
    run = RunFolder(tmp_path / "run")
    assert run.ending() is None
    predictor(max_steps=2).fit(houses(), run_folder=run.path)
    assert run.ending() == ("steps", 2)
    run.open({"data": "a"}, resume=False)
    assert run.ending() is None


def test_a_refused_resume_leaves_the_run_as_it_was(run):
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    with pytest.raises(OptionError, match="its options differ"):
        predictor(epochs=5).fit(houses(), run_folder=run, resume=True)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_the_steps_of_a_run_ended_by_time_repeat_it():
    limited = predictor(epochs=100_000, time_limit=0.3).fit(houses())
    assert limited.report_["ended_by"] == "time"
    repeated = predictor(epochs=100_000, max_steps=limited.report_["steps"]).fit(houses())
    assert repeated.report_["ended_by"] == "steps"
    assert_same_weights(limited, repeated)


def test_a_run_folder_checks_only_what_it_was_given(tmp_path):
    RunFolder(tmp_path).open({"data": "a"}, resume=False)
    assert not RunFolder(tmp_path).open({"data": "a"}, resume=True).exists()
    with pytest.raises(OptionError, match="its data differ"):
        RunFolder(tmp_path).open({"data": "b"}, resume=True)
