"""Row losses: the mean is the metric, missing is NaN, and nothing is infinite."""

import numpy as np
import pytest

from polytask import metrics

NAN = float("nan")
N = 30


def sample(kind):
    rng = np.random.default_rng(0)
    return {
        "squared_error": (rng.normal(size=N), rng.normal(size=N)),
        "log_loss": (rng.integers(0, 3, N).astype(float), rng.dirichlet(np.ones(3), N)),
        "poisson_deviance": (rng.poisson(2.0, N).astype(float), rng.gamma(2.0, 1.0, N)),
        "multilabel_log_loss": ((rng.random((N, 3)) < 0.5).astype(float), rng.random((N, 3))),
    }[kind]


@pytest.mark.parametrize(
    "row_loss, metric, kind",
    [
        (metrics.row_squared_error, metrics.mse, "squared_error"),
        (metrics.row_log_loss, metrics.log_loss, "log_loss"),
        (metrics.row_poisson_deviance, metrics.poisson_deviance, "poisson_deviance"),
        (metrics.row_multilabel_log_loss, metrics.multilabel_log_loss, "multilabel_log_loss"),
    ],
)
def test_the_mean_over_observed_rows_is_the_metric(row_loss, metric, kind):
    target, outputs = sample(kind)
    target[::4] = NAN
    weight = np.random.default_rng(1).uniform(0.5, 2.0, N)
    losses = row_loss(target, outputs)
    observed = ~np.isnan(losses)
    assert losses.shape == (N,)
    assert losses.dtype == np.float64
    assert (losses[observed] >= 0).all()
    np.testing.assert_array_equal(np.isnan(losses), np.arange(N) % 4 == 0)
    expected = metric(target, outputs, sample_weight=weight)
    assert np.average(losses[observed], weights=weight[observed]) == pytest.approx(expected)


@pytest.mark.parametrize("row_loss", [metrics.row_squared_error, metrics.row_poisson_deviance])
def test_a_column_is_as_good_as_a_vector(row_loss):
    target, outputs = sample("poisson_deviance")
    np.testing.assert_array_equal(row_loss(target[:, None], outputs[:, None]), row_loss(target, outputs))


def test_a_certain_and_wrong_probability_costs_a_finite_amount():
    most = -np.log(1e-7)
    assert metrics.row_log_loss([0.0], [[0.0, 1.0]])[0] == pytest.approx(most)
    assert metrics.row_multilabel_log_loss([[0.0]], [[1.0]])[0] == pytest.approx(most)
    assert np.isfinite(metrics.row_poisson_deviance([5.0], [0.0])[0])


def test_the_mean_is_over_the_labels_observed_in_the_row():
    losses = metrics.row_multilabel_log_loss([[1.0, NAN, 0.0], [NAN, NAN, 1.0]], [[0.5, 0.9, 0.75], [0.1, 0.1, 0.25]])
    np.testing.assert_allclose(losses, [(np.log(2) + np.log(4)) / 2, np.log(4)])


@pytest.mark.parametrize("row_loss", [metrics.row_squared_error, metrics.row_poisson_deviance])
def test_rows_must_match(row_loss):
    with pytest.raises(ValueError, match="got 2 and 1"):
        row_loss([1.0, 2.0], [1.0])


def test_class_codes_must_fit_the_probabilities():
    with pytest.raises(ValueError, match="codes 0 to 1"):
        metrics.row_log_loss([-1.0], [[0.5, 0.5]])


def test_labels_must_fit_the_probabilities():
    with pytest.raises(ValueError, match=r"got \(1, 2\) and \(1, 3\)"):
        metrics.row_multilabel_log_loss([[1.0, 0.0]], [[0.5, 0.5, 0.5]])
