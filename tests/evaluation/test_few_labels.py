"""A handful of positives gives no verdict, and the reason is told in words."""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from polytask.estimators import MultiTaskNetwork
from polytask.evaluation import LEAST_UNLIKE, LossArrays, compare, gain_table, too_few_labels
from polytask.networks import MLP
from polytask.reporting import comparison_table, render
from polytask.tasks import Binary, Regression
from tests.evaluation._noise import folds, noisy_losses

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "quality" / "few_labels.py"
FEW = "only 3 positives among the held-out rows"


def table(gains, **settings):
    rng = np.random.default_rng(0)
    fold = folds(400, rng=rng)
    return gain_table(
        {name: LossArrays(*noisy_losses(fold, rng=rng, gain=gain)) for name, gain in gains.items()}, fold=fold, **settings
    )


@pytest.mark.parametrize(("gain", "sure"), [(0.5, "helped"), (-0.5, "harmed")])
def test_a_sure_interval_of_few_labels_is_undecided(gain, sure):
    plain, guarded = table({"rare": gain}), table({"rare": gain}, too_few={"rare": FEW})
    assert plain.tasks["rare"]["verdict"] == sure
    assert (guarded.tasks["rare"]["verdict"], guarded.tasks["rare"]["reason"]) == ("undecided", FEW)
    assert guarded.tasks["rare"]["low"] == plain.tasks["rare"]["low"]  # the numbers stay
    assert guarded.mean["verdict"] == "undecided"
    assert guarded.mean["reason"] == f"no task has enough labels; task 'rare' has {FEW}"


def test_other_tasks_and_a_mean_that_does_not_rest_on_it_are_told():
    found = table({"rare": 0.5, "price": 0.5, "size": 0.4}, too_few={"rare": FEW})
    assert [task["verdict"] for task in found.tasks.values()] == ["undecided", "helped", "helped"]
    assert found.mean["verdict"] == "helped"
    assert "reason" not in found.mean


def test_a_mean_that_rests_on_it_is_undecided():
    found = table({"rare": 3.0, "price": 0.0}, too_few={"rare": FEW})
    assert table({"rare": 3.0, "price": 0.0}).mean["verdict"] == "helped"
    assert found.mean["verdict"] == "undecided"
    assert found.mean["reason"] == f"it rests on tasks with too few labels: 'rare' ({FEW})"


def test_reasons_are_of_tasks_below_the_limit_only():
    tasks = [Binary(name).fit(pd.DataFrame({name: [0, 1]})) for name in ("few", "enough")]
    targets = [np.repeat([0.0, 1.0], [50, count])[:, None] for count in (LEAST_UNLIKE - 1, LEAST_UNLIKE)]
    found = too_few_labels(tasks, targets, [np.ones_like(target) for target in targets])
    assert found == {"few": "only 9 positives among the held-out rows"}


@pytest.fixture(scope="module")
def compared():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(120, 2)), columns=list("ab"))
    y = pd.DataFrame({"price": X["a"] + rng.normal(size=120), "rare": (np.arange(120) % 40 == 0).astype(int)})
    weight = np.where(np.arange(120) < 60, 1.0, 2.0)
    joint = MultiTaskNetwork([Regression("price"), Binary("rare")], encoder=MLP(width=8), max_epochs=2, random_state=0)
    return compare(X, y, joint=joint, folds=3, repeats=2, sample_weight=weight, separate=["alone"]).to_dict()


def test_a_comparison_tells_it(compared):
    gain = compared["tasks"]["rare"]["gains"]["alone"]
    assert (gain["verdict"], gain["reason"]) == ("undecided", FEW)
    assert "reason" not in compared["tasks"]["price"]["gains"]["alone"]


@pytest.mark.parametrize("format", ["html", "md"])
def test_the_report_says_the_reason(compared, format):
    assert FEW in str(render(compared, format=format)).replace("\\", "")


def test_the_terminal_says_the_reason(compared):
    console = Console(width=160)
    with console.capture() as found:
        console.print(comparison_table(compared))
    assert f"Undecided whatever the interval says: 'rare' ({FEW})" in found.get().replace("\n", " ")


@pytest.mark.skipif(not BENCHMARK.exists(), reason="the benchmarks are not in this copy")
def test_two_positives_make_the_interval_lie_and_the_rule_keeps_silent():
    world = runpy.run_path(str(BENCHMARK))
    wrong, _, _, helped, harmed, too_few = world["rates"](world["levels"], 300, 2, 60)
    assert wrong > 0.1
    assert (helped, harmed, too_few) == (0, 0, 1)
