"""The laws that every splitter obeys, on tables drawn at random."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytask.data.splits import (
    ClusterKFold,
    HashHoldout,
    LeaveOneGroupOut,
    NestedSplit,
    RepeatedStratifiedTaskKFold,
    StratifiedTaskKFold,
    StratifiedTaskShuffleSplit,
    TimeSplit,
    split_balance,
)
from tests.data.splits._laws import (
    assert_every_row_is_tested_once,
    assert_follows_a_permutation,
    assert_groups_are_whole,
    assert_pairs_are_disjoint,
    assert_reproducible,
    assert_row_numbers_are_ascending,
    assert_time_never_leaks,
    largest_count_deviation,
    multilabel,
)

pytestmark = pytest.mark.filterwarnings("ignore:One cluster of rows")


def table(n=120, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    X[n // 2 :] = X[: n - n // 2] + 1e-6  # every row has a near copy
    y = np.column_stack([rng.normal(size=n), rng.random(n) < 0.3])
    y[rng.random(y.shape) < 0.2] = np.nan
    return X, y, np.tile(rng.integers(0, 15, n // 2), 2), rng.integers(0, 40, n).astype(float)


X, Y, GROUPS, TIMES = table()
EVERY_ROW_ONCE = {
    "k-fold": StratifiedTaskKFold(4, random_state=0),
    "groups": LeaveOneGroupOut(),
    "clusters": ClusterKFold(4, threshold=0.99, random_state=0),
    "nested": NestedSplit(4, 3, random_state=0),
}
OTHERS = {
    "repeated": RepeatedStratifiedTaskKFold(4, n_repeats=2, random_state=0),
    "shuffle": StratifiedTaskShuffleSplit(3, random_state=0),
    "hash": HashHoldout(GROUPS, test_size=0.4),
    "nested in time": NestedSplit(TimeSplit(3, times=TIMES), 2),
    "expanding": TimeSplit(4, times=TIMES),
    "sliding": TimeSplit(4, times=TIMES, window="sliding", gap=3),
}
ALL = EVERY_ROW_ONCE | OTHERS
KEEP_GROUPS = {
    name: splitter for name, splitter in ALL.items() if "in" not in name.split() and name not in ("expanding", "sliding")
}


@pytest.mark.parametrize("name", ALL)
def test_the_parts_are_disjoint_ascending_and_reproducible(name):
    groups = GROUPS if name == "groups" else None
    pairs = list(ALL[name].split(X, Y, groups))
    assert_pairs_are_disjoint(pairs)
    assert_row_numbers_are_ascending(pairs)
    assert_reproducible(ALL[name], X, Y, groups)


@pytest.mark.parametrize("name", EVERY_ROW_ONCE)
def test_every_row_is_tested_once(name):
    assert_every_row_is_tested_once(list(EVERY_ROW_ONCE[name].split(X, Y, GROUPS)), len(X))


@pytest.mark.parametrize("name", KEEP_GROUPS)
def test_groups_are_never_cut(name):
    assert_groups_are_whole(list(KEEP_GROUPS[name].split(X, Y, GROUPS)), GROUPS)


@pytest.mark.parametrize("name", ["expanding", "sliding", "nested in time"])
def test_time_never_leaks(name):
    assert_time_never_leaks(list(ALL[name].split(X, Y)), TIMES)


@pytest.mark.parametrize("name", ["expanding", "sliding"])
def test_groups_that_go_on_through_time_are_on_one_side(name):
    groups = np.arange(120) // 2
    pairs = list(ALL[name].split(X, Y, groups))
    assert_groups_are_whole(pairs, groups)
    assert_time_never_leaks(pairs, TIMES)
    assert_pairs_are_disjoint(pairs)


@settings(max_examples=60, deadline=None)
@given(
    times=st.lists(st.integers(0, 60), min_size=12, max_size=80),
    n_splits=st.integers(1, 4),
    gap=st.integers(0, 5),
    window=st.sampled_from(["expanding", "sliding"]),
    seed=st.integers(0, 99),
)
def test_time_splits_of_any_times_obey_their_laws_or_say_why_not(times, n_splits, gap, window, seed):
    times = np.array(times)
    order = np.random.default_rng(seed).permutation(len(times))

    def split(rows):
        return list(TimeSplit(n_splits, times=times[rows], gap=gap, window=window).split())

    try:
        pairs = split(np.arange(len(times)))
    except ValueError as error:
        assert re.search("different time|learn from", str(error))  # noqa: PT017 - such times cannot be split
        return
    assert len(pairs) == n_splits
    assert_time_never_leaks(pairs, times)
    assert_pairs_are_disjoint(pairs)
    assert_follows_a_permutation(split, order)
    for train, test in pairs:  # the gap counts rows
        between = (times > times[train].max()) & (times < times[test].min())
        assert between.sum() >= gap
    tested = np.concatenate([test for _, test in pairs])
    np.testing.assert_array_equal(np.sort(tested), np.flatnonzero(times >= times[pairs[0][1]].min()))


@settings(max_examples=25, deadline=None)
@given(n=st.integers(24, 150), n_groups=st.integers(6, 30), n_splits=st.integers(2, 5), seed=st.integers(0, 99))
def test_grouped_folds_of_any_table_are_whole_complete_and_follow_the_seed(n, n_groups, n_splits, seed):
    rng = np.random.default_rng(seed)
    y = multilabel(n, 4, seed).astype(float)
    y[rng.random(y.shape) < 0.3] = np.nan
    groups = np.concatenate([np.arange(n_groups), rng.integers(0, n_groups, n)])[:n]
    splitter = StratifiedTaskKFold(n_splits, random_state=seed)
    pairs = list(splitter.split(y, y, groups))
    assert_groups_are_whole(pairs, groups)
    assert_every_row_is_tested_once(pairs, n)
    assert_pairs_are_disjoint(pairs)
    assert_reproducible(splitter, y, y, groups)


@pytest.mark.parametrize("with_groups", [False, True])
def test_the_order_of_rows_is_irrelevant_to_the_balance(with_groups):
    rng = np.random.default_rng(1)
    labels = multilabel(400, 6)
    groups = rng.integers(0, 80, 400)
    worst = []
    for order in (np.arange(400), rng.permutation(400), np.lexsort(labels.T), np.argsort(groups, kind="stable")):
        own = groups[order] if with_groups else None
        folds = StratifiedTaskKFold(5, random_state=0).fold_of_rows(y=labels[order].astype(float), groups=own)
        worst.append(largest_count_deviation(labels[order], folds))
    assert max(worst) < (6 if with_groups else 2)


def test_hash_sides_and_clusters_follow_a_permutation():
    order = np.random.default_rng(0).permutation(120)
    assert_follows_a_permutation(lambda rows: list(HashHoldout(GROUPS[rows], 0.4).split()), order)
    clusters = ClusterKFold(2, threshold=0.99)
    straight, shuffled = clusters.groups_of(X), clusters.groups_of(X[order])
    np.testing.assert_array_equal(straight[order], shuffled)


def test_grouped_and_stratified_folds_are_more_even_than_those_of_scikit_learn():
    from sklearn.model_selection import StratifiedGroupKFold

    rng = np.random.default_rng(0)
    ours, theirs = [], []
    for seed in range(5):
        rates = rng.beta(1, 4, 60)
        groups = rng.integers(0, 60, 600)
        y = (rng.random(600) < rates[groups]).astype(float)
        for splitter, found in (
            (StratifiedTaskKFold(5, random_state=seed), ours),
            (StratifiedGroupKFold(5, shuffle=True, random_state=seed), theirs),
        ):
            found.append(split_balance(y, list(splitter.split(y[:, None], y, groups))).largest_deviation)
    assert np.mean(ours) < np.mean(theirs)
    assert max(ours) < 0.1
