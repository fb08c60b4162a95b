import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from polytask.estimators import (
    BestPerTask,
    CodedTable,
    MultiTaskNetwork,
    PerTaskEstimator,
    choose_per_task,
    default_candidates,
    label_weights,
)
from polytask.estimators._best_per_task import selection_split
from polytask.exceptions import OptionError
from tests.estimators._tables import TASKS, assert_same_outputs, houses, small_network

DUMMY = {"regressor": DummyRegressor(), "classifier": DummyClassifier(strategy="prior")}
LINEAR = {"regressor": Ridge(), "classifier": LogisticRegression()}


def coded(X, y, tasks):
    model = small_network(tasks)
    arrays, labels = model._read_training_data(X, y)
    return CodedTable(arrays, model.codec_.cardinalities), labels, label_weights(None, labels)


def test_what_predicts_better_is_chosen_per_task(rng):
    X = rng.normal(size=(100, 3))
    y = np.stack([X.sum(axis=1), rng.normal(size=100)], axis=1)
    model = BestPerTask({"mean": DummyRegressor(), "overfit": Ridge(alpha=1e-6)}, random_state=0).fit(X, y)
    assert model.chosen_["y0"] == "overfit"
    assert model.selection_skills_["overfit"]["y0"] > 0.9
    np.testing.assert_allclose(model.selection_skills_["mean"]["y0"], 0, atol=1e-9)


def test_the_chosen_model_is_fitted_on_all_rows(rng):
    X = rng.normal(size=(60, 3))
    y = X.sum(axis=1)
    found = BestPerTask({"mean": DummyRegressor(), "ridge": Ridge()}, random_state=0).fit(X, y).predict(X)
    np.testing.assert_allclose(found, PerTaskEstimator(Ridge()).fit(X, y).predict(X), rtol=1e-12)


def test_networks_may_be_candidates():
    X, y = houses()
    model = BestPerTask({"network": small_network(), "mean": DUMMY}, TASKS[:3], random_state=0).fit(X, y)
    assert set(model.chosen_) == {"price", "sold", "style"}
    assert model.outputs(X)["style"].shape == (80, 3)


def test_a_weight_of_zero_is_a_missing_label_to_the_bit(rng):
    X, y = houses()
    weight = (rng.random(80) > 0.3).astype(float)
    candidates = {"network": small_network(), "linear": LINEAR}
    models = [BestPerTask(candidates, TASKS[:3], random_state=0) for _ in range(2)]
    weighted = models[0].fit(X, y, sample_weight=weight)
    without = models[1].fit(X, y.where(np.repeat(weight[:, None] > 0, y.shape[1], axis=1), None))
    assert weighted.selection_skills_ == without.selection_skills_
    assert_same_outputs(weighted.outputs(X), without.outputs(X))


def test_default_candidates_are_a_network_trees_and_lines():
    assert list(default_candidates()) == ["network", "LightGBM", "linear"]


def test_no_candidates_are_refused():
    X, y = houses()
    with pytest.raises(OptionError, match="must name at least one"):
        BestPerTask({}, ["price"]).fit(X, y)


def test_the_same_seed_chooses_the_same():
    X, y = houses()
    candidates = {"network": small_network(), "linear": LINEAR}
    first, second = (BestPerTask(candidates, ["price", "sold"], random_state=5).fit(X, y) for _ in range(2))
    assert first.chosen_ == second.chosen_
    assert_same_outputs(first.outputs(X), second.outputs(X))


def test_rows_that_choose_are_no_rows_that_fit_and_groups_stay_whole(rng):
    X, y = houses(missing=0.0)
    _, labels, weight = coded(X, y, TASKS)
    groups = rng.integers(0, 10, 80)
    rest, held = selection_split(labels, weight, rows=np.arange(60), groups=groups, selection=0.3, seed=0)
    assert sorted([*rest, *held]) == list(range(60))
    assert not set(groups[rest]) & set(groups[held])


def test_candidates_never_see_rows_outside_theirs():
    X, y = houses(missing=0.0)
    strange = y.copy()
    strange.iloc[60:, 0] = 1e9
    found = []
    for labels_of in (y, strange):
        table, labels, weight = coded(X, labels_of, ["price"])
        choice = choose_per_task({"mean": DUMMY, "linear": LINEAR}, table, labels, weight, rows=np.arange(60), seed=0)
        found.append(choice.models["price"].outputs(table.arrays))
    np.testing.assert_array_equal(*found)


def test_reserved_rows_stop_the_network_of_every_candidate(monkeypatch):
    X, y = houses(missing=0.0)
    table, labels, weight = coded(X, y, ["price"])
    reserved, seen, fit_jobs = np.arange(80) % 3 == 0, [], MultiTaskNetwork.fit_jobs

    def spy(self, jobs, *data, **settings):
        seen.extend(jobs)
        return fit_jobs(self, jobs, *data, **settings)

    monkeypatch.setattr(MultiTaskNetwork, "fit_jobs", spy)
    candidates = {"network": small_network(), "other": small_network(max_epochs=1)}
    choose_per_task(candidates, table, labels, weight, rows=np.arange(50), reserved=reserved, seed=0)
    assert len(seen) == 3  # both on the rows that do not choose, the better one on all rows
    for job in seen:
        assert set(job.validation_rows) <= set(np.flatnonzero(reserved[:50]))
        assert not reserved[job.train_rows].any()


def test_a_task_without_labels_among_the_choosing_rows_still_gets_a_model():
    X, y = houses()
    y["price"] = y["price"].where(np.cumsum(y["price"].notna()) <= 3)
    model = BestPerTask({"linear": LINEAR, "mean": DUMMY}, ["price", "sold"], random_state=0).fit(X, y)
    assert np.isfinite(model.outputs(X)["price"]).all()


def test_candidates_that_are_tasks_are_told(rng):
    X = rng.normal(size=(20, 2))
    with pytest.raises(OptionError, match=r"must be a mapping of name to estimator; got list\. Pass tasks by name"):
        BestPerTask(["y0"]).fit(X, X[:, 0])


def test_parameters_of_the_default_candidates_can_be_set():
    model = BestPerTask().set_params(candidates__network__max_epochs=3)
    assert model.candidates["network"].max_epochs == 3
    assert list(model.candidates) == list(default_candidates())
