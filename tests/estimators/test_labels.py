import numpy as np
import pandas as pd
import polars as pl
import pytest

from polytask.estimators import encode_labels_of, label_weights, read_labels, task_slices
from polytask.exceptions import OptionError, PolytaskWarning, TargetError
from polytask.tasks import Binary, Multiclass, Multilabel, Regression
from tests.estimators._tables import TASKS, houses

NUMBERS = np.array([[0.5, 1.0], [1.5, np.nan], [2.5, 0.0]])


def test_a_vector_is_one_task_and_a_matrix_one_per_column():
    assert [task.name for task in read_labels(NUMBERS[:, 0]).tasks] == ["y0"]
    assert [(task.name, task.kind) for task in read_labels(NUMBERS).tasks] == [("y0", "regression"), ("y1", "binary")]


@pytest.mark.parametrize("y, form", [(NUMBERS[:, 0], "vector"), (NUMBERS, "matrix"), (pd.DataFrame(NUMBERS), "frame")])
def test_the_form_of_y_is_remembered(y, form):
    assert read_labels(y).form == form


def test_a_series_gives_the_task_its_name():
    assert read_labels(pd.Series([1.5, 2.5], name="price")).tasks[0].name == "price"


def test_polars_labels_are_read_like_pandas_labels():
    frame = {"price": [1.5, None, 2.5], "sold": ["no", "yes", None]}
    ours, theirs = read_labels(pd.DataFrame(frame)), read_labels(pl.DataFrame(frame))
    np.testing.assert_array_equal(ours.target, theirs.target)


@pytest.mark.parametrize("y", [pl.Series("price", [1.5, None, 2.5]), pl.Series("price", [1.5, None, 2.5]).to_arrow()])
def test_a_column_of_polars_or_pyarrow_is_a_vector(y):
    table = read_labels(y)
    assert table.form == "vector"
    np.testing.assert_array_equal(table.target, [[0], [np.nan], [1]])  # codes of the classes 1.5 and 2.5


def test_none_among_numbers_is_a_missing_number():
    table = read_labels(np.array([1.5, None, 2.5, 3.5], dtype=object))
    assert table.tasks[0].kind == "regression"
    assert np.isnan(table.target[1, 0])


def test_texts_that_look_like_numbers_stay_texts():
    table = read_labels(np.array(["1", "2", "1", "2"], dtype=object))
    assert table.tasks[0].labels == ("1", "2")


def test_declared_tasks_name_the_columns_of_an_array():
    assert [task.name for task in read_labels(NUMBERS, [Regression("price"), Binary("sold")]).tasks] == ["price", "sold"]


def test_a_multilabel_task_takes_several_columns():
    _, y = houses()
    table = read_labels(y, TASKS)
    assert table.target.shape == (80, 7)
    assert table.slices["tags"] == slice(5, 7)


def test_reasons_say_what_was_inferred():
    reasons = read_labels(pd.DataFrame({"sold": ["yes", "no", "no"]})).reasons
    assert "two distinct values" in reasons["sold"]


def test_slices_follow_the_widths_of_the_tasks():
    _, y = houses()
    tasks = read_labels(y, [Multilabel("tags", ("garden", "lift")), Regression("price")]).tasks
    assert task_slices(tasks) == {"tags": slice(0, 2), "price": slice(2, 3)}


@pytest.mark.parametrize(
    "y, words",
    [
        (None, "requires y to be passed"),
        (np.zeros((2, 2, 2)), r"must be \(n,\) or \(n, n_tasks\)"),
        (np.array([1 + 1j, 2]), "Complex data not supported"),
        (pd.DataFrame(index=[0, 1]), "no target"),
    ],
)
def test_labels_that_cannot_be_read_are_refused(y, words):
    with pytest.raises(TargetError, match=words):
        read_labels(y)


def test_one_name_for_two_tasks_is_refused():
    with pytest.raises(TargetError, match="must differ"):
        read_labels(NUMBERS[:, :2], [Regression("a", ("y0",)), Binary("a", ("y1",))])


def test_weights_of_rows_reach_all_observed_labels():
    weight = label_weights([1.0, 2.0, 0.5], read_labels(NUMBERS))
    assert weight.tolist() == [[1, 1], [2, 0], [0.5, 0.5]]


def test_weights_of_tasks_reach_all_their_columns():
    labels = read_labels(pd.DataFrame({"a": [0.0, 1], "b": [1.0, 0], "c": [1.5, 2]}), [Multilabel("tags", ("a", "b")), "c"])
    assert label_weights([[1, 2], [3, 0.5]], labels).tolist() == [[1, 1, 2], [3, 3, 0.5]]


@pytest.mark.parametrize("weight", [[1.0], [[1.0, 1, 1]] * 3, [1.0, -1, 1], [1.0, np.nan, 1], [1.0, np.inf, 1]])
def test_weights_of_a_wrong_shape_or_sign_are_refused(weight):
    with pytest.raises(OptionError, match="sample_weight"):
        label_weights(weight, read_labels(NUMBERS))


def test_a_task_whose_labels_all_weigh_nothing_is_refused_by_name():
    with pytest.raises(OptionError, match="'y1'"):
        label_weights([[1, 0], [1, 1], [1, 0]], read_labels(NUMBERS))


def test_a_label_of_weight_zero_is_missing_and_its_class_is_still_known():
    y = pd.DataFrame({"price": [0.5, 1.5, 2.5], "sold": ["no", "perhaps", "yes"]})
    labels, weight = read_labels(y, [Regression("price"), Multiclass("sold")]).weighed([1.0, 0.0, 2.0])
    np.testing.assert_array_equal(labels.target, [[0.5, 0], [np.nan, np.nan], [2.5, 2]])
    assert weight.tolist() == [[1, 1], [0, 0], [2, 2]]
    assert labels.tasks[1].labels == ("no", "perhaps", "yes")


def test_the_frame_of_labels_lacks_what_weighs_nothing():
    y = pd.DataFrame({"price": [1, 2, 3], "sold": ["no", "perhaps", "yes"]}, index=[7, 8, 9])
    labels, _ = read_labels(y, [Regression("price"), Multiclass("sold")]).weighed([[1, 0], [0, 1], [1, 1]])
    frame = labels.observed(y)
    assert frame.isna().to_numpy().tolist() == [[False, True], [True, False], [False, False]]
    assert list(frame.index) == [7, 8, 9]
    assert not y.isna().to_numpy().any()


def test_a_class_never_seen_is_missing_and_told():
    tasks = read_labels(pd.DataFrame({"sold": ["yes", "no"]})).tasks
    with pytest.warns(PolytaskWarning, match="1 labels are of classes never seen"):
        target = encode_labels_of(pd.DataFrame({"sold": ["yes", "perhaps"]}), tasks)
    np.testing.assert_array_equal(target, [[1], [np.nan]])
