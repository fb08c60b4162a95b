"""Trials of the searches in one stack: scores of single fits, one line per trial, going on, and parts."""

import importlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from polytask.estimators import MultiTaskNetwork
from polytask.networks import MLP

QUALITY = Path(__file__).parents[2] / "benchmarks" / "quality"


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(QUALITY))
    return importlib.import_module


@pytest.mark.parametrize("arm", ["Equal", "DWA", "UPGrad", "single-task"])
def test_trials_in_one_stack_score_as_fits_of_their_own(module, arm):
    """The networks of the simulation have no dropout, so that all but rounding is the same."""
    sets, arms = module("_balancing_sets"), module("_balancing_arms")
    one, held = sets.load(None, sets.SIMULATION, seed=0)
    kept = one.tasks[:3] if arm != "single-task" else one.tasks[:2]
    small = replace(one, X=one.X[:60], y=one.y[:60], X_test=one.X_test[:200], y_test=one.y_test[:200], tasks=kept)
    trials = [arms.drawn_settings(one, seed=0, trial=k) for k in range(3)]
    stacked = list(arms.fit_and_score(small, held[:60], arm, trials, seed=0))
    single = list(arms.fit_and_score(small, held[:60], arm, trials, seed=0, at_once=False))
    assert [k for k, _ in stacked] == [k for k, _ in single] == [0, 1, 2]
    for (_, found), (_, expected) in zip(stacked, single, strict=True):
        assert found["scores"] == pytest.approx(expected["scores"], abs=2e-3)
        assert found["epochs"] == expected["epochs"]
        assert found["parameters"] == expected["parameters"]
        assert found["validation"] == pytest.approx(expected["validation"], abs=2e-3)
    assert len({found["cpu_seconds"] for _, found in stacked}) == 1  # shared equally


def test_trials_of_one_kind_go_into_a_stack(module, monkeypatch):
    search = module("_search")
    stacks = []

    def fit(one, held, makes, *, alone):
        stacks.append(makes)
        return [{"of": make} for make in makes]

    monkeypatch.setattr(search, "_fit_stack", fit)
    found = search.fit_in_stacks(None, None, list("abcd"), kinds=[32, 64, 32, 128], alone=False)
    assert list(found) == [(0, {"of": "a"}), (2, {"of": "c"}), (1, {"of": "b"}), (3, {"of": "d"})]
    assert stacks == [["a", "c"], ["b"], ["d"]]


def test_what_all_networks_of_a_stack_have_may_not_differ(module):
    stacks = module("_stacks")
    models = [MultiTaskNetwork(encoder=MLP(width=width)) for width in (8, 16)]
    with pytest.raises(ValueError, match="may differ in learning_rate, weight_decay, encoder__dropout only"):
        stacks.fit_at_once(models, None, None, reserved=None)


def test_groups_go_on_with_their_open_trials_and_divide_into_parts(module, tmp_path, capsys):
    search, path, asked = module("_search"), tmp_path / "found.jsonl", []
    wanted = [("s", seed, trial, arm) for trial in range(3) for seed in (0, 1) for arm in ("a", "b", "not")]

    def fit(name, arm, *, seed, trials):
        asked.append((name, arm, seed, trials))
        for trial in trials:
            yield trial, None if arm == "not" else {"scores": {"y": 0.5}, "cpu_seconds": 1.0}
            if (arm, seed, trial) == stop:
                raise KeyboardInterrupt

    stop = ("b", 0, 1)
    with pytest.raises(KeyboardInterrupt):
        search.run_groups(path, wanted, fit, part=(0, 1))
    assert asked == [("s", "a", 0, [0, 1, 2]), ("s", "b", 0, [0, 1, 2])]
    stop, asked[:] = None, []
    search.run_groups(path, wanted, fit, part=(1, 2))
    assert asked == [("s", "b", 0, [2]), ("s", "a", 1, [0, 1, 2]), ("s", "not", 1, [0, 1, 2])]
    search.run_groups(path, wanted, fit, part=(0, 2))
    lines = [json.loads(text) for text in path.read_text().splitlines()]
    keys = [(line["set"], line["seed"], line["trial"], line["arm"]) for line in lines]
    assert sorted(keys) == sorted(key for key in wanted if key[3] != "not")
    assert "is not for this set" in capsys.readouterr().out
