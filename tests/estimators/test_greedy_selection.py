"""Greedy selection of an ensemble: never worse than its best model where it chooses, honest where it is scored."""

import numpy as np
import pytest

from polytask.estimators._greedy_selection import bagged_selection, cross_fitted_outputs, greedy_selection

RNG = np.random.default_rng(0)
TARGET = RNG.normal(size=200)


def squared(target):
    return lambda outputs: (outputs - target) ** 2


def loss(outputs):
    return float(np.mean((outputs - TARGET) ** 2))


def noisy(*scales):
    rng = np.random.default_rng(1)
    return [TARGET + scale * rng.normal(size=len(TARGET)) for scale in scales]


def test_weights_are_shares():
    weights = greedy_selection(noisy(1.0, 1.0, 2.0), squared(TARGET), np.ones(200))
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()


@pytest.mark.parametrize("n_start", [1, 3])
def test_the_mixture_is_never_worse_than_the_best_model(n_start):
    models = noisy(0.2, 1.0, 5.0, 9.0)
    weights = greedy_selection(models, squared(TARGET), np.ones(200), n_start=n_start)
    mixture = sum(w * own for w, own in zip(weights, models, strict=True))
    assert loss(mixture) <= min(map(loss, models))


def test_independent_models_of_one_quality_share_the_weight():
    models = noisy(*[1.0] * 5)
    weights = greedy_selection(models, squared(TARGET), np.ones(200))
    assert (weights > 0.05).all()
    assert loss(np.average(models, axis=0, weights=weights)) < 0.35 * min(map(loss, models))


def test_a_model_that_only_harms_gets_no_weight():
    assert greedy_selection([TARGET, -TARGET], squared(TARGET), np.ones(200)).tolist() == [1.0, 0.0]


def test_of_two_equal_models_the_first_is_taken():
    model = noisy(1.0)[0]
    assert greedy_selection([model, model.copy()], squared(TARGET), np.ones(200)).tolist() == [1.0, 0.0]


def test_rows_without_label_or_weight_do_not_count():
    target = np.where(np.arange(200) < 50, np.nan, TARGET)
    weight = (np.arange(200) < 150).astype(float)
    models = noisy(1.0, 0.5)
    changed = [np.where(np.isnan(target) | (weight == 0), 1e6, own) for own in models]
    np.testing.assert_array_equal(
        greedy_selection(models, squared(target), weight), greedy_selection(changed, squared(target), weight)
    )


def test_a_model_that_gives_no_outputs_is_left_out():
    assert greedy_selection([np.full(200, np.nan), TARGET + 1], squared(TARGET), np.ones(200)).tolist() == [0.0, 1.0]


def test_probabilities_are_mixed_as_rows():
    good, bad = np.tile([0.9, 0.1], (10, 1)), np.tile([0.1, 0.9], (10, 1))
    weights = greedy_selection([bad, good], lambda p: -np.log(p[:, 0]), np.ones(10))
    assert weights.tolist() == [0.0, 1.0]


def test_no_models_are_refused():
    with pytest.raises(ValueError, match="at least one model"):
        greedy_selection([], squared(TARGET), np.ones(200))


def test_cross_fitting_is_honest_about_models_of_pure_chance():
    """Of 200 random models the chosen mixture looks better than the mean where it was chosen, and does not where it was not."""
    models = [0.5 * RNG.normal(size=200) for _ in range(200)]
    weights = greedy_selection(models, squared(TARGET), np.ones(200))
    chosen = loss(np.average(models, axis=0, weights=weights))
    crossed = cross_fitted_outputs(models, lambda rows: squared(TARGET[rows]), np.ones(200), np.arange(200) % 5)
    assert chosen < np.var(TARGET) * 0.95
    assert loss(crossed) > np.var(TARGET) * 0.98


def test_every_row_of_a_cross_fitted_ensemble_has_outputs():
    crossed = cross_fitted_outputs(noisy(1.0, 0.5), lambda rows: squared(TARGET[rows]), np.ones(200), np.arange(200) % 4)
    assert np.isfinite(crossed).all()


def test_bags_share_what_chance_would_decide(rng):
    """Two models equally good but for noise: one selection on few rows takes what fits them, the mean of many takes both."""
    models = [TARGET + rng.normal(size=200) for _ in range(2)]
    few = np.arange(30)
    bagged = bagged_selection([own[few] for own in models], squared(TARGET[few]), np.ones(30), n_bags=40)
    assert bagged.sum() == pytest.approx(1.0)
    assert np.abs(bagged - 0.5).max() < 0.35
    again = bagged_selection([own[few] for own in models], squared(TARGET[few]), np.ones(30), n_bags=40)
    np.testing.assert_array_equal(bagged, again)


def test_rows_without_weight_are_drawn_by_no_bag():
    weight = np.r_[np.ones(100), np.zeros(100)]
    spoiled = np.r_[TARGET[:100], np.full(100, 1e6)]
    weights = bagged_selection([spoiled, TARGET + 1], squared(TARGET), weight, n_bags=7)
    assert weights.tolist() == [1.0, 0.0]
