import numpy as np
import pytest

from polytask.data import TableArrays, TokenColumn
from polytask.estimators._matrix import MAX_ONE_HOT, TableMatrix


@pytest.fixture
def arrays():
    numeric = np.array([[1.0, np.nan], [2.0, 5.0], [3.0, 7.0], [np.nan, 100.0]])
    return TableArrays(numeric, np.array([[2], [3], [1], [0]]), [])


def test_for_trees_missing_numbers_stay_missing(arrays):
    X = TableMatrix((4,), keep_missing=True).fit(arrays, np.arange(3)).transform(arrays, slice(None))
    np.testing.assert_array_equal(X[:, :2], arrays.numeric)


def test_categories_are_one_hot_and_unseen_ones_all_zero(arrays):
    X = TableMatrix((4,), keep_missing=True).fit(arrays, np.arange(3)).transform(arrays, slice(None))
    assert X[:, 2:].tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0]]


def test_otherwise_the_median_of_the_training_rows_fills_in(arrays):
    X = TableMatrix((), keep_missing=False).fit(arrays, np.arange(3)).transform(arrays, slice(None))
    assert np.isfinite(X).all()
    np.testing.assert_allclose(X[3, 0], 0.0, atol=1e-12)  # median and mean of 1, 2, 3 are both 2
    assert X[:, 2].tolist() == [1, 0, 0, 0]  # only the second column misses a number in training


def test_rows_held_out_leave_the_scaling_as_it_is(arrays):
    first = TableMatrix((), keep_missing=False).fit(arrays, np.arange(3))
    arrays.numeric[3] = 1e9
    second = TableMatrix((), keep_missing=False).fit(arrays, np.arange(3))
    np.testing.assert_array_equal(first.means_, second.means_)
    np.testing.assert_array_equal(first.scales_, second.scales_)


def test_many_categories_become_one_column_of_codes():
    arrays = TableArrays(np.empty((3, 0)), np.array([[2], [70], [5]]), [])
    X = TableMatrix((MAX_ONE_HOT + 20,), keep_missing=True).fit(arrays, np.arange(3)).transform(arrays, slice(None))
    assert X.tolist() == [[2], [70], [5]]


def test_a_column_without_numbers_in_training_gives_finite_values():
    arrays = TableArrays(np.array([[np.nan], [np.nan], [4.0]]), np.empty((3, 0), dtype=np.int64), [])
    X = TableMatrix((), keep_missing=False).fit(arrays, np.arange(2)).transform(arrays, slice(None))
    assert np.isfinite(X).all()


def test_many_categories_with_a_target_become_its_means():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 80, (500, 1))
    target = (codes % 7) + 0.1 * rng.normal(size=(500, 1))
    arrays = TableArrays(np.empty((500, 0)), codes, [])
    rows = np.arange(400)
    matrix = TableMatrix((80,), keep_missing=True).fit(arrays, rows, target=target, weight=np.ones((500, 1)))
    X = matrix.transform(arrays, np.arange(400, 500))
    np.testing.assert_allclose(X[:, 0], target[400:, 0], atol=0.5)
    training = matrix.training(arrays, rows, target=target[rows, 0], weight=np.ones(400))
    assert (training != matrix.transform(arrays, rows)).any()
    again = TableMatrix.restore(matrix.settings(), matrix.statistics())
    np.testing.assert_array_equal(again.transform(arrays, rows), matrix.transform(arrays, rows))


def test_held_out_rows_change_neither_means_of_the_target_nor_text(text_arrays):
    arrays, target = text_arrays
    rows = np.arange(40)
    first = TableMatrix((80,), keep_missing=True).fit(arrays, rows, target=target)
    other = arrays.take(slice(None))
    other.tokens[0].codes[40:] = 1
    second = TableMatrix((80,), keep_missing=True).fit(other, rows, target=np.where(np.arange(60)[:, None] < 40, target, 9.0))
    np.testing.assert_array_equal(first.transform(arrays, rows), second.transform(other, rows))


def test_every_tag_has_means_of_its_own_and_missing_labels_do_not_count(text_arrays):
    arrays, target = text_arrays
    tags = np.concatenate([target > 0, np.where(np.arange(60)[:, None] < 30, np.nan, 1.0)], axis=1)
    matrix = TableMatrix((80,), keep_missing=True).fit(arrays, np.arange(60), target=tags, n_classes=2)
    assert matrix.differs_by_target
    assert (matrix.transform(arrays, column=1)[:, 0] == 1.0).all()
    assert (matrix.transform(arrays, column=0)[:, 0] != 1.0).any()


@pytest.fixture
def text_arrays():
    rng = np.random.default_rng(0)
    tokens = TokenColumn(rng.integers(0, 9, (60, 4)).astype(np.int32), np.ones((60, 4), np.float32), size=9)
    return TableArrays(np.empty((60, 0)), rng.integers(0, 80, (60, 1)), [], (tokens,)), rng.normal(size=(60, 1))
