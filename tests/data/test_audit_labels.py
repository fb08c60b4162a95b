"""Counts of labels, and patterns in which they are missing."""

import numpy as np
import pandas as pd
import pytest

from polytask.data import audit, rare_classes
from polytask.data._audit_labels import label_counts, missing_patterns
from polytask.tasks import Binary, Multiclass, Multilabel, Regression


def masks(**rows):
    return {task: np.array([mark == "x" for mark in marks]) for task, marks in rows.items()}


@pytest.mark.parametrize(
    "rows, shape",
    [
        ({"a": "xxx", "b": "xxx"}, "complete"),
        ({"a": "xx.", "b": "..x"}, "disjoint"),
        ({"a": "xxx", "b": "x..", "c": "xx."}, "nested"),
        ({"a": "xx.", "b": ".xx"}, "mixed"),
        ({"a": "x..", "b": "x.."}, "nested"),
        ({"a": "xx."}, "disjoint"),
    ],
)
def test_the_shape_of_missingness_is_named(rows, shape):
    assert missing_patterns(masks(**rows))["shape"] == shape


def test_patterns_are_counted_the_commonest_first():
    found = missing_patterns(masks(a="xxx.xx", b="x.x.xx", c="......"))
    assert [(one["tasks"], one["n_rows"]) for one in found["patterns"]] == [(["a", "b"], 4), (["a"], 1), ([], 1)]
    assert found["n_patterns"] == 3
    assert (found["complete_rows"], found["unlabelled_rows"]) == (0, 1)
    assert found["never_together"] == [["a", "c"], ["b", "c"]]


def test_patterns_of_many_tasks_agree_with_pandas(rng):
    table = pd.DataFrame(rng.random((300, 40)) < 0.97, columns=[f"t{i}" for i in range(40)])
    found = missing_patterns({task: table[task].to_numpy() for task in table})
    expected = table.value_counts()
    assert found["n_patterns"] == len(expected)
    assert [one["n_rows"] for one in found["patterns"]] == expected.tolist()[:20]
    together = table.to_numpy().astype(int).T @ table.to_numpy().astype(int)
    assert found["n_never_together"] == (np.triu(together == 0, 1)).sum()


def test_classes_numbers_and_tags_are_counted():
    y = pd.DataFrame(
        {
            "grade": ["a", "b", "b", None, "c"],
            "price": [1.0, 2.0, np.nan, 2.0, 5.0],
            "t1": [1, 0, 0, 1, np.nan],
            "t2": [0, 0, 1, 1, 1],
        }
    )
    found = audit(y[["t2"]], y, [Multiclass("grade"), Regression("price"), Multilabel("tags", ("t1", "t2"))]).labels
    assert [(one["label"], one["count"]) for one in found["grade"]["classes"]] == [("a", 1), ("b", 2), ("c", 1)]
    assert found["grade"]["classes"][1]["share"] == 0.5
    numbers = found["price"]["numbers"]
    assert (numbers["low"], numbers["high"], numbers["mean"], numbers["n_distinct"]) == (1.0, 5.0, 2.5, 3)
    assert numbers["commonest"] == {"value": 2.0, "share": 0.5}
    assert [(one["label"], one["count"]) for one in found["tags"]["classes"]] == [("t1", 2), ("t2", 3)]
    assert (found["tags"]["n_observed"], found["tags"]["n_partly"], found["tags"]["n_missing"]) == (5, 1, 0)
    assert [one["share"] for one in found["tags"]["classes"]] == [0.5, 0.6]


def test_rare_classes_are_named():
    y = pd.DataFrame({"grade": ["a"] * 30 + ["b"] * 9})
    labels = {"grade": label_counts(Binary("grade").fit(y).encode(y), ("a", "b"))}
    assert rare_classes(labels) == {"grade": ["b"]}


def test_labels_that_an_input_tells_to_be_missing_are_told(rng):
    n = 500
    X = pd.DataFrame({"site": rng.choice(["north", "south"], n), "age": rng.normal(size=n)})
    y = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    y.loc[X["site"].eq("south") & (rng.random(n) < 0.8), "a"] = np.nan
    y.loc[rng.random(n) < 0.4, "b"] = np.nan
    told = audit(X, y, [Regression("a"), Regression("b")]).missing_told
    assert [(one.task, one.column) for one in told] == [("a", "site")]
