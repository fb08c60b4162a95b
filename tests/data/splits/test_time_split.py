from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import TimeSeriesSplit

from polytask.data.splits import TimeOrder, TimeSplit, latest_holdout
from polytask.exceptions import DataError, OptionError

DAYS = pd.date_range("2024-01-01", periods=30)


def parts(splitter, groups=None):
    return [(train.tolist(), test.tolist()) for train, test in splitter.split(groups=groups)]


@pytest.mark.parametrize("settings", [{}, {"gap": 3}, {"test_size": 4}])
def test_rows_in_order_are_split_as_by_scikit_learn(settings):
    theirs = [(a.tolist(), b.tolist()) for a, b in TimeSeriesSplit(5, **settings).split(np.zeros(30))]
    assert parts(TimeSplit(5, times=DAYS, **settings)) == theirs
    sliding = [(a.tolist(), b.tolist()) for a, b in TimeSeriesSplit(5, max_train_size=5, **settings).split(np.zeros(30))]
    assert parts(TimeSplit(5, times=np.arange(30), window="sliding", train_size=5, **settings)) == sliding


def test_durations_count_time_not_rows():
    times = pd.to_datetime(["2024-01-01", "2024-01-20", "2024-02-01", "2024-02-03", "2024-02-28", "2024-03-15"])
    split = TimeSplit(1, times=times, gap=timedelta(days=3), test_size=np.timedelta64(42, "D"))
    assert parts(split) == [([0, 1], [3, 4, 5])]
    sliding = TimeSplit(1, times=times, window="sliding", train_size="13 days", test_size=timedelta(days=42))
    assert parts(sliding) == [([1, 2], [3, 4, 5])]


def test_the_test_window_of_a_duration_is_the_latest_time_of_that_length():
    [(train, test)] = TimeSplit(1, times=DAYS, test_size=timedelta(days=7)).split()
    assert test.tolist() == list(range(23, 30))
    assert train.tolist() == list(range(23))


def test_equal_times_are_never_cut_and_the_gap_takes_them_whole():
    times = np.repeat([1, 2, 3, 4], 5)
    assert all(len(test) % 5 == 0 for _, test in TimeSplit(2, times=times).split())
    [(train, test)] = TimeSplit(1, times=times, test_size=5, gap=2).split()
    assert (train.tolist(), test.tolist()) == (list(range(10)), list(range(15, 20)))


@pytest.mark.parametrize(
    "times",
    [
        DAYS,
        DAYS.tz_localize("UTC"),
        [f"{day:%Y-%m-%d}" for day in DAYS],
        [day.date() for day in DAYS],
        DAYS.to_period("D"),
        [date(1850, 1, 1) + timedelta(days=k) for k in range(30)],
        np.arange(30) / 10,
        pd.array(range(30), dtype="Int64"),
        pd.Series(range(30), index=range(30, 0, -1)),
    ],
)
def test_dates_of_every_form_and_numbers_are_times(times):
    assert parts(TimeSplit(4, times=times)) == parts(TimeSplit(4, times=np.arange(30)))


def test_training_rows_of_tested_groups_are_left_out():
    groups = np.r_[np.zeros(10), np.arange(10), np.zeros(10)]
    for train, test in TimeSplit(2, times=DAYS, test_size=5).split(groups=groups):
        assert train.min() > 10 or not (groups[test] == 0).any()
        assert not set(groups[train]) & set(groups[test])


def test_some_rows_keep_the_rule():
    rows = np.array([29, 3, 8, 15, 22, 1])
    split = TimeSplit(2, times=DAYS, gap=timedelta(days=2), window="sliding", test_size=1).of_rows(rows)
    assert split.window == "sliding"
    assert [test.tolist() for _, test in split.split(np.zeros((6, 1)))] == [[4], [0]]


@pytest.mark.parametrize(
    "times, settings, message",
    [
        (DAYS, {"n_splits": 0}, "`n_splits` of TimeSplit must be"),
        (DAYS, {"window": "rolling"}, "'expanding' or 'sliding'; got 'rolling'"),
        (DAYS, {"train_size": 5}, "for a sliding window"),
        (DAYS, {"gap": -1}, "not negative; got -1"),
        (DAYS, {"gap": 2.5}, "a duration such as timedelta"),
        (DAYS, {"gap": "soon"}, "got 'soon'"),
        (DAYS, {"gap": True}, "got True"),
        (np.arange(30), {"gap": timedelta(days=1)}, "a float in the unit of the times"),
        (np.arange(30), {"gap": float("nan")}, "not negative; got nan"),
        (DAYS, {"test_size": 0}, "positive; got 0"),
        (DAYS, {"test_size": 10}, "leave nothing to learn from"),
        (DAYS, {"gap": 5}, "has no row to learn from: the gap"),
    ],
)
def test_settings_that_cannot_be_are_explained(times, settings, message):
    with pytest.raises((OptionError, DataError), match=message):
        list(TimeSplit(**({"n_splits": 5} | settings), times=times).split())


@pytest.mark.parametrize(
    "times, message",
    [
        ([1.0, np.nan, 2.0], "got 1 missing"),
        ([1.0, np.inf, 2.0], "must be finite"),
        ([], "got none"),
        ([True, False], "truth values"),
        (["2024-01-01", "soon"], "got 'soon'"),
        (["31/12/2024", "01/02/2024"], "got '31/12/2024'. Read other texts by pandas.to_datetime"),
        ([5, 5, 5, 5], "at least 2 different times; got 1"),
        ([1, 2, 2, 2, 2, 2, 2, 3], "need different times in each"),
    ],
)
def test_times_that_cannot_be_used_are_explained(times, message):
    with pytest.raises(DataError, match=message):
        list(TimeSplit(3, times=times).split())


def test_another_number_of_rows_is_refused():
    with pytest.raises(DataError, match="got 3 values for 30 rows"):
        next(TimeSplit(times=DAYS).split(np.zeros((3, 1))))


def test_groups_that_go_on_for_ever_leave_nothing_and_are_named():
    with pytest.raises(DataError, match="groups that go on through time"):
        list(TimeSplit(times=DAYS).split(groups=np.arange(30) % 2))


def test_the_latest_rows_are_held_out_whole_times_gap_and_groups_kept():
    times = np.array([3, 1, 2, 2, 4, 4])
    train, held = latest_holdout(times, test_size=0.3)
    assert (train.tolist(), held.tolist()) == ([0, 1, 2, 3], [4, 5])
    train, held = latest_holdout(TimeOrder(times, gap=1), test_size=0.3, groups=[0, 1, 1, 2, 2, 3])
    assert (train.tolist(), held.tolist()) == ([1, 2], [4, 5])
    train, held = latest_holdout(times, test_size=0.3, rows=[4, 1, 0])
    assert (train.tolist(), held.tolist()) == ([0, 1], [4])


@pytest.mark.parametrize("test_size", [0, 1, 1.5, True, "all"])
def test_a_share_that_cannot_be_is_refused(test_size):
    with pytest.raises(OptionError, match="share in"):
        latest_holdout([1, 2, 3], test_size=test_size)


def test_nothing_left_before_the_latest_rows_is_told():
    with pytest.raises(DataError, match="at least 2 different times"):
        latest_holdout([1, 1, 1])
    with pytest.raises(DataError, match="No row is left"):
        latest_holdout(TimeOrder([1, 2, 3], gap=2))


def test_the_order_shows_its_ends():
    assert TimeOrder(["2024-02-01", "1850-01-01"]).shown(np.array([0, 1])) == ("1850-01-01 00:00:00", "2024-02-01 00:00:00")
    assert TimeOrder([1.5, 2]).shown(np.array([0, 1])) == ("1.5", "2")
