"""Who sees which rows in a comparison."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from polytask.data.splits import ColumnSplit
from polytask.estimators import MultiTaskNetwork, TaskModel, boosted_trees, linear_models
from polytask.evaluation import compare
from polytask.reporting import comparison_html
from tests.evaluation._tables import TASKS, small_network, table


@pytest.fixture
def jobs(monkeypatch):
    """All networks that were trained."""
    seen, fit_jobs = [], MultiTaskNetwork.fit_jobs

    def spy(self, jobs, *data, **settings):
        seen.extend(jobs)
        return fit_jobs(self, jobs, *data, **settings)

    monkeypatch.setattr(MultiTaskNetwork, "fit_jobs", spy)
    return seen


@pytest.fixture
def fits(monkeypatch):
    """Rows of all separate models that were fitted."""
    seen, fit = [], TaskModel.fit

    def spy(self, table, target, weight, rows, *order):
        seen.append(rows)
        return fit(self, table, target, weight, rows, *order)

    monkeypatch.setattr(TaskModel, "fit", spy)
    return seen


FOLD = np.arange(80) % 4
CANDIDATES = {"network": None, "linear": linear_models()}


def test_held_out_rows_of_a_fold_are_in_no_model_of_it(jobs, fits):
    X, y = table()
    compare(X, y, joint=small_network(), folds=ColumnSplit(FOLD), repeats=1, candidates=CANDIDATES)
    held_out = [np.flatnonzero(fold == FOLD) for fold in range(4)]
    for rows in [np.concatenate([job.train_rows, job.validation_rows]) for job in jobs] + fits:
        assert sum(not np.isin(held, rows).any() for held in held_out) == 1
    for held in held_out:
        assert any(not np.isin(held, job.train_rows).any() for job in jobs)


def test_rows_that_stop_a_network_are_not_its_training_rows(jobs):
    X, y = table()
    compare(X, y, joint=small_network(), folds=3, repeats=1, candidates=CANDIDATES)
    for job in jobs:
        assert len(job.validation_rows)
        assert not np.isin(job.validation_rows, job.train_rows).any()


def test_joint_and_twins_of_a_fold_have_the_same_rows_and_fresh_seeds(jobs):
    X, y = table()
    compare(X, y, joint=small_network(), folds=3, repeats=2, separate=["alone"])
    assert len(jobs) == 3 * 2 * (1 + len(TASKS))
    assert len({job.seed for job in jobs}) == len(jobs)
    for start in range(0, len(jobs), 1 + len(TASKS)):
        joint, *twins = jobs[start : start + 1 + len(TASKS)]
        assert joint.tasks.all()
        assert [twin.tasks.tolist() for twin in twins] == np.eye(len(TASKS), dtype=bool).tolist()
        assert all(twin.fold == joint.fold for twin in twins)


def test_no_group_is_cut_anywhere(jobs, rng):
    X, y = table(missing=0.0)
    groups = rng.integers(0, 20, 80)
    compare(X, y, joint=small_network(), folds=3, repeats=2, groups=groups, candidates=CANDIDATES)
    for job in jobs:
        train, valid = set(groups[job.train_rows]), set(groups[job.validation_rows])
        left = set(groups[np.setdiff1d(np.arange(80), np.concatenate([job.train_rows, job.validation_rows]))])
        assert not train & valid
        assert not (train | valid) & left


@pytest.mark.parametrize("by_column", [True, False])
def test_validation_rows_stop_and_never_teach(jobs, by_column):
    X, y = table(missing=0.0)
    words = np.array(["train", "train", "validation", "test"])[FOLD]
    if by_column:
        split = {"folds": ColumnSplit(words)}
    else:
        split = {"folds": ColumnSplit(np.where(words == "test", "test", "train")), "reserved": words == "validation"}
    compare(X, y, joint=small_network(), repeats=2, candidates=CANDIDATES, **split)
    for job in jobs:
        assert set(words[job.train_rows]) == {"train"}
        assert set(words[job.validation_rows]) == {"validation"}


def test_the_label_of_another_task_gives_nothing_away():
    """A label that another task of the row holds too must not raise any held-out score: labels are never inputs."""
    X, y = table(missing=0.0)
    rng = np.random.default_rng(1)
    noise = rng.normal(size=80)  # nothing in X tells it
    y = y.assign(price=noise, visits=np.round(np.exp(noise)), sold=np.where(noise > 0, "yes", "no"))
    tasks = compare(X, y, joint=small_network(max_epochs=30), folds=4, repeats=2).to_dict()["tasks"]
    for name, task in tasks.items():
        for arm, entry in task["arms"].items():
            assert entry["skill"] < 0.15, (name, arm)


def test_a_label_of_the_row_itself_moves_no_prediction_of_it():
    X, y = table(missing=0.0)
    settings = {"joint": small_network(), "folds": ColumnSplit(FOLD), "repeats": 1, "candidates": {"linear": linear_models()}}
    before = compare(X, y, **settings).outputs
    after = compare(X, y.assign(price=y["price"].where(FOLD != 2, -y["price"])), **settings).outputs
    for arm, repeats in before.items():
        for name, values in repeats[0].items():
            np.testing.assert_array_equal(values[FOLD == 2], after[arm][0][name][FOLD == 2])


def test_costs_of_all_arms_are_shown():
    X, y = table()
    candidates = {"linear": linear_models(), "trees": boosted_trees(n_estimators=3)}
    arms = compare(X, y, joint=small_network(), folds=2, repeats=1, candidates=candidates).to_dict()["arms"]
    for cost in arms.values():
        assert cost["train_seconds"] > 0
        assert cost["latency_ms"] > 0
        assert cost["memory_mb"] > 0
    assert arms["alone"]["parameters"] > arms["together"]["parameters"] > 0


def test_a_candidate_that_cannot_be_pickled_has_no_known_size():
    X, y = table()
    own = make_pipeline(FunctionTransformer(lambda X: X), Ridge())
    result = compare(X, y, tasks=["price"], joint=small_network(), folds=2, repeats=1, candidates={"own": {"regressor": own}})
    best = result.to_dict()["arms"]["best_separate"]
    assert best["memory_mb"] is None
    assert best["latency_ms"] > 0
    assert "best separate" in comparison_html(result.to_dict())


def test_what_was_chosen_is_counted_over_all_folds():
    X, y = table()
    found = compare(X, y, joint=small_network(), folds=3, repeats=2, candidates=CANDIDATES).to_dict()
    for task in found["tasks"].values():
        chosen = task["arms"]["best_separate"]["chosen"]
        assert set(chosen) <= {"network", "linear"}
        assert sum(chosen.values()) == 6


def test_every_fold_is_told():
    X, y = table()
    told = []
    compare(X, y, joint=small_network(), folds=2, repeats=2, separate=["alone"], on_fold=lambda *counts: told.append(counts))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
