import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import roc_auc_score

from polytask.evaluation import auc_row_losses, task_gain
from tests.evaluation._noise import folds


def brute_force_delong(target, first, second):
    """Variance of the difference of two AUCs from every pair of a positive and a negative (DeLong et al. 1988)."""

    def wins(score):
        positive, negative = score[target == 1][:, None], score[target == 0][None, :]
        return (positive > negative) + 0.5 * (positive == negative)

    difference = wins(first) - wins(second)
    return difference.mean(axis=1).var(ddof=1) / difference.shape[0] + difference.mean(axis=0).var(ddof=1) / difference.shape[1]


@pytest.fixture
def binary(rng):
    target = (rng.random(150) < 0.3).astype(float)
    scores = target + rng.normal(0, 1, (2, 150))
    return target, scores.round(1)  # rounded: ties


def test_mean_row_loss_is_one_minus_auc(binary):
    target, scores = binary
    losses = auc_row_losses(target, scores[:1], fold=np.zeros((1, 150)))
    assert_allclose(losses.mean(), 1 - roc_auc_score(target, scores[0]))


def test_variance_of_the_difference_is_delongs(binary):
    target, (first, second) = binary
    fold = np.zeros((1, 150), dtype=int)
    difference = auc_row_losses(target, [second], fold=fold) - auc_row_losses(target, [first], fold=fold)
    # the row losses divide by n, DeLong by n - 1 in each class: less than 3% at 40 positives
    assert_allclose(difference.var(ddof=1) / 150, brute_force_delong(target, first, second), rtol=0.03)


def test_auc_is_taken_within_folds(rng, binary):
    target, scores = binary
    fold = folds(150, rng=rng, n_repeats=1)
    moved = scores[:1] + 100 * fold  # scores of different models on different scales
    assert_allclose(auc_row_losses(target, moved, fold=fold), auc_row_losses(target, scores[:1], fold=fold))


def test_gain_in_auc_skill_is_twice_the_difference_of_aucs(rng, binary):
    target, (first, second) = binary
    fold = folds(150, rng=rng, n_repeats=1)
    together, alone = (auc_row_losses(target, [score], fold=fold) for score in (first, second))
    gain = task_gain(together, alone, np.full((1, 150), 0.5), fold=fold)
    by_fold = [[roc_auc_score(target[fold[0] == k], score[fold[0] == k]) for k in range(5)] for score in (first, second)]
    assert_allclose(gain.gain, 2 * np.mean(np.subtract(*by_fold)))


def test_weights_of_two_are_rows_twice(binary):
    target, (score, _) = binary
    weight = np.where(np.arange(150) % 3 == 0, 2, 1)
    weighted = auc_row_losses(target, [score], fold=np.zeros((1, 150)), sample_weight=weight)[0]
    copied = auc_row_losses(np.repeat(target, weight), [np.repeat(score, weight)], fold=np.zeros((1, weight.sum())))[0]
    assert_allclose(np.repeat(weighted, weight), copied)


def test_missing_labels_and_folds_of_one_class_have_no_loss():
    target = np.array([0, 1, np.nan, 1, 1, 0])
    losses = auc_row_losses(target, [[0.1, 0.9, 0.5, 0.2, 0.3, 0.4]], fold=[[0, 0, 0, 1, 1, 0]])
    assert np.isnan(losses[0]).tolist() == [False, False, True, True, True, False]
    losses = auc_row_losses([0, 1, 1], [[0.1, 0.9, np.nan]], fold=[[0, 0, -1]])
    assert losses[0, :2].tolist() == [0.0, 0.0]
    assert np.isnan(losses[0, 2])


def test_error_names_the_shapes():
    with pytest.raises(ValueError, match=r"\(1, 3\), \(1, 4\) and \(4,\)"):
        auc_row_losses([0, 1, 0, 1], [[0.1, 0.2, 0.3]], fold=[[0, 0, 0, 0]])
