"""The benchmark of losses for metrics: one fit, and from results to the tables."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

QUALITY = Path(__file__).parents[2] / "benchmarks" / "quality"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(QUALITY))
    return importlib.import_module("metric_losses")


def test_one_fit_scores_every_binary_task(benchmark, monkeypatch):
    sets = importlib.import_module("_tabular_sets")
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(400, 3)), columns=list("abc"))
    y = pd.DataFrame({"rare": (X["a"] > 1).astype(float), "never": 0.0, "kind": rng.integers(3, size=400)})
    y.loc[:20, "rare"] = np.nan
    kinds = {"rare": "binary", "never": "binary", "kind": "multiclass"}
    one = sets.BenchmarkSet("made", X[:300], y[:300], X[300:], y[300:], [], None, kinds)
    line = benchmark.fit_and_score(one, "auc", seed=0, max_epochs=8)
    assert line["scores"].keys() == {"rare"}
    assert line["scores"]["rare"].keys() == benchmark.METRICS.keys() - {"f1_micro"}
    assert line["f1_micro"] == line["scores"]["rare"]["f1"]  # of one task
    assert line["scores"]["rare"]["roc_auc"] > 0.9
    tags = benchmark.fit_and_score(one, "tags: soft_f1_micro", seed=0, max_epochs=8)
    assert tags["scores"].keys() == {"rare"}


def test_the_tuned_threshold_has_the_best_f1(benchmark):
    rng = np.random.default_rng(0)
    target = (rng.random(300) < 0.2).astype(float)
    p = np.clip(0.3 * target + 0.3 * rng.random(300), 0, 1)
    found = f1_score(target, p >= benchmark.best_threshold(target, p))
    assert found == pytest.approx(max(f1_score(target, p >= level) for level in p))
    assert benchmark.task_scores(np.zeros(5), p[:5], target, p) is None


def test_tables_tell_the_paired_difference_with_its_interval(benchmark):
    def line(loss, seed, value):
        scores = dict.fromkeys(benchmark.METRICS, value)
        return {"set": "made", "seed": seed, "loss": loss, "scores": {"a": scores, "b": scores, "c": None}}

    pairs = [(0.5, 0.6), (0.7, 0.82), (0.6, 0.68)]
    lines = [line(loss, seed, v) for seed, own in enumerate(pairs) for loss, v in zip(("cross_entropy", "auc"), own, strict=True)]
    text = benchmark.table(lines)
    assert "**made** (3 tasks, 3 seeds)" in text
    assert "| `cross_entropy` | 0.600 |" in text
    assert "| `auc` | **+0.100 ± 0.050** |" in text  # 4.303 x 0.02 / sqrt(3)
    assert "| `auc` | +0.100 |" in benchmark.table(lines[:2])


def test_the_page_keeps_what_stands_around_the_tables(benchmark, tmp_path):
    page, (start, end) = tmp_path / "page.md", benchmark.MARKS
    page.write_text(f"before\n{start}\nold\n{end}\nafter\n")
    benchmark.write_page(page, "new", marks=benchmark.MARKS)
    assert page.read_text() == f"before\n{start}\nnew\n{end}\nafter\n"
    assert all(mark in benchmark.PAGE.read_text() for mark in benchmark.MARKS)
