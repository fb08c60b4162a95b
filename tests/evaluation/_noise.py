"""Cheap losses of two arms, where what is true is known."""

import numpy as np


def folds(n_rows, *, rng, n_repeats=5, n_folds=5):
    return np.stack([rng.permutation(np.arange(n_rows) % n_folds) for _ in range(n_repeats)])


def noisy_losses(fold, *, rng, gain=0.0, row=0.3, model=0.02, cell=0.3):
    """(joint, separate, constant): a difference of rows, of trained models, and of each row under each model."""
    n_repeats, n_rows = fold.shape
    models = np.take_along_axis(rng.normal(0, model, (n_repeats, fold.max() + 1)), fold, axis=1)
    difference = gain + rng.normal(0, row, n_rows) + models + rng.normal(0, cell, fold.shape)
    separate = 0.6 + rng.normal(0, 0.2, fold.shape)
    return separate - difference, separate, np.ones(fold.shape)
