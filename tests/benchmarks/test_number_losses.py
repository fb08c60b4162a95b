"""The benchmark of losses for numbers: one fit, and from results to the table."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

QUALITY = Path(__file__).parents[2] / "benchmarks" / "quality"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(QUALITY))
    return importlib.import_module("number_losses")


def test_one_fit_scores_numbers_only_and_outliers_are_not_in_the_test_rows(benchmark):
    sets = importlib.import_module("_tabular_sets")
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(400, 3)), columns=list("abc"))
    y = pd.DataFrame({"price": X["a"] + 0.3 * rng.normal(size=400), "kind": rng.integers(3, size=400)})
    y.loc[:20, "price"] = np.nan
    one = sets.BenchmarkSet("made", X[:300], y[:300], X[300:], y[300:], [], None, {"price": "regression", "kind": "multiclass"})
    plain, pulled = (benchmark.fit_and_score(one, "mse", seed=0, has_outliers=own) for own in (False, True))
    assert plain.keys() == {"rmse", "mae", "nll", "covered"}
    assert plain["rmse"] < pulled["rmse"]
    assert benchmark.fit_and_score(one, "log_cosh", seed=0, has_outliers=True)["mae"] < pulled["mae"]


def test_the_table_tells_paired_differences_of_every_seed(benchmark):
    def line(loss, seed, mae, outliers):
        return {"set": "made", "seed": seed, "loss": loss, "outliers": outliers, "scores": {"rmse": 0.5, "mae": mae}}

    lines = [line("mse", seed, mae, False) for seed, mae in enumerate((0.5, 0.7, 0.6))]
    lines += [line("log_cosh", seed, mae, False) for seed, mae in enumerate((0.6, 0.82, 0.68))]
    lines += [line(loss, seed, mae, True) for seed in range(3) for loss, mae in (("mse", 0.9), ("log_cosh", 0.7))]
    text = benchmark.table(lines)
    assert "**made** (3 seeds)" in text
    assert "| `mse` | 0.500 | 0.600 |  |  | 0.900 |" in text
    assert "| **+0.100 ± 0.050** |" in text  # 4.303 x 0.02 / sqrt(3)
