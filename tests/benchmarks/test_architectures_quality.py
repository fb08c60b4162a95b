"""The benchmark of architectures: what is compared, one fit, choosing rows, and from results to the tables."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from polytask.networks.sharing import sharing_names

QUALITY = Path(__file__).parents[2] / "benchmarks" / "quality"
SETTINGS = {"learning_rate": 0.01, "weight_decay": 0.01, "dropout": 0.1, "width": 8}


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(QUALITY))
    return importlib.import_module


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(80, 2)), columns=["a", "b"])
    table["person"] = np.repeat(np.arange(20), 4)
    table["up"], table["is_high"] = table["a"] + 0.1 * rng.normal(size=80), (table["b"] > 0).astype(int)
    table.to_csv(tmp_path / "made.csv", index=False)
    about = {"file": "made.csv", "targets": {"up": "regression", "is_high": "binary"}, "drop": []}
    (tmp_path / "tabular.json").write_text(
        json.dumps({"plain": {**about, "drop": ["person"]}, "made": {**about, "group": "person"}})
    )
    return tmp_path


def line(name, arm, seed, *, score, trial=0, validation=0.1, seconds=1.0, parameters=1000):
    return {
        "set": name,
        "arm": arm,
        "seed": seed,
        "trial": trial,
        "validation": {"a": validation, "b": validation},
        "scores": {"a": score, "b": score},
        "parameters": parameters,
        "cpu_seconds": seconds,
    }


def test_every_registered_architecture_is_compared_with_hard_sharing_and_a_twin(module):
    arms = module("_architectures_arms")
    assert set(sharing_names()) - {"esmm"} <= set(arms.ARMS)  # which has a benchmark of its own
    assert set(arms.TWINS.values()) <= set(arms.ARMS)
    assert len(arms.SETS) >= 8


def test_the_shared_twin_has_the_parameters_of_the_networks_it_stands_for(module, folder):
    arms = module("_architectures_arms")
    one, held = arms.load(folder, "plain", seed=0)
    sizes = {}
    for name in ("hard", *arms.PLAIN_ALONE):
        settings = {**SETTINGS, "learning_rate": 1e-8}  # which stops at once
        ((_, found),) = arms.fit_and_score(one, held, f"{name} alone", [settings], seed=0)
        sizes[name] = found["parameters"]
    numbers = 2 * 2  # of LTB one of one before the second block and before the head, in each of two networks
    assert sizes["hard"] == sizes["none"] == sizes["soft"] == sizes["ltb"] - numbers
    assert sizes["cross_stitch"] == sizes["hard"] + 2 * 2 * arms.WIDTH  # a number per unit, layer and network


def test_validation_rows_are_whole_groups(module, folder):
    arms = module("_architectures_arms")
    one, held = arms.load(folder, "made", seed=0)
    inside, outside = set(one.groups[held]), set(one.groups[~held])
    assert inside
    assert outside
    assert not inside & outside


def test_a_run_goes_on_where_it_stopped_and_skips_what_is_not_for_a_set(module, folder, monkeypatch, capsys, tmp_path):
    benchmark = module("architectures")
    monkeypatch.setattr(benchmark, "drawn_settings", lambda *, seed, trial: SETTINGS)
    results = tmp_path / "found.jsonl"
    options = ["--data", str(folder), "--sets", "made", "--trials", "1", "--seeds", "0", "--results", str(results)]
    monkeypatch.setattr(sys, "argv", ["architectures.py", *options, "--arms", "hard,stem"])
    assert benchmark.main() == 0
    assert "stem                 is not for this set" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["architectures.py", *options, "--arms", "hard,hard alone"])
    assert benchmark.main() == 0
    assert capsys.readouterr().out.startswith("made       seed 0 trial 0 hard alone")
    joint, alone = (json.loads(text) for text in results.read_text().splitlines())
    assert joint["settings"] == alone["settings"] == SETTINGS
    assert joint["scores"].keys() == alone["scores"].keys() == {"up", "is_high"}
    assert len(joint["epochs"]) == 1
    assert len(alone["epochs"]) == 2
    assert joint["parameters"] < alone["parameters"] < 2 * joint["parameters"]


def test_the_tables_tell_differences_from_hard_and_from_twins_and_costs(module):
    table = module("_architectures_table")
    gains = {"hard": (0.0, 1.0, 1000), "hard alone": (-0.05, 2.0, 4000), "ple": (0.1, 3.0, 5000), "ple alone": (0.2, 6.0, 10000)}
    results = [
        line("s", arm, seed, score=0.5 + gain + 0.001 * seed * (arm != "hard"), seconds=seconds, parameters=parameters)
        for seed in range(3)
        for arm, (gain, seconds, parameters) in gains.items()
    ]
    text = table.tables(results)
    against_hard, against_twins = text.split("Against its single-task twin")
    assert "| hard | 0.500 | 0.500 |  |  | 1 thousand | 1.0 s |" in against_hard
    assert "| ple | +10.1 ± 0.2 | +10.1 | 1 | 0 | 5.0 | 3.0 |" in against_hard
    assert "| hard alone | -4.9 ± 0.2 | -4.9 | 0 | 1 | 4.0 | 2.0 |" in against_hard
    assert "| hard | +4.9 ± 0.2 | +4.9 | 1 | 0 | 0.2 | 0.5 |" in against_twins
    assert "| ple | -10.0 ± 0.0 | -10.0 | 0 | 1 | 0.5 | 0.5 |" in against_twins
    assert "3 seeds, 1 trial of" in text
    assert table.tables([]) == "No results yet."


def test_sets_that_differ_in_seeds_are_told(module):
    table = module("_architectures_table")
    results = [line(name, "hard", seed, score=0.5) for name, seed in (("s", 0), ("s", 1), ("t", 0))]
    assert "2 seeds, 1 trial (seeds: " in table.tables(results)
    assert "(seeds" not in table.tables(results[:2])


def test_the_best_on_the_other_sets_is_chosen_without_the_set(module):
    table = module("_architectures_table")
    scores = {"a": (0.5, 0.9, 0.4), "b": (0.5, 0.4, 0.6), "c": (0.5, 0.4, 0.6)}
    results = [
        line(name, arm, 0, score=score)
        for name, own in scores.items()
        for arm, score in zip(("hard", "ple", "mmoe"), own, strict=True)
    ]
    assert table._best_on_others(table.chosen_scores(results)) == {"a": "mmoe", "b": "hard", "c": "hard"}
    text = table.tables(results)
    assert "on the mean over the other sets (`hard` for 2, `mmoe` for 1)." in text
    assert "| best on the other sets | -10.0 | +0.0 | +0.0 | -3.3 | 0 | 0 |  |  |" in text


def test_the_page_has_a_place_for_the_tables(module):
    search, benchmark = module("_search"), module("architectures")
    page = benchmark.PAGE.read_text(encoding="utf-8")
    assert [page.count(mark) for mark in search.MARKS] == [1, 1]
