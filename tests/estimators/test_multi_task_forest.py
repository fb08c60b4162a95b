"""The forest of all tasks: kinds, missing labels, calibration, groups and times, the model folder."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.metrics import r2_score

from polytask.data import TableArrays
from polytask.data.splits import TimeOrder
from polytask.estimators import (
    MultiTaskForest,
    PerTaskEstimator,
    StackingEstimator,
    extra_trees,
    load_estimator,
    save_estimator,
)
from polytask.exceptions import DataError, ModelFolderError, OptionError
from polytask.tasks import Binary, Regression
from tests.estimators._tables import TASKS, assert_same_outputs, houses


def forest(tasks=TASKS, **settings):
    return MultiTaskForest(tasks, **{"n_estimators": 12, "random_state": 0} | settings)


@pytest.fixture(scope="module")
def fitted():
    X, y = houses(120)
    return forest().fit(X, y), X, y


def test_every_kind_is_learned_and_probabilities_sum_to_one(fitted):
    model, _, y = fitted
    new, truth = houses(200, seed=5, missing=0.0)
    assert list(model.predict(new).columns) == list(y.columns)
    for task, probabilities in model.predict_proba(new).items():
        if task != "tags":
            np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        assert ((probabilities >= 0) & (probabilities <= 1)).all(axis=None)
    assert r2_score(truth["price"], model.predict(new)["price"]) > 0.7
    assert (model.predict(new)["sold"] == truth["sold"]).mean() > 0.8
    assert model.learns_together


def test_changing_a_label_of_weight_0_changes_nothing():
    X, y = houses(80)
    weight = np.ones((80, len(TASKS)))
    weight[::3, 0] = weight[1::3, 1] = weight[::4, 2] = 0
    other = y.copy()
    other.loc[weight[:, 0] == 0, "price"] = 1e6
    other.loc[weight[:, 1] == 0, "sold"] = other["sold"].map({"yes": "no", "no": "yes"})
    other.loc[weight[:, 2] == 0, "style"] = "villa"
    one, two = (forest().fit(X, labels, sample_weight=weight) for labels in (y, other))
    assert_same_outputs(one.outputs(X), two.outputs(X))


def test_a_folder_gives_the_same_forest_as_part_of_an_ensemble_too(fitted, tmp_path):
    model, X, y = fitted
    save_estimator(model, tmp_path / "forest")
    loaded = load_estimator(tmp_path / "forest")
    assert_same_outputs(loaded.outputs(X), model.outputs(X))
    assert loaded.get_params() | {"tasks": None} == model.get_params() | {"tasks": None}
    stack = StackingEstimator({"forest": forest(None)}, TASKS[:2], folds=2, random_state=0).fit(X, y)
    save_estimator(stack, tmp_path / "stack")
    assert_same_outputs(load_estimator(tmp_path / "stack").outputs(X), stack.outputs(X))


@pytest.mark.parametrize(("name", "change", "told"), [
    ("values", lambda own: own[:, 1:], "not complete"),
    ("values", lambda own: own[1:], "damaged"),
    ("feature", lambda own: own + 1000, "damaged"),
])  # fmt: skip
def test_a_forest_that_would_read_out_of_bounds_is_refused(tmp_path, name, change, told):
    model = forest(n_estimators=2).fit(*houses(60))
    model.model_.trees[name] = change(model.model_.trees[name])
    save_estimator(model, tmp_path / "forest")
    with pytest.raises(ModelFolderError, match=told):
        load_estimator(tmp_path / "forest")


def test_another_number_of_columns_is_refused(fitted):
    model = fitted[0].model_
    with pytest.raises(DataError, match="columns"):
        model.outputs(TableArrays(np.zeros((2, 9)), np.zeros((2, 1), dtype=np.int64), []))


def test_one_task_is_learned_as_well_as_by_extra_trees():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 5))
    y = X[:, 0] * X[:, 1] + X[:, 2] + 0.2 * rng.normal(size=600)
    own = MultiTaskForest([Regression("y")], n_estimators=60, random_state=0).fit(X[:300], y[:300])
    peer = ExtraTreesRegressor(60, bootstrap=True, random_state=0).fit(X[:300], y[:300])
    assert r2_score(y[300:], own.predict(X[300:])) > r2_score(y[300:], peer.predict(X[300:])) - 0.03


def test_a_task_with_few_labels_learns_from_one_with_many():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(700, 12))
    signal = np.sign(X[:, 0]) + np.sign(X[:, 1])
    y = pd.DataFrame({"many": signal + 0.1 * rng.normal(size=700), "few": -signal + 0.1 * rng.normal(size=700)})
    train = y[:400].copy()
    train.loc[25:, "few"] = np.nan
    together = forest([Regression("many"), Regression("few")], n_estimators=40).fit(X[:400], train)
    alone = PerTaskEstimator(extra_trees(n_estimators=40), [Regression("few")]).fit(X[:400], train[["few"]])
    skill = r2_score(y["few"][400:], together.predict(X[400:])["few"])
    assert skill > 0.65
    assert skill > r2_score(y["few"][400:], alone.predict(X[400:])["few"]) + 0.1


def test_noise_is_drawn_to_the_mean():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 4)), rng.normal(size=300)
    model = MultiTaskForest(n_estimators=30, random_state=0).fit(X[:150], y[:150])
    assert np.std(model.predict(X[150:])) < 0.15


def test_groups_are_drawn_whole_so_that_a_forest_does_not_believe_what_holds_within_them():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 10)
    X = rng.normal(size=(20, 4))[groups] + 0.01 * rng.normal(size=(200, 4))
    y = rng.normal(size=20)[groups]
    minding, ignoring = (MultiTaskForest(n_estimators=30, random_state=0).fit(X, y, groups=own) for own in (groups, None))
    new = rng.normal(size=(100, 4))
    assert np.std(minding.predict(new)) < 0.5 * np.std(ignoring.predict(new))


def test_with_times_the_latest_rows_calibrate():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = np.where(np.arange(200) < 150, X[:, 0], rng.normal(size=200))  # what was true is no longer
    settings = {"n_estimators": 20, "random_state": 0}
    minding = MultiTaskForest(**settings).fit(X, y, times=TimeOrder(np.arange(200)))
    ignoring = MultiTaskForest(**settings).fit(X, y)
    assert np.std(minding.predict(X[:50])) < 0.5 * np.std(ignoring.predict(X[:50]))


def test_a_declared_loss_shifts_and_a_constant_label_stays():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = pd.DataFrame({"wait": X[:, 0] + rng.exponential(size=300)})
    model = forest([Regression("wait", loss="quantile:0.9")], n_estimators=40).fit(X[:200], y[:200])
    assert 0.8 < (y["wait"][200:] <= model.predict(X[200:])["wait"].to_numpy()).mean() < 0.97
    labels, weight = y.assign(a=3.0, b="no"), np.ones((300, 3))
    labels.loc[0, ["a", "b"]], weight[0, 1:] = [7.0, "yes"], 0
    same = forest([Regression("wait"), Regression("a"), Binary("b")]).fit(X, labels, sample_weight=weight)
    np.testing.assert_allclose(same.predict(X)["a"], 3.0)
    assert (same.predict(X)["b"] == "no").all()


def test_large_categories_become_means_of_all_tasks(tmp_path):
    rng = np.random.default_rng(0)
    effect = rng.normal(size=80)
    codes = rng.integers(80, size=900)
    X = pd.DataFrame({"shop": [f"shop {k}" for k in codes], "x": rng.normal(size=900)})
    y = pd.DataFrame({"a": effect[codes] + 0.1 * rng.normal(size=900), "b": np.where(effect[codes] > 0, "up", "down")})
    model = MultiTaskForest(n_estimators=15, random_state=0).fit(X[:600], y[:600])
    assert r2_score(y["a"][600:], model.predict(X[600:])["a"]) > 0.6
    save_estimator(model, tmp_path / "forest")
    assert_same_outputs(load_estimator(tmp_path / "forest").outputs(X), model.outputs(X))


@pytest.mark.parametrize(
    ("name", "value"), [("n_estimators", 0), ("min_samples_leaf", 0.5), ("max_depth", 0), ("max_features", 2)]
)
def test_settings_are_checked(name, value):
    with pytest.raises(OptionError, match=name):
        MultiTaskForest(**{name: value}).fit(np.zeros((5, 1)), np.arange(5.0))
