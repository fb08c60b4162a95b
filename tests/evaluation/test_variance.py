"""The standard error against repeated draws of losses whose spread is known."""

import numpy as np
import pytest

from polytask.evaluation import simultaneous_intervals, task_gain
from tests.evaluation._noise import folds, noisy_losses


def gains(rng, *, n_draws=300, n_rows=100, **effects):
    out = []
    for _ in range(n_draws):
        fold = folds(n_rows, rng=rng)
        out.append(task_gain(*noisy_losses(fold, rng=rng, **effects), fold=fold))
    return out


@pytest.mark.parametrize(
    "effects",
    [
        {"row": 0.3, "model": 0.0, "cell": 0.0},
        {"row": 0.3, "model": 0.1, "cell": 0.3},
        {"row": 0.05, "model": 0.3, "cell": 0.1},
        {"row": 0.0, "model": 0.0, "cell": 0.3},
    ],
    ids=["rows only", "all", "mostly models", "cells only"],
)
def test_standard_error_is_that_of_repeated_draws(rng, effects):
    drawn = gains(rng, **effects)
    spread = np.std([gain.gain for gain in drawn])
    claimed = np.sqrt(np.mean([gain.se**2 for gain in drawn]))
    assert 0.87 < claimed / spread < 1.25  # a spread of 300 draws is known to 4%; the part of models is never below 0


def test_the_simpler_formula_counts_what_is_left_of_a_cell_twice(rng):
    drawn = gains(rng, row=0.0, model=0.0, cell=0.3)
    claimed, simple = (np.mean(values) for values in zip(*((g.variance.total, g.variance.rows_and_repeats) for g in drawn)))
    assert simple > 1.5 * claimed


def test_differences_without_a_gain_are_seldom_called_one(rng):
    drawn = gains(rng, n_draws=400, row=0.3, model=0.05, cell=0.3)
    p = [float(simultaneous_intervals([g.gain], se=[g.se], df=[g.df]).p_value[0]) for g in drawn]
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.08


def test_degrees_of_freedom_go_from_models_to_rows(rng):
    few = np.mean([gain.df for gain in gains(rng, n_draws=20, row=0.0, model=1.0, cell=0.0)])
    many = np.mean([gain.df for gain in gains(rng, n_draws=20, row=1.0, model=0.0, cell=0.0)])
    assert 20 < few < 40
    assert 80 < many < 130


def test_equal_arms_have_no_variance(rng):
    fold = folds(50, rng=rng)
    joint, _, constant = noisy_losses(fold, rng=rng)
    gain = task_gain(joint, joint, constant, fold=fold)
    assert (gain.gain, gain.se, gain.df) == (0.0, 0.0, 49.0)
