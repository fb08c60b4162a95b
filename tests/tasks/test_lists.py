"""Multilabel tasks of one column of lists."""

import json

import numpy as np
import pandas as pd
import pytest

from polytask.exceptions import PolytaskWarning, TargetError, UnlearnableError
from polytask.tasks import Multilabel, fitted_task_from_dict, infer_task
from polytask.tasks._multilabel import MAX_TAGS

EXPECTED = [[1, 1, 0], [0, 0, 0], [np.nan] * 3, [0, 1, 0], [1, 0, 1]]
FORMS = {
    "lists": [["a", "b"], [], None, ["b"], ["c", "a"]],
    "tuples": [("a", "b"), (), None, ("b",), ("c", "a")],
    "sets": [{"a", "b"}, set(), None, {"b"}, {"a", "c"}],
    "arrays": [np.array(["a", "b"]), np.array([]), None, np.array(["b"]), np.array(["c", "a"])],
    "bars": ["a|b", "[]", None, "b", "c|a"],
    "semicolons": ["a; b", "[]", np.nan, "b", "c ;a"],
    "commas": ["a,b", "[]", None, "b", "c,a"],
    "json": ['["a", "b"]', "[]", None, '["b"]', '["c", "a"]'],
}


def column(form):
    return pd.DataFrame({"tags": pd.Series(FORMS[form], dtype=object)})


@pytest.mark.parametrize("form", FORMS)
def test_lists_in_every_form_become_a_target_per_tag(form):
    task = Multilabel("tags").fit(column(form))
    assert (task.labels, task.n_targets, task.n_outputs) == (("a", "b", "c"), 3, 3)
    np.testing.assert_array_equal(task.encode(column(form)), EXPECTED)


@pytest.mark.parametrize("form", FORMS)
def test_a_fitted_task_survives_json(form):
    task = Multilabel("tags").fit(column(form)).with_statistics(np.array(EXPECTED), (~np.isnan(EXPECTED)) * 1.0)
    assert fitted_task_from_dict(json.loads(json.dumps(task.to_dict()))) == task


def test_predictions_are_lists_and_in_files_texts_as_in_training():
    outputs = np.array([[0.9, 0.8, 0.1], [0.1, 0.2, 0.3]])
    task = Multilabel("tags").fit(column("semicolons"))
    assert task.decode(outputs)["tags"].tolist() == [["a", "b"], []]
    found = task.decode_table(outputs)
    assert found["tags"].tolist() == ["a;b", "[]"]
    assert list(found) == ["tags", "tags:p(a)", "tags:p(b)", "tags:p(c)"]
    assert Multilabel("tags").fit(column("lists")).decode_table(outputs)["tags"].tolist() == ["a|b", "[]"]
    assert Multilabel("tags").fit(column("json")).decode_table(outputs)["tags"].tolist() == ['["a", "b"]', "[]"]


def test_predictions_written_to_a_file_are_read_as_the_same_labels():
    outputs = np.array([[0.9, 0.8, 0.1], [0.1, 0.2, 0.3], [0.1, 0.2, 0.9]])
    for form in FORMS:
        task = Multilabel("tags").fit(column(form))
        written = pd.DataFrame({"tags": task.decode_table(outputs)["tags"]})
        np.testing.assert_array_equal(task.encode(written), outputs > 0.5)


def test_a_separator_in_the_name_of_a_tag_is_kept():
    y = pd.DataFrame({"tags": [["x|y", "z"], ["z"], []]})
    task = Multilabel("tags").fit(y)
    assert task.labels == ("x|y", "z")
    assert task.decode_table(np.array([[0.9, 0.9]]))["tags"].tolist() == ['["x|y", "z"]']


def test_numbers_are_tags_in_order_of_size():
    task = Multilabel("tags").fit(pd.DataFrame({"tags": ["10,2", "2", "3,10"]}))
    assert task.labels == ("2", "3", "10")
    assert Multilabel("tags").fit(pd.DataFrame({"tags": [[10, 2], [2], [3]]})).labels == (2, 3, 10)
    np.testing.assert_array_equal(task.encode(pd.DataFrame({"tags": [2, 3]})), [[1, 0, 0], [0, 1, 0]])  # a file of single tags


def test_unseen_tags_are_counted_and_leave_the_others():
    task = Multilabel("tags").fit(column("bars"))
    y = pd.DataFrame({"tags": ["a|new", "new|other", None]})
    assert task.without_unseen(y)[1] == 3
    np.testing.assert_array_equal(task.encode(y), [[1, 0, 0], [0, 0, 0], [np.nan] * 3])


def test_lists_are_inferred_but_texts_only_when_said():
    assert infer_task("tags", column("lists")).task == Multilabel("tags")
    assert infer_task("tags", column("lists")).reason == "a list of tags in each row"
    many = pd.DataFrame({"tags": [f"a{i}|b{i % 7}" for i in range(60)]})
    with pytest.raises(TargetError, match="or tags:multilabel if they are lists of tags"):
        infer_task("tags", many)


def test_a_column_of_zeros_and_ones_is_still_one_tag():
    for values in ([0, 1, None], ["0", "1", None], [True, False, True]):
        task = Multilabel("tags").fit(pd.DataFrame({"tags": values}))
        assert task.labels == ("tags",)
    with pytest.raises(TargetError, match="needs columns of 0 and 1; got 2"):
        Multilabel("tags").fit(pd.DataFrame({"tags": [0, 1, 2]}))


@pytest.mark.parametrize(
    "values, why",
    [
        ([[], [], None], "no list has a tag"),
        ([["a"], ["a"], None], "every list has the same tags"),
        ([None, None], "all its labels are missing"),
    ],
)
def test_lists_without_anything_to_learn_are_refused(values, why):
    y = pd.DataFrame({"tags": pd.Series(values, dtype=object)})
    with pytest.raises(UnlearnableError, match=f"Task 'tags' cannot be learned: {why}"):
        Multilabel("tags").fit(y)


def test_only_the_most_frequent_of_very_many_tags_are_learned():
    values = [[f"t{k}", "common"] for k in range(MAX_TAGS + 10)] + [["common"], []]
    with pytest.warns(PolytaskWarning, match=rf"has {MAX_TAGS + 11} tags; the {MAX_TAGS} most frequent are learned, 11 left out"):
        task = Multilabel("tags").fit(pd.DataFrame({"tags": values}))
    assert len(task.labels) == MAX_TAGS
    assert "common" in task.labels


def test_cells_that_are_no_lists_are_named():
    with pytest.raises(TargetError, match=r"Task 'tags' must hold lists of single values; got a list with \['b'\]"):
        Multilabel("tags").fit(pd.DataFrame({"tags": [["a", ["b"]], ["c"]]}))
