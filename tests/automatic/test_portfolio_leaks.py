"""A label of another task of the same row, planted as a task, raises no score of the models that learn tasks together."""

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from polytask.automatic._candidate import Candidate
from polytask.automatic._portfolio import fit_portfolio
from polytask.automatic._presets import candidates_of
from polytask.estimators import (
    MultiTaskBoosting,
    MultiTaskCatBoost,
    MultiTaskForest,
    MultiTaskNetwork,
    StackedAcrossTasks,
    boosted_trees,
    linear_models,
)
from tests.estimators.test_ensemble_leaks import changed, coded

N = 160
STACK = StackedAcrossTasks(
    linear_models(), final_estimator=boosted_trees(n_estimators=30, random_state=0), passthrough=True, folds=3
)
MODELS = {
    "stacked across tasks": STACK,
    "forest of all tasks": MultiTaskForest(n_estimators=25, random_state=0),
    "boosting of all tasks": MultiTaskBoosting(n_estimators=40, random_state=0),
}
if find_spec("catboost") is not None:
    MODELS["CatBoost of all tasks"] = MultiTaskCatBoost(n_estimators=40, random_state=0)
CANDIDATES = [Candidate(name, model, together=True) for name, model in MODELS.items()]


@pytest.fixture(scope="module")
def planted():
    """Noise that no input tells of, and two tasks that are that noise again: each gives the others of its row away."""
    rng = np.random.default_rng(3)
    X = pd.DataFrame(rng.normal(size=(N, 4)), columns=list("abcd"))
    noise = rng.normal(size=N)
    y = pd.DataFrame({"noise": noise, "same": 2 * noise + 1, "sign": np.where(noise > 0, "yes", "no")})
    return X, y.mask(rng.random(y.shape) < 0.1)


def splits():
    fold = np.arange(N) % 4
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(4)]


def test_these_are_the_models_of_the_best_preset_that_learn_together():
    every = candidates_of("best", MultiTaskNetwork(), n_folds=4, n_rows=N, n_tasks=3, seed=0)
    together = {own.name: type(own.model) for own in every if own.together and not isinstance(own.model, MultiTaskNetwork)}
    assert together == {name: type(model) for name, model in MODELS.items()}


def test_no_out_of_fold_score_rises(planted):
    found = fit_portfolio(coded(*planted), CANDIDATES, splits(), seed=0)
    for own in found.ensembles.values():
        assert set(own.skills) == set(MODELS)
        assert max(own.skills.values()) < 0.05
        assert own.skill < 0.05


def test_the_planted_leak_would_be_seen_by_every_one(planted):
    X, y = planted
    found = fit_portfolio(coded(X.assign(noise=y["noise"]), y), CANDIDATES, splits(), seed=0)
    assert min(found.ensembles["same"].skills.values()) > 0.5


def test_held_out_outputs_of_a_row_do_not_change_with_its_labels(planted):
    X, y = planted
    before, after = (fit_portfolio(coded(X, labels), CANDIDATES, splits(), seed=0).bagged for labels in (y, changed(y, 17)))
    for name, own in before.items():
        for task, values in own.held_out.items():
            np.testing.assert_array_equal(values[17], after[name].held_out[task][17], err_msg=f"{name}, {task}")
