"""The benchmark of candidates: what a run of some seconds fits, the order chosen on other sets, and the tables."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

QUALITY = Path(__file__).parents[2] / "benchmarks" / "quality"
FIRST = ["linear", "constant", "LightGBM"]


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(QUALITY))
    return importlib.import_module


def tried(walls, gains, left_out=None):
    """Stands for a set of which a mixture scores the sum of its candidates' gains."""
    return SimpleNamespace(
        walls=walls,
        kept=SimpleNamespace(left_out=left_out or {}),
        score=lambda names: sum(gains.get(name, 0.0) for name in names),
    )


def test_next_comes_what_adds_most_per_second_on_the_other_sets(module, monkeypatch):
    choice = module("_candidates_choice")
    monkeypatch.setattr(choice, "order_in_use", lambda kept: [*FIRST, "slow", "quick", "useless", "harmful"])
    walls = dict.fromkeys(FIRST, 0.1) | {"slow": 20.0, "quick": 1.0, "useless": 1.0, "harmful": 1.0}
    sets = {name: tried(walls, {"slow": 0.02, "quick": 0.01, "harmful": -0.01}) for name in "ab"}
    assert choice.chosen_order(sets, longest=60.0) == [*FIRST, "quick", "slow", "useless", "harmful"]
    # one set with a large gain does not decide alone, and one that had no time for a candidate counts its seconds
    odd = tried(walls, {"slow": 5.0})
    late = tried(dict.fromkeys([*FIRST, "slow"], 0.1), {}, {"quick": "no time was left"})
    assert choice.chosen_order({**sets, "odd": odd}, longest=60.0)[3] == "quick"
    assert choice.chosen_order({"a": sets["a"], **{f"late {k}": late for k in range(9)}}, longest=60.0)[3] == "slow"


def test_a_run_passes_over_what_would_take_most_of_its_time(module, monkeypatch):
    one = module("_tabular_sets").BenchmarkSet
    kept_of = module("_candidates_outputs").Kept
    choice = module("_candidates_choice")
    frame = pd.DataFrame({"y": np.arange(6.0)})
    task = module("_tabular_sets").fixed_task(module("_tabular_sets").task_of_kind("y", ("y",), "regression").fit(frame))
    rows = SimpleNamespace(task=task.fit(frame), rows=np.arange(6), target=frame.to_numpy(), weight=np.ones(6))
    rows.task = task.fit(frame).with_statistics(frame.to_numpy(), np.ones((6, 1)))
    held = {"good": frame["y"].to_numpy(), "mean": np.full(6, 2.5), "slow": np.zeros(6), "CatBoost": np.zeros(6)}
    outputs = {name: {"y": values} for name, values in held.items()}
    seconds = {"good": 8.0, "mean": 2.0, "slow": 60.0, "CatBoost": 2.0}
    bench = one("set", frame, frame, frame, frame, [task], None, {"y": "regression"})
    own = choice.Tried(kept_of(bench, [rows], outputs, outputs, seconds, {}), cores=2)
    assert own.walls == {"good": 4.0, "mean": 1.0, "slow": 30.0}  # optional packages are left out
    assert own.within(["mean", "slow", "good"], 20.0) == ["mean", "good"]
    assert own.score(["mean"]) == pytest.approx(0.0)
    assert own.score(["mean", "good", "slow"]) == pytest.approx(1.0)  # chosen on held-out rows


def test_tables_tell_differences_with_intervals(module):
    def line(name, used, chosen):
        scores = {"in use": dict.fromkeys(("20", "45", "100"), used), "chosen": dict.fromkeys(("20", "45", "100"), chosen)}
        alone, seconds = {"linear": used, "network": used - 0.1}, {"linear": 1.0, "network": 4.0}
        told = {"order": ["linear", "network"], "alone": alone, "seconds": seconds}
        return {"set": name, "all": used, "scores": scores, "without": {"linear": used - 0.05, "network": used}, **told}

    lines = [line("a", 0.5, 0.51), line("b", 0.3, 0.31), {"set": "(all)", "order": ["linear", "network"]}]
    text = module("_candidates_table").tables(lines)
    assert "| 45 | 0.4000 | 0.4100 | +0.0100 (+0.0100 to +0.0100) | 0.4000 |" in text
    assert "| linear | 2 | 1.0 | 2 | +0.0500 (+0.0500 to +0.0500) |" in text
    assert module("_candidates_table").tables([]) == "No set has been tried yet."


def test_networks_of_other_sharing_stand_in_for_the_one_in_use_or_beside_it(module):
    choice = module("_candidates_choice")
    found = dict(choice.with_networks(["linear", "network", "extra trees"]))
    assert found["network, TabM, instead"] == ["linear", "network, TabM", "extra trees"]
    assert found["network, TabM, besides"] == ["linear", "network", "network, TabM", "extra trees"]
    assert len(found) == 2 * len(choice.SHARING)


def test_the_way_for_a_set_is_chosen_on_the_others(module):
    table = module("_candidates_table")
    none, first, second = np.zeros(3), np.array([0.5, -0.01, 0.005]), np.array([-0.01, 0.01, 0.01])
    # one set counts by 0.02 at most: without it the first way loses, and the second gains everywhere else
    assert table._left_out_choice([none, first, second]).tolist() == [-0.01, -0.01, 0.005]
