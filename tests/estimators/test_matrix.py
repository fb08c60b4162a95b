import numpy as np
import pytest

from polytask.data import TableArrays
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
