"""What has a value (balanced class weights, the unit of Huber's delta) comes from training rows, counted by their weights."""

import numpy as np
import pandas as pd
import pytest

from polytask.exceptions import PolytaskError
from polytask.losses import Huber, spread
from polytask.tasks import Binary, Count, Multiclass, Ordinal, Regression, fitted_task_from_dict

LABELS = pd.DataFrame(
    {
        "sold": ["no"] * 6 + ["yes"] * 4,
        "size": ["S", "S", "S", "M", "M", "L", "L", "L", "L", "L"],
        "price": [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 50.0, 900.0, 1e4, 1e6],
        "visits": [0, 1, 1, 2, 3, 4, 40, 90, 400, 900],
    }
)
TASKS = {
    "binary": Binary("sold", class_weight="balanced"),
    "multiclass": Multiclass("size", class_weight="balanced"),
    "ordinal": Ordinal("size", order=("S", "M", "L"), class_weight="balanced"),
    "regression": Regression("price", loss="huber"),
    "count": Count("visits", loss=Huber(2.0)),
}
every_task = pytest.mark.parametrize("name", TASKS)
TRAIN = np.array([0, 1, 2, 3, 4, 5, 6])


def fitted(name):
    task = TASKS[name].fit(LABELS)
    return task, task.encode(LABELS)


def errors(task, target):
    outputs = task.constant_outputs(len(target))
    return task.row_losses(outputs, target)


@every_task
def test_labels_of_weight_zero_count_as_if_they_were_not_there(name):
    task, target = fitted(name)
    weight = np.zeros_like(target)
    weight[TRAIN] = np.linspace(1, 2, len(TRAIN))[:, None]
    alone, weighed = task.with_statistics(target[TRAIN], weight[TRAIN]), task.with_statistics(target, weight)
    assert weighed == alone
    np.testing.assert_array_equal(errors(weighed, target), errors(alone, target))
    other = task.with_statistics(target, np.ones_like(target))
    assert not np.allclose(errors(other, target), errors(alone, target))


@every_task
def test_a_weight_of_two_is_the_label_twice(name):
    task, target = fitted(name)
    weight = np.ones_like(target)
    weight[3] = 2.0
    twice = np.concatenate([target, target[3:4]])
    one, other = task.with_statistics(target, weight), task.with_statistics(twice, np.ones_like(twice))
    if name in ("binary", "multiclass", "ordinal"):  # a prior is smoothed by the number of labels, not by their weights
        np.testing.assert_allclose(one.class_weights, other.class_weights)
    else:
        np.testing.assert_allclose(one.number_loss.unit, other.number_loss.unit)


@every_task
def test_statistics_of_other_rows_replace_those_that_are_there(name):
    task, target = fitted(name)
    once = task.with_statistics(target[TRAIN], np.ones((len(TRAIN), 1)))
    assert once.with_statistics(target, np.ones_like(target)) == task.with_statistics(target, np.ones_like(target))


@every_task
def test_no_error_is_told_before_there_are_statistics(name):
    task, target = fitted(name)
    outputs = task.with_statistics(target, np.ones_like(target)).constant_outputs(len(target))
    with pytest.raises(PolytaskError, match="from the rows that are learned from: call `with_statistics` first"):
        task.row_losses(outputs, target)
    assert not task.has_fixed_losses


@every_task
def test_a_settled_task_keeps_its_error(name):
    task, target = fitted(name)
    settled = task.with_statistics(target[TRAIN], np.ones((len(TRAIN), 1))).settled()
    again = settled.with_statistics(target, np.ones_like(target))
    outputs = settled.constant_outputs(len(target))
    np.testing.assert_array_equal(again.row_losses(outputs, target), settled.row_losses(outputs, target))


@every_task
def test_the_weights_go_through_json(name):
    task, target = fitted(name)
    task = task.with_statistics(target[TRAIN], np.ones((len(TRAIN), 1)))
    again = fitted_task_from_dict(task.to_dict())
    np.testing.assert_array_equal(errors(again, target), errors(task, target))
    assert again.with_statistics(target, np.ones_like(target)) == task.with_statistics(target, np.ones_like(target))


def test_a_task_of_an_older_folder_keeps_the_weights_that_it_was_fitted_with():
    task, target = fitted("binary")
    values = task.with_statistics(target, np.ones_like(target)).to_dict()
    del values["is_balanced"]
    old = fitted_task_from_dict(values)
    assert old.with_statistics(target[TRAIN], np.ones((len(TRAIN), 1))).class_weights == old.class_weights != ()


def test_the_unit_is_the_spread_of_training_labels_and_one_that_is_given_stays():
    task, target = fitted("regression")
    own = task.with_statistics(target[TRAIN], np.ones((len(TRAIN), 1)))
    assert own.number_loss.unit == spread(target[TRAIN, 0], np.ones(len(TRAIN))) == own.statistics["loss_unit"]
    given = Regression("price", loss=Huber(2.0, unit=3.0)).fit(LABELS).with_statistics(target, np.ones_like(target))
    assert given.number_loss.threshold == 6.0
    assert "loss_unit" not in given.statistics
