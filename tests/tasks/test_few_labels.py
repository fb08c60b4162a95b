"""How many labels say something: those that are not the most common one."""

import numpy as np
import pandas as pd
import pytest

from polytask.tasks import Binary, Count, Multiclass, Multilabel, Ordinal, Regression

N = 40


def fitted(task, column, **more):
    return task.fit(pd.DataFrame({task.name: column, **more}))


def codes(*counts):
    return np.concatenate([np.full(count, float(k)) for k, count in enumerate(counts)])[:, None]


@pytest.mark.parametrize(
    ("task", "labels", "target", "told"),
    [
        (Binary("y"), [0, 1], codes(37, 3), "only 3 positives"),
        (Binary("y"), [0, 1], codes(1, 37), "only 1 negative"),
        (Binary("y"), [0, 1], codes(38, 0), "only 0 positives"),
        (Binary("y"), [0, 1], codes(3, 3), "only 6 labels"),
        (Multiclass("y"), ["a", "b", "c"], codes(2, 36, 1), "only 3 labels other than 'b'"),
        (Ordinal("y"), [1, 2, 3], codes(36, 0, 1), "only 1 label other than 1"),
        (Count("y"), [0, 1, 7], np.repeat([0.0, 7.0], [37, 3])[:, None], "only 3 labels other than 0"),
        (Regression("y"), [0.5, 1.5], np.arange(4.0)[:, None], "only 4 labels"),
    ],
)
def test_few_labels_are_told_in_words(task, labels, target, told):
    assert fitted(task, labels).few_labels(target, least=10) == told


@pytest.mark.parametrize(
    ("task", "labels", "target"),
    [
        (Binary("y"), [0, 1], codes(20, 10)),
        (Multiclass("y"), ["a", "b", "c"], codes(5, 30, 5)),
        (Regression("y"), [0.5, 1.5], np.arange(11.0)[:, None]),
    ],
)
def test_enough_are_not_told(task, labels, target):
    assert fitted(task, labels).few_labels(target, least=10) == ""


def test_tags_count_by_rows():
    task = Multilabel("y", ("a", "b")).fit(pd.DataFrame({"a": [0, 1], "b": [1, 0]}))
    target = np.zeros((N, 2))
    target[:3, 0] = target[2:5, 1] = 1  # one row has both
    assert task.few_labels(target, least=10) == "only 5 rows with other tags than most"
    assert task.few_labels(target, least=5) == ""


def test_labels_that_are_missing_or_of_weight_zero_do_not_count():
    task, target = fitted(Binary("y"), [0, 1]), codes(30, 12)
    target[-2:] = np.nan
    weight = np.ones(len(target))
    weight[30:37] = 0
    assert task.few_labels(target, weight, least=10) == task.few_labels(target, weight[:, None], least=10) == "only 3 positives"
    assert task.labels_vary(target, weight)
    assert not task.labels_vary(target[:30])
    assert not task.labels_vary(np.full((3, 1), np.nan))
    assert not task.labels_vary(target[:0])
