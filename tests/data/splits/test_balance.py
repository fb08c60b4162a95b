import json

import numpy as np
import pandas as pd
import pytest

from polytask.data.splits import StratifiedTaskKFold, split_balance
from polytask.exceptions import DataError
from polytask.tasks import Binary, Multilabel, Regression


def frame_of(n=200):
    rng = np.random.default_rng(0)
    price = np.where(rng.random(n) < 0.2, np.nan, rng.normal(50, 10, n))
    return pd.DataFrame(
        {"price": price, "sold": rng.choice(["no", "yes"], n, p=[0.8, 0.2]), "t1": rng.integers(0, 2, n), "t2": 1}
    )


def test_equal_folds_have_no_deviation_and_a_missing_class_has_one():
    assert split_balance(["a", "b"] * 4, [0, 0, 0, 0, 1, 1, 1, 1]).largest_deviation == 0
    assert split_balance(["a"] * 4 + ["b"] * 4, [0, 0, 0, 0, 1, 1, 1, 1]).largest_deviation == 1


def test_a_class_of_which_less_than_one_is_expected_is_measured_in_whole_labels():
    folds = np.arange(100) % 5
    assert split_balance(np.r_[["rare"], ["often"] * 99], folds).largest_deviation == pytest.approx(0.8)


def test_the_mean_of_a_measured_target_deviates_in_standard_deviations():
    y = np.r_[np.zeros(50), np.arange(1.0, 51.0)]
    folds = np.repeat([0, 1], 50)
    balance = split_balance(y, folds)
    expected = abs(y[:50].mean() - y.mean()) / y.std()
    assert balance.tasks["y0"]["folds"][0]["deviation"] == pytest.approx(expected)


def test_missing_labels_in_one_fold_only_are_a_deviation():
    y = np.r_[np.full(5, np.nan), np.tile([0.0, 1.0], 5)[:5]]
    assert split_balance(y, np.repeat([0, 1], 5)).largest_deviation == pytest.approx(1)


def test_the_dict_is_json_with_counts_per_fold_and_the_whole():
    frame = frame_of()
    balance = split_balance(frame, StratifiedTaskKFold(5, random_state=0).fold_of_rows(y=frame), method="stratified over tasks")
    content = balance.to_dict()
    assert json.loads(json.dumps(content)) == content
    assert content["method"] == "stratified over tasks"
    sold = content["tasks"]["sold"]
    assert sum(fold["classes"]["yes"] for fold in sold["folds"]) == sold["whole"]["classes"]["yes"]
    assert [fold["n_rows"] for fold in sold["folds"]] == [40] * 5
    assert content["largest_deviation"] == max(task["largest_deviation"] for task in content["tasks"].values()) < 0.2


def test_the_frame_has_a_row_per_task_fold_and_quantity():
    table = split_balance(frame_of(), np.arange(200) % 2).to_frame()
    assert table.columns.tolist() == ["task", "fold", "quantity", "value", "expected", "deviation"]
    sold = table[(table["task"] == "sold") & (table["fold"] == 0)]
    assert sold["quantity"].tolist() == ["labels", "class no", "class yes"]
    assert "mean" in set(table.loc[table["task"] == "price", "quantity"])


def test_fitted_tasks_are_encoded_by_themselves():
    frame = frame_of()
    tasks = [task.fit(frame) for task in (Regression("price"), Binary("sold"), Multilabel("tags", ("t1", "t2")))]
    content = split_balance(frame, np.arange(200) % 4, tasks=tasks).to_dict()["tasks"]
    assert content["price"]["whole"]["mean"] == pytest.approx(frame["price"].mean())
    assert content["sold"]["whole"]["classes"] == frame["sold"].value_counts().sort_index().to_dict()
    assert content["tags"]["whole"]["classes"] == {"t1": int(frame["t1"].sum()), "t2": 200}


def test_what_a_splitter_yields_is_taken_as_folds():
    frame = frame_of()
    splitter = StratifiedTaskKFold(4, random_state=0)
    assert (
        split_balance(frame, list(splitter.split(frame, frame))).tasks
        == split_balance(frame, splitter.fold_of_rows(y=frame)).tasks
    )


def test_a_wholly_missing_task_and_a_fold_without_labels_are_told_without_numbers():
    y = pd.DataFrame({"nothing": [np.nan] * 60, "late": np.r_[np.full(30, np.nan), np.arange(30.0)]})
    tasks = split_balance(y, np.repeat([0, 1], 30)).to_dict()["tasks"]
    assert tasks["nothing"]["largest_deviation"] == 0
    assert tasks["late"]["folds"][0]["mean"] is None
    assert tasks["late"]["largest_deviation"] == 1


def test_dates_are_measured():
    days = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=60)})
    assert split_balance(days, np.arange(60) % 2).largest_deviation < 0.1


def test_folds_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="whole number per row of `y`"):
        split_balance([1, 0, 1], [0, 1])
    with pytest.raises(DataError, match="below 3"):
        split_balance([1, 0, 1], [([0], [5])])
