import numpy as np
import pytest

from polytask.data.splits import StratifiedTaskShuffleSplit, holdout
from polytask.exceptions import DataError, OptionError
from tests.data.splits._laws import (
    assert_groups_are_whole,
    assert_is_partition,
    assert_pairs_are_disjoint_and_complete,
    multilabel,
)


@pytest.mark.parametrize("test_size, expected", [(0.2, 20), (0.155, 16), (7, 7), (0.001, 1), (0.999, 99)])
def test_sizes_are_exact_and_no_side_is_empty(test_size, expected):
    train, held = holdout(100, test_size=test_size, random_state=0)
    assert len(held) == expected
    assert_is_partition([train, held], 100)


def test_every_label_keeps_its_share():
    labels = multilabel(1000)
    _, held = holdout(labels, test_size=0.1, random_state=0)
    assert np.abs(labels[held].sum(axis=0) - 0.1 * labels.sum(axis=0)).max() < 1


def test_the_only_row_of_a_class_stays_in_training():
    labels = np.arange(50)[:, None] == [7]
    assert all(7 in holdout(labels, test_size=0.2, random_state=seed)[0] for seed in range(5))


def test_groups_are_whole_and_the_size_is_near():
    groups = np.random.default_rng(0).integers(0, 60, 600)
    train, held = holdout(multilabel(600), groups=groups, random_state=0)
    assert_groups_are_whole([(train, held)], groups)
    assert abs(len(held) - 120) <= 10


def test_rows_without_weight_are_never_held_out():
    weight = np.r_[np.zeros(50), np.ones(50)]
    train, held = holdout(100, test_size=0.2, sample_weight=weight, random_state=0)
    assert held.min() >= 50
    assert (len(train), len(held)) == (90, 10)


def test_weights_are_balanced():
    weight = np.random.default_rng(0).lognormal(sigma=2, size=1000)
    _, held = holdout(1000, sample_weight=weight, random_state=0)
    assert abs(np.log(weight[held]).mean() - np.log(weight).mean()) < 0.1


def test_shuffle_splits_differ_and_follow_the_seed():
    y = multilabel(100).astype(float)
    splitter = StratifiedTaskShuffleSplit(3, test_size=0.25, random_state=0)
    pairs = list(splitter.split(y, y))
    assert len(pairs) == splitter.get_n_splits() == 3
    assert_pairs_are_disjoint_and_complete(pairs, 100)
    assert not np.array_equal(pairs[0][1], pairs[1][1])
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(pairs, splitter.split(y, y), strict=True))


@pytest.mark.parametrize("test_size", [0, 1.0, -0.1, 10, "half", None, True, float("nan")])
def test_a_size_that_empties_a_side_is_refused(test_size):
    with pytest.raises(OptionError, match="`test_size` must be a share between 0 and 1"):
        holdout(10, test_size=test_size)


@pytest.mark.parametrize(
    "n, settings, message",
    [
        (1, {}, "at least 2 rows; got 1"),
        (0, {}, "at least 2 rows; got 0"),
        (4, {"groups": [1, 1, 1, 1]}, "at least 2 groups; got 1"),
        (4, {"groups": [1, 2]}, "2 values for 4 rows"),
        (4, {"sample_weight": [1, 2]}, "2 values for 4 rows"),
    ],
)
def test_too_little_to_divide_is_a_data_error(n, settings, message):
    with pytest.raises(DataError, match=message):
        holdout(n, **settings)
