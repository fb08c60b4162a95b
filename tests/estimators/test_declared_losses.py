"""Tasks with losses, metrics and class weights of their own in networks, separate models, comparisons and model folders."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, QuantileRegressor

from polytask.estimators import (
    BestPerTask,
    MultiTaskNetwork,
    PerTaskEstimator,
    boosted_trees,
    linear_models,
    load_estimator,
    save_estimator,
)
from polytask.exceptions import ModelFolderError
from polytask.metrics import make_metric
from polytask.networks import MLP
from polytask.tasks import Binary, Count, Multiclass, Regression

N = 600


def triple(preds, target):
    """Too low costs three times as much as too high; the best prediction is the 0.75 quantile."""
    return torch.where(preds < target, 3.0, 1.0) * (preds - target).abs()


BIAS = make_metric("bias", lambda target, outputs: float(np.mean(outputs - target)), higher_is_better=False)
TASKS = [
    Regression("low", loss="quantile:0.1"),
    Regression("high", loss="quantile:0.9"),
    Regression("middle", loss="mae", metrics=[BIAS, "spearman"]),
    Regression("own", loss=triple),
    Binary("rare", loss="focal", class_weight="balanced"),
    Multiclass("colour", loss="cross_entropy:0.05"),
    Count("visits", loss="huber"),
]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 3))
    noise = rng.exponential(1.0, size=N)
    x = 2 * X[:, 0] + noise
    y = pd.DataFrame(dict.fromkeys(("low", "high", "middle", "own"), x))
    y["rare"] = (X[:, 1] + rng.normal(size=N) > 2.2).astype(int)
    y["colour"] = np.array(["blue", "green", "red"])[np.digitize(X[:, 2], [-0.5, 0.5])]
    y["visits"] = rng.poisson(np.exp(X[:, 0]))
    y = y.mask(rng.uniform(size=y.shape) < 0.1)
    return pd.DataFrame(X, columns=list("abc")), y


@pytest.fixture(scope="module")
def network(table):
    return MultiTaskNetwork(TASKS, max_epochs=60, encoder=MLP(n_layers=0), learning_rate=0.02, random_state=0).fit(*table)


@pytest.fixture(scope="module")
def separate(table):
    return BestPerTask({"trees": boosted_trees(n_estimators=40), "linear": linear_models()}, TASKS, random_state=0).fit(*table)


def shares_below(model, table):
    X, y = table
    predicted = model.predict(X)
    return {name: float((y[name] <= predicted[name])[y[name].notna()].mean()) for name in ("low", "middle", "high", "own")}


def test_a_network_predicts_the_quantiles_that_are_asked_for(network, table):
    shares = shares_below(network, table)
    expected = {"low": 0.1, "middle": 0.5, "high": 0.9, "own": 0.75}
    assert shares == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize(
    "estimator", [boosted_trees(n_estimators=60), linear_models(), LinearRegression()], ids=["trees", "linear", "one"]
)
def test_separate_models_predict_the_quantiles_that_are_asked_for(table, estimator):
    X, y = table
    model = PerTaskEstimator(estimator, TASKS[:4]).fit(X, y)
    assert shares_below(model, table) == pytest.approx({"low": 0.1, "middle": 0.5, "high": 0.9, "own": 0.75}, abs=0.07)


def test_lightgbm_minimises_the_loss_itself_and_others_are_shifted(table):
    X, y = table
    trees = PerTaskEstimator(boosted_trees(n_estimators=5), TASKS[:4]).fit(X, y)
    objectives = {name: model.models_[0].objective for name, model in trees.models_.items()}
    assert objectives == {"low": "quantile", "high": "quantile", "middle": "regression_l1", "own": None}
    assert [model.shifts_[0] != 0 for model in trees.models_.values()] == [False, False, False, True]


def test_shifts_come_from_rows_that_the_model_has_not_seen(table):
    """A forest fits its own rows closely; by its residuals there, its quantiles would lie much too near the mean."""
    X, y = table
    model = PerTaskEstimator(RandomForestRegressor(n_estimators=30, random_state=0), TASKS[1]).fit(X[:400], y[:400])
    rows = slice(400, None)
    below = (y["high"][rows] <= model.predict(X[rows])["high"])[y["high"][rows].notna()].mean()
    assert below == pytest.approx(0.9, abs=0.06)


def test_an_estimator_of_the_quantile_itself_is_hardly_shifted(table):
    X, y = table
    model = PerTaskEstimator(QuantileRegressor(quantile=0.9, alpha=0.0), TASKS[1]).fit(X, y)
    assert abs(model.models_["high"].shifts_[0]) < 0.25


def test_tasks_without_a_loss_are_learned_as_before(table):
    X, y = table
    model = PerTaskEstimator(LinearRegression(), Regression("low")).fit(X, y)
    seen = y["low"].notna()
    expected = LinearRegression().fit(X[seen], y["low"][seen]).predict(X)
    np.testing.assert_allclose(model.predict(X)["low"], expected)


def test_class_weights_reach_networks_and_separate_models(table):
    X, y = table
    plain, weighted = Binary("rare"), Binary("rare", class_weight="balanced")
    for make in (
        lambda task: PerTaskEstimator(boosted_trees(n_estimators=20), task),
        lambda task: PerTaskEstimator(linear_models(), task),
        lambda task: MultiTaskNetwork(task, max_epochs=15, random_state=0),
    ):
        shares = [make(task).fit(X, y).predict_proba(X)["rare"]["1"].mean() for task in (plain, weighted)]
        assert shares[1] > 2 * shares[0]


def test_skill_is_positive_where_there_is_something_to_learn(network, separate, table):
    for model in (network, separate):
        skills = {}
        for task in model.tasks_:
            outputs, target = model.outputs(table[0])[task.name], task.encode(table[1])
            losses, constant = task.row_losses(outputs, target), task.row_losses(task.constant_outputs(N), target)
            skills[task.name] = 1 - np.nanmean(losses) / np.nanmean(constant)
        assert min(skills.values()) > 0.05, skills
        assert model.score(*table) == pytest.approx(np.mean(list(skills.values())))


def test_the_skill_of_the_learning_curve_is_that_of_the_validation_rows(table):
    """Focal loss and smoothing train, but skill is told by the error of skill, as everywhere else."""
    X, y = table
    tasks = [Binary("rare", loss="focal"), Multiclass("colour", loss="cross_entropy:0.2"), Regression("middle", loss="mae")]
    model = MultiTaskNetwork(tasks, max_epochs=8, patience=None, random_state=0).fit(X, y)
    rows = model.validation_rows_
    told = model.network_.curves["skill"][model.network_.best_epoch - 1]
    for k, task in enumerate(model.tasks_):
        target = task.encode(y.iloc[rows])
        losses = task.row_losses(model.outputs(X.iloc[rows])[task.name], target)
        constant = task.row_losses(task.constant_outputs(len(rows)), target)
        assert told[k] == pytest.approx(1 - np.nanmean(losses) / np.nanmean(constant), abs=1e-4)


@pytest.mark.parametrize("which", ["network", "separate"])
def test_a_model_folder_keeps_losses_and_metrics_by_name(request, which, table, tmp_path):
    model = request.getfixturevalue(which)
    save_estimator(model, tmp_path / "model")
    with pytest.raises(ModelFolderError, match=r"your own (loss 'triple'|metric 'bias')"):
        load_estimator(tmp_path / "model")
    again = load_estimator(tmp_path / "model", losses=[triple], metrics=[BIAS])
    pd.testing.assert_frame_equal(again.predict(table[0]), model.predict(table[0]))
    assert again.score(*table) == model.score(*table)
    assert [task.loss for task in again.tasks_] == [task.loss for task in model.tasks_]
    target = again.tasks_[2].encode(table[1])
    assert list(again.tasks_[2].evaluate(again.outputs(table[0])["middle"], target))[:3] == ["bias", "spearman", "mae"]


@pytest.mark.parametrize("estimator", [boosted_trees(n_estimators=5), linear_models()], ids=["trees", "linear"])
def test_every_loss_of_separate_models_is_kept(estimator, table, tmp_path):
    tasks = [*TASKS, Regression("bulk", ("middle",), loss="huber"), Count("few", ("visits",), loss="quantile:0.3")]
    model = PerTaskEstimator(estimator, tasks).fit(*table)
    save_estimator(model, tmp_path / "model")
    again = load_estimator(tmp_path / "model", losses=[triple], metrics=[BIAS])
    for task, outputs in model.outputs(table[0]).items():
        np.testing.assert_array_equal(again.outputs(table[0])[task], outputs)


def test_twins_of_a_stack_are_those_trained_alone(table):
    """Several networks at once, by torch.func.vmap, minimise what one minimises."""
    from polytask.estimators import CodedTable, NetworkJob, twin_mask

    X, y = table
    model = MultiTaskNetwork(TASKS, max_epochs=4, patience=None, encoder=MLP(width=16, dropout=0.0), random_state=0)
    arrays, labels = model._read_training_data(X, y)
    labels, weight = labels.weighed(None)
    coded = CodedTable(arrays, model.codec_.cardinalities)
    rows = np.arange(N)
    jobs = [NetworkJob(rows[:480], rows[480:], twin_mask(labels, task), 7 + k) for k, task in enumerate(labels.tasks)]
    together = model.fit_jobs(jobs, coded, labels, weight)
    for job, own, task in zip(jobs, together, labels.tasks, strict=True):
        alone = model.fit_jobs([job], coded, labels, weight)[0]
        np.testing.assert_allclose(own.outputs(arrays)[task.name], alone.outputs(arrays)[task.name], rtol=2e-3, atol=2e-3)
