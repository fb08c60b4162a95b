import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict

from polytask.data.splits import ColumnSplit
from polytask.estimators import PerTaskEstimator, linear_models
from polytask.evaluation import out_of_fold
from polytask.tasks import Multiclass, Regression
from tests.evaluation._tables import TASKS, small_network, table


def test_a_regression_equals_cross_val_predict_on_the_same_folds(rng):
    X, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    theirs = cross_val_predict(PerTaskEstimator(Ridge(alpha=0.0)), X, y, cv=KFold(4))
    ours = out_of_fold(PerTaskEstimator(Ridge(alpha=0.0)), X, y, cv=KFold(4))["y0"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    # columns are standardized first, which an unpenalized regression does not feel
    np.testing.assert_allclose(ours, cross_val_predict(Ridge(alpha=0.0), X, y, cv=KFold(4)), rtol=1e-10)


def test_classes_equal_cross_val_predict_on_the_same_folds(rng):
    X = (lambda z: (z - z.mean(0)) / z.std(0))(rng.normal(size=(60, 3)))
    y = np.where(X[:, 0] > 0, "yes", "no")
    ours = out_of_fold(PerTaskEstimator(LogisticRegression(C=1e6, tol=1e-10)), X, y, cv=KFold(3))["y0"]
    theirs = cross_val_predict(LogisticRegression(C=1e6, tol=1e-10), X, y, cv=KFold(3), method="predict_proba")
    np.testing.assert_allclose(ours.argmax(axis=1), theirs.argmax(axis=1))


def test_every_task_has_outputs_for_every_row_even_without_its_label():
    X, y = table()
    outputs = out_of_fold(PerTaskEstimator(linear_models(), TASKS), X, y, cv=3)
    assert {name: values.shape for name, values in outputs.items()} == {"price": (80,), "sold": (80, 2), "visits": (80,)}
    assert all(np.isfinite(values).all() for values in outputs.values())


def test_no_row_is_predicted_by_a_model_that_saw_it():
    X, y = table(missing=0.0)
    plan = ColumnSplit(np.arange(80) % 4)
    before = out_of_fold(PerTaskEstimator(Ridge(), ["price"]), X, y, cv=plan)["price"]
    y.loc[8, "price"] += 1e6
    after = out_of_fold(PerTaskEstimator(Ridge(), ["price"]), X, y, cv=plan)["price"]
    same = np.arange(80) % 4 == 0
    np.testing.assert_array_equal(before[same], after[same])
    assert (before[~same] != after[~same]).all()


def test_a_class_that_a_fold_lacks_has_its_column_in_all_folds():
    X, y = table(missing=0.0)
    style = np.where(np.arange(80) < 20, "villa", np.where(np.arange(80) % 2, "flat", "cabin"))
    outputs = out_of_fold(PerTaskEstimator(LogisticRegression(), [Multiclass("style")]), X, y.assign(style=style), cv=KFold(4))
    assert outputs["style"].shape == (80, 3)
    assert (outputs["style"][:20, 2] == 0).all()


@pytest.mark.parametrize("weight", [None, np.ones(80)])
def test_a_task_wholly_missing_in_a_training_fold_is_predicted_by_a_constant(weight):
    X, y = table(missing=0.0)
    y["price"] = y["price"].where(np.arange(80) < 20)
    outputs = out_of_fold(small_network(), X, y, cv=KFold(4), sample_weight=weight)
    assert np.isfinite(outputs["price"]).all()


def test_weights_reach_every_fold(rng):
    X, y = table(missing=0.0)
    weight = (rng.random(80) > 0.3).astype(float)
    strange = y.assign(price=y["price"].where(weight > 0, 1e6))
    first, second = (
        out_of_fold(PerTaskEstimator(Ridge(), ["price"]), X, labels, cv=KFold(3), sample_weight=weight)["price"]
        for labels in (y, strange)
    )
    np.testing.assert_array_equal(first, second)


def test_a_weight_of_zero_is_a_missing_label_to_the_bit(rng):
    X, y = table()
    weight = (rng.random(y.shape) > 0.4).astype(float)
    network = small_network(random_state=0)
    weighted = out_of_fold(network, X, y, cv=3, sample_weight=weight)
    without = out_of_fold(network, X, y.where(weight > 0), cv=3)
    for name, values in without.items():
        np.testing.assert_array_equal(weighted[name], values)


def test_a_training_fold_whose_labels_all_weigh_nothing_is_predicted_by_a_constant():
    X, y = table(missing=0.0)
    outputs = out_of_fold(small_network(), X, y, cv=KFold(4), sample_weight=(np.arange(80) < 40).astype(float))
    assert np.isfinite(outputs["price"]).all()
    weight = np.ones((80, 3))
    weight[20:, 0] = 0
    assert np.isfinite(out_of_fold(small_network(), X, y, cv=KFold(4), sample_weight=weight)["price"]).all()


def test_groups_reach_the_folds_and_the_inner_split(monkeypatch, rng):
    X, y = table()
    groups, seen = rng.integers(0, 20, 80), []
    network = small_network()
    inner_split = type(network).inner_split

    def spy(self, labels, weight, *, groups, **settings):
        train, held = inner_split(self, labels, weight, groups=groups, **settings)
        seen.append((set(groups[train]), set(groups[held])))
        return train, held

    monkeypatch.setattr(type(network), "inner_split", spy)
    out_of_fold(network, X, y, cv=GroupKFold(3), groups=groups)
    assert len(seen) == 3
    assert all(held and not train & held for train, held in seen)


def test_validation_rows_of_a_column_stop_a_network_and_never_teach_it(monkeypatch):
    X, y = table(missing=0.0)
    words, seen = np.array(["train", "train", "validation", "test"])[np.arange(80) % 4], []
    network = small_network()
    inner_split = type(network).inner_split

    def spy(self, *data, **settings):
        seen.append(inner_split(self, *data, **settings))
        return seen[-1]

    monkeypatch.setattr(type(network), "inner_split", spy)
    out_of_fold(network, X, y, cv=ColumnSplit(words))
    development = words[words != "test"]
    assert [set(development[rows]) for rows in seen[0]] == [{"train"}, {"validation"}]


def test_rows_never_held_out_have_no_outputs():
    X, y = table()
    words = np.where(np.arange(80) < 60, "train", "test")
    outputs = out_of_fold(PerTaskEstimator(linear_models(), TASKS), X, y, cv=ColumnSplit(words))
    assert np.isnan(outputs["sold"][:60]).all()
    assert np.isfinite(outputs["sold"][60:]).all()


def test_polars_tables_give_the_same():
    X, y = table()
    estimator = PerTaskEstimator(linear_models(), TASKS)
    ours, theirs = out_of_fold(estimator, X, y), out_of_fold(estimator, pl.from_pandas(X), pl.from_pandas(y))
    for name, values in ours.items():
        np.testing.assert_array_equal(values, theirs[name])


def test_one_task_may_be_named_alone():
    X, y = table()
    assert list(out_of_fold(PerTaskEstimator(Ridge(), "price"), X, y)) == ["price"]


def test_the_estimator_given_is_not_fitted():
    X, y = table()
    estimator = PerTaskEstimator(Ridge(), [Regression("price")])
    out_of_fold(estimator, X, y, cv=2)
    assert not hasattr(estimator, "tasks_")
    assert estimator.tasks == [Regression("price")]
