"""One tree for all target columns: the split criterion against brute force, leaves, missing labels and inputs."""

import numpy as np
import pytest

from polytask.estimators._joint_targets import joint_targets, shares_of
from polytask.estimators._joint_trees import grow_tree, leaves_of
from polytask.tasks import Binary, Multiclass, Regression
from tests.estimators._tables import houses


def world(n=60, d=3, columns=2, *, seed=0, missing=0.3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(d, n)).astype(np.float32)
    target = np.stack([X[0] + rng.normal(size=n), X[1] * 2 + rng.normal(size=n)], axis=1)[:, :columns]
    weight = rng.uniform(0.5, 2, size=target.shape) * (rng.random(target.shape) > missing)
    return X, target, weight


def grown(X, target, weight, **settings):
    return grow_tree(X, target, weight, rng=np.random.default_rng(1), **{"max_features": 4} | settings)


def explained(target, weight):
    total = weight.sum(axis=0)
    return sum((w @ y) ** 2 / t for y, w, t in zip(target.T, weight.T, total, strict=True) if t > 0)


def test_the_root_split_is_the_best_of_those_drawn():
    X, target, weight = world()
    rng = np.random.default_rng(1)  # drawn as the tree draws: features, places, sides
    used = (weight > 0).any(axis=1)
    feature = rng.integers(3, size=(50, 1)).ravel()
    place = rng.random((50, 1)).ravel()
    low, high = X[:, used].min(axis=1).astype(float), X[:, used].max(axis=1).astype(float)
    threshold = low[feature] + place * (high[feature] - low[feature])

    def gain(f, t):
        left = X[f] <= t
        return explained(target[left], weight[left]) + explained(target[~left], weight[~left])

    gains = [gain(f, t) for f, t in zip(feature, threshold, strict=True)]
    tree = grown(X, target, weight, max_features=50)
    best = int(np.argmax(gains))
    assert (tree.feature[0], tree.threshold[0]) == (feature[best], pytest.approx(threshold[best]))


def test_leaves_hold_means_of_observed_labels_and_else_those_of_the_node_above():
    X, target, weight = world(missing=0.7)
    tree = grown(X, target, weight)
    used = np.flatnonzero((weight > 0).any(axis=1))
    parent = {int(child): node for node in np.flatnonzero(tree.left >= 0) for child in (tree.left[node], tree.right[node])}
    leaf_of = leaves_of(tree, X, used)
    rows_of = {int(leaf): used[leaf_of == leaf] for leaf in np.unique(leaf_of)}
    fell_back = 0
    for leaf, rows in rows_of.items():
        for d in range(2):
            node, own = leaf, rows
            if not weight[own, d].any():
                fell_back += 1
                np.testing.assert_array_equal(tree.values[leaf, d], tree.values[parent[node], d])
            else:
                assert tree.values[leaf, d] == pytest.approx(np.average(target[own, d], weights=weight[own, d]), rel=1e-5)
    assert fell_back > 3


def test_a_label_of_weight_0_may_be_anything():
    X, target, weight = world()
    other = np.where(weight > 0, target, 1e6)
    for one, two in zip(vars(grown(X, target, weight)).values(), vars(grown(X, other, weight)).values(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_rows_of_weight_0_are_as_good_as_not_there():
    X, target, weight = world()
    weight[40:] = 0
    whole, part = grown(X, target, weight), grown(X[:, :40], target[:40], weight[:40])
    np.testing.assert_array_equal(whole.threshold, part.threshold)
    np.testing.assert_array_equal(whole.values, part.values)


def test_every_row_is_alone_in_its_leaf_where_labels_differ_and_depth_and_rows_of_leaves_are_limits():
    X, target, weight = world(missing=0.0)
    tree = grown(X, target, weight)
    np.testing.assert_allclose(tree.values[leaves_of(tree, X, np.arange(60))], target, rtol=1e-6)
    assert grown(X, target, weight, max_depth=2).depth == 2
    few = grown(X, target, weight, min_samples_leaf=7)
    assert np.bincount(leaves_of(few, X, np.arange(60)))[few.left < 0].min() >= 7


def test_labels_that_do_not_differ_are_not_divided():
    X, target, weight = world()
    assert len(grown(X, np.ones_like(target), weight).left) == 1


def test_rows_without_a_value_go_where_they_belong():
    X, target, weight = world(missing=0.0)
    X[0, :30] = np.nan
    target[:30] += 50
    tree = grown(X, target, weight, max_features=20)
    assert tree.feature[0] == 0
    left = leaves_of(tree, X, np.arange(60))
    assert not set(left[:30]) & set(left[30:])
    all_missing = np.full_like(X, np.nan)
    assert len(grown(all_missing, target, weight).left) == 1
    all_missing[0, :30] = 1.0  # a value or none is all that tells
    found = grown(all_missing, target, weight, max_features=20)
    assert len(np.unique(leaves_of(found, all_missing, np.arange(60)))) == 2
    assert found.depth == 1


@pytest.mark.parametrize("has_gaps", [False, True])
def test_complete_labels_give_trees_that_err_as_those_for_missing_ones(has_gaps):
    X, target, _ = world(n=400)
    if has_gaps:
        X[0, ::5] = np.nan
    fresh, truth, _ = world(n=400, seed=1)
    even, uneven = np.ones_like(target), np.ones_like(target)
    uneven[0, 0] = 1 + 1e-9  # one label apart: not the compiled way

    def error(weight):
        trees = [grow_tree(X, target, weight, rng=np.random.default_rng(k), max_features=3) for k in range(60)]
        said = np.mean([tree.values[leaves_of(tree, fresh, np.arange(400))] for tree in trees], axis=0)
        return np.mean((said - truth) ** 2)

    assert error(even) == pytest.approx(error(uneven), rel=0.05)
    assert error(even) < 0.6 * truth.var()


def test_complete_labels_keep_weights_limits_and_means():
    X, target, weight = world(missing=0)
    weight[:] = weight[:, :1]
    tree = grown(X, target, weight, min_samples_leaf=2, max_depth=3)
    leaf = leaves_of(tree, X, np.arange(60))
    for own in np.unique(leaf):
        rows = leaf == own
        assert rows.sum() >= 2
        assert tree.values[own] == pytest.approx(np.average(target[rows], axis=0, weights=weight[rows, 0]), rel=1e-5)
    assert tree.depth == 3
    nothing = grown(X, target, np.zeros_like(weight))
    assert (nothing.left, nothing.depth) == ([-1], 0)


def test_targets_have_variance_1_each_and_nothing_is_read_where_the_weight_is_0():
    _, y = houses(60)
    declared = [Regression("price"), Binary("sold"), Multiclass("style")]
    tasks = [task.fit(y[list(task.columns)]) for task in declared]
    target = np.concatenate([task.encode(y[list(task.columns)]) for task in tasks], axis=1)
    weight = np.where(np.isnan(target), 0.0, 1.0)
    weight[::7] = 0
    found = joint_targets(tasks, target, weight)
    for part in ([0], [1], [2, 3, 4]):
        total = found.weight[:, part[0]].sum()
        assert (found.values[:, part] ** 2 * found.weight[:, part]).sum() / total == pytest.approx(1)
    other = joint_targets(tasks, np.where(weight > 0, target, 2), weight)
    np.testing.assert_array_equal(found.values, other.values)


@pytest.mark.parametrize("n_codes", [2, 4])
def test_shares_sum_to_one(n_codes):
    values = np.random.default_rng(0).uniform(-0.1, 1.1, size=(20, 1 if n_codes == 2 else n_codes))
    values[0] = 0
    shares = shares_of(values, n_codes)
    assert shares.shape == (20, n_codes)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
