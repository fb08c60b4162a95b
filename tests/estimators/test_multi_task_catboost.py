"""CatBoost on all targets: its trees as arrays, kinds, missing labels, weights, a round per task, the model folder."""

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score

from polytask._optional import MissingExtraError
from polytask.estimators import MultiTaskCatBoost, PerTaskEstimator, boosted_trees_stopped, load_estimator, save_estimator
from polytask.estimators._catboost_trees import joint_trees_of
from polytask.estimators._joint_trees import leaves_of
from polytask.estimators._multi_task_catboost import weight_copies
from polytask.exceptions import OptionError
from polytask.tasks import Binary, Count, Multiclass, Regression
from tests.estimators._tables import TASKS, assert_same_outputs, houses


def test_without_catboost_the_line_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "catboost", None)
    with pytest.raises(MissingExtraError, match=r'pip install "polytask\[boost\]"'):
        MultiTaskCatBoost().fit(np.zeros((5, 1)), np.arange(5.0))


def test_rows_are_given_once_for_each_weight_of_their_labels():
    weight = np.array([[1.0, 1.0, 0.0], [0.5, 2.0, 0.5], [0.0, 0.0, 0.0], [3.0, 1.0, 2.0]])
    rows, own, is_part = weight_copies(weight)
    total = np.zeros(weight.shape)
    np.add.at(total, rows, own[:, None] * is_part)
    np.testing.assert_array_equal(total, weight)
    assert len(rows) == 1 + 2 + 3


catboost = pytest.importorskip("catboost")


def boosting(tasks=TASKS, **settings):
    quick = {"n_estimators": 60, "learning_rate": 0.2, "max_depth": 4, "patience": 8, "random_state": 0}
    return MultiTaskCatBoost(tasks, **quick | settings)


@pytest.fixture(scope="module")
def fitted():
    X, y = houses(150)
    return boosting().fit(X, y), X, y


def test_every_kind_is_learned_and_probabilities_sum_to_one(fitted):
    model, _, y = fitted
    new, truth = houses(200, seed=5, missing=0.0)
    assert list(model.predict(new).columns) == list(y.columns)
    for task, probabilities in model.predict_proba(new).items():
        if task != "tags":
            np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert r2_score(truth["price"], model.predict(new)["price"]) > 0.85
    assert (model.predict(new)["sold"] == truth["sold"]).mean() > 0.85
    assert (model.outputs(new)["visits"] > 0).all()


@pytest.mark.parametrize("n_trees", [1, 30])
def test_its_trees_are_those_of_catboost(n_trees):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4)).astype(np.float32)
    X[rng.random(X.shape) < 0.2] = np.nan
    Y = np.stack([np.nan_to_num(X[:, 0]), np.isnan(X[:, 1]) * 2.0, rng.normal(size=200) + 5], axis=1)
    settings = {"loss_function": "MultiRMSE", "iterations": n_trees, "depth": 3, "verbose": False, "allow_writing_files": False}
    model = catboost.CatBoostRegressor(**settings).fit(X, Y)
    new = np.concatenate([X, rng.normal(size=(50, 4)).astype(np.float32), np.full((1, 4), np.nan, dtype=np.float32)])
    trees = joint_trees_of(model, width=3)
    found = sum(tree.values[leaves_of(tree, np.ascontiguousarray(new.T), np.arange(len(new)))].astype(float) for tree in trees)
    np.testing.assert_allclose(found, model.predict(new), rtol=1e-5, atol=1e-5)


def test_a_single_number_is_learned_as_catboost_learns_it():
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(150, 3)).astype(np.float32), rng.uniform(0.5, 2, 150)
    y = pd.DataFrame({"y": X[:, 0] * X[:, 1] + 0.1 * rng.normal(size=150)})
    model = boosting([Regression("y")]).fit(X, y, sample_weight=weight)
    mean = np.average(y["y"], weights=weight)
    deviation = np.sqrt(np.average((y["y"] - mean) ** 2, weights=weight))
    settings = {"learning_rate": 0.2, "depth": 4, "l2_leaf_reg": 3, "random_seed": 0, "verbose": False}
    settings |= {"iterations": int(model.n_rounds_["y"]), "bootstrap_type": "Bayesian", "boosting_type": "Plain"}
    peer = catboost.CatBoostRegressor(allow_writing_files=False, **settings)
    peer.fit(X, (y["y"] - mean) / deviation, sample_weight=weight / weight.mean())
    together = np.corrcoef(model.outputs(X)["y"], peer.predict(X))[0, 1]
    assert together > 0.97  # seeds differ, nothing else


def test_changing_a_label_of_weight_0_changes_nothing():
    X, y = houses(80)
    weight = np.ones((80, len(TASKS)))
    weight[::3, 0] = weight[1::3, 1] = 0
    other = y.copy()
    other.loc[weight[:, 0] == 0, "price"] = 1e6
    other.loc[weight[:, 1] == 0, "sold"] = other["sold"].map({"yes": "no", "no": "yes"})
    one, two = (boosting(n_estimators=10).fit(X, labels, sample_weight=weight) for labels in (y, other))
    assert_same_outputs(one.outputs(X), two.outputs(X))


def test_a_row_without_labels_changes_nothing():
    X, y = houses(80, missing=0.3)
    empty = y.copy()
    empty.iloc[60:] = None
    one = boosting(n_estimators=10).fit(X, empty)
    two = boosting(n_estimators=10).fit(X.iloc[:60], y.iloc[:60])
    for task in TASKS:
        np.testing.assert_allclose(one.outputs(X)[task.name], two.outputs(X)[task.name], rtol=1e-4, atol=1e-5)


def test_the_unit_of_the_weights_does_not_matter_but_they_do():
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(300, 2)), np.where(np.arange(300) % 2, 1.0, 20.0)
    y = pd.DataFrame({"y": np.where(np.arange(300) % 2, -X[:, 0], X[:, 0]), "z": X[:, 1]})
    apart = np.stack([weight, np.ones(300)], axis=1)
    for own in (weight, apart):
        found = [boosting(None).fit(X, y, sample_weight=unit * own).predict(X)["y"] for unit in (1, 1000)]
        np.testing.assert_allclose(found[0], found[1], rtol=1e-3, atol=1e-3)
        assert np.corrcoef(found[0], X[:, 0])[0, 1] > 0.8


def test_the_order_of_the_tasks_does_not_matter():
    X, y = houses(120)
    one, two = (boosting(tasks, n_estimators=12).fit(X, y) for tasks in (TASKS, TASKS[::-1]))
    for task in TASKS:
        np.testing.assert_allclose(one.outputs(X)[task.name], two.outputs(X)[task.name], rtol=1e-3, atol=1e-4)


def test_labels_all_alike_classes_that_are_gone_and_inputs_all_alike():
    X, y = houses(60, missing=0.0)
    tasks = [Regression("price"), Count("visits"), Binary("sold"), Multiclass("style")]
    weight = np.ones((60, 4))
    weight[y["sold"] == "yes", 2] = weight[y["style"] == "villa", 3] = 0
    y["visits"] = 0
    y.iloc[0, y.columns.get_loc("visits")], weight[0, 1] = 5, 0
    outputs = boosting(tasks, n_estimators=15).fit(X, y, sample_weight=weight).outputs(X)
    assert np.ptp(outputs["visits"]) == 0
    assert np.ptp(outputs["sold"][:, 1]) == 0
    assert outputs["sold"][0, 1] < 0.02
    assert outputs["style"][:, 2].max() < 0.03
    assert np.ptp(outputs["price"]) > 1
    alike = boosting(tasks[:1]).fit(np.zeros((60, 2)), y[["price"]])
    np.testing.assert_allclose(alike.predict(np.zeros((3, 2)))["price"], y["price"].mean(), rtol=1e-5)


def test_labels_missing_at_the_ends_do_not_look_all_alike():
    """The check of CatBoost itself takes a missing first label for the least and the greatest."""
    rng = np.random.default_rng(0)
    for seed in range(12):
        X = rng.normal(size=(30, 2))
        y = pd.DataFrame(rng.normal(size=(30, 3)), columns=list("abc")).mask(rng.random((30, 3)) < 0.6)
        model = boosting(None, n_estimators=3, random_state=seed).fit(X, y)
        assert np.isfinite(model.predict(X).to_numpy()).all()


def test_a_task_with_few_labels_learns_from_one_with_many():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(700, 12))
    signal = np.sign(X[:, 0]) + np.sign(X[:, 1])
    y = pd.DataFrame({"many": signal + 0.1 * rng.normal(size=700), "few": np.where(signal > 0, "up", "down")})
    train = y[:400].copy()
    train.loc[15:, "few"] = None
    tasks = [Regression("many"), Binary("few")]
    together = boosting(tasks).fit(X[:400], train)
    alone = PerTaskEstimator(boosted_trees_stopped(), tasks[1:]).fit(X[:400], train[["few"]])
    right = [(model.predict(X[400:])["few"] == y["few"][400:].to_numpy()).mean() for model in (together, alone)]
    assert right[0] > 0.7
    assert right[0] > right[1] + 0.05


def test_each_task_ends_at_its_own_round():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = pd.DataFrame({"noise": rng.normal(size=300), "signal": X[:, 0] * X[:, 1]})
    model = boosting(None).fit(X, y)
    assert model.n_rounds_["noise"] < 0.4 * model.n_rounds_["signal"]
    assert np.std(model.predict(rng.normal(size=(100, 4)))["noise"]) < 0.25


def test_a_folder_gives_the_same_model_and_is_read_without_catboost(fitted, tmp_path, monkeypatch):
    model, X, _ = fitted
    save_estimator(model, tmp_path / "model")
    monkeypatch.setitem(sys.modules, "catboost", None)
    loaded = load_estimator(tmp_path / "model")
    assert_same_outputs(loaded.outputs(X), model.outputs(X))
    assert loaded.n_rounds_ == model.n_rounds_
    files = {path.suffix for path in (tmp_path / "model").rglob("*") if path.is_file()}
    assert files == {".json", ".safetensors"}


def test_a_time_limit_ends_it():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = pd.DataFrame({"a": X[:, 0] * X[:, 1], "b": X[:, 0] * X[:, 2]})
    model = boosting(None, n_estimators=20_000, patience=20_000, learning_rate=0.001, time_limit=0.4).fit(X, y)
    assert max(model.n_rounds_.values()) < 10_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("patience", 0),
        ("max_depth", 17),
        ("max_features", 1.5),
        ("max_bins", 1),
        ("learning_rate", 0),
        ("l2", -1),
        ("time_limit", 0),
    ],
)
def test_settings_are_checked(name, value):
    with pytest.raises(OptionError, match=name):
        MultiTaskCatBoost(**{name: value}).fit(np.zeros((5, 1)), np.arange(5.0))


def test_nothing_is_written_beside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    boosting(None, n_estimators=3).fit(rng.normal(size=(30, 2)), rng.normal(size=(30, 2)))
    assert not list(tmp_path.iterdir())
