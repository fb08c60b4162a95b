"""Inputs that are perfect copies of a target."""

import numpy as np
import pandas as pd

from polytask.data._leakage import perfect_copies


def copies(x, y):
    return perfect_copies(pd.DataFrame({"x": x}), pd.DataFrame({"y": y})) == [("x", "y")]


def test_a_column_is_a_copy_of_itself(rng):
    y = rng.normal(size=50)
    assert copies(y, y)


def test_a_number_in_another_unit_is_a_copy(rng):
    celsius = rng.normal(20, 5, size=50)
    assert copies(32 + 1.8 * celsius, celsius)


def test_a_copy_with_the_sign_turned_is_a_copy(rng):
    y = rng.normal(size=50)
    assert copies((3 - y).astype("float32"), y)


def test_a_rounded_number_is_not_a_copy(rng):
    y = rng.normal(size=50)
    assert not copies(y.round(1), y)


def test_a_relabelled_class_is_a_copy(rng):
    y = pd.Series(rng.choice(["a", "b", "c"], size=60))
    assert copies(y.map({"a": "X", "b": "Y", "c": "Z"}), y)
    assert copies(y.map({"a": 7, "b": 1, "c": 2}), y)


def test_a_coarser_or_finer_class_is_not_a_copy(rng):
    y = pd.Series(rng.choice(["a", "b", "c"], size=60))
    coarse = y.map({"a": 0, "b": 1, "c": 1})
    assert not copies(coarse, y)
    assert not copies(y, coarse)


def test_booleans_are_compared_with_text(rng):
    y = pd.Series(rng.random(60) < 0.3)
    assert copies(y.map({True: "yes", False: "no"}), y)


def test_missing_values_on_either_side_do_not_hide_a_copy(rng):
    y = rng.normal(size=100)
    x = 2 * y
    y, x = y.copy(), x.copy()
    y[:30], x[90:] = np.nan, np.nan
    assert copies(x, y)


def test_missing_classes_on_either_side_do_not_hide_a_copy(rng):
    y = pd.Series(rng.choice(["a", "b"], size=100)).astype(object)
    x = y.map({"a": "1", "b": "2"})
    y[:30], x[90:] = None, None
    assert copies(x, y)


def test_a_column_that_is_mostly_missing_is_not_a_copy(rng):
    y = rng.normal(size=100)
    x = np.where(np.arange(100) < 20, y, np.nan)
    assert not copies(x, y)


def test_an_identifier_is_not_a_copy_of_a_target_whose_values_all_differ(rng):
    assert not copies([f"row{i}" for i in range(50)], rng.normal(size=50))


def test_what_may_be_chance_is_not_told():
    assert not copies([0, 0, 1, 1, 1, 0], [1, 1, 0, 0, 0, 1])
    one_of_hundred = np.arange(100) == 17
    assert not copies(one_of_hundred, one_of_hundred)


def test_constants_and_empty_columns_are_not_copies():
    assert not copies(np.ones(50), np.ones(50))
    assert not copies(np.full(50, np.nan), np.arange(50.0))
    assert not copies(np.arange(50.0), np.full(50, np.nan))
    assert perfect_copies(pd.DataFrame({"x": []}), pd.DataFrame({"y": []})) == []


def test_infinities_are_no_reason_to_stop(rng):
    y = rng.normal(size=50)
    x = y.copy()
    x[3] = np.inf
    assert copies(x, y)


def test_one_number_and_infinities_are_no_copy(rng):
    assert not copies([np.inf, 1.0] * 25, rng.normal(size=50))


def test_dates_can_copy_a_number(rng):
    days = rng.permutation(60)
    assert copies(pd.Timestamp("2020-01-01") + pd.to_timedelta(days, unit="D"), days.astype(float))


def test_lists_in_a_column_are_compared_as_text(rng):
    y = pd.Series(rng.choice(["a", "b"], size=60))
    assert copies([[value] for value in y], y)


def test_every_pair_is_told_in_order(rng):
    a, b = rng.normal(size=40), rng.choice(["u", "v"], size=40)
    X = pd.DataFrame({"noise": rng.normal(size=40), "b2": b, "a2": -a, "b3": b})
    assert perfect_copies(X, pd.DataFrame({"a": a, "b": b})) == [("a2", "a"), ("b2", "b"), ("b3", "b")]


def test_unrelated_columns_are_never_copies(rng):
    X = pd.DataFrame({f"x{i}": rng.integers(0, 2, size=40) for i in range(200)})
    assert perfect_copies(X, pd.DataFrame({"y": rng.integers(0, 2, size=40)})) == []


def test_a_wide_table_is_looked_through_whole(rng):
    X = pd.DataFrame(rng.normal(size=(5_000, 60)))
    X[59] = 2 * X[3] + 1
    assert perfect_copies(X.drop(columns=3), X[[3, 4]]) == [("59", "3"), ("4", "4")]


def test_an_input_that_is_constant_where_the_target_is_labelled_is_no_copy():
    labels = pd.DataFrame({"score": np.where(np.arange(60) < 30, np.arange(60.0), np.nan)})
    assert perfect_copies(pd.DataFrame({"year": np.arange(60) // 30}), labels) == []
