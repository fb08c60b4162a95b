"""Boosting on stacked rows: kinds, missing labels, weights, a round per task, what holds memory, the model folder."""

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMRegressor
from sklearn.metrics import r2_score

from polytask.estimators import (
    CodedTable,
    LearningData,
    PerTaskEstimator,
    StackedRowsBoosting,
    boosted_trees_stopped,
    load_estimator,
    save_estimator,
)
from polytask.estimators._joint_training import joint_training
from polytask.estimators._stacked_rows import label_columns, stacked_rows
from polytask.exceptions import ModelFolderError, OptionError, PolytaskWarning
from polytask.tasks import Binary, Count, Multiclass, Regression
from tests.estimators._tables import TASKS, assert_same_outputs, houses


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


def test_changing_a_label_of_weight_0_changes_nothing():
    X, y = houses(80)
    weight = np.ones((80, len(TASKS)))
    weight[::3, 0] = weight[1::3, 1] = 0
    other = y.copy()
    other.loc[weight[:, 0] == 0, "price"] = 1e6
    other.loc[weight[:, 1] == 0, "sold"] = other["sold"].map({"yes": "no", "no": "yes"})
    one, two = (boosting(n_estimators=10).fit(X, labels, sample_weight=weight) for labels in (y, other))
    assert_same_outputs(one.outputs(X), two.outputs(X))


def test_the_unit_of_the_weights_does_not_matter_but_they_do():
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(300, 2)), np.where(np.arange(300) % 2, 1.0, 20.0)
    y = pd.DataFrame({"y": np.where(np.arange(300) % 2, -X[:, 0], X[:, 0])})
    found = [boosting([Regression("y")]).fit(X, y, sample_weight=own) for own in (weight, 1000 * weight)]
    for one, two in zip(*(model.outputs(X).values() for model in found), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-8)
    assert np.corrcoef(found[0].outputs(X)["y"], X[:, 0])[0, 1] > 0.8


def test_the_order_of_the_tasks_does_not_matter():
    X, y = houses(120)
    settings = {"n_estimators": 12, "subsample": 1.0, "max_features": 1.0, "max_leaves": 6}
    one, two = (boosting(tasks, **settings).fit(X, y) for tasks in (TASKS, TASKS[::-1]))
    for task in TASKS:
        np.testing.assert_allclose(one.outputs(X)[task.name], two.outputs(X)[task.name], rtol=1e-3, atol=1e-4)


def test_labels_all_alike_and_classes_that_are_gone_are_predicted_so():
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
    assert outputs["style"][:, 2].max() < 0.01
    assert np.ptp(outputs["price"]) > 1


def test_a_task_with_few_labels_learns_from_one_with_many():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(700, 6))
    signal = np.sign(X[:, 0]) + np.sign(X[:, 1])
    y = pd.DataFrame({"many": signal + 0.1 * rng.normal(size=700), "few": 100 + 5 * signal})
    train = y[:400].copy()
    train.loc[20:, "few"] = None
    tasks = [Regression("many"), Regression("few")]
    together = boosting(tasks).fit(X[:400], train)
    alone = PerTaskEstimator(boosted_trees_stopped(), tasks[1:]).fit(X[:400], train[["few"]])
    found = [r2_score(y["few"][400:], model.predict(X[400:])["few"]) for model in (together, alone)]
    assert found[0] > 0.8
    assert found[0] > found[1] + 0.2


def test_each_task_ends_at_its_own_round_and_tasks_that_differ_are_told_apart():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    y = pd.DataFrame({"noise": rng.normal(size=400), "signal": X[:, 0] * X[:, 1], "turned": -X[:, 0] * X[:, 1]})
    model = boosting([Regression(name) for name in y]).fit(X, y)
    assert model.n_rounds_["noise"] < 0.4 * model.n_rounds_["signal"]
    new = rng.normal(size=(200, 4))
    found = model.predict(new)
    assert np.std(found["noise"]) < 0.3
    assert r2_score(new[:, 0] * new[:, 1], found["signal"]) > 0.5
    assert r2_score(-new[:, 0] * new[:, 1], found["turned"]) > 0.5


def test_a_folder_gives_the_same_model_and_one_of_other_columns_is_refused(fitted, tmp_path, monkeypatch):
    model, X, _ = fitted
    save_estimator(model, tmp_path / "model")
    loaded = load_estimator(tmp_path / "model")
    assert_same_outputs(loaded.outputs(X), model.outputs(X))
    assert loaded.n_rounds_ == model.n_rounds_
    assert loaded.get_params()["max_leaves"] == 31
    files = {path.name for path in (tmp_path / "model").rglob("*") if path.is_file()}
    assert "model.txt" in files
    assert not [name for name in files if name.endswith((".pkl", ".skops"))]
    monkeypatch.setattr(model.model_, "n_features", model.model_.n_features + 1)
    save_estimator(model, tmp_path / "other")
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


def test_groups_are_kept_whole_by_one_holdout_of_many_rows():
    rng = np.random.default_rng(0)
    groups = np.arange(3200) // 40
    X = rng.normal(size=(80, 2))[groups]
    y = rng.normal(size=80)[groups] + rng.normal(size=3200)
    minding, ignoring = (boosting(None, n_estimators=25).fit(X, y, groups=own) for own in (groups, None))
    new = rng.normal(size=(300, 2))
    assert np.std(minding.predict(new)) < 0.5 * np.std(ignoring.predict(new))


def test_a_row_never_stops_boosting_by_its_own_other_label():
    """Of noise and its copies nothing is learned: the labels of a row are in one fold."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(160, 4))
    noise = rng.normal(size=160)
    y = pd.DataFrame({"noise": noise, "same": 2 * noise + 1, "more": 3 * noise})
    model = boosting([Regression(name) for name in y]).fit(X, y)
    assert np.std(model.predict(rng.normal(size=(200, 4)))["noise"]) < 0.35


def test_a_time_limit_ends_it():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = pd.DataFrame({"a": X[:, 0] * X[:, 1], "b": X[:, 0] * X[:, 2]})
    model = boosting(None, n_estimators=100_000, patience=100_000, learning_rate=0.01, time_limit=0.5).fit(X, y)
    assert max(model.n_rounds_.values()) < 50_000


def test_it_is_a_part_of_an_ensemble_that_fits_on_rows():
    X, y = houses(60)
    data = coded(X, y)
    found = boosting(n_estimators=5).fit_on_rows(data, np.arange(40), seed=1).outputs(data.table.arrays)
    again = boosting(n_estimators=5).fit_on_rows(data, np.arange(40), seed=1).outputs(data.table.arrays)
    assert_same_outputs(found, again)


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
