"""``polytask fit``."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from tests.cli.conftest import make_frame, target_words

QUICK = ("--max-steps", 20)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "model"


def test_progress_table_folder_and_report_are_shown(polytask, table, out, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    shown = polytask("fit", table, *target_words(), "--ignore", "id", "--out", out, *QUICK)
    assert shown.code == 0
    assert "epoch 1 of at most 100" in shown.err
    assert [line.split()[:3] for line in shown.out.splitlines() if "regression" in line] == [["price", "regression", "68"]]
    assert "optimistic" in shown.out
    assert shown.out.endswith(f"Model: {out}\nReport: {tmp_path / 'model.html'}\n")
    page = (tmp_path / "model.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "--max-steps 20" in page
    assert (out / "manifest.json").exists()


def test_quiet_prints_nothing(polytask, table, out, tmp_path):
    page = tmp_path / "own.html"
    assert polytask("fit", table, "-t", "price", "-t", "visits", "--out", out, "-q", *QUICK, "--report", page) == (0, "", "")
    assert page.exists()
    assert not (tmp_path / "model.html").exists()


def test_an_existing_model_is_replaced_only_when_allowed(polytask, table, out):
    words = ["fit", table, "-t", "price", "-t", "visits", "--out", out, "-q", *QUICK]
    assert polytask(*words).code == 0
    before = (out / "manifest.json").read_bytes()
    shown = polytask(*words, "--seed", 1, "--max-steps", 21)
    assert shown.code == 2
    assert "already holds a model" in shown.err
    assert (out / "manifest.json").read_bytes() == before
    assert polytask(*words, "--seed", 1, "--overwrite").code == 0
    assert (out / "manifest.json").read_bytes() != before


def test_what_is_no_model_is_never_replaced(polytask, table, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_text("")
    for place, why in (("photos", "is not a polytask model folder"), ("train.csv", "is a file")):
        shown = polytask("fit", table, "-t", "price", "--out", tmp_path / place, "--overwrite", *QUICK)
        assert shown.code == 2
        assert why in shown.err
    assert (tmp_path / "photos" / "a.jpg").exists()


def test_the_same_seed_gives_the_same_weights(polytask, table, tmp_path):
    for name in ("a", "b", "c"):
        seed = 1 if name == "c" else 0
        polytask("fit", table, "-t", "price", "-t", "sold", "--out", tmp_path / name, "-q", *QUICK, "--seed", seed)
    weights = [(tmp_path / name / "network.safetensors").read_bytes() for name in ("a", "b", "c")]
    assert weights[0] == weights[1] != weights[2]


def test_a_run_ended_by_steps_is_gone_on_with_to_the_same_weights(polytask, table, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    words = ["fit", table, "-t", "price", "-t", "visits", "-q", "--epochs", 6]
    assert polytask(*words, "--out", whole).code == 0
    assert polytask(*words, "--out", parts, "--max-steps", 5).code == 0
    assert (tmp_path / "parts.run").exists()
    shown = polytask(*words, "--out", parts)
    assert shown.code == 2
    assert "--out already holds a model, and there is an unfinished run in" in shown.err
    assert polytask(*words, "--out", parts, "--resume").code == 0
    assert not (tmp_path / "parts.run").exists()
    assert (whole / "network.safetensors").read_bytes() == (parts / "network.safetensors").read_bytes()


def test_a_run_is_not_gone_on_with_when_data_or_options_differ(polytask, table, out, frame):
    words = ["fit", table, "-t", "price", "-t", "visits", "-q", "--out", out]
    assert polytask(*words, "--max-steps", 5).code == 0
    assert "its options differ" in polytask(*words, "--epochs", 7, "--resume").err
    frame.head(70).to_csv(table, index=False)
    shown = polytask(*words, "--resume")
    assert shown.code == 2
    assert "its data differ" in shown.err


def test_a_run_killed_before_its_first_checkpoint_outlives_a_refused_resume(polytask, table, out, tmp_path):
    words = ["fit", table, "-t", "price", "-t", "visits", "-q", "--out", out, "--epochs", 2]
    assert polytask(*words, "--max-steps", 1).code == 0
    for state in (tmp_path / "model.run").glob("*.checkpoint"):
        state.unlink()
    assert "its options differ" in polytask(*words, "--epochs", 7, "--resume").err
    assert polytask(*words, "--resume") == (0, "", "")


@pytest.mark.parametrize(("limit", "value"), [("--max-steps", 2), ("--time-limit", 0.001)])
def test_a_limit_that_ended_the_run_is_told_then_and_later(polytask, table, out, tmp_path, limit, value):
    words = ["fit", table, "-t", "price", "-t", "visits", "--out", out, "--preset", "network"]
    told = polytask(*words, limit, value).err.splitlines()[-1]
    steps = json.loads((out / "predictor.json").read_text())["report"]["steps"]
    count = "1 step" if steps == 1 else f"{steps} steps"
    again = "" if limit == "--max-steps" else f" (--max-steps {steps} repeats it)"
    assert told == f"Stopped by {limit} after {count}{again}; add --resume to go on; the state is in '{tmp_path / 'model.run'}'."
    for _ in range(2):  # with the model there and without it
        later = polytask(*words)
        assert later.code == 2
        assert f"here is an unfinished run in '{tmp_path / 'model.run'}', stopped by {limit} after {count}." in later.err
        assert "--resume" in later.err
        assert "--overwrite" in later.err
        shutil.rmtree(out, ignore_errors=True)


def test_the_test_rows_of_a_split_are_scored_and_shown_as_the_honest_ones(polytask, table, out, frame, tmp_path):
    frame.assign(part=["train", "train", "validation", "test"] * 20).to_csv(table, index=False)
    shown = polytask("fit", table, "-t", "price", "-t", "visits", "--ignore", "id", "--split", "part", "--out", out, *QUICK)
    head, price = (next(line.split() for line in shown.out.splitlines() if word in line) for word in ("labels", "price"))
    assert head == ["task", "kind", "labels", "missing", "validation", "test"]
    assert price[:4] == ["price", "regression", "51", "9"]
    report = json.loads((out / "predictor.json").read_text())["report"]
    assert price[5] == f"{100 * report['test']['tasks']['price']['skill']:.1f}"
    assert "Learned 2 tasks from 40 rows; mean test skill" in shown.out
    assert "Test skill" in (tmp_path / "model.html").read_text()


def test_resume_without_a_run_is_told(polytask, table, out):
    shown = polytask("fit", table, "-t", "price", "--out", out, "--resume")
    assert shown.code == 2
    assert "There is no run to resume" in shown.err


def test_a_finished_run_leaves_no_run_folder_and_foreign_files_stay(polytask, table, out, tmp_path):
    words = ["fit", table, "-t", "price", "-t", "visits", "-q", "--out", out, "--epochs", 2]
    assert polytask(*words).code == 0
    assert not (tmp_path / "model.run").exists()
    (tmp_path / "model.run").mkdir()
    (tmp_path / "model.run" / "mine.txt").write_text("")
    assert polytask(*words, "--overwrite").code == 0
    assert os.listdir(tmp_path / "model.run") == ["mine.txt"]


def test_group_split_and_weight_columns_are_no_inputs(polytask, table, out, frame):
    frame = frame.assign(w=[1, 2] * 40, part=["train", "train", "validation", "test"] * 20, who=[i // 4 for i in range(80)])
    frame.to_csv(table, index=False)
    words = ["fit", table, "-t", "price", "-t", "visits", "--out", out, "-q", *QUICK]
    assert polytask(*words, "--weight", "w", "--group", "who", "--ignore", "part").code == 0
    assert polytask(*words, "--split", "part", "--ignore", "w", "--ignore", "who", "--overwrite").code == 0
    shown = polytask("predict", out, table, "--out", table.with_name("p.csv"), "-q")
    assert shown == (0, "", "")  # no word about unknown columns


def test_a_perfect_copy_of_a_target_is_warned_of(polytask, table, out, frame):
    frame.assign(cost=2 * frame["price"] + 1).to_csv(table, index=False)
    shown = polytask("fit", table, "-t", "price", "-t", "visits", "--out", out, "-q", *QUICK)
    assert shown.code == 0
    assert shown.err.count("\n") == 1
    assert "warning: The input 'cost' is a perfect copy of the target 'price': this is leakage" in shown.err


def test_a_class_named_none_does_not_vanish_silently(polytask, table, out, frame):
    frame["sold"] = frame["sold"].fillna("None")
    frame.to_csv(table, index=False)
    words = ["fit", table, "-t", "price", "-t", "sold", "--out", out, "-q", *QUICK]
    assert "these texts were read as missing labels: 'None' (9)" in polytask(*words).err
    assert polytask(*words, "--no-default-missing", "--overwrite") == (0, "", "")
    predictions = table.with_name("p.csv")
    polytask("predict", out, table, "--out", predictions)
    assert "sold:p(None)" in predictions.read_text().splitlines()[0]


def test_the_time_limit_ends_the_run(polytask, table, out):
    shown = polytask("fit", table, "-t", "price", "-t", "visits", "--out", out, "--time-limit", 0.001, "--preset", "network")
    assert shown.code == 0
    assert (out / "manifest.json").exists()


def start(*words):
    """Run in a process of its own, whose SIGINT is not ignored even where this one's is."""
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal; signal.signal(2, signal.default_int_handler); from polytask.cli import main; main()",
        ]
        + [str(word) for word in words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process there")
def test_ctrl_c_keeps_what_is_done_and_gives_130(polytask, tmp_path):
    table, out = tmp_path / "large.csv", tmp_path / "model"
    make_frame(20_000).to_csv(table, index=False)
    words = ["fit", table, *target_words(), "--ignore", "id", "--out", out, "--epochs", 1000, "--threads", 1]
    process = start(*words)
    assert process.stderr is not None
    while "epoch 1 " not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=100)
    assert process.returncode == 130
    assert told.splitlines()[-2:] == [
        "interrupted.",
        f"The best epoch until now is kept in '{out}'; add --resume to the command to go on.",
    ]
    assert polytask("predict", out, table, "--out", tmp_path / "p.csv", "-q").code == 0
    assert polytask(*words, "--resume", "--time-limit", 1, "-q").code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process there")
def test_ctrl_c_ends_a_comparison(tmp_path):
    table, result = tmp_path / "train.csv", tmp_path / "out.json"
    make_frame().to_csv(table, index=False)
    process = start("compare", table, "-t", "price", "-t", "visits", "--max-steps", 50, "--repeats", 500, "--json", result)
    assert process.stderr is not None
    while "fold 1 " not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=100)
    assert process.returncode == 130
    assert "interrupted.\n" in told
    assert ("No repeat was finished" in told) != result.exists()
