"""The quality benchmark: how rows are divided, how tasks are scored, and that a run goes on where it stopped."""

import gzip
import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import polytask
from polytask.tasks import task_of_kind

QUALITY = Path(__file__).parents[2] / "benchmarks" / "quality"


@pytest.fixture
def sets(monkeypatch):
    monkeypatch.syspath_prepend(str(QUALITY))
    return importlib.import_module("_tabular_sets")


@pytest.fixture
def tables(monkeypatch):
    monkeypatch.syspath_prepend(str(QUALITY))
    return importlib.import_module("_tabular_table")


@pytest.fixture
def folder(tmp_path, rng):
    """A folder of two small sets, as the script takes it."""
    frame = pd.DataFrame({"a": rng.normal(size=90), "b": rng.choice(list("xyz"), 90), "id": np.arange(90) // 3})
    frame["price"] = frame["a"] + 0.1 * rng.normal(size=90)
    frame["sold"] = np.where(frame["a"] > 0, "yes", "no")
    frame.loc[::7, "sold"] = None
    frame.to_csv(tmp_path / "houses.csv", index=False)
    about = {"file": "houses.csv", "targets": {"price": "regression", "sold": "binary"}, "drop": []}
    content = {"houses": {**about, "group": "id"}, "plain": {**about, "drop": ["id"]}}
    (tmp_path / "tabular.json").write_text(json.dumps(content))
    return tmp_path


def score(sets, kind, y, y_test, outputs):
    frame, frame_test = pd.DataFrame({"y": y}), pd.DataFrame({"y": y_test})
    task = task_of_kind("y", ("y",), kind).fit(pd.concat([frame, frame_test]))
    return sets.score_task(task, np.asarray(outputs, dtype=float), frame, frame_test)


def test_a_number_is_scored_against_the_training_mean(sets):
    found = score(sets, "regression", [1.0, 3.0, None], [2.0, 6.0, None], [1.0, 5.0, 99.0])
    assert found == pytest.approx(1 - np.sqrt(1.0) / np.sqrt((0**2 + 4**2) / 2))


def test_classes_are_scored_by_the_area_of_one_against_the_rest(sets, rng):
    y = rng.choice(list("abc"), 60)
    outputs = rng.dirichlet([1, 1, 1], 60)
    assert score(sets, "binary", y[y != "c"], y[y != "c"], outputs[y != "c"][:, :2]) == pytest.approx(
        2 * roc_auc_score(y[y != "c"] == "b", outputs[y != "c"][:, 1]) - 1
    )
    areas = [roc_auc_score(y == label, outputs[:, k]) for k, label in enumerate("abc")]
    assert score(sets, "multiclass", y, y, outputs) == pytest.approx(2 * np.mean(areas) - 1)


def test_an_ordinal_task_is_scored_as_a_number(sets):
    certain = np.eye(3)
    assert score(sets, "ordinal", [1, 3, 3, 7], [1, 3, 7], certain) == pytest.approx(1.0)
    assert score(sets, "ordinal", [1, 3, 3, 7], [1, 3, 7], certain[[1, 1, 1]]) < 0.05


def test_a_class_that_no_test_row_has_is_undefined(sets):
    assert score(sets, "binary", ["a", "b"], ["a", "a"], [[0.5, 0.5], [0.6, 0.4]]) is None


def test_a_group_is_for_training_or_for_the_test(sets, folder):
    one = sets.load_set(folder, "houses", seed=0)
    frame = pd.read_csv(folder / "houses.csv")
    assert set(frame["id"][one.X.index]).isdisjoint(frame["id"][one.X_test.index])
    assert (len(one.X), len(one.X_test)) == (63, 27)
    assert list(one.X) == ["a", "b"]
    again, other = sets.load_set(folder, "houses", seed=0), sets.load_set(folder, "houses", seed=1)
    assert one.X.index.equals(again.X.index)
    assert not one.X.index.equals(other.X.index)


def test_scaled_means_and_ranks_are_those_of_the_protocol(tables):
    models = list(tables.MODELS)
    scores = {"set": {"t": dict(zip(models, (0.8, 0.4, -0.2, 0.0, 0.8))), "noise": dict.fromkeys(models, 0.01)}}
    assert tables.scaled(scores) == dict(zip(models, (1.0, 0.5, 0.0, 0.0, 1.0)))
    assert tables.mean_ranks([scores["set"]["t"]]) == dict(zip(models, (1.5, 3.0, 5.0, 4.0, 1.5)))


def test_the_mark_of_the_source_changes_with_the_source_alone(sets, tmp_path):
    script = importlib.import_module("tabular")
    for name in ("first", "second"):
        (tmp_path / name / "room").mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_bytes(b"x = 1\n" if name == "first" else b"x = 1\r\n")
        (tmp_path / name / "room" / "_a.py").write_text("y = 2\n")
    (tmp_path / "second" / "room" / "_a.pyc").write_text("compiled")
    first = script.source_mark(tmp_path / "first")
    assert len(first) == 12
    assert script.source_mark(tmp_path / "second") == first
    script.source_mark.cache_clear()
    (tmp_path / "second" / "room" / "_a.py").write_text("y = 3\n")
    assert script.source_mark(tmp_path / "second") != first


def test_of_two_lines_of_one_run_the_later_counts(tables, tmp_path):
    lines = [{"set": "s", "seed": 0, "model": "linear", "n": n} for n in (1, 2)] + [
        {"set": "s", "seed": 1, "model": "linear", "n": 3}
    ]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"set')
    assert [line["n"] for line in tables.latest(tables.read_results(tmp_path / "r.jsonl"))] == [2, 3]


def test_lines_of_another_source_are_run_again_if_asked(sets, folder, monkeypatch, capsys):
    script = importlib.import_module("tabular")
    path = folder / "out.jsonl"

    def run(*words):
        command = ["tabular.py", "--data", folder, "--results", path, "--sets", "plain", "--models", "linear", *words]
        monkeypatch.setattr(sys, "argv", [str(word) for word in command])
        assert script.main() == 0
        capsys.readouterr()
        return [json.loads(line) for line in path.read_text().splitlines()]

    (line,) = run()
    assert line["source"] == script.source_mark(Path(polytask.__file__).parent)
    assert len(run("--again")) == 1
    line.pop("source")
    path.write_text(json.dumps(line) + "\n")  # as of before there was a mark
    assert len(run()) == 1
    old, new = run("--again")
    assert (old, "source" in new) == (line, True)


@pytest.mark.slow
def test_a_run_goes_on_where_it_stopped(folder):
    def run(*words):
        command = [
            sys.executable,
            str(QUALITY / "tabular.py"),
            "--data",
            str(folder),
            "--results",
            str(folder / "out.jsonl"),
            *words,
        ]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    assert len(run("--models", "linear,forest").splitlines()) == 4
    assert "No set has results of all models yet." in run("--table")
    first = (folder / "out.jsonl").read_text()
    (folder / "out.jsonl").write_text(first + '{"set": "pla')  # cut off by a crash
    assert [line.split()[3] for line in run("--sets", "plain").splitlines()] == ["joint", "single", "lightgbm"]
    assert run("--sets", "plain") == ""
    lines = run("--table").splitlines()
    assert lines[2].startswith("| plain | 2 | ")
    assert "1 sets, 2 tasks, splits of seed 0." in lines[-1]


def test_packed_results_come_first_and_are_gone_on_with(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(QUALITY))
    read_results = importlib.import_module("_tabular_table").read_results
    path = tmp_path / "found.jsonl"
    assert read_results(path) == []
    (tmp_path / "found.jsonl.gz").write_bytes(gzip.compress(b'{"set": "a"}\n{"set": "b"}\n'))
    assert read_results(path) == [{"set": "a"}, {"set": "b"}]
    path.write_text('{"set": "c"}\n{"set": "cut')
    assert read_results(path) == [{"set": "a"}, {"set": "b"}, {"set": "c"}]
