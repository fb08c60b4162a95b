import numpy as np
import pytest

from polytask.data.splits import iterative_stratification
from polytask.exceptions import DataError, OptionError
from tests.data.splits._laws import counts_per_fold, largest_count_deviation, multilabel


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("n_folds", [2, 5, 7])
def test_every_label_count_is_rounded_up_or_down(n_folds, order):
    labels = multilabel()
    folds = iterative_stratification(labels, np.full(n_folds, 1 / n_folds), order=order, random_state=0)
    assert largest_count_deviation(labels, folds) < (1 if order == 1 else 3)  # order 2 also minds the pairs


@pytest.mark.parametrize("n_samples", [10, 11, 13, 99])
def test_sizes_differ_by_at_most_one(n_samples):
    folds = iterative_stratification(multilabel(n_samples), np.full(5, 0.2), random_state=0)
    assert np.ptp(np.bincount(folds, minlength=5)) <= 1


def test_unequal_proportions_are_kept_for_rows_and_labels():
    labels = multilabel(1000)
    folds = iterative_stratification(labels, [0.7, 0.2, 0.1], random_state=0)
    assert np.bincount(folds).tolist() == [700, 200, 100]
    assert np.abs(counts_per_fold(labels, folds) - np.outer([0.7, 0.2, 0.1], labels.sum(axis=0))).max() < 1


def test_order_two_balances_pairs_better_than_order_one():
    labels = multilabel(400, 10, seed=3)
    pairs = np.column_stack([labels[:, i] & labels[:, j] for i in range(10) for j in range(i)])

    def imbalance(order, seed):
        counts = counts_per_fold(pairs, iterative_stratification(labels, np.full(5, 0.2), order=order, random_state=seed))
        return ((counts - counts.mean(axis=0)) ** 2).sum()

    assert all(imbalance(2, seed) < 0.5 * imbalance(1, seed) for seed in range(3))


def test_rare_labels_never_share_a_fold():
    labels = np.zeros((100, 3), dtype=bool)
    labels[:1, 0] = labels[10:13, 1] = labels[20:25, 2] = True  # 1, 3 and 5 rows over 5 folds
    counts = counts_per_fold(labels, iterative_stratification(labels, np.full(5, 0.2), random_state=0))
    assert counts.max() == 1


def test_a_label_of_every_row_or_none_changes_nothing():
    labels = multilabel(200)
    padded = np.column_stack([np.ones(200, dtype=bool), labels, np.zeros(200, dtype=bool)])
    same = iterative_stratification(padded, np.full(5, 0.2), random_state=0)
    assert np.array_equal(same, iterative_stratification(labels, np.full(5, 0.2), random_state=0))


def test_without_labels_rows_are_dealt_at_random():
    folds = iterative_stratification(np.zeros((20, 0)), [0.5, 0.5], random_state=0)
    assert np.bincount(folds).tolist() == [10, 10]
    assert len(set(folds[:10])) == 2


def test_the_order_of_rows_does_not_matter_for_the_balance():
    labels = multilabel(500)
    by_label = labels[np.lexsort(labels.T)]
    for rows in (labels, by_label, by_label[::-1]):
        assert largest_count_deviation(rows, iterative_stratification(rows, np.full(5, 0.2), random_state=0)) < 1


def test_same_seed_same_folds_and_other_seed_other_folds():
    labels = multilabel()
    first, again, other = (iterative_stratification(labels, np.full(5, 0.2), random_state=seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_at_least_as_even_as_the_package_iterative_stratification():
    stratifiers = pytest.importorskip("iterstrat.ml_stratifiers")
    for seed in range(5):
        labels = multilabel(500, 12, seed)
        theirs = np.empty(len(labels), dtype=int)
        splitter = stratifiers.MultilabelStratifiedKFold(5, shuffle=True, random_state=seed)
        for fold, (_, test) in enumerate(splitter.split(labels, labels)):
            theirs[test] = fold
        ours = iterative_stratification(labels, np.full(5, 0.2), random_state=seed)
        assert largest_count_deviation(labels, ours) <= largest_count_deviation(labels, theirs) + 1e-9
        assert np.ptp(np.bincount(ours)) <= np.ptp(np.bincount(theirs))


def test_groups_are_whole_and_labels_and_sizes_still_even():
    labels, rng = multilabel(1000), np.random.default_rng(0)
    groups = rng.choice(150, 1000, p=rng.dirichlet(np.ones(150)))
    folds = iterative_stratification(labels, np.full(5, 0.2), groups=groups, random_state=0)
    assert all(len(set(folds[groups == group])) <= 1 for group in range(150))
    assert np.ptp(np.bincount(folds)) <= 10
    assert largest_count_deviation(labels, folds) <= 5


def test_one_giant_group_leaves_no_fold_empty():
    groups = np.array([0] * 96 + [1, 2, 3, 4])
    folds = iterative_stratification(multilabel(100), np.full(5, 0.2), groups=groups, random_state=0)
    assert np.bincount(folds, minlength=5).min() >= 1


def test_groups_of_one_row_are_as_even_as_rows():
    labels = multilabel(300)
    folds = iterative_stratification(labels, np.full(3, 1 / 3), groups=np.arange(300), random_state=0)
    assert np.ptp(np.bincount(folds)) <= 1
    assert largest_count_deviation(labels, folds) < 1.5


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"proportions": [1.0]}, OptionError, "two or more positive numbers"),
        ({"proportions": [0.5, 0.6]}, OptionError, "sum 1"),
        ({"proportions": [0.2] * 5, "indicators": np.ones((3, 1))}, OptionError, "5 folds need at least 5 rows; got 3"),
        ({"groups": [0, 0, 0, 0]}, OptionError, "2 folds need at least 2 groups; got 1"),
        ({"groups": [0, 1, np.nan, 0]}, DataError, "got 1 missing"),
        ({"groups": ["a", "b", None, "a"]}, DataError, "got 1 missing"),
        ({"groups": [0, 1]}, DataError, "2 values for 4 rows"),
        ({"indicators": np.ones(4)}, DataError, r"shape \(4,\)"),
        ({"indicators": np.full((4, 1), 2.0)}, DataError, "only True and False"),
        ({"order": 3}, OptionError, "`order` must be 1"),
    ],
)
def test_errors_say_what_was_given(change, error, message):
    settings = {"indicators": np.eye(4, dtype=bool), "proportions": [0.5, 0.5]} | change
    with pytest.raises(error, match=message):
        iterative_stratification(settings.pop("indicators"), settings.pop("proportions"), **settings)
