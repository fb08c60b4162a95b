"""Averages and votes: numbers against formulas by hand, and scikit-learn's own."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from polytask.estimators import AveragingEstimator, PerTaskEstimator, VotingEstimator
from polytask.estimators._voting import rank_mean, reference_quantiles, weighted_median
from polytask.tasks import Multilabel, Regression

CLASSIFIERS = {"line": LogisticRegression(), "bayes": GaussianNB(), "tree": DecisionTreeClassifier(max_depth=3, random_state=0)}


@pytest.fixture
def classes(rng):
    X = rng.normal(size=(150, 3))
    return X, np.array(["a", "b", "c"])[np.digitize(X[:, 0] + rng.normal(size=150), [-0.5, 0.8])]


def alone(X, y):
    return [PerTaskEstimator(own).fit(X, y).outputs(X)["y0"] for own in CLASSIFIERS.values()]


def test_soft_votes_are_means_of_probabilities(classes):
    found = VotingEstimator(CLASSIFIERS, weights={"line": 2, "bayes": 1}).fit(*classes).outputs(classes[0])["y0"]
    line, bayes, _ = alone(*classes)
    np.testing.assert_allclose(found, (2 * line + bayes) / 3)


def test_hard_votes_are_those_of_scikit_learn(classes):
    X, y = classes
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)  # as PerTaskEstimator gives it to all
    theirs = VotingClassifier(list(CLASSIFIERS.items()), voting="hard", weights=[1.5, 1, 1]).fit(scaled, y).predict(scaled)
    ours = VotingEstimator(CLASSIFIERS, voting="hard", weights={"line": 1.5, "bayes": 1, "tree": 1}).fit(X, y).predict(X)
    np.testing.assert_array_equal(ours, theirs)


def test_hard_votes_rule_no_class_out(rng):
    X = rng.normal(size=(80, 2))
    y = np.array(["a", "b", "c"])[np.clip((X[:, 0] + 0.8 * rng.normal(size=80)).round(), -1, 1).astype(int) + 1]
    shares = VotingEstimator(CLASSIFIERS, voting="hard").fit(X, y).outputs(X)["y0"]
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert set(np.round(12 * shares).astype(int).ravel()) <= {1, 4, 7, 10}  # of 3 votes and one for all
    assert log_loss(y, shares) < log_loss(y, np.tile(np.unique(y, return_counts=True)[1] / len(y), (len(y), 1)))


def test_hard_votes_for_tags_and_numbers(rng):
    X = rng.normal(size=(40, 2))
    y = pd.DataFrame({"n": X[:, 0], "p": (X[:, 0] > 0) * 1.0, "q": (X[:, 1] > 0) * 1.0})
    parts = {
        "never": {
            "regressor": DummyRegressor(strategy="constant", constant=0.0),
            "classifier": DummyClassifier(strategy="constant", constant=0),
        },
        "always": {
            "regressor": DummyRegressor(strategy="constant", constant=9.0),
            "classifier": DummyClassifier(strategy="constant", constant=1),
        },
        "line": {"regressor": Ridge(1e-6), "classifier": DummyClassifier(strategy="constant", constant=1)},
    }
    outputs = VotingEstimator(parts, [Regression("n"), Multilabel("tags", ("p", "q"))], voting="hard").fit(X, y).outputs(X)
    np.testing.assert_allclose(outputs["tags"], (2 + 1 / 2) / (3 + 1))
    np.testing.assert_allclose(outputs["n"], np.clip(X[:, 0], 0, 9), atol=1e-4)


def test_the_weighted_median_is_that_of_repeated_values(rng):
    values, weights = rng.normal(size=(4, 25)), np.array([3, 1, 2, 1])
    np.testing.assert_allclose(weighted_median(values, weights), np.median(np.repeat(values, weights, axis=0), axis=0))
    values, weights = rng.normal(size=(3, 25)), np.array([2, 1, 1])
    np.testing.assert_allclose(weighted_median(values, weights), np.median(np.repeat(values, weights, axis=0), axis=0))


def test_ranks_do_not_feel_a_monotone_change_of_one_model(rng):
    first, second = rng.normal(size=500), rng.normal(size=500)
    references = [reference_quantiles(first)[:, 0], reference_quantiles(second)[:, 0]]
    squeezed = 1 / (1 + np.exp(-3 * second))
    before = rank_mean([first, second], references, np.ones(2))
    after = rank_mean([first, squeezed], [references[0], reference_quantiles(squeezed)[:, 0]], np.ones(2))
    assert spearmanr(before, after).statistic > 0.9999
    assert spearmanr((first + second) / 2, (first + squeezed) / 2).statistic < 0.99


def test_the_rank_mean_of_one_model_is_the_model(rng):
    values = rng.normal(size=300)
    np.testing.assert_allclose(rank_mean([values], [reference_quantiles(values)[:, 0]], np.ones(1)), values, atol=1e-9)


def test_rank_votes_give_probabilities_near_the_mean(classes):
    X, y = classes
    ranked = VotingEstimator(CLASSIFIERS, voting="rank", random_state=0).fit(X, y).outputs(X)["y0"]
    np.testing.assert_allclose(ranked.sum(axis=1), 1)
    assert (ranked >= 0).all()
    assert np.corrcoef(ranked[:, 2], np.mean(alone(X, y), axis=0)[:, 2])[0, 1] > 0.9


def test_a_part_averages_the_tasks_that_it_declares(rng):
    X = rng.normal(size=(60, 2))
    y = pd.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    zero = DummyRegressor(strategy="constant", constant=0.0)
    model = AveragingEstimator({"line": Ridge(1e-9), "zero": PerTaskEstimator(zero, ["b"])}).fit(X, y)
    np.testing.assert_allclose(model.predict(X)["a"], X[:, 0], atol=1e-6)
    np.testing.assert_allclose(model.predict(X)["b"], X[:, 1] / 2, atol=1e-6)
