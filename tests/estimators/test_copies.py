"""Estimators and predictors are copied and pickled by users, and predict in several threads at once."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import cloudpickle
import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge

from polytask import MultiTaskPredictor
from polytask.estimators import BestPerTask, PerTaskEstimator, boosted_trees
from polytask.networks import HardSharing
from tests.estimators._tables import TASKS, assert_same_outputs, houses, small_network

LINEAR = {"regressor": Ridge(), "classifier": LogisticRegression(max_iter=300), "counter": PoissonRegressor()}
MODELS = {
    "network": small_network(TASKS, sharing=HardSharing(tower_width=4)),
    "linear": PerTaskEstimator(LINEAR, TASKS),
    "trees": PerTaskEstimator(boosted_trees(n_estimators=3), TASKS),
    "networks": PerTaskEstimator(small_network(), TASKS),
    "best": BestPerTask({"linear": LINEAR, "network": small_network()}, TASKS, random_state=0),
}


@pytest.fixture(scope="module", params=[*MODELS, "partly fitted"])
def fitted(request):
    X, y = houses(80)
    if request.param == "partly fitted":
        return small_network(TASKS).partial_fit(X, y), X, y
    return clone(MODELS[request.param]).fit(X, y), X, y


def by_joblib(model, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    return joblib.load(tmp_path / "model.joblib")


COPIES = {
    "pickle": lambda model, _: pickle.loads(pickle.dumps(model)),
    "oldest pickle": lambda model, _: pickle.loads(pickle.dumps(model, protocol=2)),
    "cloudpickle": lambda model, _: pickle.loads(cloudpickle.dumps(model)),
    "deepcopy": lambda model, _: copy.deepcopy(model),
    "joblib": by_joblib,
}


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_predicts_the_same_to_the_bit_and_stands_alone(fitted, way, tmp_path):
    model, X, y = fitted
    before = model.outputs(X)
    copied = COPIES[way](model, tmp_path)
    assert_same_outputs(copied.outputs(X), before)
    assert copied.predict(X).equals(model.predict(X))
    assert copied.score(X, y) == model.score(X, y)
    copied.fit(X.iloc[::-1], y.iloc[::-1])
    assert_same_outputs(model.outputs(X), before)


def test_a_pickled_network_learns_on_as_the_first_would():
    X, y = houses(80)
    model = small_network(TASKS).partial_fit(X, y)
    copied = pickle.loads(pickle.dumps(model))
    assert_same_outputs(copied.partial_fit(X, y).outputs(X), model.partial_fit(X, y).outputs(X))


@pytest.mark.parametrize("name", MODELS)
def test_an_unfitted_estimator_is_pickled_too(name):
    model = pickle.loads(pickle.dumps(MODELS[name]))
    assert repr(model) == repr(MODELS[name])
    assert not hasattr(model, "tasks_")


@pytest.fixture(scope="module")
def predictor():
    X, y = houses(100)
    frame = X.join(y)
    return MultiTaskPredictor([*TASKS[:5], TASKS[5]], network=small_network()).fit(frame), frame


@pytest.mark.parametrize("way", COPIES)
def test_a_predictor_is_copied_too(predictor, way, tmp_path):
    model, frame = predictor
    copied = COPIES[way](model, tmp_path)
    assert copied.predict(frame).equals(model.predict(frame))
    assert copied.predict_table(frame).equals(model.predict_table(frame))
    assert copied.evaluate(frame) == model.evaluate(frame)
    assert copied.report_ == model.report_
    copied.save(tmp_path / "folder")
    assert MultiTaskPredictor.load(tmp_path / "folder").predict(frame).equals(model.predict(frame))


# ------------------------------------------------------------------------------------------------------------- threads


def at_once(calls, n_threads=8):
    """Results of calls in threads that run side by side."""
    with ThreadPoolExecutor(n_threads) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_threads_predict_what_one_predicts(fitted):
    model, X, _ = fitted
    parts = [X.iloc[start : start + size] for start, size in zip(range(0, 60, 3), [1, 7, 20, 2] * 5, strict=True)]
    alone = [model.outputs(part) for part in parts]
    for _ in range(3):
        for found, expected in zip(at_once([lambda part=part: model.outputs(part) for part in parts]), alone, strict=True):
            assert_same_outputs(found, expected)


def test_threads_of_all_methods_of_a_predictor_do_not_disturb_each_other(predictor):
    model, frame = predictor
    alone = model.predict(frame), model.predict_proba(frame), model.predict_table(frame), model.evaluate(frame)
    calls = [model.predict, model.predict_proba, model.predict_table, model.evaluate] * 6
    found = at_once([lambda call=call: call(frame) for call in calls])
    for k in range(0, len(found), 4):
        assert found[k].equals(alone[0])
        assert all(found[k + 1][name].equals(table) for name, table in alone[1].items())
        assert found[k + 2].equals(alone[2])
        assert found[k + 3] == alone[3]


def test_prediction_neither_reads_nor_changes_the_mode_of_the_module():
    """Dropout that another thread turned on would change numbers; a fitted network is in evaluation mode and stays there."""
    X, y = houses(60)
    model = small_network(TASKS).fit(X, y)
    modes = []
    train = model.network_.module.train
    model.network_.module.train = lambda mode=True: modes.append(mode) or train(mode)
    before = model.outputs(X)
    assert modes == []
    model.network_.module.train = train
    model.network_.module.train()  # a user's own step
    np.testing.assert_array_equal(model.outputs(X)["price"], before["price"])


def test_a_pickled_predictor_holds_no_training_rows():
    """What users hand on is the model, and its size does not grow with the table."""
    sizes = {}
    for n in (120, 2400):
        X, y = houses(n)
        frame = X.join(y).assign(name=[f"secret {k % 40} of {k}" for k in range(n)])
        pickled = pickle.dumps(
            MultiTaskPredictor(TASKS[:3], ignore=["name", "grade", "visits", "garden", "lift"], network=small_network()).fit(
                frame
            )
        )
        assert b"secret 7 of" not in pickled
        sizes[n] = len(pickled)
    grown = sizes[2400] - sizes[120]
    assert grown < 2280 * 20, "positions of the validation rows and points of plots, less than the table itself"
