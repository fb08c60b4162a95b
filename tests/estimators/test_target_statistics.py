import numpy as np
import pytest

from polytask.data.splits import TimeOrder
from polytask.estimators._target_statistics import out_of_fold_means, target_means

RNG = np.random.default_rng(0)
N = 400
CODES = RNG.integers(0, 40, N)
EFFECT = RNG.normal(size=40)
TARGET = EFFECT[CODES] + 3 * RNG.normal(size=N)
ONES = np.ones(N)


def test_means_are_the_predictions_of_a_random_effect():
    found = target_means(CODES, TARGET, ONES, n_codes=41)[:, 0]
    rows = np.bincount(CODES, minlength=41)
    means = np.array([TARGET[k == CODES].mean() if rows[k] else 0.0 for k in range(41)])
    within = sum(((TARGET[k == CODES] - means[k]) ** 2).sum() for k in range(40)) / (N - 40)
    between = ((rows * (means - TARGET.mean()) ** 2).sum() - 39 * within) / (N - (rows**2).sum() / N)
    share = rows * between / (rows * between + within)
    np.testing.assert_allclose(found, share * means + (1 - share) * TARGET.mean())
    assert found[40] == pytest.approx(TARGET.mean())  # never seen
    assert np.abs(found[:40] - EFFECT).mean() < np.abs(means[:40] - EFFECT).mean()


def test_a_weight_of_two_is_a_row_twice_and_of_zero_is_none():
    weight = RNG.integers(0, 3, N).astype(float)
    repeated = np.repeat(np.arange(N), weight.astype(int))
    found = target_means(CODES, TARGET, weight, n_codes=40)
    expected = target_means(CODES[repeated], TARGET[repeated], np.ones(len(repeated)), n_codes=40)
    np.testing.assert_allclose(found, expected)


def test_categories_that_do_not_differ_get_the_mean_of_all():
    found = target_means(CODES, RNG.normal(size=N), ONES, n_codes=40)
    assert np.ptp(found) < 0.3
    np.testing.assert_array_equal(target_means(CODES, ONES, ONES, n_codes=40), np.ones((40, 1)))


def test_classes_get_a_column_each_and_two_classes_one():
    labels = RNG.integers(0, 3, N).astype(float)
    found = target_means(CODES, labels, ONES, n_codes=40, n_classes=3)
    assert found.shape == (40, 3)
    assert target_means(CODES, (labels > 0) * 1.0, ONES, n_codes=40, n_classes=2).shape == (40, 1)


def test_no_row_sees_its_own_target():
    before = out_of_fold_means(CODES, TARGET, ONES, n_codes=40)
    changed = TARGET.copy()
    changed[7] += 100
    after = out_of_fold_means(CODES, changed, ONES, n_codes=40)
    assert before[7] == after[7]
    assert (before != after).sum() > 100


def test_out_of_fold_means_do_not_reward_noise():
    unique = np.arange(N)  # every row a category of its own
    assert abs(np.corrcoef(out_of_fold_means(unique, TARGET, ONES, n_codes=N)[:, 0], TARGET)[0, 1]) < 0.3


@pytest.mark.parametrize("n", [1, 2, 3])
def test_very_few_rows_give_finite_means(n):
    assert np.isfinite(out_of_fold_means(CODES[:n], TARGET[:n], ONES[:n], n_codes=40)).all()


def test_a_category_that_goes_with_the_group_tells_nothing():
    groups = np.repeat(np.arange(80), 5).astype(str)
    street = np.repeat(RNG.permutation(80), 5)
    target = np.repeat(RNG.normal(size=80), 5) + 0.1 * RNG.normal(size=N)  # rows of a group are much alike
    by_rows = out_of_fold_means(street, target, ONES, n_codes=80)[:, 0]
    by_groups = out_of_fold_means(street, target, ONES, n_codes=80, groups=groups)[:, 0]
    assert np.corrcoef(by_rows, target)[0, 1] > 0.9
    assert len(np.unique(by_groups)) <= 5  # the mean of the other folds, for a category that they lack
    assert abs(np.corrcoef(by_groups, target)[0, 1]) < 0.4


def test_labels_of_a_group_do_not_change_its_own_means():
    groups = RNG.integers(0, 60, N)
    changed = np.where(groups == 3, TARGET + 100, TARGET)
    before, after = (out_of_fold_means(CODES, own, ONES, n_codes=40, groups=groups) for own in (TARGET, changed))
    np.testing.assert_array_equal(before[groups == 3], after[groups == 3])
    assert (before != after).any()


@pytest.mark.parametrize("with_groups", [False, True])
def test_later_labels_do_not_change_means_of_earlier_rows(with_groups):
    times, groups = RNG.integers(0, 50, N), RNG.integers(0, 60, N) if with_groups else None
    order = TimeOrder(times)
    before = out_of_fold_means(CODES, TARGET, ONES, n_codes=40, times=order, groups=groups)
    changed = np.where(times >= 30, TARGET + 100, TARGET)
    after = out_of_fold_means(CODES, changed, ONES, n_codes=40, times=order, groups=groups)
    block = np.unique(before[times < 15])
    assert len(block) > 1  # not only the mean of all, beyond the first block
    np.testing.assert_array_equal(before[times < 20], after[times < 20])
    assert np.isfinite(after).all()


def test_one_group_and_one_time_give_finite_means():
    same = np.zeros(N)
    assert np.isfinite(out_of_fold_means(CODES, TARGET, ONES, n_codes=40, groups=same)).all()
    assert np.ptp(out_of_fold_means(CODES, TARGET, ONES, n_codes=40, times=TimeOrder(same))) == 0
