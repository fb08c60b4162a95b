"""Boosting of all tasks by shared trees: derivatives, kinds, missing labels, a round per task, the model folder."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import r2_score

from polytask.estimators import MultiTaskBoosting, PerTaskEstimator, boosted_trees_stopped, load_estimator, save_estimator
from polytask.estimators._joint_training import joint_training
from polytask.estimators._multi_task_boosting import _JointLoss
from polytask.exceptions import OptionError
from polytask.tasks import Binary, Regression
from tests.estimators._tables import TASKS, assert_same_outputs, houses
from tests.estimators.test_ensemble_leaks import coded


def boosting(tasks=TASKS, **settings):
    return MultiTaskBoosting(tasks, **{"n_estimators": 40, "learning_rate": 0.2, "patience": 8, "random_state": 0} | settings)


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


def test_gradients_are_those_of_the_losses():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(30, 2)), columns=["a", "b"])
    y = pd.DataFrame({"noise": rng.normal(size=30), "same": rng.normal(size=30), "sign": rng.choice(["yes", "no"], 30)})
    y.loc[::4, "noise"] = np.nan
    own = joint_training(coded(X, y), np.arange(30))
    loss = _JointLoss(own)
    scores, row = rng.normal(size=(30, loss.width)), np.array([1])
    gradient, _ = loss.derivatives(scores[row], row)
    for part, factor in zip(loss.parts, (2, 2, 1), strict=True):  # a squared error has twice the residual
        k = part.start

        def of(value, k=k, part=part):
            moved = scores[row].copy()
            moved[0, k] = value[0]
            return loss.of_targets(moved, row)[loss.parts.index(part)]

        assert -approx_fprime(scores[row, [k]], of, 1e-6)[0] == pytest.approx(factor * gradient[0, k], rel=1e-3)


def test_a_loss_without_labels_is_undefined_and_the_base_is_the_constant():
    X, y = houses(40, missing=0.0)
    y = y.rename(columns={"price": "noise", "visits": "same", "sold": "sign"})
    own = joint_training(coded(X, y[["noise", "same", "sign"]]), np.arange(40))
    loss = _JointLoss(own)
    own.joint.weight[:10, 0] = 0
    assert np.isnan(loss.of_targets(np.zeros((10, loss.width)), np.arange(10))[0])
    shown = loss.natural(np.zeros((1, loss.width)))[0]
    np.testing.assert_allclose(shown, own.joint.centers)


def test_changing_a_label_of_weight_0_changes_nothing():
    X, y = houses(80)
    weight = np.ones((80, len(TASKS)))
    weight[::3, 0] = weight[1::3, 1] = 0
    other = y.copy()
    other.loc[weight[:, 0] == 0, "price"] = 1e6
    other.loc[weight[:, 1] == 0, "sold"] = other["sold"].map({"yes": "no", "no": "yes"})
    one, two = (boosting(n_estimators=10).fit(X, labels, sample_weight=weight) for labels in (y, other))
    assert_same_outputs(one.outputs(X), two.outputs(X))


def test_a_folder_gives_the_same_model(fitted, tmp_path):
    model, X, _ = fitted
    save_estimator(model, tmp_path / "model")
    loaded = load_estimator(tmp_path / "model")
    assert_same_outputs(loaded.outputs(X), model.outputs(X))
    assert loaded.n_rounds_ == model.n_rounds_


def test_one_task_is_learned_about_as_well_as_by_others():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(700, 5))
    y = X[:, 0] * X[:, 1] + X[:, 2] + 0.2 * rng.normal(size=700)
    own = MultiTaskBoosting([Regression("y")], n_estimators=200, max_features=1.0, random_state=0).fit(X[:400], y[:400])
    peer = HistGradientBoostingRegressor(random_state=0).fit(X[:400], y[:400])
    assert r2_score(y[400:], own.predict(X[400:])) > r2_score(y[400:], peer.predict(X[400:])) - 0.03


def test_a_task_with_few_labels_learns_from_one_with_many():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(700, 12))
    signal = np.sign(X[:, 0]) + np.sign(X[:, 1])
    y = pd.DataFrame({"many": signal + 0.1 * rng.normal(size=700), "few": np.where(signal > 0, "up", "down")})
    train = y[:400].copy()
    train.loc[15:, "few"] = None
    tasks = [Regression("many"), Binary("few")]
    together = boosting(tasks, n_estimators=60, max_features=1.0).fit(X[:400], train)
    alone = PerTaskEstimator(boosted_trees_stopped(), tasks[1:]).fit(X[:400], train[["few"]])
    right = [(model.predict(X[400:])["few"] == y["few"][400:].to_numpy()).mean() for model in (together, alone)]
    assert right[0] > 0.7
    assert right[0] > right[1] + 0.05


def test_each_task_ends_at_its_own_round():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = pd.DataFrame({"noise": rng.normal(size=300), "signal": X[:, 0] * X[:, 1]})
    model = boosting([Regression("noise"), Regression("signal")], n_estimators=60, max_features=1.0).fit(X, y)
    assert model.n_rounds_["noise"] < 0.4 * model.n_rounds_["signal"]
    assert np.std(model.predict(rng.normal(size=(100, 4)))["noise"]) < 0.2


def test_more_rows_are_stopped_by_one_holdout_and_groups_are_kept_whole():
    rng = np.random.default_rng(0)
    groups = np.arange(3200) // 40
    X = rng.normal(size=(80, 2))[groups]
    y = rng.normal(size=80)[groups] + rng.normal(size=3200)
    settings = {"n_estimators": 25, "max_features": 1.0, "random_state": 0}
    minding, ignoring = (MultiTaskBoosting(**settings).fit(X, y, groups=own) for own in (groups, None))
    new = rng.normal(size=(300, 2))
    assert np.std(minding.predict(new)) < 0.5 * np.std(ignoring.predict(new))


@pytest.mark.parametrize(
    ("name", "value"), [("patience", 0), ("subsample", 0), ("max_features", 1.5), ("learning_rate", 0), ("l2", -1)]
)
def test_settings_are_checked(name, value):
    with pytest.raises(OptionError, match=name):
        MultiTaskBoosting(**{name: value}).fit(np.zeros((5, 1)), np.arange(5.0))
