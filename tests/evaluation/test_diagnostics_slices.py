"""Where a model fails: planted failures are found, chance is not, and groups count as one."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from polytask.evaluation import Slices, diagnose
from polytask.evaluation._diagnostics_intervals import Observed
from polytask.evaluation._diagnostics_slices import error_by_column
from polytask.tasks import Binary, Regression


def regression(residual, inputs, groups=None):
    task = Regression("price").fit(pd.DataFrame({"price": [0.0, 1.0]}))
    n = len(residual)
    truth = np.linspace(0, 5, n)
    return diagnose(task, truth, truth + residual, inputs=inputs, groups=groups)


def inputs_of(rng, n, columns=6):
    return pd.DataFrame({f"x{k}": rng.normal(size=n) for k in range(columns)} | {"city": rng.choice(["Oslo", "Rome", "Bonn"], n)})


def test_a_planted_failure_is_found_with_its_direction():
    rng = np.random.default_rng(0)
    inputs = inputs_of(rng, 1500)
    residual = rng.normal(size=1500) + np.where(inputs["city"] == "Rome", 2.0, 0.0)
    part = regression(residual, inputs)["by_column"]
    assert (part["worst"][0]["column"], part["worst"][0]["part"]) == ("city", "Rome")
    assert part["n_worse"] == 1
    assert part["worst"][0]["bias"] == pytest.approx(2.0, abs=0.2)
    assert part["columns"][0]["name"] == "city"


def test_without_a_difference_hardly_anything_is_called_worse():
    rng = np.random.default_rng(1)
    alarms = sum(regression(rng.normal(size=400), inputs_of(rng, 400))["by_column"]["n_worse"] > 0 for _ in range(150))
    assert alarms <= 150 * 0.05 + 3 * math.sqrt(150 * 0.05 * 0.95)


def test_errors_that_groups_share_do_not_make_alarms():
    rng = np.random.default_rng(2)
    with_groups = without = 0
    for _ in range(60):
        group = np.repeat(np.arange(60), 12)
        inputs = inputs_of(rng, 60, columns=4).iloc[group].reset_index(drop=True)  # inputs belong to the group, too
        residual = rng.normal(size=60)[group] * 1.5 + 0.3 * rng.normal(size=720)
        with_groups += regression(residual, inputs, group)["by_column"]["n_worse"] > 0
        without += regression(residual, inputs)["by_column"]["n_worse"] > 0
    assert with_groups <= 60 * 0.05 + 3 * math.sqrt(60 * 0.05 * 0.95)
    assert without > 30


def test_the_test_is_welchs_and_its_intervals_hold_for_all_parts():
    rng = np.random.default_rng(3)
    inputs = pd.DataFrame({"city": rng.choice(["Oslo", "Rome", "Bonn"], 300)})
    losses = rng.exponential(size=300) + np.where(inputs["city"] == "Rome", 0.3, 0.0)
    rows = Observed(outputs=losses, target=losses[:, None], weight=np.ones(300), groups=None, confidence=0.95)
    part = error_by_column(rows, Slices.of_table(inputs), losses, np.full(300, 2.0), None)
    for entry in part["columns"][0]["parts"]:
        inside = (inputs["city"] == entry["part"]).to_numpy()
        oracle = ttest_ind(losses[inside], losses[~inside], equal_var=False)
        ends = oracle.confidence_interval(1 - 0.05 / part["n_looked_at"])
        assert entry["low"] == pytest.approx(ends.low / 2, rel=1e-6)
        assert entry["high"] == pytest.approx(ends.high / 2, rel=1e-6)


def test_groups_of_one_row_give_the_same_as_no_groups():
    rng = np.random.default_rng(4)
    inputs, residual = inputs_of(rng, 500), rng.normal(size=500)
    plain, single = (regression(residual, inputs, groups)["by_column"] for groups in (None, np.arange(500)))
    assert plain["n_looked_at"] == single["n_looked_at"]
    for ours, theirs in zip(plain["columns"], single["columns"], strict=True):
        assert [e["low"] for e in ours["parts"]] == pytest.approx([e["low"] for e in theirs["parts"]], rel=1e-3)


def test_small_parts_are_not_judged():
    rng = np.random.default_rng(5)
    inputs = pd.DataFrame({"city": ["Oslo"] * 180 + ["Rome"] * 20})
    part = regression(rng.normal(size=200), inputs)["by_column"]
    assert part["n_looked_at"] == 0
    assert part["worst"] == []


def test_groups_are_judged_one_by_one():
    rng = np.random.default_rng(6)
    group = np.repeat(["north", "south", "tiny"], [200, 200, 5])
    residual = rng.normal(size=405) * np.where(group == "south", 3.0, 1.0)
    part = regression(residual, None, group)["by_group"]
    assert (part["n_groups"], part["n_looked_at"], part["n_worse"]) == (3, 2, 1)
    assert part["groups"][0]["part"] == "south"


def test_groups_of_any_type_with_gaps_are_taken():
    rng = np.random.default_rng(7)
    group = np.array(["a", None, 3, "a"] * 50, dtype=object)
    assert regression(rng.normal(size=200), None, group)["n_groups"] == 3


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (pd.Series(np.tile(np.arange(100), 2)), ("up to 19", "20 to 39", "40 to 59", "60 to 79", "above 79")),
        (pd.Series([0.5, 1.5, None] * 20), ("0.5", "1.5", "missing")),
        (pd.Series(["yes", "no"] * 30), ("no", "yes")),
        (pd.Series([True, False, False] * 20), ("no", "yes")),
        (pd.Series(pd.date_range("2020-01-01", periods=100)), ("up to 2020-01-20", None, None, None, "above 2020-03-20")),
    ],
)
def test_columns_are_cut_into_readable_parts(values, labels):
    slices = Slices.of_table(pd.DataFrame({"x": values, "y": np.arange(len(values)) % 2}))
    own = [label for label in slices.labels[0] if label not in ("other values",) and (label != "missing" or values.isna().any())]
    assert len(own) == len(labels)
    assert all(expected in (None, label) for label, expected in zip(sorted(own), sorted(labels, key=str), strict=True)) or all(
        expected in (None, label) for label, expected in zip(own, labels, strict=True)
    )
    counts = np.bincount(slices.codes[0], minlength=len(slices.labels[0]))
    assert counts.sum() == len(values)


def test_a_category_called_missing_is_not_the_missing_one():
    slices = Slices.of_table(
        pd.DataFrame({"x": ["missing", "other values", "b", None] * 20}),
    )
    assert len(set(slices.labels[0])) == len(slices.labels[0])


def test_skill_is_told_where_constants_fail_as_well():
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"sold": np.where(rng.random(800) < 0.5, "yes", "no")})
    task = Binary("sold").fit(frame)
    found = diagnose(task, np.full((800, 2), 0.5), task.encode(frame), inputs=inputs_of(rng, 800))["by_column"]
    assert found["skill"] == pytest.approx(0.0, abs=0.01)
    assert found["n_worse"] == 0


def test_one_group_gives_no_interval_and_no_part_is_judged():
    rng = np.random.default_rng(7)
    y = pd.DataFrame({"sold": rng.choice(["no", "yes"], 120)})
    task, p = Binary("sold").fit(y), rng.random(120)
    found = diagnose(task, np.stack([1 - p, p], axis=1), task.encode(y), inputs=inputs_of(rng, 120), groups=["a"] * 120)
    assert found["parts"]["confusion"]["accuracy"][1:] == [None, None]
    assert (found["by_column"]["n_groups"], found["by_column"]["n_looked_at"]) == (1, 0)
    assert (found["by_group"]["n_groups"], found["by_group"]["n_looked_at"]) == (1, 0)


def test_a_side_without_the_rare_class_is_not_judged():
    """It has next to no error and next to no variance, so that the other side would seem to fail."""
    city = np.repeat(["Oslo", "Rome"], [260, 40])
    sold = np.where(np.arange(300) < 12, "yes", "no")  # all in Oslo
    y, inputs = pd.DataFrame({"sold": sold}), pd.DataFrame({"city": city, "half": np.tile(["a", "b"], 150)})
    p = np.random.default_rng(8).uniform(0.02, 0.06, 300)
    part = diagnose(Binary("sold").fit(y), np.stack([1 - p, p], axis=1), Binary("sold").fit(y).encode(y), inputs=inputs)[
        "by_column"
    ]
    assert part["n_worse"] == 0
    assert [column["name"] for column in part["columns"]] == ["half"]


@pytest.mark.parametrize("column", ["tags", "note"])
def test_a_failure_in_rows_with_a_tag_or_a_word_is_found(column):
    rng = np.random.default_rng(9)
    words = np.array(["red", "green", "blue", "large", "small", "old", "new", "round", "square", "soft"])
    drawn = [rng.choice(words, 3, replace=False) for _ in range(600)]
    inputs = pd.DataFrame(
        {"tags": [sorted(own) for own in drawn], "note": [f"{' '.join(own)} seen on day {k}" for k, own in enumerate(drawn)]}
    )[[column]]
    hit = np.array(["blue" in own for own in drawn])
    part = regression(rng.normal(size=600) + np.where(hit, 2.0, 0.0), inputs)["by_column"]
    worst = part["worst"][0]
    assert (worst["column"], worst["part"], worst["n"]) == (f"{column} has 'blue'", "yes", hit.sum())
    assert worst["bias"] == pytest.approx(2.0, abs=0.3)
