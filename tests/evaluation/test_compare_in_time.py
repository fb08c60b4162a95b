"""Comparisons whose folds follow time, groups or similarity: who sees which rows, and what is said of it."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import TimeSeriesSplit

from polytask.data.splits import ClusterKFold, ColumnSplit, LeaveOneGroupOut, NestedSplit, TimeSplit, similarity_clusters
from polytask.estimators import BestPerTask, MultiTaskNetwork, PerTaskEstimator, TaskModel, linear_models
from polytask.evaluation import compare, out_of_fold
from polytask.exceptions import DataError, OptionError, PolytaskWarning
from tests.evaluation._tables import small_network, table

CANDIDATES = {"network": None, "wide": small_network(tasks=None), "linear": linear_models()}
TIMES = np.random.default_rng(3).permutation(120)
SPLIT = TimeSplit(3, times=TIMES, gap=4)


@pytest.fixture
def jobs(monkeypatch):
    """All networks that were trained, stack by stack."""
    seen, fit_jobs = [], MultiTaskNetwork.fit_jobs

    def spy(self, jobs, *data, **settings):
        seen.append(jobs)
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


def run(folds=SPLIT, *, n=120, **settings):
    X, y = table(n, missing=0.1)
    defaults = {"joint": small_network(), "repeats": 2, "candidates": {"linear": linear_models()}}
    return compare(X, y, folds=folds, **(defaults | settings))


def as_json(found):
    return json.loads(json.dumps(found.to_dict(), allow_nan=False))


def test_no_model_of_a_window_sees_it_or_anything_later(jobs, fits):
    run(candidates=CANDIDATES, repeats=1)
    latest = [TIMES[train].max() for train, _ in SPLIT.split()]
    for rows in [np.concatenate([job.train_rows, job.validation_rows]) for stack in jobs for job in stack] + fits:
        assert TIMES[rows].max() in latest or any(TIMES[rows].max() < bound for bound in latest)
    for (train, test), stack in zip(SPLIT.split(), [own for own in jobs if own[0].tasks.all()], strict=True):
        for job in stack:
            used = np.concatenate([job.train_rows, job.validation_rows])
            assert np.isin(used, train).all()
            assert TIMES[used].max() < TIMES[test].min() - 4 or TIMES[test].min() - TIMES[used].max() > 4


def test_rows_that_stop_and_choose_are_the_latest_after_the_gap(jobs):
    run(candidates=CANDIDATES, repeats=1)
    assert len(jobs) > 3
    for job in (job for stack in jobs for job in stack):
        assert TIMES[job.validation_rows].min() - TIMES[job.train_rows].max() > 4


def test_windows_of_different_sizes_are_trained_apart_and_equal_ones_together(jobs):
    run(repeats=1, separate=["alone"])
    assert len(jobs) == 3
    jobs.clear()
    run(TimeSplit(3, times=TIMES, window="sliding", train_size=30), repeats=1, separate=["alone"])
    assert len(jobs) == 1


def test_held_out_rows_are_predicted_from_their_past_only():
    X, y = table(120, missing=0.0)
    settings = {"joint": small_network(), "folds": SPLIT, "repeats": 1, "candidates": {"linear": linear_models()}}
    before = compare(X, y, **settings).outputs
    last = np.sort(TIMES)[-30:].min()
    after = compare(X, y.assign(price=y["price"].where(last > TIMES, -y["price"])), **settings).outputs
    for arm, repeats in before.items():
        for name, values in repeats[0].items():
            np.testing.assert_array_equal(values[last > TIMES], after[arm][0][name][last > TIMES])


def test_the_result_says_for_what_it_holds():
    result = as_json(run())
    assert result["holds_for"].startswith("later rows")
    assert result["split"]["method"] == "by time, 3 test windows, expanding training window, gap 4"
    assert [window["n_test"] for window in result["split"]["windows"]] == [30, 30, 30]
    for window in result["split"]["windows"]:
        assert float(window["train_to"]) + 4 < float(window["test_from"])
    assert result["split"]["units"] == {"kind": "blocks of time", "n": 24, "length": 4}
    notes = " ".join(result["notes"])
    assert "split by time: the verdicts hold for later rows" in notes
    assert "24 blocks of 4 times each" in notes
    assert "30 of 120 rows are never held out" in notes
    assert result["tasks"]["price"]["gains"]["alone"]["nadeau_bengio"] is None
    assert result["mean"]["gains"]["alone"]["nadeau_bengio"] is None
    assert result["tasks"]["price"]["gains"]["alone"]["verdict"] in {"helped", "harmed", "equivalent", "undecided"}


def test_the_constant_is_of_the_training_rows_of_the_window():
    X, y = table(120, missing=0.0)
    splits = TimeSplit(3, times=TIMES, window="sliding", train_size=25)
    found = compare(X, y, joint=small_network(), folds=splits, repeats=1, separate=["alone"]).to_dict()
    price = y["price"].to_numpy()
    errors = np.concatenate([(price[test] - price[train].mean()) ** 2 for train, test in splits.split()])
    np.testing.assert_allclose(found["tasks"]["price"]["constant"]["error"], errors.mean(), rtol=1e-12)


def test_groups_count_as_one_instead_of_blocks_and_are_on_one_side(jobs):
    groups = TIMES // 7
    result = as_json(run(groups=groups))
    assert result["n_groups"] == len(np.unique(groups))
    assert "units" not in result["split"]
    assert result["holds_for"].startswith("later rows")
    for job in (job for stack in jobs for job in stack):
        assert not set(groups[job.train_rows]) & set(groups[job.validation_rows])


@pytest.mark.parametrize("folds", [TimeSeriesSplit(3, gap=2), NestedSplit(TimeSplit(3, times=np.arange(120), gap=2), 2)])
def test_other_splitters_in_order_of_time_are_followed_too(jobs, folds):
    result = as_json(run(folds, separate=["alone"], repeats=1))
    assert result["holds_for"].startswith("later rows")
    for job in (job for stack in jobs for job in stack):
        assert job.validation_rows.min() - job.train_rows.max() > 2


def test_times_beside_a_column_of_words_stop_by_the_latest_rows(jobs):
    words = np.where(TIMES < 90, "train", "test")
    result = as_json(run(ColumnSplit(words), times=TIMES, repeats=1, separate=["alone"]))
    assert result["holds_for"].startswith("models of this one training set")
    for job in (job for stack in jobs for job in stack):
        assert TIMES[job.train_rows].max() < TIMES[job.validation_rows].min()


class Embargo:
    """Leaves rows out of training for a reason of its own."""

    def split(self, X, y=None, groups=None):
        for start in (40, 80):
            yield np.arange(start - 10), np.arange(start, start + 40)


def test_folds_that_leave_rows_out_without_times_are_cautioned(jobs):
    result = as_json(run(Embargo(), separate=["alone"]))
    assert any("give the times" in note for note in result["notes"])
    assert "as these splits make them" in result["holds_for"]
    assert max(job.train_rows.max() for stack in jobs for job in stack) < 70


def test_every_group_is_held_out_once_and_inner_splits_keep_groups(jobs):
    groups = np.arange(120) % 6
    result = as_json(run(LeaveOneGroupOut(), groups=groups, repeats=1, candidates=CANDIDATES))
    assert (result["folds"], result["n_groups"]) == (6, 6)
    assert result["split"]["method"] == "every group held out once"
    assert result["holds_for"].startswith("rows of groups")
    for job in (job for stack in jobs for job in stack):
        assert not set(groups[job.train_rows]) & set(groups[job.validation_rows])


def test_groups_without_labels_and_tasks_of_one_group_are_told():
    X, y = table(120, missing=0.0)
    groups = np.arange(120) % 5
    y.loc[groups == 2] = None
    y["visits"] = y["visits"].where(groups == 1)
    with pytest.warns(PolytaskWarning) as told:
        result = compare(X, y, joint=small_network(), folds=LeaveOneGroupOut(), groups=groups, repeats=2, separate=["alone"])
    assert result.to_dict()["folds"] == 4
    assert [str(w.message)[:20] for w in told] == ["Group '2': no task h", "All labels of task '"]
    assert result.to_dict()["tasks"]["visits"]["gains"]["alone"]["verdict"] == "none"


def test_clusters_are_groups_of_folds_and_inner_splits_and_intervals(jobs):
    X, y = table(120, missing=0.0)
    X.iloc[60:] = X.iloc[:60].to_numpy()
    clusters = similarity_clusters(X, threshold=0.995)
    folds = ClusterKFold(3, threshold=0.995)
    result = as_json(compare(X, y, joint=small_network(), folds=folds, repeats=2, candidates=CANDIDATES))
    assert result["n_groups"] == len(np.unique(clusters)) <= 60
    assert "clusters of rows that are alike kept whole" in result["split"]["method"]
    for job in (job for stack in jobs for job in stack):
        assert not set(clusters[job.train_rows]) & set(clusters[job.validation_rows])


def test_too_little_past_is_told_with_the_window():
    X, y = table(30, missing=0.0)
    with pytest.raises(DataError, match=r"Fold 0 of repeat 0 trains on 2 rows, .*in order of time.*fewer test windows"):
        compare(X, y, joint=small_network(), folds=TimeSplit(1, times=np.arange(30), test_size=25, gap=3), repeats=1)


def test_times_and_groups_must_be_one_per_row():
    with pytest.raises(DataError, match="got 5 values for 120 rows"):
        run(TimeSplit(2, times=np.arange(5)))
    with pytest.raises(DataError, match="`groups` must name a group for each of the 120 rows"):
        run(groups=np.arange(119))
    with pytest.raises(OptionError, match="once at most"):
        run(Twice())


class Twice:
    def split(self, X, y=None, groups=None):
        yield np.arange(50), np.arange(60, 80)
        yield np.arange(50), np.arange(70, 90)


def test_neighbours_that_gain_together_are_told():
    X, y = table(240, missing=0.0)
    wave = np.sin(np.arange(240) / 40)
    y = pd.DataFrame({"price": y["price"] + 20 * wave, "visits": y["price"] - 20 * wave})
    settings = {"joint": small_network(tasks=None, max_epochs=10), "repeats": 2, "separate": ["alone"]}
    notes = compare(X, y, folds=TimeSplit(3, times=np.arange(240)), **settings).to_dict()["notes"]
    assert any("gain or lose together" in note for note in notes)


def test_out_of_fold_predicts_every_row_from_its_past():
    X, y = table(120, missing=0.0)
    before = out_of_fold(PerTaskEstimator(Ridge(), ["price"]), X, y, cv=SPLIT)["price"]
    expected = np.full(120, np.nan)
    for train, test in SPLIT.split():
        own = PerTaskEstimator(Ridge(), ["price"]).fit(X.iloc[train], y.iloc[train])
        expected[test] = own.outputs(X.iloc[test])["price"]
    np.testing.assert_array_equal(before, expected)


@pytest.mark.parametrize(
    "estimator", [small_network(), BestPerTask({"net": small_network(tasks=None), "linear": linear_models()})]
)
def test_out_of_fold_hands_times_to_estimators_that_take_them(jobs, estimator):
    X, y = table(120, missing=0.0)
    order = np.argsort(TIMES)
    X, y = X.iloc[order], y.iloc[order]  # row number = time
    out_of_fold(estimator, X, y, cv=TimeSplit(2, times=np.arange(120), gap=3))
    assert jobs
    for job in (job for stack in jobs for job in stack):
        assert job.validation_rows.min() - job.train_rows.max() > 3


def test_out_of_fold_takes_clusters_and_groups(monkeypatch):
    X, y = table(60, missing=0.0)
    X.iloc[30:] = X.iloc[:30].to_numpy()
    seen, fit = [], PerTaskEstimator.fit

    def spy(self, X, y, **settings):
        seen.append((X.index.to_numpy(), settings["groups"]))
        return fit(self, X, y, **settings)

    monkeypatch.setattr(PerTaskEstimator, "fit", spy)
    out_of_fold(PerTaskEstimator(Ridge(), ["price"]), X, y, cv=ClusterKFold(3, threshold=0.999))
    for rows, groups in seen:
        left = np.setdiff1d(np.arange(60), rows)
        assert set(left % 30) & set(rows % 30) == set()
        assert len(groups) == len(rows)
