"""CatBoost on all targets: its trees as arrays, kinds, missing labels, weights, a round per task, the model folder."""

import sys

import numpy as np
import pandas as pd
import pytest

from polytask._optional import MissingExtraError
from polytask.estimators import MultiTaskCatBoost
from polytask.estimators._catboost_trees import joint_trees_of
from polytask.estimators._joint_trees import leaves_of
from polytask.estimators._multi_task_catboost import weight_copies
from polytask.exceptions import OptionError
from polytask.tasks import Binary, Regression
from tests.estimators import _joint_laws as laws
from tests.estimators._tables import TASKS, houses


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


def test_every_kind_is_learned(fitted):
    laws.assert_every_kind_is_learned(fitted[0])


def test_a_label_of_weight_0_is_not_read():
    laws.assert_labels_of_weight_0_are_not_read(boosting, n_estimators=10)


def test_rows_without_labels_change_nothing():
    laws.assert_rows_without_labels_change_nothing(boosting, n_estimators=10)


def test_weights_count_but_not_their_unit():
    laws.assert_weights_count_but_not_their_unit(boosting)


def test_the_order_of_the_tasks_does_not_matter():
    laws.assert_order_of_tasks_does_not_matter(boosting, n_estimators=12)


def test_labels_all_alike_are_predicted_so():
    laws.assert_labels_all_alike_are_predicted_so(boosting, n_estimators=15)


def test_a_task_with_few_labels_learns_from_one_with_many():
    laws.assert_few_labels_learn_from_many(boosting, Binary("few"), gain=0.05)


def test_each_task_ends_at_its_own_round():
    laws.assert_each_task_ends_at_its_own_round(boosting)


def test_groups_are_kept_whole():
    laws.assert_groups_are_kept_whole(boosting, n_groups=80, size=40, n_estimators=25, max_features=1.0)


def test_a_declared_loss_shifts():
    laws.assert_a_declared_loss_shifts(boosting, n_estimators=25)


def test_large_categories_are_learned(tmp_path):
    laws.assert_large_categories_are_learned(boosting, tmp_path / "model", n_estimators=10)


def test_it_is_a_part_of_an_ensemble(tmp_path):
    laws.assert_is_a_part_of_an_ensemble(boosting, tmp_path / "stack", n_estimators=10)


def test_a_time_limit_ends_it():
    laws.assert_a_time_limit_ends_it(boosting)


def test_a_folder_gives_the_same_model_and_is_read_without_catboost(fitted, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "catboost", None)
    laws.assert_a_folder_gives_the_same(*fitted[:2], tmp_path / "model")
    assert not list(tmp_path.rglob("*.txt"))


def test_rows_without_a_label_count_where_catboost_chooses_a_split_but_not_in_leaves():
    """Column 0 explains the labels best, but labels that are missing all lie on one side of column 1."""
    b = np.repeat([-1.0, 1.0], 20)
    labelled = np.stack([b, b * np.where(np.arange(40) % 20 < 1, -1, 1)], axis=1)
    more = np.stack([np.where(np.arange(400) % 2, 1.0, -1.0), np.ones(400)], axis=1)
    X, own = np.concatenate([labelled, more]), np.concatenate([b, np.full(400, np.nan)])
    Y = np.stack([np.resize([-1e-3, -1e-3, 1e-3, 1e-3], 440), own], axis=1)
    settings = {"iterations": 1, "depth": 1, "learning_rate": 1, "random_strength": 0, "bootstrap_type": "No", "verbose": False}
    settings |= {"loss_function": "MultiRMSEWithMissingValues", "l2_leaf_reg": 3, "allow_writing_files": False}
    few, many = (catboost.CatBoostRegressor(**settings).fit(X[:n], Y[:n]) for n in (40, 440))
    assert [int(np.argmax(model.get_feature_importance())) for model in (few, many)] == [0, 1]
    np.testing.assert_allclose(many.predict([[1, 1]])[0, 1], (19 - 1) / (20 + 3))  # 20 labels, and l2


def test_of_inputs_all_alike_the_mean_is_learned():
    y = np.arange(60.0)
    model = boosting([Regression("y")]).fit(np.zeros((60, 2)), y)
    np.testing.assert_allclose(np.ravel(model.predict(np.zeros((3, 2)))), y.mean(), rtol=1e-5)


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


def test_labels_missing_at_the_ends_do_not_look_all_alike():
    """The check of CatBoost itself takes a missing first label for the least and the greatest."""
    rng = np.random.default_rng(0)
    for seed in range(6):
        X = rng.normal(size=(30, 2))
        y = pd.DataFrame(rng.normal(size=(30, 3)), columns=list("abc")).mask(rng.random((30, 3)) < 0.6)
        model = boosting(None, n_estimators=3, random_state=seed).fit(X, y)
        assert np.isfinite(model.predict(X).to_numpy()).all()


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
