"""The benchmark on Census income: its two tasks, one fit, and from results to the table."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

QUALITY = Path(__file__).parents[2] / "benchmarks" / "quality"


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(QUALITY))
    return importlib.import_module


def made_census(sets, n=60):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"age": rng.normal(size=n)})
    married = np.where(X["age"] + 0.5 * rng.normal(size=n) > 0, "Divorced", "Never married")
    y = pd.DataFrame({"income_50k": (X["age"] > 0.3).astype(int), "marital_stat": married, "education": np.arange(n) % 2})
    kinds = {"income_50k": "binary", "marital_stat": "multiclass", "education": "multiclass"}
    tasks = [sets.fixed_task(sets.task_of_kind(name, (name,), kind).fit(y)) for name, kind in kinds.items()]
    return sets.BenchmarkSet("census", X[:40], y[:40], X[40:], y[40:], tasks, None, kinds)


def line(arm, seed, *, score):
    return {
        "set": "census",
        "arm": arm,
        "seed": seed,
        "trial": 0,
        "rows": [30, 10, 20],
        "validation": {"a": 0.1, "b": 0.1},
        "scores": {"a": score, "b": score},
        "parameters": 1000,
        "cpu_seconds": 1.0,
    }


def test_the_two_tasks_are_those_of_the_papers(module):
    census = made_census(module("_tabular_sets"))
    one = module("census").as_in_papers(census)
    assert [task.name for task in one.tasks] == ["income_50k", "never_married"]
    assert one.y["never_married"].tolist() == census.y["marital_stat"].eq("Never married").astype(int).tolist()
    assert [*one.X] == ["age", "education"] == [*one.X_test]


def test_every_arm_is_fitted_with_the_same_settings(module, monkeypatch, tmp_path):
    benchmark, sets = module("census"), module("_tabular_sets")
    benchmark.load.cache_clear()
    monkeypatch.setattr(benchmark, "load_set", lambda folder, name, *, seed: made_census(sets))
    monkeypatch.setattr(benchmark, "WIDTHS", (4,))
    monkeypatch.setattr(benchmark, "PLAN", {"batch_size": 16, "max_epochs": 1})
    lines = {arm: benchmark.run(tmp_path, arm, seed=0, trial=0) for arm in ("hard", "ple", benchmark.ALONE)}
    benchmark.load.cache_clear()
    assert len({str(own["settings"]) for own in lines.values()}) == 1
    assert all(set(own["scores"]) == {"income_50k", "never_married"} for own in lines.values())
    assert all(sum(own["rows"]) == 60 for own in lines.values())
    assert [len(own["epochs"]) for own in lines.values()] == [1, 1, 2]
    assert lines["hard"]["parameters"] < lines[benchmark.ALONE]["parameters"]


def test_the_table_tells_auc_and_differences_from_hard_sharing(module):
    results = [line(arm, seed, score=0.8 + 0.02 * seed + gain) for seed in range(2) for arm, gain in (("hard", 0), ("ple", 0.02))]
    text = module("census").table(results)
    assert "| hard | 0.9050 ± 0.0635 |  | 0.9050 ± 0.0635 |  | 1 thousand | 1 s |" in text
    assert "| ple | 0.9150 ± 0.0635 | +0.0100 ± 0.0000 |" in text
    assert "AUC of 20 test rows, 30 rows trained on and 10 to stop by; 2 seeds, 1 trial" in text
    assert module("census").table([]) == "No results yet."


def test_the_page_has_a_place_for_the_table(module):
    benchmark = module("census")
    page = benchmark.PAGE.read_text(encoding="utf-8")
    assert all(page.count(mark) == 1 for mark in benchmark.MARKS)
