import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from polytask.evaluation import holm, holm_levels, simultaneous_intervals, two_sided_p


def test_holm_agrees_with_its_definition(rng):
    p = rng.random(9) ** 3
    order = np.argsort(p)
    expected = [max(min(1.0, (9 - k) * p[order[k]]) for k in range(j + 1)) for j in range(9)]
    assert_allclose(holm(p)[order], expected)


@pytest.mark.parametrize(
    "p, expected",
    [([0.04], [0.04]), ([0.01, 0.02, 0.03, 0.04], [0.04, 0.06, 0.06, 0.06]), ([0.5, 0.6], [1.0, 1.0]), ([], [])],
)
def test_holm_of_known_values(p, expected):
    assert_allclose(holm(p), expected)


def test_holm_follows_a_permutation_of_the_tasks(rng):
    p, order = rng.random(7) ** 4, rng.permutation(7)
    assert_allclose(holm(p[order]), holm(p)[order])
    assert_allclose(holm_levels(p[order]), holm_levels(p)[order])


def test_equal_p_values_get_equal_levels():
    assert_allclose(holm_levels([0.01, 0.01, 0.5]), [0.05 / 3, 0.05 / 3, 0.05])


def test_interval_excludes_zero_just_where_holm_rejects(rng):
    for _ in range(200):
        gain, df = rng.normal(0, 0.05, 6), rng.uniform(5, 500, 6)
        intervals = simultaneous_intervals(gain, se=rng.uniform(0.005, 0.03, 6), df=df)
        assert ((intervals.low > 0) | (intervals.high < 0)).tolist() == (intervals.p_adjusted <= 0.05).tolist()


def test_one_task_has_the_t_interval():
    intervals = simultaneous_intervals([0.04], se=[0.01], df=[12])
    low, high = stats.t.interval(0.95, 12, loc=0.04, scale=0.01)
    assert_allclose([intervals.low[0], intervals.high[0]], [low, high])
    assert_allclose([intervals.low_unadjusted[0], intervals.high_unadjusted[0]], [low, high])


def test_adjusted_intervals_contain_the_plain_ones(rng):
    intervals = simultaneous_intervals(rng.normal(0, 0.03, 8), se=np.full(8, 0.01), df=np.full(8, 50))
    assert (intervals.low <= intervals.low_unadjusted).all()
    assert (intervals.high >= intervals.high_unadjusted).all()


def test_a_gain_of_the_detectable_size_is_found_four_times_in_five(rng):
    detectable = simultaneous_intervals([0.0], se=[0.01], df=[200]).detectable[0]
    se = 0.01 * np.sqrt(rng.chisquare(200, 4000) / 200)
    found = two_sided_p(rng.normal(detectable, 0.01, 4000), se=se, df=np.full(4000, 200)) < 0.05
    assert 0.77 < found.mean() < 0.83


def test_p_value_without_any_spread():
    assert two_sided_p([0.0, 0.1], se=[0.0, 0.0], df=[5, 5]).tolist() == [1.0, 0.0]


def test_some_true_null_is_rejected_in_at_most_five_percent_of_families(rng):
    wrong = 0
    for _ in range(1000):
        gain = rng.normal([0, 0, 0, 0.05, 0.05, 0.05], 0.01)
        intervals = simultaneous_intervals(gain, se=np.full(6, 0.01), df=np.full(6, 1e6))
        wrong += bool(((intervals.low > 0) | (intervals.high < 0))[:3].any())
    assert wrong < 70  # 50 expected at most; 70 is three standard deviations above
