"""The kind of a task, chosen from its column and explained."""

import warnings

import numpy as np
import pandas as pd
import pytest

from polytask.exceptions import DataError, OptionError, PolytaskWarning, TargetError
from polytask.tasks import KINDS, Multilabel, infer_task, task_of_kind
from polytask.tasks._labels import numbers_of


def infer(values, **options):
    found = infer_task("y", pd.DataFrame({"y": values}), **options)
    return found.task.kind, found.reason


@pytest.mark.parametrize(
    "values, kind, words",
    [
        (["no", "yes", None], "binary", "two distinct values: 'no' and 'yes'"),
        ([0, 1, 1], "binary", "two distinct values: 0 and 1"),
        ([1.0, 2.0, np.nan], "binary", "two distinct values: 1 and 2"),
        ([True, False], "binary", "two distinct values: False and True"),
        ([0.5, 1.5], "binary", "two distinct values"),
        ([1, 2, 3] * 5, "multiclass", "3 distinct whole numbers; if their order matters, write y:ordinal"),
        ([1.0, 2.0, 3.0, None], "multiclass", "3 distinct whole numbers"),
        (list(range(10)), "multiclass", "10 distinct whole numbers"),
        (list(range(11)), "regression", "whole numbers with more than 10 distinct values; if it counts something, write y:count"),
        (list(range(-5, 6)), "regression", "whole numbers with more than 10 distinct values"),
        ([0.5, 1, 2], "regression", "numbers with fractions"),
        (["a", "b", "c"] * 4, "multiclass", "3 distinct values that are not numbers"),
        (["1", "2", "3"] * 4, "multiclass", "3 distinct values that are not numbers"),
        (pd.array([1, 2, 3, None] * 4, dtype="Int64"), "multiclass", "3 distinct whole numbers"),
        (pd.array([1.5, 2, None], dtype="Float64"), "binary", "two distinct values"),
        (pd.Categorical([1.5, 2, 3.5, 4]), "regression", "numbers with fractions"),
        (pd.Categorical(["x", "y", "z"] * 3), "multiclass", "3 distinct values"),
    ],
)
def test_the_kind_follows_from_type_and_number_of_values(values, kind, words):
    found, reason = infer(values)
    assert found == kind
    assert words in reason


def test_negative_whole_numbers_are_not_said_to_count():
    assert "count" not in infer(list(range(-5, 6)))[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_is_said_is_taken(kind):
    assert infer([1, 2, 3], kind=kind) == (kind, "as you said")


def test_several_columns_are_one_task_of_tags():
    frame = pd.DataFrame({"a": [0, 1], "b": [1, 0]})
    found = infer_task("tags", frame, columns=("a", "b"))
    assert found.task == Multilabel("tags", ("a", "b"))
    assert "2 columns" in found.reason


def test_a_column_of_another_name_than_the_task():
    found = infer_task("cost", pd.DataFrame({"price": [1.5, 2.5, 3.5]}), columns=("price",))
    assert (found.task.name, found.task.columns, found.task.kind) == ("cost", ("price",), "regression")


@pytest.mark.parametrize("values", [[None, None], [np.nan], pd.array([None], dtype="Int64"), []])
def test_no_labels_cannot_be_learned(values):
    with pytest.raises(TargetError, match="'y' cannot be learned: all its labels are missing"):
        infer(values)


@pytest.mark.parametrize("values, shown", [([3, 3, None], "3"), (["x"], "'x'"), ([2.0, 2.0], "2")])
def test_one_value_cannot_be_learned(values, shown):
    with pytest.raises(TargetError, match=f"it has one value only, {shown}"):
        infer(values)


@pytest.mark.parametrize("values", [[f"name {k}" for k in range(150)], [f"name {k}" for k in range(20)]])
def test_free_text_is_not_taken_for_classes_unless_asked(values):
    with pytest.raises(TargetError, match=r"looks like free text or an identifier\. Write y:multiclass if they are classes"):
        infer(values)
    assert infer(values, kind="multiclass")[0] == "multiclass"


@pytest.mark.parametrize("values", [[1.0, np.inf], [1.0, 2.0, -np.inf, 3.0], [*range(500), np.inf]])
def test_infinities_are_refused_without_a_warning(values):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError, match="infinite label"):
            infer(values)


def test_a_kind_that_is_not_known_lists_the_known():
    with pytest.raises(TargetError, match=r"must be one of regression, binary, .*; got 'survival'"):
        task_of_kind("y", ("y",), "survival")


def test_what_is_inferred_can_be_fitted():
    for values in ([0, 1], [1, 2, 3], list(range(20)), ["a", "b", "c"] * 3, [0.1, 0.2, 0.3], [True, False]):
        frame = pd.DataFrame({"y": values})
        task = infer_task("y", frame).task.fit(frame)
        assert task.encode(frame).shape == (len(values), 1)


def test_an_ordered_categorical_column_is_ordinal_in_its_order():
    sizes = pd.Categorical(["S", "L", "M", "S"], categories=["S", "M", "L"], ordered=True)
    kind, reason = infer(sizes)
    assert kind == "ordinal"
    assert reason == "an ordered categorical column with 3 distinct values"
    assert infer(sizes.remove_categories("M"))[0] == "binary"


def test_texts_without_an_order_are_warned_of_with_the_order_that_was_taken():
    with pytest.warns(PolytaskWarning, match=r"the alphabet is taken: high < low < middle\. .*'y:ordinal=LOWEST<\.\.\.<HIGHEST'"):
        assert infer(["low", "middle", "high", None], kind="ordinal")[0] == "ordinal"


def test_a_long_order_is_shortened_in_the_warning():
    with pytest.warns(PolytaskWarning, match=r"c7 < \.\.\. \(10 classes\)"):
        infer([f"c{k}" for k in range(10)], kind="ordinal")


@pytest.mark.parametrize(
    "values",
    [[3, 1, 2], ["10", "9", "8"], ["no", "yes"], [True, False], pd.Categorical(["b", "a", "c"], ["c", "b", "a"], ordered=True)],
)
def test_an_order_that_is_plain_is_not_warned_of(values):
    assert infer(values, kind="ordinal") == ("ordinal", "as you said")


def test_an_order_that_is_given_is_taken():
    frame = pd.DataFrame({"y": ["low", "high", "middle"]})
    found = infer_task("y", frame, kind="ordinal", order=("low", "middle", "high"))
    assert found.task.fit(frame).classes == ("low", "middle", "high")


def test_only_an_ordinal_task_takes_an_order():
    with pytest.raises(OptionError, match="Only an ordinal task takes an order; task 'y' is of kind count"):
        infer([1, 2, 3], kind="count", order=(3, 2, 1))


def test_a_few_texts_among_numbers_are_named_with_their_rows():
    values = pd.Series([k + 0.5 for k in range(200)], dtype=object, index=np.arange(200))
    values[5] = "abc"
    with pytest.raises(
        TargetError, match=r"199 of 200 are numbers, and 'abc' in row 5 is not\. Correct .*`missing`.*y:multiclass"
    ):
        infer_task("y", pd.DataFrame({"y": values}))
    values[[7, 9, 11]] = "bad"
    with pytest.raises(TargetError, match=r"196 of 200 .*'abc' in row 5, 'bad' in row 7, 'bad' in row 9 and 1 more are not\."):
        infer_task("y", pd.DataFrame({"y": values}))
    few = pd.Series([k % 30 for k in range(200)], dtype=object)
    few[5] = "abc"
    found = infer_task("y", pd.DataFrame({"y": few}))
    assert (found.task.kind, found.reason[-75:]) == (
        "multiclass", "that are not all numbers: 199 of 200 are numbers, and 'abc' in row 5 is not"
    )  # fmt: skip


def test_texts_of_which_many_are_no_numbers_are_still_free_text():
    values = pd.Series([k if k % 2 else f"t{k}" for k in range(300)], dtype=object)
    with pytest.raises(TargetError, match="free text or an identifier"):
        infer_task("y", pd.DataFrame({"y": values}))


@pytest.mark.parametrize("value", ["x", np.inf])
def test_rows_in_errors_are_numbers_as_they_are_written(value):
    values = pd.Series([1.5, value, 2.5], dtype=object if value == "x" else float, index=np.arange(3))
    with pytest.raises(DataError, match=r"in row 1[.;]"):
        numbers_of(values, task="y")
