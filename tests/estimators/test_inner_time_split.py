"""Where times are given, the latest rows stop a network and choose among separate models."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from polytask.data.splits import TimeOrder
from polytask.estimators import BestPerTask, label_weights, read_labels, selection_split
from polytask.exceptions import DataError, OptionError
from tests.estimators._tables import TASKS, houses, small_network

TIMES = np.random.default_rng(0).permutation(80)


def inner_split(order, *, groups=None, rows=None, **settings):
    labels = read_labels(houses(missing=0.0)[1], TASKS)
    rows = np.arange(80) if rows is None else rows
    return small_network(TASKS, **settings).inner_split(
        labels, label_weights(None, labels), groups=groups, seed=0, rows=rows, times=order
    )


def test_the_latest_share_of_the_rows_stops_the_network_after_a_gap(rng):
    rows = np.sort(rng.permutation(80)[:60])
    train, held = inner_split(TimeOrder(TIMES, gap=5), rows=rows)
    assert len(held) == 12
    assert set(train) | set(held) < set(rows)
    assert TIMES[train].max() < TIMES[held].min()
    assert len(train) == 60 - 12 - 5


def test_groups_of_the_latest_rows_are_not_learned_from():
    groups = np.random.default_rng(1).integers(0, 40, 80)
    train, held = inner_split(TimeOrder(TIMES), groups=groups)
    assert not set(groups[train]) & set(groups[held])
    assert TIMES[train].max() < TIMES[held].min()


def test_a_fit_keeps_the_latest_rows_for_validation():
    X, y = houses(missing=0.0)
    model = small_network(TASKS).fit(X, y, times=TIMES)
    assert sorted(TIMES[model.validation_rows_]) == list(range(64, 80))
    assert model.n_train_ == 64


def test_without_validation_all_rows_are_learned_from():
    train, held = inner_split(TimeOrder(TIMES), validation=None)
    assert (len(train), len(held)) == (80, 0)


def test_the_latest_rows_choose_among_separate_models():
    labels = read_labels(houses(missing=0.0)[1], TASKS)
    weight = label_weights(None, labels)
    rest, held = selection_split(labels, weight, rows=np.arange(80), groups=None, times=TimeOrder(TIMES), selection=0.25, seed=0)
    assert sorted(TIMES[held]) == list(range(60, 80))
    assert sorted(TIMES[rest]) == list(range(60))


def test_models_are_chosen_by_what_holds_later(rng):
    """The slope turns at the end: by all rows the slope is best, by the latest rows the mean."""
    from sklearn.dummy import DummyRegressor

    X = rng.normal(size=(200, 1))
    y = np.where(np.arange(200) < 160, 1, -1) * X[:, 0]
    candidates = {"slope": Ridge(), "mean": DummyRegressor()}
    assert BestPerTask(candidates, random_state=0).fit(X, y).chosen_["y0"] == "slope"
    assert BestPerTask(candidates, random_state=0).fit(X, y, times=np.arange(200)).chosen_["y0"] == "mean"


def test_times_that_do_not_fit_are_refused():
    X, y = houses(missing=0.0)
    with pytest.raises(DataError, match="`times` must have one value per row; got 79 values for 80 rows"):
        small_network(TASKS).fit(X, y, times=TIMES[:79])
    with pytest.raises(OptionError, match="`validation` must be a share"):
        small_network(TASKS, validation=2).fit(X, y, times=TIMES)
