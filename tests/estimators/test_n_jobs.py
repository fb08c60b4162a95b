"""Several processes give the numbers of one."""

import os
import sys
import warnings

import numpy as np
import pytest
import torch
from cloudpickle import register_pickle_by_value
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge

from polytask.estimators import BestPerTask, PerTaskEstimator
from polytask.estimators._parallel import run_all
from polytask.exceptions import OptionError, PolytaskError
from tests.estimators._tables import TASKS, assert_same_outputs, houses, small_network

LINEAR = {"regressor": Ridge(), "classifier": LogisticRegression(max_iter=300), "counter": PoissonRegressor()}
TREES = {
    "regressor": LGBMRegressor(n_estimators=5, n_jobs=1, verbosity=-1, subsample=0.7, subsample_freq=1, random_state=3),
    "classifier": LGBMClassifier(n_estimators=5, n_jobs=1, verbosity=-1, random_state=3),
}

register_pickle_by_value(sys.modules[__name__])  # other processes cannot import a test module


class Witness(RegressorMixin, BaseEstimator):
    """Predicts the mean and remembers where it was fitted."""

    def __init__(self, warn=False, fail=False):
        self.warn = warn
        self.fail = fail

    def fit(self, X, y):
        if self.fail:
            raise PolytaskError("It cannot be fitted.")
        if self.warn:
            warnings.warn(f"mean {y.mean():.1f}", RuntimeWarning, stacklevel=1)
        self.pid_, self.was_changed_ = os.getpid(), hasattr(np, "changed_after_import")
        self.threads_ = torch.get_num_threads()
        self.mean_ = y.mean()
        X += 1  # arrays handed to a process may be written to, and this changes nobody else's
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


MODELS = {
    "per task, linear": PerTaskEstimator(LINEAR, TASKS),
    "per task, network": PerTaskEstimator(small_network(), TASKS),
    "best": BestPerTask({"linear": LINEAR, "trees": TREES, "network": small_network()}, TASKS, random_state=0),
}


@pytest.mark.parametrize("name", MODELS)
def test_two_processes_give_the_numbers_of_one(name):
    X, y = houses(90)
    one, two = (clone(MODELS[name]).set_params(n_jobs=n).fit(X, y) for n in (1, 2))
    assert_same_outputs(one.outputs(X), two.outputs(X))
    assert [task.to_dict() for task in one.tasks_] == [task.to_dict() for task in two.tasks_]
    if name == "best":
        assert one.chosen_ == two.chosen_
        assert one.selection_skills_ == two.selection_skills_


def test_large_arrays_and_random_forests_too(rng):
    X = rng.normal(size=(30_000, 6))  # more than a megabyte, so read from a file that processes share
    y = np.stack([X[:, 0], X[:, 1] + X[:, 2]], axis=1)
    forest = PerTaskEstimator(RandomForestRegressor(3, max_depth=3, random_state=0))
    one, two = (clone(forest).set_params(n_jobs=n).fit(X, y) for n in (None, 2))
    assert_same_outputs(one.outputs(X[:100]), two.outputs(X[:100]))


@pytest.fixture
def changed(monkeypatch):
    monkeypatch.setattr(np, "changed_after_import", True, raising=False)


def test_processes_are_started_anew_with_as_many_threads(rng, changed):
    X = rng.normal(size=(200_000, 2))
    before = X.copy()
    model = PerTaskEstimator(Witness(), n_jobs=2).fit(X, X * 2)
    fitted = [own.models_[0] for own in model.models_.values()]
    assert all(own.pid_ != os.getpid() for own in fitted)
    assert not any(own.was_changed_ for own in fitted), "a forked process would hold what this one changed"
    assert {own.threads_ for own in fitted} == {torch.get_num_threads()}
    np.testing.assert_array_equal(X, before)


def test_one_process_is_this_one(rng, changed):
    X = rng.normal(size=(20, 2))
    model = PerTaskEstimator(Witness(), n_jobs=1).fit(X, X)
    assert {own.models_[0].pid_ for own in model.models_.values()} == {os.getpid()}


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_warnings_of_all_processes_are_told_here(rng, n_jobs):
    X = rng.normal(size=(20, 2))
    with pytest.warns(RuntimeWarning) as told:
        PerTaskEstimator(Witness(warn=True), n_jobs=n_jobs).fit(X, X * 0.01 + [1.0, 2.0])
    assert [str(warning.message) for warning in told] == ["mean 1.0", "mean 2.0"]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_errors_of_all_processes_are_ours(rng, n_jobs):
    X = rng.normal(size=(20, 2))
    with pytest.raises(PolytaskError, match="It cannot be fitted"):
        PerTaskEstimator(Witness(fail=True), n_jobs=n_jobs).fit(X, X)


@pytest.mark.parametrize("n_jobs", [0, 1.5, "2", True])
def test_a_number_that_is_none_is_refused(n_jobs):
    with pytest.raises(OptionError, match="`n_jobs` must be a whole number other than 0"):
        run_all([dict, dict], n_jobs=n_jobs)
