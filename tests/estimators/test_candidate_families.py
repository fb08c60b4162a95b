"""Families of separate models against the libraries they stand beside."""

import time

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern, WhiteKernel
from sklearn.linear_model import RidgeCV
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeRegressor

from polytask.data.splits import TimeOrder
from polytask.estimators._candidates import _forests
from polytask.estimators._candidates._boosted_trees_stopped import StoppedClassifier, StoppedRegressor
from polytask.estimators._candidates._by_folds import FAMILIES, FoldedClassifier, FoldedRegressor
from polytask.estimators._candidates._calibration import fit_probabilities, fit_shrinkage, to_probabilities
from polytask.estimators._candidates._elastic_net import ElasticNetByFolds
from polytask.estimators._candidates._forests import ForestClassifier, ForestRegressor
from polytask.estimators._candidates._gaussian_process import covariance, most_likely
from polytask.estimators._candidates._inner_splits import inner_splits
from polytask.estimators._candidates._linear_models import ALPHAS, LogisticByFolds, PoissonByFolds, RidgeByFolds
from polytask.estimators._candidates._partial_least_squares import pls_coef


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4))
    return X, X @ [1.0, -1.0, 0.5, 0.0] + np.sin(2 * X[:, 0]) + 0.1 * rng.normal(size=120)


def decided(name, X, y, setting, *, classes=False):
    family = FAMILIES[name]
    return family.decide(family.fit(X, y[:, None], np.ones(len(y)), setting, classes=classes), X)[:, 0]


def test_inner_splits_hold_every_row_out_once_and_balance_labels():
    y = np.random.default_rng(0).permutation(np.arange(100.0))
    splits = inner_splits(y, n_splits=5)
    assert sorted(np.concatenate([held for _, held in splits])) == list(range(100))
    assert all(abs(y[held].mean() - 49.5) < 3 for _, held in splits)


def test_inner_splits_keep_groups_whole():
    groups = np.repeat(list("abcdefgh"), 5)
    for train, held in inner_splits(np.arange(40.0), n_splits=4, groups=groups):
        assert not {*groups[train]} & {*groups[held]}


def test_inner_splits_in_time_hold_the_latest_rows_out():
    [(train, held)] = inner_splits(np.arange(20.0), n_splits=4, times=TimeOrder(np.arange(20)[::-1]))
    assert held.tolist() == [0, 1, 2, 3, 4]
    assert train.min() == 5


def test_nothing_can_be_held_out_of_one_group_or_one_time():
    y = np.arange(6.0)
    assert inner_splits(y, groups=np.zeros(6)) == []
    assert inner_splits(y, times=TimeOrder(np.zeros(6))) == []


def test_kernel_machine_decides_as_libsvm_does(rows):
    X, y = rows
    setting = {"C": 3.0, "gamma": 0.2}
    np.testing.assert_allclose(decided("kernel_svm", X, y, setting), SVR(**setting).fit(X, y).predict(X), atol=1e-9)
    signs = np.sign(y)
    expected = SVC(**setting).fit(X, signs).decision_function(X)
    np.testing.assert_allclose(decided("kernel_svm", X, signs, setting, classes=True), expected, atol=1e-9)


def test_decision_tree_walks_as_scikit_learn_does_with_missing_numbers(rows):
    X, y = rows
    X = np.where(np.random.default_rng(1).random(X.shape) < 0.2, np.nan, X)
    expected = DecisionTreeRegressor(min_samples_leaf=5, random_state=0).fit(X, y).predict(X)
    np.testing.assert_array_equal(decided("decision_tree", X, y, {"leaf": 5.0}), expected)


@pytest.mark.parametrize("n_components", [1, 3])
@pytest.mark.parametrize("n_targets", [1, 2])
def test_pls_coefficients_are_those_of_scikit_learn(rows, n_components, n_targets):
    X, y = rows
    Y = np.stack([y, X[:, 3] ** 2], axis=1)[:, :n_targets]
    oracle = PLSRegression(n_components, scale=False, max_iter=10_000, tol=1e-14).fit(X, Y)
    own = pls_coef(X - X.mean(axis=0), Y - Y.mean(axis=0), n_components=n_components)
    np.testing.assert_allclose(own, oracle.coef_.T, atol=1e-6)


def test_pls_counts_a_row_of_weight_two_twice(rows):
    X, y = rows
    family, setting = FAMILIES["partial_least_squares"], {"n_components": 2.0}
    weighed = family.fit(X, y[:, None], np.where(np.arange(120) < 10, 2.0, 1.0), setting, classes=False)
    twice = np.append(np.arange(120), np.arange(10))
    repeated = family.fit(X[twice], y[twice, None], np.ones(130), setting, classes=False)
    np.testing.assert_allclose(weighed["coef"], repeated["coef"], atol=1e-10)


def test_gaussian_process_predicts_as_scikit_learn_with_the_same_covariance(rows):
    X, y = rows
    width, noise = most_likely(X, y, np.ones(120), [0.5, 2.0, 4.0])
    trend = ConstantKernel(1 / 4) * DotProduct(sigma_0=0.0, sigma_0_bounds="fixed")
    kernel = Matern(length_scale=width, nu=2.5) + ConstantKernel(1.0) + trend + WhiteKernel(noise)
    oracle = GaussianProcessRegressor(kernel, optimizer=None).fit(X, y)
    coef = np.linalg.solve(covariance(X, X, width=width) + noise * np.eye(120), y)
    new = X[:7] + 0.3
    np.testing.assert_allclose(covariance(new, X, width=width) @ coef, oracle.predict(new), atol=1e-6)


def test_the_most_likely_noise_is_found():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, size=(200, 1))
    signal = np.sin(2 * X[:, 0])
    quiet, loud = (most_likely(X, signal + size * rng.normal(size=200), np.ones(200), [0.5, 1.0, 2.0])[1] for size in (0.05, 1.0))
    assert quiet < 0.05 < 0.2 < loud


def test_naive_bayes_orders_rows_as_scikit_learn_does(rows):
    X, y = rows
    signs = np.sign(y)
    decisions = decided("naive_bayes", X, signs, {"smoothing": 1e-9}, classes=True)
    log_odds = np.diff(GaussianNB(var_smoothing=1e-12).fit(X, signs).predict_joint_log_proba(X), axis=1)[:, 0]
    np.testing.assert_allclose(np.sinh(decisions), log_odds, rtol=1e-4, atol=1e-4)


def test_naive_bayes_on_copies_of_a_column_is_calibrated():
    rng = np.random.default_rng(0)
    signs = rng.integers(0, 2, 2000)
    X = (signs + rng.normal(size=2000))[:, None].repeat(30, axis=1)
    model = FoldedClassifier("naive_bayes").fit(X[:1000], signs[:1000])
    own = GaussianNB().fit(X[:1000], signs[:1000])
    lost = log_loss(signs[1000:], model.predict_proba(X[1000:]))
    assert lost < 0.65 < log_loss(signs[1000:], own.predict_proba(X[1000:]))


def test_calibration_gives_a_class_without_rows_little():
    state = fit_probabilities(np.random.default_rng(0).normal(size=(50, 3)), np.arange(50) % 2, np.ones(50), n_classes=3)
    assert to_probabilities(np.zeros((1, 3)), state)[0, 2] < 0.02


def test_shrinkage_trusts_a_good_regressor():
    y = np.random.default_rng(0).normal(size=100)
    assert fit_shrinkage(y, y, np.ones(100))["slope"] == 1.0
    assert fit_shrinkage(-y, y, np.ones(100))["slope"] == 0.0


@pytest.mark.parametrize("kind", ["random", "extra"])
def test_forests_draw_noise_to_the_mean(rows, kind):
    X, _ = rows
    noise = np.random.default_rng(1).normal(size=120)
    assert ForestRegressor(kind, n_estimators=50).fit(X, noise).predict(X[::-1] + 1).std() < 0.3


def test_forests_keep_nothing_of_their_training_rows(rows):
    X, y = rows
    for model in (ForestRegressor("random", n_estimators=9), ForestClassifier("random", n_estimators=9)):
        forest = model.fit(X, y > 0 if isinstance(model, ForestClassifier) else y).models_["forest"]
        assert not [name for name in vars(forest) if name.startswith("oob_") and name.endswith("_")]


@pytest.mark.parametrize("groups", [None, np.arange(120) // 4])
def test_trees_of_a_large_table_see_some_of_its_rows(rows, monkeypatch, groups):
    X, y = rows
    monkeypatch.setattr(_forests, "ROWS_PER_TREE", 30)
    forest = ForestRegressor("random", n_estimators=3).fit(X, y, groups=groups).models_["forest"]
    assert all(tree.tree_.weighted_n_node_samples[0] == 30 for tree in forest.estimators_)


def test_ridge_without_groups_is_that_of_leaving_one_out(rows):
    X, y = rows
    np.testing.assert_allclose(RidgeByFolds().fit(X, y).predict(X), RidgeCV(alphas=ALPHAS).fit(X, y).predict(X))


def test_the_unit_of_numbers_does_not_change_what_an_elastic_net_finds(rows):
    X, y = rows
    small, large = ElasticNetByFolds().fit(X, y).predict(X), ElasticNetByFolds().fit(X, 1e6 * y + 7e6).predict(X)
    np.testing.assert_allclose(small, (large - 7e6) / 1e6, rtol=1e-6, atol=1e-8)


def test_logistic_regression_trusts_little_where_there_is_nothing():
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(100, 30)), rng.integers(0, 3, 100)
    assert LogisticByFolds().fit(X, codes).state_["strength"] <= 0.01
    assert LogisticByFolds().fit(X, (X[:, 0] > 0) * 1).state_["strength"] >= 1.0


def test_poisson_means_do_not_run_away(rows):
    X, _ = rows
    counts = np.random.default_rng(0).poisson(np.exp(X[:, 0]))
    assert PoissonByFolds().fit(X, counts).predict(1000 * np.abs(X)).max() <= 2 * counts.max()


def test_boosting_goes_on_while_it_gains_and_stops_on_noise():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(400, 4))
    exact, noise = np.sin(6 * X[:, 0]) * X[:, 1] + X[:, 2], rng.normal(size=400)
    settings = {"n_estimators": 400, "patience": 20}
    assert StoppedRegressor(**settings).fit(X, exact).state_["n_rounds"] > 150
    assert StoppedRegressor(**settings).fit(X, noise).state_["n_rounds"] < 20
    assert StoppedClassifier(**settings).fit(X, noise > 0).state_["n_rounds"] < 20


def test_boosting_keeps_its_time_limit():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(2000, 20))
    y = np.sin(6 * X[:, 0]) * X[:, 1] + X[:, 2]
    started = time.monotonic()
    model = StoppedRegressor(variant="large", n_estimators=100_000, patience=100_000, time_limit=1.0).fit(X, y)
    assert time.monotonic() - started < 8.0  # a round and a busy machine
    assert np.corrcoef(model.predict(X), y)[0, 1] > 0.5


def test_choosing_looks_at_some_of_many_rows(rows):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 2))
    model = FoldedRegressor("nearest_neighbours").fit(X, X[:, 0])
    assert len(model.state_["family.rows"]) == 4000
    assert np.mean((model.predict(X) - X[:, 0]) ** 2) < 0.05
