"""What every split and every set of folds must obey."""

import numpy as np


def assert_is_partition(parts, n_samples):
    """Every row is in exactly one part."""
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(n_samples))


def assert_pairs_are_disjoint_and_complete(pairs, n_samples):
    for train, test in pairs:
        assert_is_partition([train, test], n_samples)


def assert_groups_are_whole(pairs, groups):
    groups = np.asarray(groups)
    for train, test in pairs:
        assert not set(groups[train]) & set(groups[test])


def counts_per_fold(labels, folds):
    """Count every label in every fold; [k, m]."""
    return np.array([np.asarray(labels)[folds == fold].sum(axis=0) for fold in np.unique(folds)])


def largest_count_deviation(labels, folds):
    """The largest |count - equal share| over folds and labels."""
    counts = counts_per_fold(labels, folds)
    return np.abs(counts - counts.mean(axis=0)).max()


def multilabel(n_samples=600, n_labels=8, seed=0):
    """Labels with shares from 2% to 50%, pairs of them dependent."""
    rng = np.random.default_rng(seed)
    shared = rng.random((n_samples, 1))
    own = rng.random((n_samples, n_labels))
    return 0.5 * shared + 0.5 * own < np.linspace(0.15, 0.5, n_labels)
