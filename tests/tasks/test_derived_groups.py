"""One task per group: labels go to the task of their row, and outputs come back to their row."""

import json

import numpy as np
import pandas as pd
import pytest

from polytask.exceptions import DataError, UnlearnableError
from polytask.tasks import Binary, Multilabel, Regression, TaskGroups, fixed_task, group_tasks

FRAME = pd.DataFrame({"score": [1.0, 2.0, 5.0, 7.0, 8.0, 9.0], "school": [2, 2, 10, 10, None, 10]})


def made(frame=FRAME, task=None, by="school", **options):
    task = task or Regression("score")
    return group_tasks([fixed_task(task.fit(frame))], frame, frame[by], **options)


def test_groups_come_in_order_of_size_whatever_their_type():
    assert made()[0].groups == ("2", "10")
    assert made(FRAME.assign(school=["b", "b", "a", "a", None, "a"]))[0].groups == ("a", "b")


def test_every_label_is_in_the_task_of_its_row_only():
    groups, tasks, _ = made()
    wide = groups.spread(FRAME, groups.codes(FRAME["school"]))
    assert [task.name for task in tasks] == list(wide) == ["score[2]", "score[10]"]
    assert wide.notna().sum().tolist() == [2, 3]
    assert (wide.notna().sum(axis=1) == [1, 1, 1, 1, 0, 1]).all()


def test_a_group_is_known_whatever_type_its_column_has():
    groups = made()[0]
    for values in ([2, 10, 99], [2.0, 10.0, np.nan], ["2", "10", None]):
        assert groups.codes(pd.Series(values)).tolist() == [0, 1, -1]


def test_a_row_gets_the_output_of_its_own_task_and_the_mean_where_it_has_none():
    groups = made()[0]
    outputs = {"score[2]": np.array([1.0, 2.0, 3.0]), "score[10]": np.array([11.0, 12.0, 13.0])}
    assert groups.own_outputs(outputs, np.array([0, 1, -1]))["score"].tolist() == [1.0, 12.0, 8.0]


def test_probabilities_stay_probabilities_in_the_mean():
    frame = FRAME.assign(sold=["a", "b", "a", "b", "a", "b"])
    groups = made(frame, Binary("sold"))[0]
    outputs = {"sold[2]": np.array([[0.2, 0.8]]), "sold[10]": np.array([[0.6, 0.4]])}
    assert groups.own_outputs(outputs, np.array([-1]))["sold"] == pytest.approx(np.array([[0.4, 0.6]]))


def test_all_groups_share_kind_and_classes():
    frame = pd.DataFrame({"grade": list("abcabab"), "school": [1, 1, 1, 1, 1, 2, 2]})
    from polytask.tasks import Multiclass

    _, tasks, _ = made(frame, Multiclass("grade"))
    assert [task.fit(frame).labels for task in tasks] == [("a", "b", "c")] * 2


def test_a_task_of_several_columns_is_divided_whole():
    frame = pd.DataFrame({"a": [0, 1, 0, 1], "b": [1, 0, 1, 0], "school": [1, 1, 2, 2]})
    groups, tasks, _ = made(frame, Multilabel("tags", ("a", "b")))
    assert [task.columns for task in tasks] == [("a[1]", "b[1]"), ("a[2]", "b[2]")]
    assert groups.spread(frame, groups.codes(frame["school"])).notna().sum().tolist() == [2] * 4


def test_a_group_without_two_values_is_an_error_that_says_the_way_out():
    with pytest.raises(UnlearnableError, match=r"'score\[3\]' cannot be learned: it has one label only.*unlearnable='skip'"):
        made(FRAME.assign(school=[2, 2, 10, 10, 3, 10]))


def test_a_group_without_two_values_can_be_skipped_and_is_predicted_by_the_others():
    groups, tasks, skipped = made(FRAME.assign(school=[2, 2, 10, 10, 3, 10]), skip=True)
    assert len(tasks) == 2
    assert skipped == {"score[3]": "Task 'score[3]' cannot be learned: it has one label only."}
    codes = groups.codes(pd.Series([3, 2]))
    assert groups.without_task("score", codes).tolist() == [True, False]
    outputs = {"score[2]": np.array([1.0, 1.0]), "score[10]": np.array([3.0, 3.0])}
    assert groups.own_outputs(outputs, codes)["score"].tolist() == [2.0, 1.0]


@pytest.mark.parametrize(("schools", "message"), [([1] * 6, r"two values or more"), ([None] * 6, r"got \[\]")])
def test_one_group_makes_no_tasks(schools, message):
    with pytest.raises(DataError, match=message):
        made(FRAME.assign(school=schools))


def test_an_identifier_makes_no_tasks():
    frame = pd.DataFrame({"score": np.arange(2002.0), "id": np.arange(2002) // 2})
    with pytest.raises(DataError, match=r"'id' of --task-by has 1001 different values.*at most 1000"):
        made(frame, by="id")


def test_json_gives_the_same_groups():
    groups = made()[0]
    assert TaskGroups.from_dict(json.loads(json.dumps(groups.to_dict()))) == groups
