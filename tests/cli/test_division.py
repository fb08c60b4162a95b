"""Options that say how rows and tasks are divided: time, groups, similarity, a task per group, derived tasks."""

import json

import numpy as np
import pandas as pd
import pytest

QUICK = ["--max-steps", 5, "--folds", 2, "--repeats", 1, "-q"]


@pytest.fixture
def dated(table, frame):
    """The table with days, years, schools, and texts of which some are near copies."""
    kinds = ["".join(np.random.default_rng(k).permutation([*"abcdefghijklmnopqrstuvwxyz"])) for k in range(10)]
    frame = frame.assign(
        day=pd.date_range("2025-01-01", periods=len(frame)).strftime("%Y-%m-%d"),
        year=2000 + np.arange(len(frame)) // 4 * 0.5,
        school=np.arange(len(frame)) % 4,
        note=[f"{kinds[i // 8]}{i % 8}" for i in range(len(frame))],
    )
    frame.to_csv(table, index=False)
    return table


@pytest.fixture
def compared(polytask, dated, tmp_path):
    """The result of a comparison with some options."""

    def call(*words, ignore=("id", "note")):
        own = [word for column in ignore for word in ("--ignore", column)]
        file = tmp_path / "out.json"
        shown = polytask("compare", dated, "-t", "price", "-t", "visits", *own, *QUICK, "--json", file, *words)
        assert shown.code == 0, shown.err
        return json.loads(file.read_text())

    return call


def test_a_comparison_by_time_predicts_later_rows(compared):
    result = compared("--time", "day", "--ignore", "year")
    assert "by time, 2 test windows, expanding" in result["split"]["method"]
    assert "later rows" in json.dumps(result)
    sliding = compared("--time", "year", "--ignore", "day", "--window", "sliding", "--gap", "0.5")
    assert "sliding training window, gap 0.5" in sliding["split"]["method"]
    assert sliding["study"]["time"] == "year"
    assert sliding["study"]["compare"]["window"] == "sliding"
    assert sliding["tasks"] != result["tasks"]


def test_a_gap_may_count_rows_or_days(compared):
    rows, days, none = (compared("--time", "day", "--ignore", "year", *gap) for gap in (["--gap", 3], ["--gap", "3 days"], []))
    assert rows["tasks"] == days["tasks"] != none["tasks"]


def test_every_group_is_held_out_once(compared):
    result = compared("--group", "school", "--folds", "leave-one-group-out")
    assert result["folds"] == 4
    assert result["study"]["compare"]["folds"] == "leave-one-group-out"


def test_rows_that_are_alike_are_not_split_apart(compared):
    result = compared("--similar", "note=0.8")
    assert "10 clusters of rows that are alike kept whole" in result["split"]["method"]
    assert "clusters of rows that are alike" in compared("--similar", 0.97)["split"]["method"]


def test_a_fit_by_time_stops_by_the_latest_rows(polytask, dated, tmp_path):
    out, words = tmp_path / "model", ["-t", "price", "-t", "visits", "--ignore", "year", "--max-steps", 5, "-q"]
    assert polytask("fit", dated, *words, "--time", "day", "--gap", "5", "--out", out) == (0, "", "")
    report = json.loads((out / "predictor.json").read_text())["report"]
    counts = {key: report[key] for key in ("n_rows", "n_train", "n_validation", "n_left_out", "n_unlabelled", "n_test")}
    assert counts == {"n_rows": 80, "n_train": 59, "n_validation": 16, "n_left_out": 5, "n_unlabelled": 0, "n_test": 0}
    in_order = pd.read_csv(dated).sort_values("day")["price"].notna()
    told = report["tasks"]["price"]
    assert told["n_train"] == in_order.iloc[:59].sum()
    assert told["validation"]["n_observed"] == in_order.iloc[64:].sum()
    assert told["n_observed"] == told["n_train"] + told["validation"]["n_observed"]
    assert told["n_observed"] + told["n_missing"] == 75
    page = (tmp_path / "model.html").read_text()
    assert "59 rows to learn, 16 to choose the epoch" in page
    assert "5 rows left out between training and validation" in page
    assert "from 59 rows" in page
    assert (report["study"]["time"], report["study"]["gap"]) == ("day", "5")
    assert "day" not in [column["name"] for column in report["inputs"]]
    assert polytask("predict", out, dated, "--out", tmp_path / "p.csv", "-q") == (0, "", "")


def test_a_study_may_divide_by_time(polytask, dated, tmp_path):
    (tmp_path / "s.yaml").write_text(
        "table: train.csv\ntarget: [price, visits]\nignore: [year]\ntime: day\ngap: 7 days\nmax_steps: 5\n"
        "compare: {folds: 2, repeats: 1, window: sliding, json: c.json}\nfit: {out: m}\n"
    )
    assert polytask("compare", tmp_path / "s.yaml", "-q").code == 0
    assert "sliding training window, gap 7 days" in json.loads((tmp_path / "c.json").read_text())["split"]["method"]
    assert polytask("fit", tmp_path / "s.yaml", "-q") == (0, "", "")


def test_a_task_per_group(polytask, dated, tmp_path):
    out = tmp_path / "model"
    words = ["-t", "price", "--task-by", "school", "--ignore", "id", "--max-steps", 5]
    assert polytask("fit", dated, *words, "--out", out, "-q").code == 0
    tasks = json.loads((out / "predictor.json").read_text())["report"]["tasks"]
    assert list(tasks) == [f"price[{k}]" for k in range(4)]
    assert polytask("predict", out, dated, "--out", tmp_path / "p.csv", "-q").code == 0
    assert pd.read_csv(tmp_path / "p.csv").columns.tolist() == ["price"]
    assert polytask("evaluate", out, dated, "--json", tmp_path / "e.json").code == 0
    assert "price" in json.loads((tmp_path / "e.json").read_text())["pooled"]


def test_tasks_may_be_made_from_a_column(polytask, dated, tmp_path):
    words = ["-t", "visits>2 as busy", "-t", "log1p(visits)", "-t", "sold", "--ignore", "id", "--max-steps", 5, "-q"]
    shown = polytask("fit", dated, *words, "--out", tmp_path / "model")
    assert shown.code == 0
    assert "busy" in shown.err  # functions of each other are told
    report = json.loads((tmp_path / "model" / "predictor.json").read_text())["report"]
    assert "visits" not in [column["name"] for column in report["inputs"]]
    polytask("predict", tmp_path / "model", dated, "--out", tmp_path / "p.csv", "-q")
    assert {"busy", "log1p(visits)", "sold"} <= {*pd.read_csv(tmp_path / "p.csv").columns}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--time", "dya"], "Column 'dya' of --time is not in the table. Did you mean 'day'?"),
        (["--time", "city"], "Column 'city' of --time must hold numbers or dates"),
        (["--gap", "3"], "--gap 3 is between rows in order of --time, the column of times; got none."),
        (["--time", "day", "--gap", "soon"], "--gap must be a number of rows ('7' or '7 rows'), a time of weeks, days"),
        (["--time", "day", "--gap", "-3"], "--gap must be a number of rows"),
        (["--time", "day", "--gap", "1.5"], "gap"),
        (["--time", "day", "--gap", "500"], "gap"),
        (["--window", "sliding"], "--window sliding is of rows in order of --time"),
        (["--time", "day", "--window", "falling"], "Invalid value for '--window'"),
        (["--time", "day", "--similar", 0.9], "--time and --similar both say what is held out"),
        (["--split", "school", "--similar", 0.9], "--split and --similar both say what is held out"),
        (["--folds", "leave-one-group-out"], "--folds leave-one-group-out needs --group"),
        (["--folds", "leave-one-out"], "--folds must be a whole number >= 2, or leave-one-group-out; got 'leave-one-out'"),
        (["--folds", "leave-one-group-out", "--group", "school", "--time", "day"], "--folds and --time both say"),
        (["--similar", 1.5], "--similar must be a threshold in (0, 1], such as 0.9, or COL=THRESHOLD; got '1.5'"),
        (["--similar", "nope=0.5"], "Column 'nope' of --similar is not in the table."),
        (["--similar", "note"], "--similar must be a threshold"),
        (["--task-by", "school", "--group", "school"], "is given to --task-by and --group"),
        (["--task-by", "shcool"], "Did you mean 'school'"),
    ],
)
def test_what_does_not_go_together_is_told_in_one_line(polytask, dated, words, message):
    shown = polytask("compare", dated, "-t", "price", "-t", "visits", "--max-steps", 5, "-q", *words)
    assert shown.code == 2
    assert message in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--gap", "3"], "--gap 3 is between rows in order of --time"),
        (["--time", "day", "--split", "part"], "both say which rows choose the epoch"),
        (["--time", "price"], "Column 'price' is a target and is given to --time too"),
    ],
)
def test_a_fit_that_cannot_follow_time_says_why(polytask, dated, frame, tmp_path, words, message):
    pd.read_csv(dated).assign(part=["train", "train", "validation", "test"] * 20).to_csv(dated, index=False)
    shown = polytask("fit", dated, "-t", "price", "-t", "visits", "--out", tmp_path / "m", "-q", *words)
    assert shown.code == 2
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert not (tmp_path / "m").exists()
    assert not (tmp_path / "m.run").exists()


def test_too_few_clusters_are_told_in_options(polytask, dated):
    shown = polytask("compare", dated, "-t", "price", "--similar", 0.01, "--group", "school", "--folds", 5, "--max-steps", 1)
    assert shown.code == 2
    assert shown.err.endswith("Raise --similar, so that fewer rows count as alike, or use fewer folds.\n")
    assert "threshold" not in shown.err
