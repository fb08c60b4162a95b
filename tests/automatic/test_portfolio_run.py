"""What is begun, what is left out, and in which order it counts."""

import threading
import time
from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin

from polytask.automatic import Candidate, _candidate, _portfolio, fit_portfolio
from polytask.automatic._candidate import Constants
from polytask.automatic._presets import PRESETS, candidates_of
from polytask.automatic._workers import Workers
from polytask.estimators import MultiTaskForest, MultiTaskNetwork, linear_models, naive_bayes
from tests.automatic.test_portfolio import learning_data


class Slow(RegressorMixin, BaseEstimator):
    def __init__(self, seconds=0.05, fails=False):
        self.seconds = seconds
        self.fails = fails

    def fit(self, X, y):
        time.sleep(self.seconds)
        if self.fails:
            raise RuntimeError("no such luck")
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


@pytest.fixture(scope="module")
def world():
    import pandas as pd

    return learning_data(lambda X, rng: pd.DataFrame({"price": X["a"] + 0.3 * rng.normal(size=160), "size": X["b"]}))


def slow(seconds, **settings):
    return Candidate("slow", {"regressor": Slow(seconds, **settings)})


LINEAR = Candidate("linear", linear_models())


def test_a_model_that_would_not_end_in_time_is_given_up(world):
    data, splits = world
    started = time.monotonic()
    found = fit_portfolio(data, [LINEAR, slow(0.5)], splits, seed=0, deadline=time.monotonic() + 1.5)
    assert "slow" in found.left_out
    assert found.ended_by == "time"
    assert time.monotonic() - started < 3.0


def test_a_model_that_outlives_the_time_does_not_hold_up_the_end(world):
    data, splits = world
    started = time.monotonic()
    found = fit_portfolio(data, [LINEAR, slow(8.0)], splits, seed=0, deadline=time.monotonic() + 1.5)
    assert time.monotonic() - started < 6.0
    assert list(found.bagged) == ["linear"]


def test_models_that_were_never_begun_are_told_too(world):
    data, splits = world
    later = [Candidate(f"later {k}", linear_models()) for k in range(3)]
    found = fit_portfolio(data, [LINEAR, slow(8.0), *later], splits, seed=0, deadline=time.monotonic() + 1.0)
    assert set(found.left_out) | set(found.bagged) == {"linear", "slow", *(own.name for own in later)}
    assert found.left_out["later 2"] == "no time was left"


def test_a_model_that_fails_is_told_and_left_out(world):
    data, splits = world
    found = fit_portfolio(data, [slow(0.0, fails=True), LINEAR], splits, seed=0)
    assert found.left_out == {"slow": "it failed: RuntimeError: no such luck"}
    assert found.ended_by == "candidates"


def test_a_run_ends_when_models_no_longer_gain_and_says_so(world):
    data, splits = world
    constants = [Candidate(f"constant {k}", Constants()) for k in range(8)]
    found = fit_portfolio(data, [LINEAR, *constants], splits, seed=0, patience=3)
    assert len(found.bagged) == 5
    assert found.ended_by == "gain"
    assert set(found.left_out.values()) == {"the models before it no longer gained"}


def test_the_end_for_want_of_gains_does_not_depend_on_what_ends_first(world):
    data, splits = world
    candidates = [LINEAR, *(Candidate(f"constant {k}", Constants()) for k in range(3)), slow(0.02), LINEAR]
    one, three = (fit_portfolio(data, candidates, splits, seed=0, patience=3, n_workers=n) for n in (1, 3))
    assert list(one.bagged) == list(three.bagged)
    assert one.ensembles == three.ensembles


def test_where_there_is_nothing_to_learn_the_constant_gets_the_weight():
    import pandas as pd

    data, splits = learning_data(lambda X, rng: pd.DataFrame({"y": rng.normal(size=160), "z": rng.normal(size=160)}))
    trees = candidates_of("fast", MultiTaskNetwork(), n_folds=4, n_rows=160, n_tasks=2, seed=0)
    found = fit_portfolio(data, trees, splits, seed=0)
    assert np.mean([own.weights["constant"] for own in found.ensembles.values()]) > 0.4
    assert all(own.skill > -0.03 for own in found.ensembles.values())


def test_every_preset_begins_with_linear_models_and_the_larger_ones_hold_the_smaller():
    names = [
        [own.name for own in candidates_of(preset, MultiTaskNetwork(), n_folds=5, n_rows=500, n_tasks=2, seed=0)]
        for preset in PRESETS[1:]
    ]
    assert all(own[0] == "linear" for own in names)
    assert set(names[0]) < set(names[1]) < set(names[2])
    assert all(len(own) == len(set(own)) for own in names)


def test_a_job_that_fails_is_given_back_with_its_error():
    workers = Workers(1)
    workers.begin("tag", lambda: 1 // 0)
    tag, result, error = workers.next_done(5.0)
    workers.stop()
    assert (tag, result) == ("tag", None)
    assert isinstance(error, ZeroDivisionError)


def test_jobs_run_side_by_side():
    barrier = threading.Barrier(2, timeout=5.0)  # breaks unless two jobs are there at once
    workers = Workers(2)
    for tag in range(2):
        workers.begin(tag, barrier.wait)
    found = [workers.next_done(5.0) for _ in range(2)]
    workers.stop()
    assert all(error is None for _, _, error in found)


def test_a_model_that_can_be_made_smaller_is_rather_than_given_up(world):
    data, splits = world
    candidate = Candidate(
        "slow", {"regressor": Slow(0.6)}, sized=lambda share: {"regressor": Slow(0.01)}
    )  # 8 fits; 0.6 s each would take 4.8 s
    found = fit_portfolio(data, [LINEAR, candidate], splits, seed=0, deadline=time.monotonic() + 3.5)
    assert list(found.bagged) == ["linear", "slow"]
    assert found.notes == ["slow was made smaller, to end in time."]
    assert found.ended_by == "time"


def test_a_model_of_classes_only_learns_the_tasks_that_have_them():
    import pandas as pd

    data, splits = learning_data(lambda X, rng: pd.DataFrame({"price": X["a"], "sold": np.where(X["a"] > 0, "yes", "no")}))
    bayes = Candidate("naive Bayes", naive_bayes())
    found = fit_portfolio(data, [LINEAR, bayes], splits, seed=0)
    assert "naive Bayes" in found.ensembles["sold"].skills
    assert "naive Bayes" not in found.ensembles["price"].skills


def test_a_model_of_classes_only_is_left_out_where_there_are_none(world):
    data, splits = world
    found = fit_portfolio(data, [LINEAR, Candidate("naive Bayes", naive_bayes())], splits, seed=0)
    assert found.left_out == {"naive Bayes": "not for tasks of these kinds"}


class SlowAfter(Slow):
    """Quick for so many fits."""

    quick = 0

    def fit(self, X, y):
        SlowAfter.quick -= 1
        time.sleep(self.seconds if SlowAfter.quick < 0 else 0.0)
        self.mean_ = float(np.mean(y))
        return self


NEVER_ENDS = Candidate("slow", {"regressor": SlowAfter(4.0)})


@pytest.fixture(scope="module")
def cut(world):
    """A portfolio of which one model has learned the first task on all four folds when time ends, and not the second."""
    data, splits = world
    SlowAfter.quick = 4
    return fit_portfolio(data, [LINEAR, NEVER_ENDS], splits, seed=0, deadline=time.monotonic() + 2.5)


def test_tasks_that_are_whole_when_time_ends_are_kept_and_told(world, cut):
    assert list(cut.bagged["slow"].held_out) == ["price"]
    assert cut.ended_by == "time"
    assert "slow learned 1 of 2 tasks before time ended." in cut.notes
    assert "slow" not in cut.left_out
    assert set(cut.outputs(world[0].table.arrays)) == {"price", "size"}


class SlowWithoutNoise(Slow):
    """Slow on a target that is one of the columns: "size", and not "price"."""

    def fit(self, X, y):
        is_column = any(abs(np.corrcoef(column, y)[0, 1]) > 0.999 for column in np.asarray(X).T if np.std(column) > 0)
        time.sleep(self.seconds if is_column else 0.0)
        self.mean_ = float(np.mean(y))
        return self


def test_the_first_model_may_be_the_one_that_time_cuts(world):
    data, splits = world
    first, constant = Candidate("slow", {"regressor": SlowWithoutNoise(6.0)}), Candidate("constant", Constants())
    settings = {"deadline": time.monotonic() + 2.0, "n_workers": 9, "patience": 3}  # 8 fits of the one, and the other
    found = fit_portfolio(data, [first, constant], splits, seed=0, **settings)
    assert list(found.bagged["slow"].held_out) == ["price"]
    assert set(found.ensembles["size"].weights) == {"constant"}


def test_a_model_cut_to_some_tasks_is_fitted_again_where_there_is_more_time(world, cut):
    data, splits = world
    again = fit_portfolio(data, [LINEAR, slow(0.0)], splits, seed=0, earlier=cut.bagged)
    assert set(again.bagged["slow"].held_out) == {"price", "size"}
    SlowAfter.quick = 0
    short = fit_portfolio(data, [LINEAR, NEVER_ENDS], splits, seed=0, earlier=cut.bagged, deadline=time.monotonic() + 0.5)
    assert list(short.bagged["slow"].held_out) == ["price"]  # what there was, rather than nothing


def test_a_candidate_for_little_noise_is_left_out_where_the_first_models_have_little_skill(world):
    data, splits = world  # price has noise, size has none
    fine = Candidate("fine", linear_models(), least_skill=0.95)
    found = fit_portfolio(data, [LINEAR, Candidate("constant", Constants()), fine], splits, seed=0, n_workers=2)
    assert "fine" in found.bagged

    noisy, splits = learning_data(lambda X, rng: X[["a", "b"]].set_axis(["y", "z"], axis=1) + rng.normal(size=(160, 2)))
    left = fit_portfolio(noisy, [LINEAR, Candidate("constant", Constants()), fine], splits, seed=0, n_workers=2).left_out
    assert left == {"fine": "for labels of less noise: no model before it has a skill of 0.95"}


class Timed:
    """Stands for a model of all tasks of which a fit takes as long as there are rows."""

    def __init__(self, per_row):
        self.per_row, self.sizes = per_row, []

    def fit_on_rows(self, data, rows, *, seed):
        self.sizes.append(len(rows))
        time.sleep(self.per_row * len(rows))


@pytest.mark.parametrize(("most", "looked_at"), [(np.inf, [200, 750, 1500]), (0.9, [200, 750]), (0.3, [200])])
def test_a_pilot_takes_a_small_part_of_the_time(most, looked_at, world, monkeypatch):
    model = Timed(1e-4)
    monkeypatch.setattr(_candidate, "fit_on_rows", lambda own, data, rows, *, seed: own.fit_on_rows(data, rows, seed=seed))
    monkeypatch.setattr(_candidate, "FitsOnRows", Timed)
    seconds = _candidate.pilot_seconds(Candidate("timed", model), world[0], np.arange(4_000), seed=0, most=most)
    assert model.sizes == looked_at
    assert seconds == pytest.approx(0.4, rel=0.5)


class Cubic(RegressorMixin, BaseEstimator):
    """Stands for a model of which a fit takes as long as the third power of its rows."""

    sizes: ClassVar[list[int]] = []

    def fit(self, X, y):
        self.sizes.append(len(X))
        time.sleep(2.0 * (len(X) / 160) ** 3)
        return self

    def predict(self, X):
        return np.zeros(len(X))


def test_a_model_that_grows_steeply_has_a_pilot_on_few_rows_and_does_not_outlive_the_limit(world):
    data, splits = world
    Cubic.sizes.clear()
    steep = Candidate("steep", {"regressor": Cubic()}, pilot_rows=100)
    started = time.monotonic()
    found = fit_portfolio(data, [LINEAR, steep], splits, seed=0, deadline=started + 1.5)
    assert max(Cubic.sizes) <= len(splits[0][0]) // 2  # never all rows of a fold
    assert time.monotonic() - started < 1.5
    assert "it would take about" in found.left_out["steep"]


def test_small_tables_have_no_pilots_but_of_steep_models():
    linear, steep = Candidate("linear", linear_models()), Candidate("steep", linear_models(), pilot_rows=400)
    assert [linear.needs_pilot(n) for n in (400, 3_000, 3_001)] == [False, False, True]
    assert [steep.needs_pilot(n) for n in (400, 401)] == [False, True]
    joint = Candidate("joint", MultiTaskForest(), together=True)
    assert [joint.needs_pilot(n) for n in (1_000, 1_001)] == [False, True]


def test_a_model_without_a_turn_is_told_by_what_kept_it_out(world):
    data, splits = world
    wide = Candidate("wide", linear_models(), max_rows=10)
    found = fit_portfolio(data, [LINEAR, NEVER_ENDS, wide], splits, seed=0, deadline=time.monotonic() + 0.5)
    assert found.left_out["wide"].startswith("not for 160 rows")


def test_choosing_the_mixtures_is_kept_time_for(world, monkeypatch):
    data, splits = world
    rows = _portfolio._rows(
        data, [task.with_statistics(*_own(data, part)) for task, part in _portfolio._parts(data.labels)], splits, 0
    )
    judge = _portfolio._Judge(rows, patience=5)
    monkeypatch.setattr(_portfolio, "chosen_skill", lambda own, bagged: _busy(0.02))
    judge({})
    n_selections = len(splits) * 5  # of so few rows on five samples each
    assert judge.mixing == pytest.approx(2 * 0.02 * n_selections, rel=0.5)


def _own(data, part):
    return data.labels.target[:, part], data.weight[:, part]


def _busy(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass
    return 0.5
