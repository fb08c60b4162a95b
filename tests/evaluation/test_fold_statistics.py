"""A held-out, reserved or weightless label changes no number that a model of its fold was fitted with."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from polytask.data.splits import ColumnSplit
from polytask.estimators import BestPerTask, CodedTable, MultiTaskNetwork, NetworkJob, PerTaskEstimator
from polytask.evaluation import compare, permutation_importance
from polytask.networks import MLP
from polytask.tasks import Binary, Regression

N, HELD = 90, 30
TASKS = [Binary("sold", class_weight="balanced"), Regression("price", loss="huber")]
LINEAR = {"regressor": Ridge(), "classifier": LogisticRegression()}
FOLDS = np.repeat(["a", "b", "c"], HELD)


def tables():
    """Labels, and the same with most of those of fold a changed."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"area": rng.normal(size=N), "age": rng.normal(size=N)})
    price = 3 * X["area"] + rng.standard_t(2, N)
    y = pd.DataFrame({"sold": np.where(price + rng.normal(0, 1, N) > 2, "yes", "no"), "price": price})
    changed = y.copy()
    changed.loc[: HELD - 3, "sold"] = "yes"
    changed.loc[: HELD - 3, "price"] *= 100.0
    return X, y, changed


def network(**settings):
    return MultiTaskNetwork(TASKS, encoder=MLP(width=8), max_epochs=3, random_state=0, **settings)


@pytest.fixture(scope="module")
def comparisons():
    X, y, changed = tables()
    settings = {"separate": ["alone", "best_separate"], "candidates": {"linear": LINEAR}, "repeats": 1}
    return [compare(X, own, joint=network(), folds=ColumnSplit(FOLDS), **settings) for own in (y, changed)]


@pytest.mark.parametrize("arm", ["together", "alone", "best_separate"])
def test_models_of_a_fold_do_not_know_its_labels(comparisons, arm):
    before, after = (found.outputs[arm][0] for found in comparisons)
    for task in ("sold", "price"):
        np.testing.assert_array_equal(before[task][:HELD], after[task][:HELD])  # learned from folds b and c
        assert not np.array_equal(before[task][HELD:], after[task][HELD:])  # learned from fold a too


def test_the_network_of_a_fold_does_not_depend_on_what_is_trained_beside_it():
    X, y, _ = tables()
    model = network(patience=None)
    arrays, labels = model._read_training_data(X, y)
    table, weight = CodedTable(arrays, model.codec_.cardinalities), np.ones(labels.target.shape)
    rows = np.arange(N)
    jobs = [NetworkJob(rows[label != FOLDS], rows[label == FOLDS], np.ones(2, dtype=bool), 7) for label in ("a", "b")]
    both = model.fit_jobs(jobs, table, labels, weight)
    for job, found in zip(jobs, both, strict=True):
        alone = model.fit_jobs([job], table, labels, weight)[0].outputs(arrays)
        for task, outputs in found.outputs(arrays).items():
            np.testing.assert_array_equal(outputs, alone[task])


@pytest.mark.parametrize("model", [network(), PerTaskEstimator(LINEAR, TASKS), BestPerTask({"linear": LINEAR}, tasks=TASKS)])
def test_labels_of_weight_zero_change_nothing(model):
    X, y, changed = tables()
    weight = np.where(np.arange(N) < HELD, 0.0, 1.0)
    before, after = (model.fit(X, own, sample_weight=weight).outputs(X) for own in (y, changed))
    for task in ("sold", "price"):
        np.testing.assert_array_equal(before[task], after[task])


def test_validation_labels_give_no_class_weights_and_no_unit():
    X, y, changed = tables()
    model = network(patience=None, max_steps=1)  # one step, so that validation labels cannot choose another epoch
    reserved = np.arange(N) < HELD
    before, after = (model.fit(X, own, reserved=reserved).tasks_ for own in (y, changed))
    assert before == after


def test_importance_of_such_tasks_is_measured():
    X, y, _ = tables()
    found = permutation_importance(network().fit(X[HELD:], y[HELD:]), X[:HELD], y[:HELD])
    assert set(found.to_dict()["tasks"]) == {"sold", "price"}
