"""The forest of all tasks: kinds, missing labels, calibration, groups and times, the model folder."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor

from polytask.data import TableArrays
from polytask.data.splits import TimeOrder
from polytask.estimators import MultiTaskForest, extra_trees, load_estimator, save_estimator
from polytask.exceptions import DataError, ModelFolderError, OptionError
from polytask.tasks import Regression
from tests.estimators import _joint_laws as laws
from tests.estimators._tables import TASKS, houses


def forest(tasks=TASKS, **settings):
    return MultiTaskForest(tasks, **{"n_estimators": 12, "random_state": 0} | settings)


@pytest.fixture(scope="module")
def fitted():
    X, y = houses(120)
    return forest().fit(X, y), X, y


def test_every_kind_is_learned(fitted):
    laws.assert_every_kind_is_learned(fitted[0], price=0.7, sold=0.8)


def test_a_label_of_weight_0_is_not_read():
    laws.assert_labels_of_weight_0_are_not_read(forest)


def test_rows_without_labels_change_nothing():
    laws.assert_rows_without_labels_change_nothing(forest)


def test_weights_count_but_not_their_unit():
    laws.assert_weights_count_but_not_their_unit(forest, min_samples_leaf=10)


def test_the_order_of_the_tasks_does_not_matter():
    laws.assert_order_of_tasks_does_not_matter(forest, n_tasks=2)  # sums of more columns are rounded in their order


def test_labels_all_alike_are_predicted_so():
    laws.assert_labels_all_alike_are_predicted_so(forest)


def test_a_task_with_few_labels_learns_from_one_with_many():
    laws.assert_few_labels_learn_from_many(forest, Regression("few"), alone=extra_trees(n_estimators=20), n_estimators=25)


def test_groups_are_kept_whole():
    laws.assert_groups_are_kept_whole(forest, n_groups=20, size=10)


def test_a_declared_loss_shifts():
    laws.assert_a_declared_loss_shifts(forest, n_estimators=30)


def test_large_categories_are_learned(tmp_path):
    laws.assert_large_categories_are_learned(forest, tmp_path / "model")


def test_it_is_a_part_of_an_ensemble(tmp_path):
    laws.assert_is_a_part_of_an_ensemble(forest, tmp_path / "stack")


def test_a_folder_gives_the_same_model(fitted, tmp_path):
    laws.assert_a_folder_gives_the_same(*fitted[:2], tmp_path / "model")


def test_one_number_is_learned_as_by_extra_trees():
    laws.assert_one_number_is_learned_as_by(forest, ExtraTreesRegressor(60, bootstrap=True, random_state=0), n_estimators=60)


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


def test_noise_is_drawn_to_the_mean():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 4)), rng.normal(size=300)
    model = MultiTaskForest(n_estimators=30, random_state=0).fit(X[:150], y[:150])
    assert np.std(model.predict(X[150:])) < 0.15


def test_with_times_the_latest_rows_calibrate():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = np.where(np.arange(200) < 150, X[:, 0], rng.normal(size=200))  # what was true is no longer
    settings = {"n_estimators": 20, "random_state": 0}
    minding = MultiTaskForest(**settings).fit(X, y, times=TimeOrder(np.arange(200)))
    ignoring = MultiTaskForest(**settings).fit(X, y)
    assert np.std(minding.predict(X[:50])) < 0.5 * np.std(ignoring.predict(X[:50]))


@pytest.mark.parametrize(
    ("name", "value"), [("n_estimators", 0), ("min_samples_leaf", 0.5), ("max_depth", 0), ("max_features", 2)]
)
def test_settings_are_checked(name, value):
    with pytest.raises(OptionError, match=name):
        MultiTaskForest(**{name: value}).fit(np.zeros((5, 1)), np.arange(5.0))
