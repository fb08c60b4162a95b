"""Bagging over folds: no row's outputs come from a model that has seen it."""

import time

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from polytask.data.splits import StratifiedTaskKFold
from polytask.estimators import CodedTable, MultiTaskNetwork, linear_models
from polytask.estimators._bagged import LearningData, bag_alone, bag_network

RNG = np.random.default_rng(0)
N = 90


@pytest.fixture(scope="module")
def problem():
    X = pd.DataFrame(RNG.normal(size=(N, 3)), columns=list("abc"))
    y = pd.DataFrame({"noise": RNG.normal(size=N), "sign": np.where(X["a"] > 0, "yes", "no")})
    y = y.mask(RNG.uniform(size=y.shape) < 0.2)
    model = MultiTaskNetwork(max_epochs=3)
    arrays, labels = model._read_training_data(X, y)
    labels, weight = labels.weighed(None)
    data = LearningData(CodedTable(arrays, model.codec_.cardinalities), labels, weight)
    return data, list(StratifiedTaskKFold(3, random_state=0).split(X, y))


NEAREST = {"regressor": KNeighborsRegressor(1), "classifier": KNeighborsClassifier(1)}


def test_a_model_that_knows_rows_by_heart_does_not_know_held_out_ones(problem):
    data, splits = problem
    bagged = bag_alone("nearest", NEAREST, data, splits, seed=0)
    target = data.labels.target[:, 0]
    seen = ~np.isnan(target)
    assert not np.isclose(bagged.held_out["noise"][seen], target[seen]).any()
    in_sample = bagged.models[0].outputs(data.table.arrays)["noise"]
    assert np.isclose(in_sample[seen], target[seen]).sum() >= seen.sum() / 2


@pytest.mark.parametrize("make", ["alone", "network", "twins"])
def test_every_row_has_held_out_outputs_of_every_task(problem, make):
    data, splits = problem
    network = MultiTaskNetwork(max_epochs=2)
    if make == "network":
        bagged = bag_network("network", network, data, splits, seed=0)
    else:
        bagged = bag_alone(make, network if make == "twins" else linear_models(), data, splits, seed=0)
    assert bagged.is_whole
    assert bagged.together == (make == "network")
    assert {name: values.shape for name, values in bagged.held_out.items()} == {"noise": (N,), "sign": (N, 2)}
    assert all(np.isfinite(values).all() for values in bagged.held_out.values())


def test_new_rows_get_the_mean_of_the_folds(problem):
    data, splits = problem
    bagged = bag_alone("linear", linear_models(), data, splits, seed=0)
    each = [model.outputs(data.table.arrays)["sign"] for model in bagged.models]
    np.testing.assert_allclose(bagged.outputs(data.table.arrays)["sign"], np.mean(each, axis=0))


def test_only_the_tasks_asked_for_are_learned(problem):
    data, splits = problem
    assert list(bag_alone("linear", linear_models(), data, splits, seed=0, only=["sign"]).held_out) == ["sign"]


def test_the_same_seed_gives_the_same_numbers(problem):
    data, splits = problem
    first, second = (bag_network("n", MultiTaskNetwork(max_epochs=2), data, splits, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first.held_out["noise"], second.held_out["noise"])


def test_a_deadline_in_the_past_leaves_one_fold(problem):
    data, splits = problem
    bagged = bag_alone("linear", linear_models(), data, splits, seed=0, deadline=time.monotonic() - 1)
    assert len(bagged.models) == 1
    assert not bagged.is_whole
    held = np.zeros(N, dtype=bool)
    held[splits[0][1]] = True
    assert (np.isfinite(bagged.held_out["noise"]) == held).all()


def test_a_network_stops_at_its_deadline(problem):
    data, splits = problem
    started = time.monotonic()
    network = MultiTaskNetwork(max_epochs=100_000, patience=100_000)
    bagged = bag_network("network", network, data, splits, seed=0, deadline=started + 1.0)
    assert time.monotonic() - started < 10
    assert bagged.is_whole
    assert network.time_limit is None  # what the user gave is left as it was
