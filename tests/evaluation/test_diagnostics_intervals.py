"""Intervals against scipy, and what groups and weights do to them."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from polytask.evaluation._diagnostics_intervals import (
    auc_interval,
    average_precision_interval,
    equal_bins,
    mean_interval,
    share_interval,
    wilson,
)


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (3, 10), (10, 10), (400, 1000)])
def test_wilson_is_that_of_scipy(hits, n):
    oracle = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert wilson(hits / n, n) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


def test_rows_told_twice_as_groups_say_no_more_than_once():
    rng = np.random.default_rng(0)
    hits = (rng.random(400) < 0.3).astype(float)
    once = share_interval(hits, np.ones(400), None, confidence=0.95)
    twice = share_interval(np.repeat(hits, 2), np.ones(800), np.repeat(np.arange(400), 2), confidence=0.95)
    assert twice == pytest.approx(once, rel=0.01)
    naive = share_interval(np.repeat(hits, 2), np.ones(800), None, confidence=0.95)
    assert naive[2] - naive[1] < 0.75 * (once[2] - once[1])


def test_the_mean_has_the_t_interval():
    values = np.random.default_rng(1).normal(size=30)
    mean, low, high = mean_interval(values, np.ones(30), None, confidence=0.9)
    oracle = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert (mean, low, high) == pytest.approx((values.mean(), oracle.low, oracle.high), rel=1e-9)
    assert mean_interval(values[:1], np.ones(1), None, confidence=0.9)[1] is None


def test_the_interval_of_the_area_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(2)
    truth = stats.norm.cdf(1 / math.sqrt(2))
    held = 0
    for _ in range(300):
        y = (np.arange(120) % 3 == 0).astype(float)
        _, low, high = auc_interval(y, rng.normal(size=120) + y, np.ones(120), None, confidence=0.95)
        held += low <= truth <= high
    assert abs(held / 300 - 0.95) < 3 * math.sqrt(0.05 * 0.95 / 300)


def test_areas_of_rows_told_twice_as_groups_say_no_more_than_once():
    rng = np.random.default_rng(3)
    y = (np.arange(200) % 2).astype(float)
    score = rng.normal(size=200) + y
    groups = np.repeat(np.arange(200), 2)
    for interval in (auc_interval, average_precision_interval):
        once = interval(y, score, np.ones(200), None, confidence=0.95)
        twice = interval(np.repeat(y, 2), np.repeat(score, 2), np.ones(400), groups, confidence=0.95)
        assert twice == pytest.approx(once, abs=0.01)
    assert auc_interval(y, score, np.ones(200), None, confidence=0.95)[0] == pytest.approx(roc_auc_score(y, score))


def test_a_perfect_area_has_no_interval_and_one_class_no_area():
    y = np.array([0.0, 0.0, 1.0, 1.0])
    assert auc_interval(y, y, np.ones(4), None, confidence=0.95) == (1.0, None, None)
    assert auc_interval(np.ones(4), y, np.ones(4), None, confidence=0.95) is None


def test_bins_hold_every_row_once_and_do_not_cut_equal_values():
    values = np.random.default_rng(4).integers(0, 7, 500).astype(float)
    bins = equal_bins(values)
    assert sorted(np.concatenate(bins)) == list(range(500))
    found = [set(values[rows]) for rows in bins]
    assert all(not a & b for i, a in enumerate(found) for b in found[i + 1 :])
