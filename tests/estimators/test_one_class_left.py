"""Validation rows that hold one class only say nothing: no skill, no vote on the epoch."""

import warnings

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from polytask import MultiTaskPredictor
from polytask.estimators import BestPerTask, MultiTaskNetwork, held_out_skill
from polytask.exceptions import DataError, PolytaskWarning
from polytask.networks import MLP
from polytask.reporting import fit_table
from polytask.tasks import Binary, Regression

N, HELD = 200, 50
RESERVED = np.arange(N) >= N - HELD
RARE = Binary("rare")


@pytest.fixture(scope="module")
def tables():
    """A rare class that no held-out row has; a price beside it."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=N), "b": rng.normal(size=N)})
    y = pd.DataFrame({"rare": np.zeros(N, dtype=int), "price": X["a"] + rng.normal(size=N)})
    y.loc[:1, "rare"] = 1
    return X, y


def network(tasks, **settings):
    return MultiTaskNetwork(tasks, encoder=MLP(width=8), random_state=0, **{"max_epochs": 12, **settings})


def test_a_task_of_one_class_does_not_choose_the_epoch(tables):
    X, y = tables
    both = network([RARE, Regression("price")]).fit(X, y, reserved=RESERVED)
    skills = both.network_.curves["skill"]
    assert np.isnan(skills[:, 0]).all()
    assert both.network_.best_epoch == 1 + np.argmax(skills[:, 1])
    assert both.optimistic_skill_ == pytest.approx(skills[:, 1].max())


def test_if_all_tasks_are_so_there_is_nothing_to_stop_by_which_is_told(tables):
    X, y = tables
    with pytest.warns(PolytaskWarning, match="task 'rare' in the 50 validation rows are all alike, so no validation skill"):
        alone = network([RARE], patience=2).fit(X, y[["rare"]], reserved=RESERVED)
    assert np.isnan(alone.optimistic_skill_)
    assert (alone.network_.best_epoch, len(alone.network_.curves["skill"])) == (12, 12)


def test_one_positive_is_enough_for_a_skill(tables):
    X, y = tables
    reserved = RESERVED | (np.arange(N) == 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alone = network([RARE]).fit(X, y[["rare"]], reserved=reserved)
    assert alone.optimistic_skill_ < 0.3


def test_twins_in_a_stack_do_so_too(tables):
    X, y = tables
    model = network([RARE, Regression("price")], patience=2, max_epochs=30)
    alone = BestPerTask({"network": model}, tasks=model.tasks, selection=0.3, random_state=0).fit(X, y)
    assert np.isfinite(alone.outputs(X)["rare"]).all()


def test_held_out_skill_is_undefined(tables):
    y = tables[1]
    task = RARE.fit(y)
    target = task.encode(y)
    task = task.with_statistics(target, np.ones_like(target))
    sure = np.tile([1.0, 1e-9], (N, 1))  # the smaller the probability, the better it would look
    assert np.isnan(held_out_skill(task, sure[RESERVED], target[RESERVED], np.ones(HELD)))
    assert held_out_skill(task, sure, target, np.ones(N)) < 0
    weight = np.where(np.arange(N) < 2, 0.0, 1.0)  # the positives count nothing
    assert np.isnan(held_out_skill(task, sure, target, weight))


def test_a_score_of_one_class_is_refused(tables):
    X, y = tables
    model = network([RARE], validation=None).fit(X, y[["rare"]])
    with pytest.raises(DataError, match="observed labels of every task in y are all alike"):
        model.score(X[5:], y[["rare"]][5:])


def test_nothing_chooses_among_separate_models_then_but_their_order(tables):
    X, y = tables
    candidates = {"linear": {"classifier": LogisticRegression()}, "sure": {"classifier": DummyClassifier(strategy="prior")}}
    times = np.arange(N)
    model = BestPerTask(candidates, tasks=[RARE]).fit(X, y[["rare"]], times=times)
    assert model.chosen_ == {"rare": "linear"}


def test_the_report_of_a_fit_says_undefined(tables):
    X, y = tables
    frame = pd.concat([X, y], axis=1).assign(part=np.where(RESERVED, "validation", "train"))
    frame.loc[N - HELD : N - HELD + 9, "part"] = "test"
    found = MultiTaskPredictor(["rare:binary", "price"], split="part", max_steps=10).fit(frame)
    for told in (found.report_["tasks"]["rare"]["validation"], found.report_["test"]["tasks"]["rare"]):
        assert told["skill"] is None
    assert "skill: all observed labels are alike" in found.report_["tasks"]["rare"]["undefined"]
    assert found.report_["test"]["tasks"]["rare"]["undefined"]["skill"] == "all observed labels are alike"
    assert found.report_["mean_skill"] == pytest.approx(found.report_["tasks"]["price"]["validation"]["skill"])
    console = Console(width=120)
    with console.capture() as shown:
        console.print(fit_table(found.report_))
    for rows in ("validation", "test"):
        assert f"-: undefined; the {rows} labels of 'rare' are all alike." in shown.get()
