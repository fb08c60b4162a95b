"""Labels as classes and numbers, whatever the type of the column."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from polytask.exceptions import DataError, OptionError, TargetError
from polytask.tasks import Binary, Count, Multiclass, Multilabel, Ordinal, Regression, canonical_label, label_array
from polytask.tasks._labels import distinct_labels, encode_labels, numbers_of, quantile_indicators, smoothed_prior

NAN = float("nan")


@pytest.mark.parametrize(
    "value, label",
    [
        (2, 2),
        (2.0, 2),
        (np.float32(2), 2),
        (np.int8(2), 2),
        (2.5, 2.5),
        (True, True),
        (np.True_, True),
        ("2", "2"),
        (np.str_("a"), "a"),
        (-0.0, 0),
        (1e300, int(1e300)),
        (datetime.date(2020, 1, 2), "2020-01-02"),
    ],
)
def test_a_label_becomes_a_json_scalar(value, label):
    found = canonical_label(value)
    assert found == label
    assert type(found) is type(label)


COLUMNS = {
    "int": pd.Series([3, 1, 3]),
    "int with missing": pd.Series([3, 1, None, 3]),
    "Int64": pd.Series([3, 1, None, 3], dtype="Int64"),
    "Float64": pd.Series([3, 1, None, 3], dtype="Float64"),
    "arrow": pd.Series([3, 1, None, 3], dtype="int64[pyarrow]"),
    "uint8": pd.Series([3, 1, 3], dtype="uint8"),
    "objects": pd.Series([3, 1.0, None, np.int8(3)], dtype=object),
    "category": pd.Series([3, 1, None, 3], dtype="category"),
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS.keys())
def test_whole_numbers_are_the_same_classes_in_every_column_type(column):
    y = pd.DataFrame({"y": column})
    task = Multiclass("y").fit(y)
    assert task.classes == (1, 3)
    assert all(type(label) is int for label in task.classes)
    expected = [1.0, 0.0, 1.0] if len(column) == 3 else [1.0, 0.0, NAN, 1.0]
    np.testing.assert_array_equal(task.encode(y).ravel(), expected)


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS.keys())
def test_whole_numbers_are_numbers_in_every_column_type(column):
    expected = [3.0, 1.0, 3.0] if len(column) == 3 else [3.0, 1.0, NAN, 3.0]
    np.testing.assert_array_equal(numbers_of(column, task="y"), expected)


@pytest.mark.parametrize("dtype", [bool, "boolean", object, "bool[pyarrow]"])
def test_truth_values_are_false_and_true_and_0_and_1(dtype):
    column = pd.Series([True, False, True] if dtype is bool else [True, False, True, None], dtype=dtype)
    y = pd.DataFrame({"y": column})
    task = Binary("y").fit(y)
    assert task.classes == (False, True)
    np.testing.assert_array_equal(task.encode(y)[:3, 0], [1, 0, 1])
    np.testing.assert_array_equal(Regression("y").fit(y).encode(y)[:3, 0], [1, 0, 1])
    assert task.decode(np.eye(2))["y"].dtype == bool


@pytest.mark.parametrize("dtype", [object, "str", "string", "category", "string[pyarrow]"])
def test_text_is_sorted_and_keeps_its_spelling(dtype):
    y = pd.DataFrame({"y": pd.Series(["b", "a", None, " a"], dtype=dtype)})
    task = Multiclass("y").fit(y)
    assert task.classes == (" a", "a", "b")
    np.testing.assert_array_equal(task.encode(y).ravel(), [2, 1, NAN, 0])


def test_unused_categories_are_no_classes():
    y = pd.DataFrame({"y": pd.Categorical(["b", "a"], categories=["a", "b", "c"])})
    assert Multiclass("y").fit(y).classes == ("a", "b")


@pytest.mark.parametrize("texts", [["10", "9", "1"], ["1.5", "-2", "10"]])
def test_texts_that_are_all_numbers_are_in_order_of_size(texts):
    assert distinct_labels(pd.Series(texts)) == sorted(texts, key=float)


def test_texts_like_nan_are_texts():
    assert distinct_labels(pd.Series(["nan", "2", "10", "inf"])) == ["10", "2", "inf", "nan"]


def test_one_spelling_is_one_class():
    y = pd.DataFrame({"y": pd.Series([1, "1", 1.0, 2], dtype=object)})
    task = Multiclass("y").fit(y)
    assert task.classes == (1, 2)
    np.testing.assert_array_equal(task.encode(y).ravel(), [0, 0, 0, 1])


def test_numbers_and_texts_are_the_same_classes_at_a_later_time():
    task = Multiclass("y").fit(pd.DataFrame({"y": [1, 2, 3]}))
    np.testing.assert_array_equal(task.encode(pd.DataFrame({"y": ["3", None, "1"]})).ravel(), [2, NAN, 0])
    np.testing.assert_array_equal(task.encode(pd.DataFrame({"y": [3.0, NAN, 1.0]})).ravel(), [2, NAN, 0])


def test_dates_can_be_classes():
    y = pd.DataFrame({"y": pd.to_datetime(["2020-01-02", None, "2020-01-01"])})
    np.testing.assert_array_equal(Multiclass("y").fit(y).encode(y).ravel(), [1, NAN, 0])


def test_numbers_with_fractions_can_be_classes_if_they_are_few():
    y = pd.DataFrame({"y": [0.5, 1.0, 1.5] * 4})
    assert Multiclass("y").fit(y).classes == (0.5, 1, 1.5)
    with pytest.raises(
        TargetError, match=r"30 distinct numbers with fractions in 30 labels: a continuous target, not classes\. Use y:reg"
    ):
        Multiclass("y").fit(pd.DataFrame({"y": np.linspace(0.1, 1, 30)}))


def test_a_label_that_was_never_seen_is_told():
    task = Multiclass("y").fit(pd.DataFrame({"y": ["a", "b"]}))
    with pytest.raises(TargetError, match=r"has labels \['z'\] that were not among its classes .* its classes are \['a', 'b'\]"):
        task.encode(pd.DataFrame({"y": ["a", "z"]}))


@pytest.mark.parametrize("dtype", [object, "category", "str"])
def test_labels_never_seen_can_be_taken_as_missing_and_are_counted(dtype):
    task = Multiclass("y").fit(pd.DataFrame({"y": ["a", "b"]}))
    y = pd.DataFrame({"y": pd.Series(["a", "z", None, "q", "b"], dtype=dtype), "other": range(5)})
    known, n_unseen = task.without_unseen(y)
    assert n_unseen == 2
    np.testing.assert_array_equal(task.encode(known).ravel(), [0, NAN, NAN, NAN, 1])
    assert list(y["y"].astype(object)[:2]) == ["a", "z"], "the table given is not changed"


def test_numbers_have_no_labels_never_seen():
    y = pd.DataFrame({"y": [1.0, 2.0]})
    assert Regression("y").fit(y).without_unseen(y)[1] == 0


def test_two_classes_at_most_are_binary():
    with pytest.raises(TargetError, match=r"kind binary must have two classes; got 3: \[1, 2, 3\]\. Use y:multiclass instead"):
        Binary("y").fit(pd.DataFrame({"y": [1, 2, 3]}))


@pytest.mark.parametrize(
    "classes, kind",
    [((0, 1), "i"), ((False, True), "b"), ((0.5, 1), "f"), (("a", "b"), "O"), ((1, "a"), "O")],
)
def test_decoded_classes_have_the_type_of_their_labels(classes, kind):
    assert label_array(classes).dtype.kind == kind


# ------------------------------------------------------------------------------------------------------------- numbers


def test_numbers_may_be_written_as_text_or_decimals():
    np.testing.assert_array_equal(numbers_of(pd.Series(["1.5", None, "-2e3"]), task="y"), [1.5, NAN, -2000])
    np.testing.assert_array_equal(numbers_of(pd.Series([Decimal("1.5"), None]), task="y"), [1.5, NAN])


def test_a_text_that_is_no_number_is_shown_with_its_row():
    with pytest.raises(TargetError, match="Task 'y' needs numbers; got 'cheap' in row 'r1'"):
        numbers_of(pd.Series(["1", "cheap"], index=["r0", "r1"]), task="y")


@pytest.mark.parametrize(
    "column", [pd.Series(pd.to_datetime(["2020-01-01"])), pd.Series(pd.to_timedelta([1], "s")), pd.Series([1j])]
)
def test_times_and_complex_numbers_are_no_numbers(column):
    with pytest.raises(TargetError, match="needs numbers; got a column of type"):
        numbers_of(column, task="y")


@pytest.mark.parametrize("column", [pd.Series([1, np.inf], index=["a", "b"]), pd.Series(["1", "-inf"], index=["a", "b"])])
def test_an_infinite_number_is_shown_with_its_row(column):
    with pytest.raises(DataError, match=r"Task 'y' has an infinite label \(inf\) in row 'b'"):
        numbers_of(column, task="y")


@pytest.mark.parametrize("kind", [Binary, Multiclass, Ordinal])
def test_an_infinite_class_is_refused(kind):
    with pytest.raises(DataError, match="infinite label"):
        kind("y").fit(pd.DataFrame({"y": [1.0, np.inf, 1.0]}))


@pytest.mark.parametrize("bad", [-1, 0.5])
def test_counts_are_whole_and_not_negative(bad):
    with pytest.raises(TargetError, match=f"needs whole numbers >= 0; got {bad}. Use y:regression"):
        Count("y").fit(pd.DataFrame({"y": [0, 1, bad]}))


def test_a_count_keeps_a_positive_mean_where_a_fold_has_zeros_only():
    task = Count("y").fit(pd.DataFrame({"y": [0, 1]}))
    mean = task.with_statistics(np.zeros((9, 1)), np.ones((9, 1))).constant_outputs(1)[0]
    assert 0 < mean <= 0.1


def test_a_count_predicted_by_a_regressor_is_never_zero_or_less():
    task = Count("y").fit(pd.DataFrame({"y": [0, 4]})).with_statistics(np.array([[0.0], [4.0]]), np.ones((2, 1)))
    np.testing.assert_allclose(task.join([np.array([-3.0, 0.0, 5.0])]), [0.1, 0.1, 5.0])


def test_means_and_scales_are_weighted():
    task = Regression("y").fit(pd.DataFrame({"y": [1.0, 2.0]}))
    target, weight = np.array([[1.0], [4.0], [NAN], [9.0]]), np.array([[1.0], [3.0], [0.0], [0.0]])
    statistics = task.with_statistics(target, weight).statistics
    assert statistics == pytest.approx({"mean": 3.25, "scale": np.sqrt((2.25**2 + 3 * 0.75**2) / 4)})


@pytest.mark.parametrize("value", [0.1, 1e9 / 3, -7.0])
def test_a_fold_with_one_value_is_not_blown_up_by_rounding(value):
    """The weighted mean of equal numbers may differ from them in the last digit; the scale must not be that difference."""
    task = Regression("y").fit(pd.DataFrame({"y": [1.0, 2.0]}))
    fold = task.with_statistics(np.full((7, 1), value), np.full((7, 1), 0.3))
    assert fold.statistics["scale"] == 1.0
    np.testing.assert_allclose(fold.training_target(np.array([[value + 1]])), [[1.0]], rtol=1e-6)


# ------------------------------------------------------------------------------------------------------ several columns


def test_one_missing_tag_costs_that_tag_only():
    y = pd.DataFrame({"a": [1, None, 0], "b": [None, 1, 0]})
    task = Multilabel("tags", ("a", "b")).fit(y)
    np.testing.assert_array_equal(task.encode(y), [[1, NAN], [NAN, 1], [0, 0]])
    assert not np.isnan(task.row_losses(np.full((3, 2), 0.5), task.encode(y))).any()


def test_a_tag_without_labels_is_no_hindrance():
    y = pd.DataFrame({"a": [1, 0], "b": [None, None]})
    task = Multilabel("tags", ("a", "b")).fit(y)
    target = task.encode(y)
    constant = task.with_statistics(target, np.nan_to_num(target * 0 + 1)).constant_outputs(1)
    np.testing.assert_allclose(constant, [[0.5, 0.5]])


def test_tags_are_0_and_1():
    with pytest.raises(TargetError, match="needs columns of 0 and 1; got 2"):
        Multilabel("tags", ("a", "b")).fit(pd.DataFrame({"a": [0, 1], "b": [0, 2]}))


def test_tags_may_be_truth_values():
    y = pd.DataFrame({"a": [True, False], "b": pd.array([None, True], dtype="boolean")})
    np.testing.assert_array_equal(Multilabel("tags", ("a", "b")).fit(y).encode(y), [[1, NAN], [0, 1]])


# --------------------------------------------------------------------------------------------------------------- order


def test_an_order_given_is_kept_with_classes_not_seen():
    task = Ordinal("y", order=("S", "M", "L")).fit(pd.DataFrame({"y": ["L", "S"]}))
    assert task.classes == ("S", "M", "L")
    np.testing.assert_array_equal(task.encode(pd.DataFrame({"y": ["M", "L"]})).ravel(), [1, 2])


def test_an_order_may_be_of_numbers_of_any_type():
    task = Ordinal("y", order=(np.int64(3), 2.0, 1)).fit(pd.DataFrame({"y": [1, 2, 3]}))
    assert task.classes == (3, 2, 1)
    assert all(type(label) is int for label in task.classes)


def test_an_ordered_column_brings_its_order():
    y = pd.DataFrame({"y": pd.Categorical(["L", "S", None, "M"], categories=["S", "M", "L", "XL"], ordered=True)})
    assert Ordinal("y").fit(y).classes == ("S", "M", "L")
    assert Ordinal("y", order=("L", "M", "S")).fit(y).classes == ("L", "M", "S")


def test_a_label_outside_the_order_is_told():
    with pytest.raises(TargetError, match=r"has labels \['XL'\] that are not in its `order` \['S', 'L'\]"):
        Ordinal("y", order=("S", "L")).fit(pd.DataFrame({"y": ["S", "XL", "L"]}))


def test_an_order_names_every_class_once():
    with pytest.raises(OptionError, match="must name every class once"):
        Ordinal("y", order=("S", "L", "S")).fit(pd.DataFrame({"y": ["S", "L"]}))


def test_levels_of_an_ordinal_have_one_slope():
    task = Ordinal("y").fit(pd.DataFrame({"y": [1, 2, 3, 4]}))
    assert (task.n_outputs, task.n_dependent_outputs) == (4, 1)


# ----------------------------------------------------------------------------------------------------- priors and bins


def test_a_prior_spreads_one_label_of_doubt_over_the_classes():
    np.testing.assert_allclose(
        smoothed_prior(np.array([0, 0, 1, NAN]), np.ones(4), 3), [(2 + 1 / 3) / 4, (1 + 1 / 3) / 4, 1 / 12]
    )
    np.testing.assert_allclose(smoothed_prior(np.array([NAN]), np.ones(1), 2), [0.5, 0.5])


def test_quantile_bins_are_equally_full_and_ties_stay_together():
    strata = quantile_indicators(np.r_[np.arange(100.0), NAN], 4)
    assert strata.sum(axis=0).tolist() == [25, 25, 25, 25, 1] or np.ptp(strata.sum(axis=0)[:4]) <= 1
    tied = quantile_indicators(np.r_[np.zeros(90), np.arange(1, 11)], 5)
    assert (tied.sum(axis=1) == 1).all()
    assert tied[:90, 0].all()


def test_codes_are_looked_up_by_spelling():
    np.testing.assert_array_equal(encode_labels(pd.Series(["b", None, "a"]), ["a", "b"], task="y"), [1, NAN, 0])


@pytest.mark.parametrize("order", [("3", "2", "1"), ("3.0", "2", "1"), (3, 2, 1)])
@pytest.mark.parametrize("labels", [[1, 2, 3], [1.0, 2.0, 3.0, None]])
def test_an_order_typed_as_text_orders_numbers(order, labels):
    classes = Ordinal("y", order=order).fit(pd.DataFrame({"y": labels})).classes
    assert classes == (3, 2, 1)
    assert all(isinstance(label, int) for label in classes)


def test_a_class_of_the_order_that_was_not_seen_is_a_number_as_the_others():
    assert Ordinal("y", order=("4", "2", "1")).fit(pd.DataFrame({"y": [1, 2]})).classes == (4, 2, 1)


def test_an_order_typed_as_text_orders_digits_kept_as_text():
    assert Ordinal("y", order=("02", "01", "1")).fit(pd.DataFrame({"y": ["01", "02", "1"]})).classes == ("02", "01", "1")


@pytest.mark.parametrize(("label", "message"), [(1e300, "label 1e[+]300"), (-1e31, "label -1e[+]31")])
def test_numbers_too_large_to_square_are_refused_with_a_way_out(label, message):
    with pytest.raises(TargetError, match=rf"Task 'y' has the {message}.*another unit or as a logarithm"):
        Regression("y").fit(pd.DataFrame({"y": [1.0, 2.5, label]}))


def test_numbers_too_close_to_square_are_refused_with_a_way_out():
    with pytest.raises(TargetError, match=r"Task 'y' has labels that differ by 2e-300 at most.*another unit or as a logarithm"):
        Regression("y").fit(pd.DataFrame({"y": [1e-300, 2e-300, 3e-300]}))


@pytest.mark.parametrize("scale", [1e29, 1e-28])
def test_large_and_small_units_are_learned_as_any(scale):
    y = pd.DataFrame({"y": np.array([1.0, 2.0, 3.0]) * scale})
    target = Regression("y").fit(y).encode(y)
    task = Regression("y").fit(y).with_statistics(target, np.ones((3, 1)))
    np.testing.assert_allclose(task.training_target(target).ravel(), [-(1.5**0.5), 0, 1.5**0.5], atol=1e-9)


def test_the_scale_of_a_fold_whose_labels_nearly_agree_does_not_vanish():
    y = pd.DataFrame({"y": [0.0, 2e-200, 1.0]})
    target = Regression("y").fit(y).encode(y)
    task = Regression("y").fit(y).with_statistics(target, np.array([[1.0], [1.0], [0.0]]))
    np.testing.assert_allclose(task.statistics["scale"], 1e-200)
