"""Kinds of separate models: what holds for all of them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from polytask import estimators
from polytask.estimators import PerTaskEstimator, load_estimator, save_estimator
from polytask.tasks import Regression
from tests.estimators._tables import TASKS, assert_same_outputs, houses

CANDIDATES = {
    "boosted_trees": {"n_estimators": 20},
    "boosted_trees_stopped": {"n_estimators": 60, "patience": 10},
    "decision_tree": {},
    "elastic_net": {},
    "extra_trees": {"n_estimators": 20},
    "gaussian_process": {},
    "kernel_svm": {},
    "linear_models": {},
    "linear_svm": {},
    "naive_bayes": {},
    "nearest_neighbours": {},
    "partial_least_squares": {},
    "random_forest": {"n_estimators": 20},
}


def made(name):
    return getattr(estimators, name)(**CANDIDATES[name])


def tasks_of(name):
    """All six tasks, or the tasks of classes only."""
    return [task for task in TASKS if "regressor" in made(name) or task.kind not in ("regression", "count")]


def labels_of(name, y):
    return y[[column for task in tasks_of(name) for column in task.columns]]


@pytest.fixture(scope="module", params=CANDIDATES)
def fitted(request):
    X, y = houses()
    y = labels_of(request.param, y)
    return request.param, PerTaskEstimator(made(request.param), tasks_of(request.param)).fit(X, y), X, y


def test_learns_missing_labels_of_every_kind_it_has(fitted):
    name, model, _, _ = fitted
    unseen, labels = houses(60, seed=1, missing=0.0)
    for task, outputs in zip(model.tasks_, model.outputs(unseen).values(), strict=True):
        assert np.isfinite(outputs).all()
        if task.kind in ("binary", "multiclass", "ordinal"):
            np.testing.assert_allclose(outputs.sum(axis=1), 1.0)
    assert model.score(unseen, labels_of(name, labels)) > 0.1  # half of the tasks are noise


def test_a_loaded_model_gives_the_same_outputs_to_the_bit(fitted, tmp_path):
    _, model, X, _ = fitted
    unseen, _ = houses(30, seed=1)
    save_estimator(model, tmp_path / "model")
    loaded = load_estimator(tmp_path / "model")
    assert_same_outputs(loaded.outputs(unseen), model.outputs(unseen))
    save_estimator(loaded, tmp_path / "again")
    assert_same_outputs(load_estimator(tmp_path / "again").outputs(X), model.outputs(X))


def test_a_loaded_model_can_be_fitted_again_with_the_same_numbers(fitted, tmp_path):
    _, model, X, y = fitted
    save_estimator(model, tmp_path / "model")
    assert_same_outputs(clone(load_estimator(tmp_path / "model")).fit(X, y).outputs(X), model.outputs(X))


def test_the_unit_of_weights_does_not_matter_and_weights_do(fitted):
    name, model, X, y = fitted
    weight = np.where(np.arange(len(X)) < 40, 1.0, 0.1)
    first = PerTaskEstimator(made(name), tasks_of(name)).fit(X, y, sample_weight=weight).outputs(X)
    second = PerTaskEstimator(made(name), tasks_of(name)).fit(X, y, sample_weight=weight * 4).outputs(X)
    plain = model.outputs(X)
    for task in plain:
        np.testing.assert_allclose(first[task], second[task], rtol=1e-6, atol=1e-9)
    assert any(not np.allclose(first[task], plain[task]) for task in plain)


def test_rows_without_weight_are_not_learned_from(fitted):
    name, _, X, y = fitted
    weight = np.where(np.arange(len(X)) % 4 == 0, 0.0, 1.0)
    kept = weight > 0
    weighed = PerTaskEstimator(made(name), tasks_of(name)).fit(X, y, sample_weight=weight)
    wrong = y.copy()
    shuffled = wrong[~kept].iloc[::-1]
    wrong.loc[~kept] = shuffled.to_numpy()
    again = PerTaskEstimator(made(name), tasks_of(name)).fit(X, wrong.astype(y.dtypes), sample_weight=weight)
    assert_same_outputs(weighed.outputs(X), again.outputs(X))


@pytest.mark.parametrize("name", CANDIDATES)
def test_few_rows_rare_classes_and_one_constant_column_are_enough(name):
    n = 12
    X = pd.DataFrame({"a": np.arange(n), "b": 1.0, "c": [None] * 6 + list(range(6))})
    y = pd.DataFrame({"grade": np.arange(n) / 2.0, "kind": ["x"] * 7 + ["y"] * 4 + ["z"]})
    tasks = None if "regressor" in made(name) else ["kind"]
    outputs = PerTaskEstimator(made(name), tasks).fit(X, y if tasks is None else y[["kind"]]).outputs(X)
    assert all(np.isfinite(own).all() for own in outputs.values())
    assert outputs["kind"].shape == (n, 3)


@pytest.mark.parametrize("name", [name for name in CANDIDATES if name not in ("naive_bayes", "boosted_trees")])
def test_what_is_only_known_of_seen_groups_is_not_believed(name):
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(30), 8)
    mark, level = rng.normal(size=(30, 6)), rng.normal(size=30)  # each group has its marks and a level of its own
    X = pd.DataFrame(mark[group] + 0.01 * rng.normal(size=(240, 6)))
    X.columns = [f"m{k}" for k in range(6)]
    y = pd.DataFrame({"level": level[group] + 0.1 * rng.normal(size=240)})
    unseen = pd.DataFrame(rng.normal(size=(300, 6)), columns=X.columns)

    def spread(groups):
        model = PerTaskEstimator(made(name), [Regression("level")]).fit(X, y, groups=groups)
        return model.outputs(unseen)["level"].std()

    assert spread(group) < 0.7 * spread(None) + 1e-9
