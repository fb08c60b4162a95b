"""What every metric obeys: missing labels, weights, order of rows, and undefined values."""

import numpy as np
import pytest

from polytask.metrics import (
    AVERAGE_PRECISION,
    BALANCED_ACCURACY,
    F1,
    F1_MACRO,
    MAE,
    MSE,
    QUADRATIC_KAPPA,
    R2,
    RANKING_LOSS,
    RELATIVE_RMSE,
    ROC_AUC,
    ROC_AUC_PER_LABEL,
    Metric,
    UndefinedMetric,
    evaluate_metrics,
    metrics_by_name,
)

NAN = float("nan")
N = 40
VALUES = {"mse", "rmse", "mae", "r2", "relative_rmse", "poisson_deviance", "median_absolute_error", "max_error", "pinball_loss"}
VALUES |= {"coverage_error", "d2_absolute_error", "d2_pinball", "pearson", "spearman"}
BINARY = {"f1", "precision_at_k", "recall_at_k", "lift_at_k"}
NO_ZERO = {"coverage_error", "recall_at_k", "lift_at_k", "multilabel_precision_at_k", "multilabel_recall_at_k"}  # even if perfect
each_metric = pytest.mark.parametrize("metric", metrics_by_name.values(), ids=lambda metric: metric.name)


def sample(metric: Metric, seed=0):
    """Labels, outputs and weights that fit the metric."""
    rng = np.random.default_rng(seed)
    if metric.is_multilabel:
        return (rng.random((N, 4)) < 0.5).astype(float), rng.random((N, 4)), rng.uniform(0.5, 2.0, (N, 4))
    weight = rng.uniform(0.5, 2.0, N)
    if metric.name in VALUES:
        return rng.poisson(2.0, N).astype(float), rng.gamma(2.0, 1.0, N), weight
    n_classes = 2 if metric.name in BINARY else 3
    return rng.integers(0, n_classes, N).astype(float), rng.dirichlet(np.ones(n_classes), N), weight


def value(metric, target, outputs, weight=None):
    return metric(target, outputs, sample_weight=weight, baseline=1.9)


@each_metric
def test_missing_rows_are_left_out(metric):
    target, outputs, weight = sample(metric)
    expected = value(metric, target[5:], outputs[5:], weight[5:])
    target[:5], outputs[:5] = NAN, NAN
    assert value(metric, target, outputs, weight) == pytest.approx(expected)


@each_metric
def test_weight_zero_is_a_missing_label(metric):
    target, outputs, weight = sample(metric)
    holes = np.random.default_rng(1).random(target.shape) < 0.3
    expected = value(metric, np.where(holes, NAN, target), outputs, weight)
    assert value(metric, target, outputs, np.where(holes, 0.0, weight)) == pytest.approx(expected)


@each_metric
def test_a_weight_of_two_is_the_row_twice(metric):
    target, outputs, _ = sample(metric)
    weight = np.random.default_rng(1).integers(1, 4, N)
    repeated = value(metric, np.repeat(target, weight, axis=0), np.repeat(outputs, weight, axis=0))
    assert value(metric, target, outputs, weight) == pytest.approx(repeated)


@each_metric
def test_the_scale_of_the_weights_does_not_matter(metric):
    target, outputs, weight = sample(metric)
    assert value(metric, target, outputs, 7 * weight) == pytest.approx(value(metric, target, outputs, weight))


@each_metric
def test_the_order_of_rows_does_not_matter(metric):
    target, outputs, weight = sample(metric)
    order = np.random.default_rng(1).permutation(N)
    shuffled = value(metric, target[order], outputs[order], weight[order])
    assert shuffled == pytest.approx(value(metric, target, outputs, weight))


@each_metric
def test_a_target_of_one_column_will_do(metric):
    target, outputs, weight = sample(metric)
    if not metric.is_multilabel:
        assert value(metric, target[:, None], outputs, weight[:, None]) == value(metric, target, outputs, weight)


@each_metric
def test_perfect_outputs_have_no_error_and_others_some(metric):
    target, outputs, _ = sample(metric)
    perfect = target if metric.is_multilabel or metric.name in VALUES else np.eye(outputs.shape[1])[target.astype(int)]
    assert metric.error(value(metric, target, perfect)) == pytest.approx(0.0, abs=1e-6) or metric.name in NO_ZERO
    assert metric.error(value(metric, target, perfect)) <= metric.error(value(metric, target, outputs)) or metric.name in NO_ZERO
    assert metric.error(value(metric, target, outputs)) > 0.01


@each_metric
def test_the_direction_fits_the_error(metric):
    assert (metric.error(0.9) < metric.error(0.1)) == metric.higher_is_better


@each_metric
@pytest.mark.parametrize(
    "spoil, reason",
    [
        (lambda y, p, w: (np.full_like(y, NAN), p, w), "no observed labels"),
        (lambda y, p, w: (y[:0], p[:0], w[:0]), "no observed labels"),
        (lambda y, p, w: (y, p, 0 * w), "the weights of the observed labels sum to zero"),
        (lambda y, p, w: (y, p * NAN, w), "some predictions are not finite"),
    ],
    ids=["missing", "empty", "weightless", "not finite"],
)
def test_undefined_is_told(metric, spoil, reason):
    target, outputs, weight = spoil(*sample(metric))
    with pytest.raises(UndefinedMetric, match=reason):
        value(metric, target, outputs, weight)


HALF = np.full((3, 2), 0.5)


@pytest.mark.parametrize(
    "metric, target, outputs, reason",
    [
        (R2, [1.0], [1.0], "only one observed label"),
        (R2, [0.1, 0.1, 0.1], [0.0, 1.0, 2.0], "all labels are equal"),
        (RELATIVE_RMSE, [1.9, 1.9], [0.0, 1.0], "all labels equal the mean of the training labels"),
        (ROC_AUC, [1.0, 1.0, NAN], HALF, "only one class"),
        (AVERAGE_PRECISION, [0.0, 0.0, 0.0], HALF, "only one class"),
        (BALANCED_ACCURACY, [0.0, 0.0, 0.0], HALF, "only one class"),
        (F1, [0.0, 0.0, 0.0], HALF, "class 1 is neither in the labels nor predicted"),
        (QUADRATIC_KAPPA, [1.0, 1.0, 1.0], np.eye(3), "only one level"),
        (ROC_AUC_PER_LABEL, [[1.0, 0.0], [NAN, 0.0], [1.0, NAN]], HALF, "no label is observed with both values"),
        (RANKING_LOSS, [[1.0, 1.0], [NAN, 0.0], [0.0, 0.0]], HALF, "no row has both"),
        (metrics_by_name["multilabel_f1_macro"], np.zeros((3, 2)), HALF, "no label is 1 and none is predicted"),
        (metrics_by_name["multilabel_f1_micro"], np.zeros((3, 2)), HALF, "no label is 1 and none is predicted"),
        (MSE, [0.0], [1e200], "not a finite number"),
    ],
)
def test_a_metric_without_a_value_says_why(metric, target, outputs, reason):
    with pytest.raises(UndefinedMetric, match=reason):
        value(metric, target, outputs)


def test_a_constant_prediction_has_a_kappa_of_zero():
    assert QUADRATIC_KAPPA([0.0, 1.0, 2.0], np.eye(3)[[1, 1, 1]]) == pytest.approx(0.0)


def test_f1_is_zero_where_class_one_is_predicted_but_never_there():
    assert F1([0.0, 0.0], [[0.1, 0.9], [0.9, 0.1]]) == 0.0


def test_a_tied_probability_predicts_the_first_class():
    assert metrics_by_name["accuracy"]([0.0, 1.0], [[0.5, 0.5], [0.5, 0.5]]) == 0.5
    assert metrics_by_name["hamming_loss"]([[0.0, 1.0]], [[0.5, 0.5]]) == 0.5


def test_single_missing_labels_inside_a_multilabel_row_are_left_out():
    target = np.array([[1.0, NAN, 0.0], [NAN, 0.0, 1.0], [0.0, 1.0, 1.0]])
    outputs = np.array([[0.9, NAN, 0.2], [0.5, 0.1, 0.3], [0.2, 0.3, 0.6]])
    values, reasons = evaluate_metrics([RANKING_LOSS, metrics_by_name["hamming_loss"], ROC_AUC_PER_LABEL], target, outputs)
    assert values == {"ranking_loss": 0.0, "hamming_loss": pytest.approx(2 / 7), "roc_auc_per_label": 1.0}
    assert reasons == {}


def test_rows_without_a_pair_do_not_count_as_perfectly_ranked():
    assert RANKING_LOSS([[1.0, 0.0], [1.0, 1.0]], [[0.1, 0.9], [0.5, 0.5]]) == 1.0


def test_row_weights_and_equal_label_weights_are_the_same():
    target, outputs, _ = sample(RANKING_LOSS)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, N)
    spread = np.repeat(weight[:, None], target.shape[1], axis=1)
    for metric in metrics_by_name.values():
        if metric.is_multilabel:
            assert metric(target, outputs, sample_weight=weight) == pytest.approx(metric(target, outputs, sample_weight=spread))


def test_several_metrics_are_told_together():
    values, reasons = evaluate_metrics([MAE, R2, RELATIVE_RMSE], [2.0, NAN, 2.0], [1.0, 1.0, 4.0])
    assert values == {"mae": 1.5, "r2": None, "relative_rmse": None}
    assert reasons == {"r2": "all labels are equal", "relative_rmse": "the mean of the training labels is not known"}


def test_weights_choose_among_rows():
    assert MAE([0.0, 0.0], [1.0, 5.0], sample_weight=[3.0, 1.0]) == 2.0


@pytest.mark.parametrize(
    "metric, target, outputs, weight, words",
    [
        (MSE, [1.0, 2.0], [1.0], None, "got 2, 1 and 2"),
        (MSE, [1.0], [1.0], [-1.0], "not negative"),
        (MSE, [1.0], [1.0], [np.inf], "finite"),
        (MSE, [1.0], [[1.0, 2.0]], None, r"`outputs` must be \(n,\) or \(n, 1\); got \(1, 2\)"),
        (F1_MACRO, [2.0], [[0.5, 0.5]], None, "codes 0 to 1"),
        (F1_MACRO, [0.5], [[0.5, 0.5]], None, "codes 0 to 1"),
        (F1_MACRO, [1.0], [0.5], None, r"\(n, n_classes\)"),
        (F1, [1.0], [[0.2, 0.3, 0.5]], None, "Use f1_macro"),
        (RANKING_LOSS, [[1.0, 0.0]], [[0.5]], None, r"got \(1, 2\) and \(1, 1\)"),
        (RANKING_LOSS, [[1.0, 0.0]], [[0.5, 0.2]], [1.0, 1.0], "got 2 for 1"),
        (RANKING_LOSS, [[1.0, 2.0]], [[0.5, 0.2]], None, "codes 0 to 1"),
    ],
)
def test_wrong_input_is_refused_and_not_called_undefined(metric, target, outputs, weight, words):
    with pytest.raises(ValueError, match=words) as caught:
        metric(target, outputs, sample_weight=weight)
    assert not isinstance(caught.value, UndefinedMetric)


def test_names_are_those_of_the_functions():
    assert all(metric.function.__name__ == name == metric.name for name, metric in metrics_by_name.items())
