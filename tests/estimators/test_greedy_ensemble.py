"""Greedy ensembles: weights per task, and the score that chose nothing."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from polytask.estimators import GreedyEnsemble, PerTaskEstimator, held_out_skill, mix_task
from polytask.tasks import Regression


@pytest.fixture
def two_tasks(rng):
    X = pd.DataFrame(rng.normal(size=(150, 3)), columns=list("abc"))
    y = pd.DataFrame({"line": X["a"] + 0.3 * rng.normal(size=150), "step": (X["b"] > 0) * 2.0 + 0.3 * rng.normal(size=150)})
    return X, y.mask(rng.random(y.shape) < 0.15)


def test_every_task_weighs_in_its_own_way(two_tasks):
    parts = {"mean": DummyRegressor(), "ridge": Ridge(), "tree": DecisionTreeRegressor(max_depth=2, random_state=0)}
    model = GreedyEnsemble(parts, random_state=0).fit(*two_tasks)
    assert model.weights_["line"]["ridge"] > 0.7
    assert model.weights_["step"]["tree"] > 0.7
    assert all(sum(own.values()) == pytest.approx(1) for own in model.weights_.values())
    for task, skill in model.skill_.items():
        assert skill > max(own[task] for own in model.skills_.values()) - 0.03


def test_the_kept_skill_is_that_of_the_kept_outputs(two_tasks):
    X, y = two_tasks
    model = GreedyEnsemble({"mean": DummyRegressor(), "ridge": Ridge()}, random_state=0).fit(X, y)
    for task in model.tasks_:
        found = held_out_skill(task, model.held_out_[task.name], task.encode(y), np.ones(len(y)))
        assert model.skill_[task.name] == found


def test_many_models_of_noise_do_not_lift_the_kept_skill(rng):
    X, y = rng.normal(size=(100, 3)), rng.normal(size=100)
    parts = {f"tree {k}": DecisionTreeRegressor(max_features=1, max_depth=2, random_state=k) for k in range(25)}
    model = GreedyEnsemble(parts, random_state=0).fit(X, y)
    assert model.skill_["y0"] < 0.03
    fold = np.arange(100) % 5
    outputs = [rng.normal(0, 0.3, size=100) for _ in range(60)]  # chosen on the rows that score, the best of 60 look good
    task = Regression("y0").fit(pd.DataFrame({"y0": y})).with_statistics(y[:, None], np.ones((100, 1)))
    shares, mixed = mix_task(task, outputs, y[:, None], np.ones(100), fold)
    chosen = sum(share * own for share, own in zip(shares, outputs, strict=True))
    assert held_out_skill(task, chosen, y[:, None], np.ones(100)) > held_out_skill(task, mixed, y[:, None], np.ones(100)) + 0.02


def test_without_refit_the_models_of_the_folds_are_averaged(two_tasks):
    X, y = (table[two_tasks[1].notna().any(axis=1)] for table in two_tasks)  # rows without any label are left out
    kept = GreedyEnsemble({"ridge": Ridge()}, folds=3, refit=False, random_state=0).fit(X, y)
    refitted = GreedyEnsemble({"ridge": Ridge()}, folds=3, random_state=0).fit(X, y)
    assert len(kept.model_.models[0].models) == 3
    pd.testing.assert_frame_equal(refitted.predict(X), PerTaskEstimator(Ridge()).fit(X, y).predict(X))
    assert not kept.predict(X).equals(refitted.predict(X))


def test_models_without_weight_are_not_kept(two_tasks):
    model = GreedyEnsemble({"mean": DummyRegressor(), "ridge": Ridge()}, ["line"], random_state=0).fit(*two_tasks)
    assert model.weights_ == {"line": {"ridge": 1.0}}
    assert len(model.model_.models) == 1


def test_a_task_without_scores_does_not_stop_the_others(two_tasks):
    X, y = two_tasks
    y = y.assign(step=np.where(np.arange(len(y)) < 2, [1.0, 2.0] * 75, np.nan))
    tasks = [Regression("line"), Regression("step")]
    model = GreedyEnsemble({"mean": DummyRegressor(), "ridge": Ridge()}, tasks, folds=3, random_state=0).fit(X, y)
    assert np.isfinite(model.predict(X)["step"]).all()
    assert model.skill_["line"] > 0.5
