"""Placement values against scikit-learn and against the sum over all pairs."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from polytask.metrics import UndefinedMetric, auc_placements

NAN = float("nan")


@pytest.fixture(params=[1, 12], ids=["ties", "no ties"])
def rows(request):
    rng = np.random.default_rng(3)
    target = (rng.random(50) < 0.4).astype(float)
    score = np.round(rng.normal(size=50) + target, request.param)
    return target, score, rng.uniform(0.2, 3.0, 50)


def kernel(target, score):
    """Of every pair: 1 if the positive scores above the negative, 1/2 at a tie; [n_positives, n_negatives]."""
    difference = score[target == 1][:, None] - score[target == 0][None, :]
    return (np.sign(difference) + 1) / 2


@pytest.mark.parametrize("weighted", [False, True])
def test_auc_equals_scikit_learn_and_both_means(rows, weighted):
    target, score, weight = rows
    placements, auc = auc_placements(target, score, sample_weight=weight if weighted else None)
    assert auc == pytest.approx(roc_auc_score(target, score, sample_weight=weight if weighted else None))
    for value in (0, 1):
        of_class = target == value
        mean = np.average(placements[of_class], weights=weight[of_class] if weighted else None)
        assert mean == pytest.approx(auc)


def test_placements_are_row_and_column_means_over_all_pairs(rows):
    target, score, weight = rows
    placements, _ = auc_placements(target, score, sample_weight=weight)
    pairs = kernel(target, score)
    np.testing.assert_allclose(placements[target == 1], np.average(pairs, axis=1, weights=weight[target == 0]))
    np.testing.assert_allclose(placements[target == 0], np.average(pairs, axis=0, weights=weight[target == 1]))


def test_variance_equals_the_pairwise_u_statistic(rows):
    """DeLong et al., equations 4 to 6, over all pairs of pairs that share a row."""
    target, score, _ = rows
    placements, auc = auc_placements(target, score)
    pairs = kernel(target, score) - auc
    m, n = pairs.shape
    brute = sum((pairs[i].sum() / n) ** 2 for i in range(m)) / (m - 1) / m
    brute += sum((pairs[:, j].sum() / m) ** 2 for j in range(n)) / (n - 1) / n
    ours = placements[target == 1].var(ddof=1) / m + placements[target == 0].var(ddof=1) / n
    assert ours == pytest.approx(brute)


def test_variance_is_that_of_repeated_samples():
    rng = np.random.default_rng(0)
    target = np.repeat([0.0, 1.0], [120, 80])
    aucs, variances = [], []
    for _ in range(2000):
        placements, auc = auc_placements(target, rng.normal(size=200) + target)
        aucs.append(auc)
        variances.append(placements[target == 1].var(ddof=1) / 80 + placements[target == 0].var(ddof=1) / 120)
    # the standard deviation of 2000 draws is known to 1/sqrt(4000) = 1.6%, its square to 3.2%
    assert np.mean(variances) == pytest.approx(np.var(aucs), rel=0.1)


def test_missing_and_weightless_rows_have_no_placement_and_change_none(rows):
    target, score, weight = rows
    expected, expected_auc = auc_placements(target[10:], score[10:], sample_weight=weight[10:])
    target[:5], score[:5], weight[5:10] = NAN, NAN, 0.0
    placements, auc = auc_placements(target, score, sample_weight=weight)
    assert np.isnan(placements[:10]).all()
    np.testing.assert_allclose(placements[10:], expected)
    assert auc == pytest.approx(expected_auc)


def test_any_rising_function_of_the_score_gives_the_same(rows):
    target, score, _ = rows
    np.testing.assert_array_equal(auc_placements(target, score)[0], auc_placements(target, np.arctan(score))[0])


@pytest.mark.parametrize("target", [[1.0, 1.0], [0.0, NAN], [NAN, NAN], []])
def test_one_class_is_undefined(target):
    with pytest.raises(UndefinedMetric):
        auc_placements(target, np.zeros(len(target)))


def test_a_score_that_is_not_finite_is_undefined():
    with pytest.raises(UndefinedMetric, match="not finite"):
        auc_placements([0.0, 1.0], [0.0, NAN])


@pytest.mark.parametrize("target, score, words", [([0.0, 2.0], [0, 1], "0, 1 or NaN"), ([0.0, 1.0], [0], "got 2, 1 and 2")])
def test_wrong_input_is_refused(target, score, words):
    with pytest.raises(ValueError, match=words):
        auc_placements(target, score)
