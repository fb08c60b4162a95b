import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline

from polytask.estimators import PerTaskEstimator, boosted_trees, linear_models
from polytask.exceptions import DataError, OptionError
from polytask.tasks import Binary, Multilabel, Regression
from tests.estimators._tables import TASKS, assert_same_outputs, houses, small_network

MIXED = {"regressor": Ridge(), "classifier": LogisticRegression()}


@pytest.mark.parametrize("candidate", [linear_models(), boosted_trees(n_estimators=5)], ids=["linear", "trees"])
def test_every_kind_of_task_has_a_separate_model(candidate):
    X, y = houses()
    outputs = PerTaskEstimator(candidate, TASKS).fit(X, y).outputs(X)
    shapes = {name: values.shape for name, values in outputs.items()}
    assert shapes == {"price": (80,), "sold": (80, 2), "style": (80, 3), "grade": (80, 4), "visits": (80,), "tags": (80, 2)}
    assert all(np.isfinite(values).all() for values in outputs.values())
    assert (outputs["visits"] > 0).all()


def test_a_regression_is_what_scikit_learn_gives_on_the_observed_rows(rng):
    X, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    y[::4] = np.nan
    seen = ~np.isnan(y)
    expected = LinearRegression().fit(X[seen], y[seen]).predict(X)
    np.testing.assert_allclose(PerTaskEstimator(LinearRegression()).fit(X, y).predict(X), expected, rtol=1e-10)


def test_labels_missing_of_another_task_cost_nothing(rng):
    X, y = rng.normal(size=(60, 3)), rng.normal(size=(60, 2))
    alone = PerTaskEstimator(Ridge()).fit(X, y).predict(X)[:, 0]
    y[:50, 1] = np.nan
    np.testing.assert_array_equal(PerTaskEstimator(Ridge()).fit(X, y).predict(X)[:, 0], alone)


def test_weights_reach_the_estimator(rng):
    X, y, weight = rng.normal(size=(60, 3)), rng.normal(size=60), rng.uniform(0.1, 3, 60)
    expected = LinearRegression().fit(X, y, sample_weight=weight).predict(X)
    found = PerTaskEstimator(LinearRegression()).fit(X, y, sample_weight=weight).predict(X)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("estimator", [Ridge(alpha=10.0), linear_models(), boosted_trees(n_estimators=5)])
def test_the_scale_of_weights_changes_nothing(estimator, rng):
    X, y, weight = rng.normal(size=(60, 3)), rng.normal(size=60), rng.uniform(0.1, 3, 60)
    small, large = (PerTaskEstimator(estimator).fit(X, y, sample_weight=weight * scale).predict(X) for scale in (1e-3, 1e3))
    np.testing.assert_allclose(small, large, rtol=1e-9)


def test_rows_of_weight_zero_are_left_out(rng):
    X, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    weight = (np.arange(60) >= 20).astype(float)
    found = PerTaskEstimator(LinearRegression()).fit(X, y, sample_weight=weight).predict(X)
    np.testing.assert_allclose(found, LinearRegression().fit(X[20:], y[20:]).predict(X), rtol=1e-10)


def test_a_pipeline_is_told_the_way_to_weights(rng):
    X, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    with pytest.raises(OptionError, match=r"Pipeline takes no `sample_weight`.*its last step itself"):
        PerTaskEstimator(make_pipeline(Ridge())).fit(X, y, sample_weight=np.linspace(1, 2, 20))


def test_an_estimator_without_weights_says_so(rng):
    X, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    with pytest.raises(OptionError, match="KNeighborsRegressor takes no `sample_weight`"):
        PerTaskEstimator(KNeighborsRegressor()).fit(X, y, sample_weight=np.linspace(1, 2, 20))


@pytest.mark.parametrize(
    "estimator, words",
    [
        (Ridge(), "'sold' of kind binary needs a classifier; got Ridge"),
        (LogisticRegression(), "'price' of kind regression needs a regressor"),
        ({"regressor": Ridge()}, "no 'classifier' for task 'sold'"),
        ({"classifier": Perceptron(), "regressor": Ridge()}, "Perceptron gives no probabilities"),
    ],
)
def test_an_estimator_of_the_wrong_kind_is_refused(estimator, words):
    X, y = houses()
    with pytest.raises(OptionError, match=words):
        PerTaskEstimator(estimator, ["price", "sold"]).fit(X, y)


def test_a_class_never_seen_in_training_rows_has_probability_zero():
    X, y = houses(missing=0.0)
    weight = (y["style"] != "villa").to_numpy(dtype=float)
    model = PerTaskEstimator(RandomForestClassifier(5, random_state=0), ["style"]).fit(X, y, sample_weight=weight)
    assert (model.outputs(X)["style"][:, 2] == 0).all()


def test_a_tag_with_one_value_is_predicted_as_its_share():
    X, y = houses(missing=0.0)
    y["garden"] = 0.0
    outputs = PerTaskEstimator(LogisticRegression(), [Multilabel("tags", ("garden", "lift"))]).fit(X, y).outputs(X)["tags"]
    assert np.unique(outputs[:, 0]).size == 1
    assert 0 < outputs[0, 0] < 0.05


def test_the_estimator_given_is_not_fitted():
    X, y = houses()
    estimator = Ridge()
    PerTaskEstimator(estimator, ["price"]).fit(X, y)
    assert not hasattr(estimator, "coef_")


def test_frames_keep_their_index_and_arrays_their_form(rng):
    X, y = houses()
    assert list(PerTaskEstimator(MIXED, ["price", "sold"]).fit(X, y).predict(X).index) == list(X.index)
    assert PerTaskEstimator(Ridge()).fit(rng.normal(size=(20, 2)), rng.normal(size=(20, 2))).predict(np.zeros((3, 2))).shape == (
        3,
        2,
    )


def test_networks_learn_each_task_from_its_own_rows():
    X, y = houses(missing=0.3)
    model = PerTaskEstimator(small_network(), ["price", "sold"]).fit(X, y)
    seen = y["price"].notna()
    alone = small_network([Regression("price")]).fit(X[seen], y.loc[seen, ["price"]])
    np.testing.assert_array_equal(model.outputs(X)["price"], alone.outputs(X)["price"])


def test_networks_whose_rows_lack_a_category_read_each_column_as_they_learned_it():
    X, y = houses(missing=0.0)
    y["price"] = y["price"].where(X["city"] != "Bergen")
    model = PerTaskEstimator(small_network(), ["price", "sold"]).fit(X, y)
    alone = small_network([Regression("price")]).fit(X[y["price"].notna()], y.loc[y["price"].notna(), ["price"]])
    np.testing.assert_array_equal(model.outputs(X)["price"], alone.outputs(X)["price"])


def test_networks_take_arrays_too(rng):
    X, y = rng.integers(0, 4, size=(60, 2)), rng.normal(size=(60, 2))
    model = PerTaskEstimator(small_network()).fit(X, y)
    alone = small_network().fit(X, y[:, 0])
    np.testing.assert_array_equal(model.predict(X)[:, 0], alone.predict(X))


def test_known_tasks_are_refused_by_networks_too():
    X, y = houses()
    for estimator in (MIXED, small_network()):
        with pytest.raises(OptionError, match="cannot condition"):
            PerTaskEstimator(estimator, ["price", "sold"]).fit(X, y).predict(X, known={})


def test_no_rows_are_refused():
    X, y = houses()
    with pytest.raises(DataError, match="minimum of 1"):
        PerTaskEstimator(MIXED, ["price", "sold"]).fit(X, y).predict(X.iloc[:0])


def test_clone_keeps_the_settings():
    copy = clone(PerTaskEstimator(MIXED, [Binary("sold")]))
    assert copy.get_params()["tasks"] == [Binary("sold")]


def test_one_row_is_predicted_as_among_others():
    X, y = houses()
    model = PerTaskEstimator(linear_models(), TASKS).fit(X, y)
    row = model.outputs(X.iloc[[7]])
    for name, values in model.outputs(X).items():
        np.testing.assert_allclose(row[name], values[[7]], rtol=1e-12, atol=1e-12)


def test_two_fits_give_the_same_numbers():
    X, y = houses()
    candidate = boosted_trees(n_estimators=5)
    assert_same_outputs(*(PerTaskEstimator(candidate, TASKS).fit(X, y).outputs(X) for _ in range(2)))


@pytest.mark.parametrize("estimator", [3, {"regressor": 3}, Ridge])
def test_what_is_no_estimator_is_told(rng, estimator):
    X = rng.normal(size=(20, 2))
    with pytest.raises(OptionError, match="`estimator` must be an estimator, with a method `fit`"):
        PerTaskEstimator(estimator).fit(X, X[:, 0])
