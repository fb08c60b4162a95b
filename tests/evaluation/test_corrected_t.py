import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from polytask.evaluation import corrected_resampled_t, task_gain
from tests.evaluation._noise import folds, noisy_losses


def test_without_correction_it_is_the_t_test(rng):
    x = rng.normal(0.3, 1, 20)
    result, plain = corrected_resampled_t(x, test_to_train=0.0), stats.ttest_1samp(x, 0.0)
    assert_allclose(result.p_value, plain.pvalue)
    assert_allclose([result.low, result.high], plain.confidence_interval())


def test_standard_error_is_that_of_the_paper(rng):
    x = rng.normal(0.3, 1, 25)
    result = corrected_resampled_t(x, test_to_train=0.25, confidence=0.9)
    reach = stats.t.ppf(0.95, 24) * np.sqrt((1 / 25 + 1 / 4) * x.var(ddof=1))
    assert_allclose([result.low, result.high], [x.mean() - reach, x.mean() + reach])


def test_a_gain_hands_over_its_folds(rng):
    fold = folds(100, rng=rng)
    joint, separate, constant = noisy_losses(fold, rng=rng, gain=0.2)
    gain = task_gain(joint, separate, 2 * constant, fold=fold)
    by_fold = [((separate - joint)[r][fold[r] == k]).mean() / 2 for r in range(5) for k in range(5)]
    assert_allclose(gain.fold_gains, by_fold)
    assert_allclose(gain.test_to_train, 0.25)
    assert gain.corrected_t() == corrected_resampled_t(gain.fold_gains, test_to_train=gain.test_to_train)


def test_one_fold_is_refused():
    with pytest.raises(ValueError, match=r"\(1,\)"):
        corrected_resampled_t([0.1], test_to_train=0.25)
