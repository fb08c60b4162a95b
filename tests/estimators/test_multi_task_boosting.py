"""Boosting of all tasks by shared trees: derivatives, kinds, missing labels, a round per task, the model folder."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from sklearn.ensemble import HistGradientBoostingRegressor

from polytask.estimators import MultiTaskBoosting
from polytask.estimators._joint_training import joint_training
from polytask.estimators._multi_task_boosting import _JointLoss
from polytask.exceptions import OptionError
from polytask.tasks import Binary
from tests.estimators import _joint_laws as laws
from tests.estimators._tables import TASKS, houses
from tests.estimators.test_ensemble_leaks import coded


def boosting(tasks=TASKS, **settings):
    return MultiTaskBoosting(tasks, **{"n_estimators": 40, "learning_rate": 0.2, "patience": 8, "random_state": 0} | settings)


@pytest.fixture(scope="module")
def fitted():
    X, y = houses(150)
    return boosting().fit(X, y), X, y


def test_every_kind_is_learned(fitted):
    laws.assert_every_kind_is_learned(fitted[0])


def test_a_label_of_weight_0_is_not_read():
    laws.assert_labels_of_weight_0_are_not_read(boosting, n_estimators=10)


def test_rows_without_labels_change_nothing():
    laws.assert_rows_without_labels_change_nothing(boosting, n_estimators=10)


def test_weights_count_but_not_their_unit():
    laws.assert_weights_count_but_not_their_unit(boosting, n_estimators=8, max_features=1.0, l2=0.0)  # `l2` is in that unit


def test_the_order_of_the_tasks_does_not_matter():
    laws.assert_order_of_tasks_does_not_matter(boosting, n_estimators=6, max_depth=3)


def test_labels_all_alike_are_predicted_so():
    laws.assert_labels_all_alike_are_predicted_so(boosting, n_estimators=15)


def test_a_task_with_few_labels_learns_from_one_with_many():
    laws.assert_few_labels_learn_from_many(boosting, Binary("few"), gain=0.05, max_features=1.0)


def test_each_task_ends_at_its_own_round():
    laws.assert_each_task_ends_at_its_own_round(boosting, max_features=1.0)


def test_groups_are_kept_whole():
    laws.assert_groups_are_kept_whole(boosting, n_groups=80, size=40, n_estimators=25, max_features=1.0)


def test_a_declared_loss_shifts():
    laws.assert_a_declared_loss_shifts(boosting, n_estimators=25)


def test_large_categories_are_learned(tmp_path):
    laws.assert_large_categories_are_learned(boosting, tmp_path / "model", n_estimators=10)


def test_it_is_a_part_of_an_ensemble(tmp_path):
    laws.assert_is_a_part_of_an_ensemble(boosting, tmp_path / "stack", n_estimators=10)


def test_a_folder_gives_the_same_model(fitted, tmp_path):
    laws.assert_a_folder_gives_the_same(*fitted[:2], tmp_path / "model")


def test_one_number_is_learned_about_as_well_as_by_others():
    peer = HistGradientBoostingRegressor(random_state=0)
    laws.assert_one_number_is_learned_as_by(boosting, peer, n_estimators=60, max_features=1.0)


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


@pytest.mark.parametrize(
    ("name", "value"), [("patience", 0), ("subsample", 0), ("max_features", 1.5), ("learning_rate", 0), ("l2", -1)]
)
def test_settings_are_checked(name, value):
    with pytest.raises(OptionError, match=name):
        MultiTaskBoosting(**{name: value}).fit(np.zeros((5, 1)), np.arange(5.0))
