"""Every metric equals scikit-learn's where scikit-learn has it, with and without weights, with and without ties."""

import numpy as np
import pytest
from sklearn import metrics as sk

from polytask import metrics

N = 60


@pytest.fixture(params=[0, 1, 2], ids="seed{}".format)
def rng(request):
    return np.random.default_rng(request.param)


@pytest.fixture(params=["weighted", "unweighted"])
def weight(request, rng):
    return rng.uniform(0.1, 3.0, N) if request.param == "weighted" else None


@pytest.fixture(params=["ties", "no ties"])
def decimals(request):
    return 1 if request.param == "ties" else 12


def probabilities(rng, n_classes, decimals):
    """Random probabilities; those of one decimal have many ties."""
    draws = rng.dirichlet(np.ones(n_classes), N)
    return rng.multinomial(10, draws) / 10 if decimals == 1 else draws


def codes(rng, n_classes):
    return np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, N - n_classes)]).astype(float)


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (metrics.mse, sk.mean_squared_error),
        (metrics.rmse, sk.root_mean_squared_error),
        (metrics.mae, sk.mean_absolute_error),
        (metrics.r2, sk.r2_score),
    ],
)
def test_regression(ours, theirs, rng, weight):
    target, outputs = rng.normal(size=N), rng.normal(size=N)
    assert ours(target, outputs, sample_weight=weight) == pytest.approx(theirs(target, outputs, sample_weight=weight))


def test_relative_rmse_is_a_ratio_of_two_rmse(rng, weight):
    target, outputs = rng.normal(size=N), rng.normal(size=N)
    expected = sk.root_mean_squared_error(target, outputs, sample_weight=weight)
    expected /= sk.root_mean_squared_error(target, np.full(N, 0.3), sample_weight=weight)
    assert metrics.relative_rmse(target, outputs, sample_weight=weight, baseline=0.3) == pytest.approx(expected)


def test_relative_rmse_to_the_mean_of_the_labels_themselves_is_the_root_of_one_minus_r2(rng):
    target, outputs = rng.normal(size=N), rng.normal(size=N)
    relative = metrics.relative_rmse(target, outputs, baseline=target.mean())
    assert relative**2 == pytest.approx(1 - metrics.r2(target, outputs))


def test_poisson_deviance(rng, weight):
    target, outputs = rng.poisson(2.0, N).astype(float), rng.gamma(2.0, 1.0, N)
    expected = sk.mean_poisson_deviance(target, outputs, sample_weight=weight)
    assert metrics.poisson_deviance(target, outputs, sample_weight=weight) == pytest.approx(expected)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize(
    "ours, theirs, options",
    [
        (metrics.accuracy, sk.accuracy_score, {}),
        (metrics.balanced_accuracy, sk.balanced_accuracy_score, {}),
        (metrics.f1_macro, sk.f1_score, {"average": "macro"}),
        (metrics.f1_micro, sk.f1_score, {"average": "micro"}),
        (metrics.quadratic_kappa, sk.cohen_kappa_score, {"weights": "quadratic"}),
        (metrics.ordinal_mae, sk.mean_absolute_error, {}),
    ],
)
def test_predicted_classes(ours, theirs, options, n_classes, rng, weight, decimals):
    target, outputs = codes(rng, n_classes), probabilities(rng, n_classes, decimals)
    expected = theirs(target, outputs.argmax(axis=1).astype(float), sample_weight=weight, **options)
    assert ours(target, outputs, sample_weight=weight) == pytest.approx(expected)


def test_binary_f1(rng, weight, decimals):
    target, outputs = codes(rng, 2), probabilities(rng, 2, decimals)
    expected = sk.f1_score(target, outputs.argmax(axis=1), sample_weight=weight)
    assert metrics.f1(target, outputs, sample_weight=weight) == pytest.approx(expected)


def test_binary_ranking(rng, weight, decimals):
    target, outputs = codes(rng, 2), probabilities(rng, 2, decimals)
    auc = sk.roc_auc_score(target, outputs[:, 1], sample_weight=weight)
    precision = sk.average_precision_score(target, outputs[:, 1], sample_weight=weight)
    assert metrics.roc_auc(target, outputs, sample_weight=weight) == pytest.approx(auc)
    assert metrics.average_precision(target, outputs, sample_weight=weight) == pytest.approx(precision)


def test_multiclass_auc(rng, weight, decimals):
    target, outputs = codes(rng, 4), probabilities(rng, 4, decimals)
    expected = sk.roc_auc_score(target, outputs, multi_class="ovr", average="macro", sample_weight=weight)
    assert metrics.roc_auc(target, outputs, sample_weight=weight) == pytest.approx(expected)


def test_multiclass_average_precision(rng, weight, decimals):
    target, outputs = codes(rng, 4), probabilities(rng, 4, decimals)
    expected = sk.average_precision_score(np.eye(4)[target.astype(int)], outputs, sample_weight=weight)
    assert metrics.average_precision(target, outputs, sample_weight=weight) == pytest.approx(expected)


def test_classes_absent_from_the_labels_leave_the_mean_over_the_others(rng):
    target, outputs = codes(rng, 3), probabilities(rng, 4, 12)
    expected = np.mean([sk.roc_auc_score(target == k, outputs[:, k]) for k in range(3)])
    assert metrics.roc_auc(target, outputs) == pytest.approx(expected)


def test_a_predicted_class_that_no_label_has_does_not_count_for_balanced_accuracy():
    outputs = np.eye(3)[[0, 1, 2]]
    assert metrics.balanced_accuracy([0.0, 1.0, 1.0], outputs) == pytest.approx(0.75)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_log_loss_and_brier(n_classes, rng, weight):
    target, outputs = codes(rng, n_classes), rng.dirichlet(np.ones(n_classes) * 3, N)
    shown = outputs[:, 1] if n_classes == 2 else outputs
    labels = np.arange(n_classes)
    log_loss = sk.log_loss(target, outputs, sample_weight=weight, labels=labels)
    brier = sk.brier_score_loss(target, shown, sample_weight=weight, labels=labels)
    assert metrics.log_loss(target, outputs, sample_weight=weight) == pytest.approx(log_loss)
    assert metrics.brier(target, outputs, sample_weight=weight) == pytest.approx(brier)


@pytest.fixture
def multilabel(rng, decimals):
    """Labels without missing ones, every row with a 0 and a 1, and probabilities."""
    target = (rng.random((N, 5)) < 0.4).astype(float)
    target[:, 0], target[:, 1] = 1.0, 0.0
    target = rng.permuted(target, axis=1)
    return target, np.round(rng.random((N, 5)), decimals)


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (metrics.ranking_loss, sk.label_ranking_loss),
        (metrics.roc_auc_per_label, sk.roc_auc_score),
        (metrics.average_precision_per_label, sk.average_precision_score),
    ],
)
def test_multilabel_probabilities(ours, theirs, multilabel, weight):
    assert ours(*multilabel, sample_weight=weight) == pytest.approx(theirs(*multilabel, sample_weight=weight))


@pytest.mark.parametrize(
    "ours, theirs, options",
    [
        (metrics.hamming_loss, sk.hamming_loss, {}),
        (metrics.multilabel_f1_macro, sk.f1_score, {"average": "macro"}),
        (metrics.multilabel_f1_micro, sk.f1_score, {"average": "micro"}),
    ],
)
def test_multilabel_predictions(ours, theirs, options, multilabel, weight):
    target, outputs = multilabel
    expected = theirs(target, (outputs > 0.5).astype(float), sample_weight=weight, **options)
    assert ours(target, outputs, sample_weight=weight) == pytest.approx(expected)


def test_multilabel_log_loss_without_missing_labels_is_the_mean_of_the_labels_log_losses(rng, weight):
    target, outputs = (rng.random((N, 3)) < 0.5).astype(float), rng.uniform(0.01, 0.99, (N, 3))
    expected = np.mean([sk.log_loss(y, p, sample_weight=weight, labels=[0, 1]) for y, p in zip(target.T, outputs.T)])
    assert metrics.multilabel_log_loss(target, outputs, sample_weight=weight) == pytest.approx(expected)
