"""Bagging: stratified samples, subspaces, and outputs of the models that have not seen the row."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import BaggingRegressor
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from polytask.data.splits import TimeOrder
from polytask.estimators import BaggingEstimator, GreedyEnsemble, PerTaskEstimator, boosted_trees, stratified_bootstrap
from polytask.estimators._bagging import takes_weights


def test_rare_classes_of_every_task_are_in_every_sample(rng):
    strata = rng.random((300, 4)) < [0.5, 0.2, 0.02, 0.01]
    counts = np.array([stratified_bootstrap(strata, np.random.default_rng(seed)) for seed in range(100)])
    plain = np.array([np.bincount(np.random.default_rng(seed).integers(300, size=300), minlength=300) for seed in range(100)])
    assert (counts.sum(axis=1) == 300).all()
    ours, theirs = counts @ strata, plain @ strata
    assert (ours > 0).all()
    assert (ours.std(axis=0) < 0.75 * theirs.std(axis=0)).all()
    assert np.allclose(ours.mean(axis=0), strata.sum(axis=0), rtol=0.05, atol=0.5)


def test_about_a_third_is_left_out_and_every_row_is_sometimes(rng):
    strata = rng.random((200, 3)) < 0.3
    counts = np.array([stratified_bootstrap(strata, np.random.default_rng(seed)) for seed in range(200)])
    assert 0.3 < (counts == 0).mean() < 0.4
    assert ((counts == 0).mean(axis=0) > 0.15).all()


@pytest.mark.parametrize("share", [0.1, 0.5, 2.0])
def test_the_share_is_kept(rng, share):
    counts = stratified_bootstrap(rng.random((100, 3)) < 0.3, rng, share=share)
    assert counts.sum() == pytest.approx(100 * share, abs=1)


def test_groups_are_drawn_whole(rng):
    groups = rng.integers(0, 30, size=200)
    counts = stratified_bootstrap(rng.random((200, 2)) < 0.1, rng, groups=groups)
    assert all(len(np.unique(counts[groups == group])) == 1 for group in np.unique(groups))
    assert 0 < (counts == 0).mean() < 0.8


@pytest.fixture
def numbers(rng):
    X = rng.normal(size=(200, 5))
    return X, X[:, 0] + np.abs(X[:, 1]) + 0.3 * rng.normal(size=200)


def test_bagged_trees_are_as_good_as_those_of_scikit_learn(numbers):
    X, y = numbers
    ours = BaggingEstimator(DecisionTreeRegressor(), n_repeats=60, random_state=0).fit(X, y)
    theirs = BaggingRegressor(DecisionTreeRegressor(), 60, oob_score=True, random_state=0).fit(X, y)
    assert ours.skills_["y0"] == pytest.approx(theirs.oob_score_, abs=0.05)
    single = PerTaskEstimator(DecisionTreeRegressor(random_state=0)).fit(X[:130], y[:130]).score(X[130:], y[130:])
    assert ours.skills_["y0"] > single + 0.05


@pytest.mark.parametrize("settings", [{"folds": 4}, {"folds": 4, "n_repeats": 3}, {"n_repeats": 40}])
def test_kept_outputs_tell_what_new_rows_will_see(numbers, settings):
    X, y = numbers
    model = BaggingEstimator(KNeighborsRegressor(1), random_state=0, **settings).fit(X[:140], y[:140])
    assert np.isfinite(model.held_out_["y0"]).all()
    assert not np.isclose(model.held_out_["y0"], y[:140]).any()  # a nearest neighbour would know its own row
    assert model.skills_["y0"] == pytest.approx(model.score(X[140:], y[140:]), abs=0.3)
    assert model.score(X[:140], y[:140]) > model.skills_["y0"] + 0.1


def test_with_times_no_later_model_speaks_for_a_row(numbers):
    X, y = numbers
    times = TimeOrder(np.arange(200))
    windows = BaggingEstimator(Ridge(), folds=4, random_state=0).fit(X, y, times=times)
    assert np.isnan(windows.held_out_["y0"][:40]).all()
    assert np.isfinite(windows.held_out_["y0"][40:]).all()
    np.testing.assert_allclose(windows.predict(X), PerTaskEstimator(Ridge()).fit(X, y).predict(X))  # a model of all rows
    drawn = BaggingEstimator(Ridge(), random_state=0).fit(X, y, times=times)
    assert np.isnan(drawn.held_out_["y0"]).all()
    assert np.isnan(drawn.skills_["y0"])


def test_subspaces_hide_columns(rng):
    X = pd.DataFrame(
        {"a": rng.normal(size=80), "b": rng.normal(size=80), "c": rng.choice(["u", "v"], 80), "d": rng.normal(size=80)}
    )
    model = BaggingEstimator(Ridge(), n_repeats=8, max_features=0.5, random_state=0).fit(X, X["a"] + X["b"])
    kept = [len(own.numeric) + len(own.categorical) for own in model.model_.models]
    assert kept == [2] * 8
    assert len({(tuple(own.numeric), tuple(own.categorical)) for own in model.model_.models}) > 2
    assert 0.1 < model.score(X, X["a"] + X["b"]) < 0.99


def test_rows_drawn_twice_weigh_twice_where_that_can_be_said():
    assert takes_weights(boosted_trees())
    assert not takes_weights({"regressor": Ridge(), "classifier": KNeighborsRegressor()})
    assert not takes_weights(GreedyEnsemble({"near": PerTaskEstimator(KNeighborsRegressor())}))
    assert takes_weights(GreedyEnsemble({"line": PerTaskEstimator(Ridge())}))


def test_copies_and_weights_of_rows_are_the_same(rng):
    X = rng.normal(size=(60, 2))
    y = X[:, 0] + 0.2 * rng.normal(size=60)

    class NoWeights(Ridge):
        def fit(self, X, y):
            return super().fit(X, y)

    class Weights(Ridge):
        def fit(self, X, y, sample_weight=None):
            weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
            counts = np.round(weight / weight.min()).astype(int)  # drawn rows weigh 1, 2, ... of some unit
            return super().fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))

    copies = BaggingEstimator(NoWeights(), n_repeats=5, random_state=0).fit(X, y)
    weights = BaggingEstimator(Weights(), n_repeats=5, random_state=0).fit(X, y)
    # the scale of the columns is that of rows, once or as often as they were drawn: the penalty feels it a little
    np.testing.assert_allclose(copies.predict(X), weights.predict(X), rtol=0.05, atol=0.02)
