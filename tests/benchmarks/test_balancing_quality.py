"""The benchmark of balancing: what is compared, one fit, and from results to the tables."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from polytask import balancing

QUALITY = Path(__file__).parents[2] / "benchmarks" / "quality"


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(QUALITY))
    return importlib.import_module


def line(name, arm, seed, trial, *, validation, score, seconds=1.0):
    return {
        "set": name,
        "arm": arm,
        "seed": seed,
        "trial": trial,
        "validation": {"a": validation, "b": validation},
        "scores": {"a": score, "b": score},
        "cpu_seconds": seconds,
    }


def test_every_arm_is_a_method_of_the_package(module):
    arms = module("_balancing_arms")
    for name, make in arms.ARMS.items():
        found = make({"weights": {"a": 1.0}}).get("balancing")
        assert name == "Equal" or isinstance(found, balancing.BalancingMethod)
    assert {"PCGrad every 10", "PCGrad at features", "tuned weights", "NashMTL"} <= set(arms.ARMS)


@pytest.mark.parametrize("arm", ["tuned weights", "PCGrad at features", "single-task"])
def test_one_fit_scores_every_task(module, arm):
    sets, arms = module("_balancing_sets"), module("_balancing_arms")
    one, held = sets.load(None, sets.SIMULATION, seed=0)
    small = replace(one, X=one.X[:60], y=one.y[:60])
    settings = arms.drawn_settings(small, seed=0, trial=0)
    assert settings == arms.drawn_settings(small, seed=0, trial=0)
    ((number, found),) = arms.fit_and_score(small, held[:60], arm, [settings], seed=0)
    assert number == 0
    assert set(found["scores"]) == set(found["validation"]) == {task.name for task in one.tasks}
    assert len(found["epochs"]) == (8 if arm == "single-task" else 1)


def test_validation_chooses_the_trial_and_single_tasks_choose_their_own(module):
    table = module("_balancing_table")
    results = [
        line("s", "Equal", 0, 0, validation=0.2, score=0.9),
        line("s", "Equal", 0, 1, validation=0.3, score=0.5),
        line("s", "single-task", 0, 0, validation=0.2, score=0.1),
        line("s", "single-task", 0, 1, validation=0.3, score=0.3),
    ]
    results[2]["validation"]["b"], results[2]["scores"]["b"] = 0.9, 0.7
    assert table.chosen_scores(results)["s"] == {"Equal": {0: 0.5}, "single-task": {0: pytest.approx(0.5)}}


def test_trials_that_an_arm_has_not_run_do_not_count_for_the_others(module):
    table = module("_balancing_table")
    results = [
        line("s", "Equal", 0, 0, validation=0.2, score=0.4),
        line("s", "Equal", 0, 1, validation=0.3, score=0.5),
        line("s", "PCGrad", 0, 0, validation=0.2, score=0.4),
    ]
    assert table.chosen_scores(results)["s"]["Equal"] == {0: 0.4}


def test_the_interval_is_that_of_student_over_seeds(module):
    table = module("_balancing_table")
    middle, half, n = table.difference({0: 0.3, 1: 0.5, 2: 0.4}, {0: 0.2, 1: 0.3, 2: 0.4})
    assert (middle, n) == (pytest.approx(0.1), 3)
    assert half == pytest.approx(4.3027 * 0.1 / np.sqrt(3), rel=1e-4)


def test_the_table_counts_sets_told_better_and_worse_and_cost(module):
    table = module("_balancing_table")
    results = [
        line(name, arm, seed, 0, validation=0.1, score=0.5 + gain + 0.001 * seed * (arm != "Equal"), seconds=seconds)
        for name, sign in (("up", 1), ("down", -1))
        for seed in range(3)
        for arm, gain, seconds in (("Equal", 0.0, 1.0), ("PCGrad", 0.1 * sign, 3.0))
    ]
    text = table.tables(results)
    assert "| PCGrad | +10.1 ± 0.2 | -9.9 ± 0.2 | 1 | 1 | 3.0 |" in text
    assert table.tables([]) == "No results yet."
