"""Targets made from other columns: what they are on labels, and what is told of labels they cannot be made from."""

import json

import numpy as np
import pandas as pd
import pytest

from polytask.exceptions import ModelFolderError, TargetError, UnlearnableError
from polytask.tasks import Derived, derive_labels, derived_targets, fit_derived, parse_targets


def made(spec, values, name="x"):
    """Fit the one target of a spec on a column, and make its labels."""
    column = values if isinstance(values, pd.Series) else pd.Series(values, name=name)
    frame = pd.DataFrame({name: column})
    found = [one for target in parse_targets([spec], list(frame)) for one in derived_targets(target, frame)]
    return derive_labels(frame, [one.derived for one in found])[0], found


def labels(spec, values):
    frame, _ = made(spec, values)
    return [None if pd.isna(value) else value for value in frame.iloc[:, 0].tolist()]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("x>1", [False, False, True, None]),
        ("x>=1", [False, True, True, None]),
        ("x<1", [True, False, False, None]),
        ("x<=1", [True, True, False, None]),
        ("x==1", [False, True, False, None]),
        ("x!=1", [True, False, True, None]),
        ("x==1.0", [False, True, False, None]),
        ("bins(x, 1, 2)", ["<1", "1 to <2", ">=2", None]),
        ("log1p(x)", [0.0, np.log(2), np.log(3), None]),
        ("sqrt(x)", [0.0, 1.0, np.sqrt(2), None]),
    ],
)
def test_every_function_keeps_missing_labels_missing(spec, expected):
    assert labels(spec, [0.0, 1.0, 2.0, np.nan]) == pytest.approx(expected)


def test_numbers_written_as_text_are_numbers():
    assert labels("x>1", ["0", "2", None]) == [False, True, None]


@pytest.mark.parametrize("column", [[1, 2], [1.0, 2.0], ["1", "2"]])
def test_a_class_is_known_by_its_text_whatever_its_type(column):
    assert labels("x==1", column) == [True, False]
    assert labels("x=='1'", column) == [True, False]


def test_the_logarithm_is_that_of_numpy():
    values = [0.5, 1.0, 20.0]
    assert labels("log(x)", values) == pytest.approx(np.log(values))


def test_quantiles_become_bins_of_like_size():
    values = np.random.default_rng(0).normal(size=400)
    frame, found = made("quantiles(x, 4) as quarter", values)
    assert found[0].derived.function == "bins"
    assert frame["quarter"].value_counts().between(95, 105).all()
    assert found[0].order == found[0].derived.order
    assert len(found[0].order) == 4


def test_new_rows_fall_into_the_quantiles_of_the_fit():
    _, found = made("quantiles(x, 2)", np.arange(10.0))
    again = derive_labels(pd.DataFrame({"x": [100.0, 101.0]}), [found[0].derived])[0]
    assert again.iloc[:, 0].tolist() == [">=4.5", ">=4.5"]


def test_onehot_is_a_task_per_class_and_a_new_class_is_none_of_them():
    frame, found = made("onehot(x)", ["b", "a", None, "10"])
    assert list(frame) == ["x=10", "x=a", "x=b"]
    assert frame["x=a"].tolist()[:2] == [False, True]
    assert frame.iloc[2].isna().all()
    new = derive_labels(pd.DataFrame({"x": ["zzz"]}), [one.derived for one in found])[0]
    assert not new.any(axis=None)


def test_a_name_given_to_onehot_begins_the_names_of_its_tasks():
    assert [one.name for one in made("onehot(x) as town", ["a", "b"])[1]] == ["town=a", "town=b"]


@pytest.mark.parametrize(
    ("spec", "cells"),
    [
        ('split(x, "|")', ["a|b", "b", None, "|"]),
        ("split(x)", ["a|b", "b", None, "|"]),
        ("split(x, ';')", [" a; b ", "b", None, ";"]),
        ("split(x)", [["a", "b"], ["b"], None, []]),
        ("split(x)", [np.array(["a", "b"]), ("b",), None, ()]),
        ("split(x)", ['["a", "b"]', '["b"]', None, "[]"]),
    ],
)
def test_tags_of_texts_and_lists_become_a_task_each(spec, cells):
    frame, _ = made(spec, pd.Series(cells, dtype=object))
    assert list(frame) == ["x=a", "x=b"]
    assert frame["x=a"].tolist()[:2] == [True, False]
    assert frame["x=b"].tolist()[:2] == [True, True]
    assert frame.iloc[2].isna().all()
    assert not frame.iloc[3].any()


def test_what_is_saved_is_plain_json_and_makes_the_same_labels():
    values = [1.0, 5.0, 9.0, 12.0]
    for spec in ("x>3", "x==5", "x!=5", "log(x)", "bins(x, 4)", "quantiles(x, 2)", "onehot(x)", "split(x)"):
        frame, found = made(spec, values)
        again = [Derived.from_dict(json.loads(json.dumps(one.derived.to_dict()))) for one in found]
        pd.testing.assert_frame_equal(derive_labels(pd.DataFrame({"x": values}), again)[0], frame)


def test_a_function_that_this_version_does_not_know_is_refused():
    with pytest.raises(ModelFolderError, match=r"'__import__' of a target is not known"):
        Derived.from_dict({"name": "a", "source": "x", "function": "__import__", "arguments": []})


def test_labels_of_a_column_that_is_not_there_are_left_out():
    assert derive_labels(pd.DataFrame({"y": [1]}), [Derived("a", "x", ">", (0.0,))])[0].shape == (1, 0)


def test_new_values_outside_of_the_function_are_missing_and_counted():
    found, notes = derive_labels(pd.DataFrame({"x": [1.0, 0.0, -2.0, None]}), [Derived("a", "x", "log")])
    assert found["a"].isna().tolist() == [False, True, True, True]
    assert notes == ["Target 'a': 2 values of column 'x' are not greater than 0, so their labels are missing."]


@pytest.mark.parametrize(
    ("spec", "values", "message"),
    [
        (
            "log(x)",
            [3, 0, 0, None],
            r"greater than 0; 2 of 3 labels in column 'x' are not, the first is 0 in row 1.*'log1p\(x\)' if 0",
        ),
        ("log(x)", [3, -5.5], r"the first is -5.5 in row 1\. Learn the column itself, or leave these cells empty"),
        ("log1p(x)", [3, -1], r"greater than -1; 1 of 2 labels"),
        ("sqrt(x)", [3, -1], r"at least 0; 1 of 2 labels"),
        ("log(x)", ["3", "three"], r"Task 'log\(x\)' needs numbers; got 'three' in row 1"),
        ("bins(x, 30, 60)", [5, 20, 40], r"Bin '>=60' of target 'bins\(x, 30, 60\)' holds none of the 3 labels.*from 5 to 40"),
        ("bins(x, 0, 60)", [5, 20, 40], r"Bins '<0', '>=60' of target .* hold none.*'quantiles\(x, 3\)'"),
        ("quantiles(x, 4)", [0] * 90 + [1, 2, 3], r"bins of like size: 90 of 93 labels are 0\. Take fewer"),
        ("x==Olso", ["Oslo", "Bergen"], r"compares with 'Olso', which no row has in column 'x'\. Did you mean 'Oslo'\?"),
        ("x!=zzz", ["Oslo", "Bergen"], r"Its values are 'Oslo', 'Bergen'\."),
        ("onehot(x)", list(range(101)), r"would be 101 tasks.*'x:multiclass'"),
        ("split(x)", [[k] for k in range(101)], r"would be 101 tasks.*'x:multilabel'"),
        ("x==a", [["a"], ["b"]], r"holds lists\. Write 'split\(x\)'"),
        ("onehot(x)", [["a"], ["b"]], r"holds lists"),
    ],
)
def test_labels_that_do_not_fit_the_function_are_told_with_the_way_out(spec, values, message):
    with pytest.raises(TargetError, match=message) as caught:
        made(spec, values)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "values"), [("onehot(x)", ["a", "a"]), ("split(x)", [[], []]), ("quantiles(x, 2)", [None, None])]
)
def test_what_has_nothing_to_learn_can_be_skipped(spec, values):
    with pytest.raises(UnlearnableError):
        made(spec, values)


def test_the_name_of_a_part_must_not_be_a_column():
    frame = pd.DataFrame({"x": ["a", "b"], "x=a": [1, 2]})
    with pytest.raises(TargetError, match=r"The name 'x=a' that 'onehot\(x\)' makes is a column.*'onehot\(x\) as NAME'"):
        derived_targets(parse_targets(["onehot(x)"], list(frame))[0], frame)


def test_a_plain_target_is_given_back_as_it_is():
    target = parse_targets(["x"], ["x"])[0]
    assert derived_targets(target, pd.DataFrame({"x": [1]})) == [target]


def test_fitting_says_the_same_whatever_the_order_of_rows():
    column = pd.Series(["b", "a", "c", "a"])
    assert fit_derived(Derived("x", "x", "onehot"), column) == fit_derived(Derived("x", "x", "onehot"), column[::-1])
