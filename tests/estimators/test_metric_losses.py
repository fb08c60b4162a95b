"""Networks that minimise AUC, average precision or F1: alone and in stacks, calibrated, stored."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from polytask.estimators import CodedTable, MultiTaskNetwork, NetworkJob, load_estimator, save_estimator, twin_mask
from polytask.exceptions import PolytaskError, PolytaskWarning
from polytask.networks import MLP
from polytask.tasks import Binary, Multiclass, Multilabel, Regression

N = 900
TASKS = [
    Binary("rare", loss="auc"),
    Multilabel("tags", ("t1", "t2"), loss="average_precision"),
    Multiclass("colour", loss="soft_f1_macro"),
    Regression("price"),
]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(N, 4)), columns=list("abcd"))
    y = pd.DataFrame({"rare": (X["a"] + 0.5 * rng.normal(size=N) > 1.6).astype(float)})
    y["t1"], y["t2"] = (X["b"] > 1).astype(float), (X["c"] - X["a"] > 1.5).astype(float)
    y["colour"] = np.array(["blue", "green", "red"])[np.digitize(X["d"] + 0.5 * rng.normal(size=N), [-1.5, 1.5])]
    y["price"] = X["a"] + rng.normal(size=N)
    return X, y.mask(rng.uniform(size=y.shape) < 0.1)


def network(tasks=TASKS, **settings):
    settings = {"max_epochs": 12, "encoder": MLP(width=16, dropout=0.0), "random_state": 0} | settings
    return MultiTaskNetwork(tasks, **settings)


@pytest.fixture(scope="module")
def model(table):
    return network().fit(*table)


def test_scores_become_probabilities_that_are_right_on_the_mean(model, table):
    X, y = table
    outputs = model.outputs(X)
    seen = y["rare"].notna()
    assert outputs["rare"][:, 1].mean() == pytest.approx(y["rare"].mean(), abs=0.02)
    assert outputs["tags"].mean(axis=0) == pytest.approx(y[["t1", "t2"]].mean().to_numpy(), abs=0.03)
    assert roc_auc_score(y["rare"][seen], outputs["rare"][seen, 1]) > 0.9
    assert model.score(X, y) > 0.3
    assert ["calibration" in task.statistics for task in model.tasks_] == [True, True, True, False]
    assert all(slope > 0 for task in model.tasks_[:3] for slope in task.statistics["calibration"][0])


def test_a_folder_keeps_the_calibration(model, table, tmp_path):
    save_estimator(model, tmp_path / "model")
    again = load_estimator(tmp_path / "model")
    assert [task.loss for task in again.tasks_] == [task.loss for task in model.tasks_]
    for name, outputs in model.outputs(table[0]).items():
        np.testing.assert_array_equal(again.outputs(table[0])[name], outputs)


def test_twins_of_a_stack_are_those_trained_alone(table):
    model = network(max_epochs=3, patience=None)
    arrays, labels = model._read_training_data(*table)
    labels, weight = labels.weighed(None)
    coded, rows = CodedTable(arrays, model.codec_.cardinalities), np.arange(N)
    jobs = [NetworkJob(rows[:700], rows[700:], twin_mask(labels, task), 7 + k) for k, task in enumerate(labels.tasks)]
    jobs.append(NetworkJob(rows[200:], rows[:200], np.ones(len(labels.tasks), dtype=bool), 3))
    together = model.fit_jobs(jobs, coded, labels, weight)
    for k, (job, own) in enumerate(zip(jobs, together, strict=True)):
        alone = model.fit_jobs([job], coded, labels, weight)[0]
        for name in own.outputs(arrays) if k == len(labels.tasks) else [labels.tasks[k].name]:
            np.testing.assert_allclose(own.outputs(arrays)[name], alone.outputs(arrays)[name], rtol=1e-4, atol=1e-5)


def test_further_training_calibrates_anew_but_not_by_a_handful(table):
    X, y = table
    model = network(TASKS[0]).partial_fit(X[:600], y[["rare"]][:600])
    first = model.tasks_[0].statistics["calibration"]
    model.partial_fit(X[600:], y[["rare"]][600:])
    second = model.tasks_[0].statistics["calibration"]
    assert first != second
    few = X[y["rare"] == 0][:20]
    with pytest.warns(PolytaskWarning, match="'rare' is of batches .*: the training rows hold one, and teach nothing"):
        model.partial_fit(few, y.loc[few.index, ["rare"]])
    assert model.tasks_[0].statistics["calibration"] == second


@pytest.mark.parametrize("classes", ["shuffled", "class_aware"])
def test_batches_without_a_class_are_told(table, classes):
    X, y = table
    own = network(Binary("rare", loss="auc"), batch_size=16, batches=classes, max_epochs=1)
    if classes == "class_aware":  # there are enough positives for each batch
        own.fit(X, y[["rare"]])
        return
    with pytest.warns(PolytaskWarning, match=r"'auc' of task 'rare' is of batches .*, and taught nothing"):
        own.fit(X, y[["rare"]])
    with pytest.raises(PolytaskError, match=r"and none does, so .* Take larger batches"):
        network(Binary("rare", loss="auc"), batch_size=1, max_epochs=1).fit(X[:200], y[["rare"]][:200])
    with pytest.warns(PolytaskWarning, match="'rare' is of batches .*: none of the steps of this short run had one"):
        network(Binary("rare", loss="auc"), batch_size=1, max_steps=1).fit(X[:200], y[["rare"]][:200])


def test_soft_f1_beats_cross_entropy_in_f1_and_auc_loses_no_auc_where_classes_are_rare():
    """Ten labels in a hundred are positive, and a straight line cannot tell where."""
    found = {}
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X = pd.DataFrame(rng.normal(size=(3000, 6)))
        X.columns = [f"x{k}" for k in range(6)]
        y = (X["x0"] * X["x1"] + X["x2"] + 0.8 * rng.normal(size=3000) > 2.2).astype(float).to_frame("rare")
        train, test = slice(0, 2000), slice(2000, None)
        for loss in ("cross_entropy", "soft_f1_macro", "auc"):
            own = network(Binary("rare", loss=loss), max_epochs=25, random_state=seed).fit(X[train], y[train])
            p = own.outputs(X[test])["rare"][:, 1]
            found[loss, seed] = f1_score(y[test], p > 0.5), roc_auc_score(y[test], p)
    gains = {
        loss: np.mean([np.subtract(found[loss, s], found["cross_entropy", s]) for s in range(3)], axis=0)
        for loss in ("soft_f1_macro", "auc")
    }
    assert gains["soft_f1_macro"][0] > 0.03
    assert gains["auc"][1] > -0.01
