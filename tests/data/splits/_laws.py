"""What every split and every set of folds must obey."""

import numpy as np
from sklearn.base import clone


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


def assert_pairs_are_disjoint(pairs):
    """No row is on both sides or twice on one, and no side is empty."""
    for train, test in pairs:
        assert len(train)
        assert len(test)
        assert len(np.unique(np.concatenate([train, test]))) == len(train) + len(test)


def assert_every_row_is_tested_once(pairs, n_samples):
    assert_is_partition([test for _, test in pairs], n_samples)


def assert_time_never_leaks(pairs, times, gap=0):
    """All that is learned from is earlier than all that is predicted, by the gap; equal times are on one side."""
    times = np.asarray(times)
    for train, test in pairs:
        assert times[train].max() < times[test].min()
        assert times[train].max() <= times[test].min() - gap


def assert_reproducible(splitter, *data):
    """The same call gives the same rows, from a clone too."""
    first, again, cloned = (list(own.split(*data)) for own in (splitter, splitter, clone(splitter)))
    for pairs in (again, cloned):
        assert len(pairs) == len(first) == splitter.get_n_splits(*data)
        for (a, b), (c, d) in zip(first, pairs, strict=True):
            np.testing.assert_array_equal(a, c)
            np.testing.assert_array_equal(b, d)


def assert_follows_a_permutation(split, order):
    """``split(rows)`` gives pairs of positions in ``rows``; shuffled rows are split into the same rows."""
    straight, shuffled = split(np.arange(len(order))), split(order)
    for (train, test), (own_train, own_test) in zip(straight, shuffled, strict=True):
        np.testing.assert_array_equal(np.sort(order[own_train]), np.sort(train))
        np.testing.assert_array_equal(np.sort(order[own_test]), np.sort(test))


def assert_row_numbers_are_ascending(pairs):
    for part in (part for pair in pairs for part in pair):
        assert (np.diff(part) > 0).all()
