"""``polytask fit --preset``: a portfolio of models from the command line."""

import errno
import json
import os
import subprocess
import sys
import time

import pytest

from polytask.cli._started import begun, started


def words(table, *more):
    return ["fit", table, "-t", "price", "-t", "sold", "--ignore", "id", "--preset", "fast", *more]


def test_the_leaderboard_is_printed_and_in_the_report(polytask, table, tmp_path):
    shown = polytask(*words(table, "--out", tmp_path / "model", "--time-limit", 40))
    assert shown.code == 0, shown.err
    assert "LightGBM" in shown.out
    assert "ensemble" in shown.out
    assert " MB)" in shown.out
    assert "Leaderboard" in (tmp_path / "model.html").read_text()
    assert not (tmp_path / "model.run").exists()
    scored = polytask("evaluate", tmp_path / "model", table, "--json", tmp_path / "scores.json")
    assert scored.code == 0, scored.err
    assert set(json.loads((tmp_path / "scores.json").read_text())["tasks"]) == {"price", "sold"}


def test_a_limit_that_is_too_short_leaves_models_out_and_resume_adds_them(polytask, table, tmp_path):
    asked = words(table, "--out", tmp_path / "model")
    short = polytask(*asked, "--time-limit", 0.01)
    assert short.code == 0, short.err
    assert "add --resume" in short.err
    assert "The time limit was not kept: --time-limit 0.01, and it took" in short.err
    assert "would have been enough for this" in (tmp_path / "model.html").read_text().replace("<wbr>", "")
    assert (tmp_path / "model.run" / "members").is_dir()
    again = polytask(*asked, "--time-limit", 200)
    assert again.code == 2
    assert "Go on with it with --resume" in again.err
    whole = polytask(*asked, "--time-limit", 200, "--resume")
    assert whole.code == 0, whole.err
    assert "Left out" not in whole.out
    assert "not kept" not in whole.err
    assert not (tmp_path / "model.run").exists()


@pytest.mark.parametrize(
    ("stop", "code", "says"),
    [(KeyboardInterrupt(), 130, "interrupted."), (OSError(errno.ENOSPC, "No space left on device"), 2, "the disk is full")],
)
def test_what_ends_the_work_while_the_model_is_saved_leaves_the_fitted_models(
    polytask, table, tmp_path, monkeypatch, stop, code, says
):
    asked, flush = words(table, "--out", tmp_path / "model", "--time-limit", 0.01), os.fsync

    def fail(descriptor):
        if (tmp_path / "model.run" / "members" / "linear").is_dir():
            raise stop
        flush(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        shown = polytask(*asked)
    assert shown.code == code
    assert says in shown.err
    assert f"by adding --resume to the command; it is kept in '{tmp_path / 'model.run'}'" in shown.err
    assert [own.name for own in tmp_path.iterdir() if "model" in own.name] == ["model.run"]
    again = polytask(*asked, "--resume")
    assert again.code == 0, again.err
    assert (tmp_path / "model" / "manifest.json").exists()


def test_an_unknown_preset_is_told_in_one_line(polytask, table, tmp_path):
    shown = polytask("fit", table, "-t", "price", "--preset", "quick", "--out", tmp_path / "model")
    assert shown.code == 2
    assert "quick" in shown.err


def test_a_limit_that_is_no_time_and_a_device_that_is_not_there_are_told_in_one_line(polytask, table, tmp_path):
    for limit in ("0", "-2", "nan", "inf"):
        shown = polytask(*words(table, "--out", tmp_path / "model", "--time-limit", limit))
        assert (shown.code, shown.err.count("\n")) == (2, 1)
        assert shown.err.startswith("error: --time-limit must be a ")
    shown = polytask(*words(table, "--out", tmp_path / "model", "--device", "cuda:99"))
    assert (shown.code, shown.err.count("\n")) == (2, 1)
    assert shown.err.startswith("error: --device must be one that torch has here; got 'cuda:99'")
    assert not (tmp_path / "model.run").exists()


def test_the_process_ends_though_a_fit_outlived_the_limit(table, tmp_path):
    """A thread that cannot be stopped must neither hold the command up nor end it by a signal."""
    words_of_it = [*map(str, words(table, "--out", tmp_path / "model", "--time-limit", 3, "--quiet"))]
    code = (
        "import sys, threading, time, polytask.automatic._workers as w\n"
        "threading.Thread(target=time.sleep, args=(60,), name=w.THREAD_NAME).start()\n"
        f"sys.argv = ['polytask', *{words_of_it!r}]\n"
        "from polytask.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=55, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "model" / "manifest.json").exists()


def test_the_time_of_a_command_counts_from_the_process_only_where_it_is_its_own(monkeypatch):
    monkeypatch.setattr("polytask.automatic.process_start", lambda: -100.0)
    with begun(with_process=True):
        assert started() == -100.0
    with begun(with_process=False):
        assert abs(started() - time.monotonic()) < 1.0
