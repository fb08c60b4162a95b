"""Boosting on stacked rows: kinds, missing labels, weights, a round per task, what holds memory, the model folder."""

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMRegressor
from sklearn.metrics import r2_score

from polytask.estimators import CodedTable, LearningData, StackedRowsBoosting, load_estimator, save_estimator
from polytask.estimators._joint_training import joint_training
from polytask.estimators._stacked_rows import label_columns, stacked_rows
from polytask.exceptions import ModelFolderError, OptionError, PolytaskWarning
from polytask.tasks import Regression
from tests.estimators import _joint_laws as laws
from tests.estimators._tables import TASKS, houses


def coded(X, y):
    """A table with these tasks of it, as models get it."""
    reader = boosting([task for task in TASKS if set(task.columns) <= set(y)])
    arrays, labels = reader._read_training_data(X, y)
    labels, weight = labels.weighed(None)
    return LearningData(CodedTable(arrays, reader.codec_.cardinalities), labels, weight)


def boosting(tasks=TASKS, **settings):
    quick = {"n_estimators": 60, "learning_rate": 0.2, "patience": 8, "random_state": 0}
    return StackedRowsBoosting(tasks, **quick | settings)


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
    laws.assert_weights_count_but_not_their_unit(boosting, n_estimators=25, max_features=1.0, subsample=1.0)


def test_the_order_of_the_tasks_does_not_matter():
    laws.assert_order_of_tasks_does_not_matter(boosting, n_estimators=12, subsample=1.0, max_features=1.0, max_leaves=6)


def test_labels_all_alike_are_predicted_so():
    laws.assert_labels_all_alike_are_predicted_so(boosting, n_estimators=15)


def test_a_task_with_few_labels_learns_from_one_with_many():
    laws.assert_few_labels_learn_from_many(boosting, Regression("few"), gain=0.2)


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


def test_a_folder_gives_the_same_model(fitted, tmp_path):
    laws.assert_a_folder_gives_the_same(*fitted[:2], tmp_path / "model")


def test_columns_of_a_family_are_stacked_where_they_have_a_label():
    X, y = houses(60)
    own = joint_training(coded(X, y[["price", "style", "visits", "sold"]]), np.arange(60))
    how = label_columns(own)
    classes = stacked_rows(own, how, "classifier", most=10**6, rng=np.random.default_rng(0))
    assert classes is not None
    assert len(classes.columns) == 3 + 1  # each style against the rest, and sold
    observed = 3 * y["style"].notna().sum() + y["sold"].notna().sum()
    assert len(classes.rows) == observed == len(set(zip(classes.rows, classes.position, strict=True)))
    for k in range(4):
        own_labels = classes.labels[classes.position == k]
        np.testing.assert_allclose(1 / (1 + np.exp(-classes.base[classes.position == k])), own_labels.mean())
    shown = how.labels * how.unit + how.zero
    for name in ("price", "visits"):
        column = own.joint.slices[name][0].start
        seen = y[name].notna().to_numpy()
        np.testing.assert_allclose(shown[seen, column], y[name][seen].astype(float))


def test_a_single_number_is_learned_as_lightgbm_learns_it():
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(150, 3)), rng.uniform(0.5, 2, 150)
    y = pd.DataFrame({"y": X[:, 0] * X[:, 1] + 0.1 * rng.normal(size=150)})
    settings = {"n_estimators": 30, "learning_rate": 0.1, "max_leaves": 7, "subsample": 1.0, "max_features": 1.0}
    model = boosting([Regression("y")], **settings).fit(X, y, sample_weight=weight)
    mean = np.average(y["y"], weights=weight)
    peer = LGBMRegressor(
        n_estimators=int(model.n_rounds_["y"]),
        learning_rate=0.1,
        num_leaves=7,
        min_child_samples=10,
        reg_lambda=1.0,
        n_jobs=1,
        boost_from_average=False,
        force_row_wise=True,
        verbosity=-1,
    )
    deviation = np.sqrt(np.average((y["y"] - mean) ** 2, weights=weight))
    peer.fit(X.astype(np.float32), (y["y"] - mean) / deviation, sample_weight=weight / weight.mean())
    alone = peer.predict(X.astype(np.float32)) * deviation + mean
    np.testing.assert_allclose(model.model_._columns(X.astype(np.float32))[:, 0], alone, rtol=1e-6, atol=1e-8)
    assert np.corrcoef(model.outputs(X)["y"], alone)[0, 1] == pytest.approx(1)  # it is shrunk by what folds say, no more


def test_tasks_that_differ_are_told_apart():
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=(400, 4)), rng.normal(size=(200, 4))
    y = pd.DataFrame({"signal": X[:, 0] * X[:, 1], "turned": -X[:, 0] * X[:, 1]})
    found = boosting(None).fit(X, y).predict(new)
    assert r2_score(new[:, 0] * new[:, 1], found["signal"]) > 0.5
    assert r2_score(-new[:, 0] * new[:, 1], found["turned"]) > 0.5


def test_a_folder_is_of_lightgbm_s_text_and_one_of_other_columns_is_refused(fitted, tmp_path, monkeypatch):
    model = fitted[0].model_
    save_estimator(fitted[0], tmp_path / "model")
    assert "model.txt" in {path.name for path in (tmp_path / "model").rglob("*")}
    monkeypatch.setattr(model, "n_features", model.n_features + 1)
    save_estimator(fitted[0], tmp_path / "other")
    with pytest.raises(ModelFolderError, match="other features"):
        load_estimator(tmp_path / "other")


def test_more_values_than_allowed_are_drawn_and_told():
    X, y = houses(100, missing=0.0)
    y.loc[y.index[10:], "sold"] = None
    data = coded(X, y[["price", "visits", "sold", "style"]])
    own = joint_training(data, np.arange(100))
    found = stacked_rows(own, label_columns(own), "classifier", most=100, rng=np.random.default_rng(0))
    assert found is not None
    assert sorted(np.bincount(found.position).tolist()) == [10, 30, 30, 30]
    with pytest.warns(PolytaskWarning, match="max_values"):
        boosting(n_estimators=3, max_values=500).fit(X, y)


def test_a_row_never_stops_boosting_by_its_own_other_label():
    """Of noise and its copies nothing is learned: the labels of a row are in one fold."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(160, 4))
    noise = rng.normal(size=160)
    y = pd.DataFrame({"noise": noise, "same": 2 * noise + 1, "more": 3 * noise})
    model = boosting([Regression(name) for name in y]).fit(X, y)
    assert np.std(model.predict(rng.normal(size=(200, 4)))["noise"]) < 0.35


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("patience", 0),
        ("subsample", 0),
        ("max_features", 1.5),
        ("learning_rate", 0),
        ("l2", -1),
        ("max_leaves", 1),
        ("time_limit", 0),
    ],
)
def test_settings_are_checked(name, value):
    with pytest.raises(OptionError, match=name):
        StackedRowsBoosting(**{name: value}).fit(np.zeros((5, 1)), np.arange(5.0))
