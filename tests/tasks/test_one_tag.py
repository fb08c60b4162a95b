"""A multilabel task of one column works wherever one of several does."""

import numpy as np
import pandas as pd
import pytest

from polytask.automatic import MultiTaskPredictor
from polytask.cli._tasks import _values
from polytask.data.splits import split_balance
from polytask.estimators import MultiTaskNetwork, linear_models
from polytask.evaluation import compare
from polytask.tasks import Multilabel, Regression


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(90, 3)), columns=["a", "b", "c"])
    y = pd.DataFrame({"beach": (X["a"] + rng.normal(size=90) > 0).astype(float), "price": X["b"] + rng.normal(size=90)})
    y.loc[::9, "beach"] = np.nan
    return X, y


@pytest.fixture(scope="module")
def fitted(table):
    task = Multilabel("tags", ("beach",)).fit(table[1])
    target = task.encode(table[1])
    return task.with_statistics(target, (~np.isnan(target)).astype(float)), target


def test_metrics_are_those_of_the_one_tag(fitted):
    task, target = fitted
    outputs = np.random.default_rng(1).uniform(size=(90, 1))
    values, reasons = task.evaluate_with_reasons(outputs, target, sample_weight=np.ones(90))
    seen = ~np.isnan(target[:, 0])
    assert values["hamming_loss"] == pytest.approx(np.mean((outputs[seen, 0] > 0.5) != target[seen, 0]))
    assert values["multilabel_log_loss"] == pytest.approx(np.nanmean(task.row_losses(outputs, target)))
    assert reasons == {"ranking_loss": "no row has both a 0 and a 1 among its observed labels"}


def test_losses_strata_and_predictions_have_one_column(fitted):
    task, target = fitted
    outputs = task.constant_outputs(90)
    np.testing.assert_array_equal(np.isnan(task.row_losses(outputs, target)), np.isnan(target[:, 0]))
    assert task.strata(target).shape == (90, 2)  # the tag, and missing
    assert {name: len(column) for name, column in task.decode_table(outputs).items()} == {"beach": 90, "beach:p": 90}
    assert task.join([np.array([[0.3, 0.7]])]).tolist() == [[0.7]]


def test_the_task_table_and_the_split_count_the_tag(table, fitted):
    task, target = fitted
    assert _values(task, table[1]) == f"beach ({int(np.nansum(target))})"
    balance = split_balance(table[1], np.arange(90) % 2, tasks=[task]).to_dict()
    assert list(balance["tasks"]["tags"]["whole"]["classes"]) == ["beach"]


def test_a_comparison_has_it_in_every_arm(table):
    tasks = [Multilabel("tags", ("beach",)), Regression("price")]
    joint = MultiTaskNetwork(max_epochs=2)
    found = compare(*table, tasks, joint=joint, folds=2, repeats=1, candidates={"linear": linear_models()}).to_dict()
    for arm in ("together", "alone", "best_separate"):
        assert found["tasks"]["tags"]["arms"][arm]["metrics"]["roc_auc_per_label"] > 0


def test_a_predictor_evaluates_it(table):
    frame = pd.concat(table, axis=1)
    model = MultiTaskPredictor(["tags=beach:multilabel", "price"], max_steps=5).fit(frame)
    assert model.evaluate(frame)["tasks"]["tags"]["metrics"]["hamming_loss"] is not None
    assert set(model.predict(frame)["beach"]) <= {0, 1}
