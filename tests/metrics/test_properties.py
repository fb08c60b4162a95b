"""What metrics promise of any labels and outputs: properties tested on arrays that hypothesis makes up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, roc_auc_score

from polytask.metrics import UndefinedMetric, metrics_by_name, row_log_loss, row_poisson_deviance, row_squared_error

VALUES = [
    "mse",
    "rmse",
    "mae",
    "r2",
    "median_absolute_error",
    "max_error",
    "pinball_loss",
    "d2_absolute_error",
    "pearson",
    "spearman",
]
CLASSES = ["accuracy", "balanced_accuracy", "f1_macro", "f1_micro", "roc_auc", "average_precision", "log_loss", "brier"]
CLASSES += ["quadratic_kappa", "ordinal_mae", "top_k_accuracy", "expected_calibration_error", "d2_log_loss"]
BOUNDED = {"accuracy", "balanced_accuracy", "f1_macro", "f1_micro", "roc_auc", "average_precision", "top_k_accuracy"}
BOUNDED |= {"expected_calibration_error"}
SIZES = st.integers(2, 25)
NUMBERS = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@st.composite
def numbers(draw):
    """Labels and means [n], and whole weights of which some are positive."""
    n = draw(SIZES)
    target, outputs = (draw(arrays(np.float64, n, elements=NUMBERS)) for _ in range(2))
    return target, outputs, draw(weights(n))


@st.composite
def classes(draw, n_classes=3):
    """Codes [n] and probabilities [n, K] that add up to one, and whole weights."""
    n = draw(SIZES)
    target = draw(arrays(np.float64, n, elements=st.integers(0, n_classes - 1).map(float)))
    raw = draw(arrays(np.float64, (n, n_classes), elements=st.integers(1, 50).map(float)))
    return target, raw / raw.sum(axis=1, keepdims=True), draw(weights(n))


def weights(n):
    return arrays(np.float64, n, elements=st.integers(0, 3).map(float)).filter(lambda w: w.sum() > 0)


def value(name, target, outputs, weight=None):
    """The value of a metric, or why it has none."""
    try:
        return metrics_by_name[name](target, outputs, sample_weight=weight, baseline=0.5)
    except UndefinedMetric as reason:
        return str(reason)


def same(left, right, **tolerance):
    if isinstance(left, str) or isinstance(right, str):
        return isinstance(left, str) and isinstance(right, str)
    return left == pytest.approx(right, **({"rel": 1e-6, "abs": 1e-9} | tolerance))


def check_repetition(name, target, outputs, weight):
    rows = np.repeat(np.arange(len(target)), weight.astype(int))
    assert same(value(name, target, outputs, weight), value(name, target[rows], outputs[rows]))


def check_missing(name, target, outputs, weight):
    masked = np.where(weight > 0, target, np.nan)
    seen = weight > 0
    assert same(value(name, masked, outputs), value(name, target[seen], outputs[seen]))


def check_order(name, target, outputs, weight):
    order = np.argsort(np.sin(np.arange(len(target)) * 7.0))
    assert same(value(name, target, outputs, weight), value(name, target[order], outputs[order], weight[order]))


LAWS = [check_repetition, check_missing, check_order]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("name", VALUES)
@given(sample=numbers())
def test_laws_of_metrics_of_numbers(name, law, sample):
    law(name, *sample)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("name", CLASSES)
@given(sample=classes())
def test_laws_of_metrics_of_classes(name, law, sample):
    law(name, *sample)


@pytest.mark.parametrize("name", CLASSES)
@given(sample=classes())
def test_values_are_finite_errors_not_negative_and_shares_in_their_range(name, sample):
    found = value(name, *sample)
    if not isinstance(found, str):
        assert np.isfinite(found)
        assert metrics_by_name[name].error(found) >= -1e-12
        assert name not in BOUNDED or -1e-12 <= found <= 1 + 1e-12


@pytest.mark.parametrize("name", VALUES)
@given(sample=numbers())
def test_no_outputs_are_better_than_the_labels_themselves(name, sample):
    target, outputs, weight = sample
    found, best = value(name, target, outputs, weight), value(name, target, target, weight)
    if not isinstance(found, str) and not isinstance(best, str):
        error = metrics_by_name[name].error
        assert error(best) <= error(found) + 1e-9


@given(sample=classes(n_classes=2))
def test_ranking_is_that_of_scikit_learn(sample):
    target, outputs, weight = sample
    found = value("roc_auc", target, outputs, weight)
    seen = weight > 0
    if len(np.unique(target[seen])) == 2:
        assert found == pytest.approx(roc_auc_score(target, outputs[:, 1], sample_weight=weight), abs=1e-9)
        expected = average_precision_score(target, outputs[:, 1], sample_weight=weight)
        assert value("average_precision", target, outputs, weight) == pytest.approx(expected, abs=1e-9)
    else:
        assert "only one class" in found


@given(sample=numbers(), slope=st.sampled_from([0.5, 2.0, 8.0]), shift=st.sampled_from([-4.0, 0.0, 16.0]))
def test_another_unit_changes_errors_by_its_size_and_ratios_not_at_all(sample, slope, shift):
    target, outputs, weight = sample
    other = target * slope + shift, outputs * slope + shift, weight
    for name in ("rmse", "mae", "max_error", "median_absolute_error", "pinball_loss"):
        assert same(value(name, *other), slope * value(name, *sample), rel=1e-6, abs=1e-6)
    for name in ("r2", "d2_absolute_error", "pearson", "spearman"):
        left, right = value(name, *other), value(name, *sample)
        assert same(left, right, rel=1e-4, abs=1e-4)


@given(sample=numbers())
def test_a_rising_function_of_the_outputs_keeps_spearman(sample):
    target, outputs, weight = sample
    assert same(value("spearman", target, outputs, weight), value("spearman", target, np.cbrt(outputs / 1e3), weight))


@given(sample=numbers())
def test_row_losses_add_up_to_the_metric(sample):
    target, outputs, weight = sample
    losses = row_squared_error(target, outputs)
    assert np.average(losses, weights=weight) == pytest.approx(value("mse", target, outputs, weight), rel=1e-9)
    counts, means = np.abs(np.round(target)) % 50, np.abs(outputs) % 50 + 0.01
    deviance = value("poisson_deviance", counts, means, weight)
    assert np.average(row_poisson_deviance(counts, means), weights=weight) == pytest.approx(deviance, rel=1e-9, abs=1e-12)


@given(sample=classes())
def test_row_log_losses_add_up_to_the_log_loss(sample):
    target, outputs, weight = sample
    assert np.average(row_log_loss(target, outputs), weights=weight) == pytest.approx(value("log_loss", *sample), rel=1e-9)
