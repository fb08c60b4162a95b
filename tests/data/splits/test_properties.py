"""What the splitters promise of any table: properties tested on labels, groups and times that hypothesis makes up."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from polytask.data.splits import HashHoldout, LabelBudget, LeaveOneGroupOut, StratifiedTaskKFold, TimeSplit, holdout
from polytask.exceptions import DataError

LABEL = st.one_of(st.just(np.nan), st.integers(0, 3).map(float), st.floats(-5, 5))
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def targets(draw, *, min_rows=4, max_rows=40):
    """Labels [n, 1 to 3] of classes and numbers, any of them missing."""
    n, n_tasks = draw(st.integers(min_rows, max_rows)), draw(st.integers(1, 3))
    return np.array(draw(st.lists(st.lists(LABEL, min_size=n_tasks, max_size=n_tasks), min_size=n, max_size=n)))


@given(targets(), st.integers(2, 4), SEEDS)
def test_folds_are_a_partition_into_equal_sizes(y, n_splits, seed):
    folds = list(StratifiedTaskKFold(n_splits, random_state=seed).split(np.zeros((len(y), 1)), y))
    held = np.concatenate([test for _, test in folds])
    assert sorted(held) == list(range(len(y)))
    for train, test in folds:
        assert sorted([*train, *test]) == list(range(len(y)))
    sizes = [len(test) for _, test in folds]
    assert max(sizes) - min(sizes) <= 1


@given(targets(), st.integers(2, 4), SEEDS)
def test_missing_labels_and_classes_of_one_task_are_spread(y, n_splits, seed):
    """Of a single class column every fold has its share, rounded up or down."""
    column = np.where(np.isnan(y[:, :1]), np.nan, np.round(y[:, :1]) > 0)
    folds = StratifiedTaskKFold(n_splits, random_state=seed).fold_of_rows(y=column)
    for value in (0.0, 1.0):
        counts = [int((column[folds == fold, 0] == value).sum()) for fold in range(n_splits)]
        assert max(counts) - min(counts) <= 1


@given(targets(), st.data(), st.integers(2, 4), SEEDS)
def test_groups_are_never_cut(y, data, n_splits, seed):
    groups = np.array(data.draw(st.lists(st.integers(0, 9), min_size=len(y), max_size=len(y))))
    assume(len(np.unique(groups)) >= n_splits)
    for train, test in StratifiedTaskKFold(n_splits, random_state=seed).split(np.zeros((len(y), 1)), y, groups):
        assert not set(groups[train]) & set(groups[test])
        assert len(train)
        assert len(test)


@given(targets(), SEEDS)
def test_a_seed_gives_the_same_folds_again(y, seed):
    first, second = (StratifiedTaskKFold(2, random_state=seed).fold_of_rows(y=y) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@given(st.integers(2, 60), st.floats(0.01, 0.99), SEEDS, st.data())
def test_a_holdout_has_the_share_asked_for(n, share, seed, data):
    strata = np.array(data.draw(st.lists(st.lists(st.booleans(), min_size=2, max_size=2), min_size=n, max_size=n)))
    size = int(np.ceil(share * n))
    assume(size < n)
    train, held = holdout(strata, test_size=share, random_state=seed)
    assert sorted([*train, *held]) == list(range(n))
    assert abs(len(held) - share * n) <= 1
    assert (np.diff(train) > 0).all()
    assert (np.diff(held) > 0).all()


@given(st.lists(st.integers(-20, 20), min_size=6, max_size=40), st.integers(1, 3), st.sampled_from([0, 2, 1.5]))
def test_time_never_leaks(times, n_splits, gap):
    times = np.array(times)
    try:
        folds = list(TimeSplit(n_splits, times=times, gap=gap).split())
    except DataError:
        assume(False)
    seen = np.zeros(len(times), dtype=bool)
    for train, test in folds:
        assert len(train)
        assert len(test)
        assert times[train].max() < times[test].min()
        if isinstance(gap, float):
            assert times[test].min() - times[train].max() > gap - 1e-9
        else:
            between = (times > times[train].max()) & (times < times[test].min())
            assert between.sum() >= gap
        assert not seen[test].any()
        seen[test] = True
        assert np.isin(times[test], times[~np.isin(np.arange(len(times)), test)]).sum() == 0, "equal times were cut apart"


@given(st.lists(st.integers(-20, 20), min_size=8, max_size=40), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_to_time(times, random):
    times = np.array(times)
    order = list(range(len(times)))
    random.shuffle(order)
    try:
        folds = list(TimeSplit(2, times=times).split())
    except DataError:
        assume(False)
    for (train, test), (other_train, other_test) in zip(folds, TimeSplit(2, times=times[order]).split(), strict=True):
        assert {order[k] for k in other_train} == set(train)
        assert {order[k] for k in other_test} == set(test)


@given(st.lists(st.text(max_size=5), min_size=2, max_size=40, unique=True), st.floats(0.2, 0.8), st.data())
def test_a_holdout_by_hash_is_stable_when_rows_are_added_or_sorted(keys, share, data):
    assume(all(key.strip() for key in keys))
    try:
        [(_, held)] = HashHoldout(keys, test_size=share).split()
    except DataError:  # all keys on one side
        assume(False)
    before = {keys[k] for k in held}
    more = [key for key in data.draw(st.lists(st.text(min_size=1, max_size=5), max_size=10)) if key.strip()]
    order = data.draw(st.permutations(keys + more))
    [(_, later)] = HashHoldout(order, test_size=share).split()
    after = {order[k] for k in later}
    assert before == {key for key in after if key in set(keys)}


@given(targets(min_rows=6), st.data())
def test_every_group_with_labels_is_left_out_once(y, data):
    groups = np.array(data.draw(st.lists(st.integers(0, 4), min_size=len(y), max_size=len(y))))
    assume(len(np.unique(groups)) > 1)
    labelled = {group for group in groups if not np.isnan(y[groups == group]).all()}
    assume(len(labelled) == len(np.unique(groups)))
    folds = list(LeaveOneGroupOut().split(np.zeros((len(y), 1)), y, groups))
    assert sorted(groups[test][0] for _, test in folds) == sorted(np.unique(groups))
    for train, test in folds:
        assert len(set(groups[test])) == 1
        assert not set(groups[train]) & set(groups[test])


@given(targets(min_rows=6), st.floats(0.1, 1.0), SEEDS, st.sampled_from(["random", "rows"]))
def test_a_budget_only_takes_labels_away(y, share, seed, pattern):
    observed = ~np.isnan(y)
    assume(observed.any(axis=0).all())
    kept = np.asarray(LabelBudget(share=share, pattern=pattern, random_state=seed).keep(y))
    assert kept.shape == y.shape
    assert not (kept & ~observed).any()
    if pattern == "random":
        np.testing.assert_array_equal(kept.sum(axis=0), np.ceil(share * observed.sum(axis=0) - 1e-9))
    fewer = np.asarray(LabelBudget(share=share / 2, pattern=pattern, random_state=seed).keep(y))
    assert not (fewer & ~kept).any(), "a smaller budget keeps a part of what a larger one keeps"
