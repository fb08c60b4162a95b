"""What ``polytask tasks`` says of the data, and of a new table."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.cli.conftest import make_frame, target_words


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")


@pytest.fixture
def write(tmp_path):
    def to_file(frame, name="table.csv"):
        frame.to_csv(tmp_path / name, index=False)
        return tmp_path / name

    return to_file


def squeezed(shown):
    return [" ".join(line.split()) for line in shown.out.splitlines()]


def test_missing_labels_are_shown_as_patterns_over_tasks(polytask, table, frame):
    shown = polytask("tasks", table, "-t", "price", "-t", "sold", "-t", "visits")
    price, sold = frame["price"].notna(), frame["sold"].notna()
    n_all, n_none = (price & sold).sum(), 0
    lines = squeezed(shown)
    assert f"{n_all} of 80 rows are labelled for all tasks, {n_none} for none: labels are missing in many ways." in lines
    assert f"all but price {(~price & sold).sum()} {(~price & sold).mean():.1%}" in lines


def test_where_all_is_in_order_little_is_said(polytask, write, rng):
    frame = pd.DataFrame({"a": rng.normal(size=60), "b": rng.normal(size=60), "y": rng.normal(size=60)})
    shown = polytask("tasks", write(frame), "-t", "y")
    assert shown.out.partition("Data audit\n")[2].splitlines() == [
        "Every row is labelled for every task.",
        "No row repeats the inputs of another.",
        "No input tells a target almost perfectly alone.",
    ]


def test_duplicates_conflicts_and_rare_classes_are_told(polytask, write, rng):
    frame = pd.DataFrame({"a": rng.normal(size=60), "b": rng.normal(size=60), "y": ["u", "v"] * 28 + ["w"] * 4})
    frame = pd.concat([frame, frame.head(5), frame.head(3).assign(y="v")])
    lines = squeezed(polytask("tasks", write(frame), "-t", "y"))
    assert "Task 'y' has classes of fewer than ten rows: w." in lines
    assert any(
        line.startswith("8 rows repeat the inputs of another, 6 of them the labels too (sets of up to 3 rows;") for line in lines
    )
    assert any(line.startswith("6 rows have inputs that are the same with another label of 'y'") for line in lines)


def test_leakage_suspects_are_shown_with_their_grounds(polytask, write, frame, rng):
    n = 200
    price = rng.lognormal(size=n)
    sold = rng.random(n) < 0.4
    table = pd.DataFrame({"price_eur": price.round(1), "sold_on": np.where(sold, rng.random(n), np.nan), "a": rng.normal(size=n)})
    lines = squeezed(polytask("tasks", write(table.assign(price=price, sold=sold)), "-t", "price", "-t", "sold"))
    assert any(
        line.startswith("price_eur price ") and line.endswith("almost perfect alone, named after the target") for line in lines
    )
    assert any(line.startswith("sold_on sold 0.99") and "that it is missing tells it" in line for line in lines)


def test_columns_to_split_by_are_shown_with_labels_per_group(polytask, write, rng):
    site = rng.choice(["north", "south"], 200)
    frame = pd.DataFrame({"site": site, "a": rng.normal(size=200), "y": rng.normal(size=200) + 2 * (site == "north")})
    frame.loc[:9, "y"] = np.nan
    lines = squeezed(polytask("tasks", write(frame), "-t", "y"))
    counts = frame.groupby("site")["y"].agg(["size", "count"]).sort_values("size")
    assert any(line.startswith(f"site 2 {counts['size'].min()} to {counts['size'].max()}, middle 100 0 0.") for line in lines)
    assert f"north {counts.loc['north', 'size']} {counts.loc['north', 'count']}" in lines


def test_a_given_group_is_shown_and_kept_together(polytask, write, rng):
    person = np.repeat(np.arange(20), 10)
    frame = pd.DataFrame({"person": person, "birth": rng.normal(size=20)[person], "noise": rng.normal(size=200)})
    frame["y"] = rng.normal(size=20)[person] + 0.01 * rng.normal(size=200)
    assert any(line.startswith("birth y ") for line in squeezed(polytask("tasks", write(frame), "-t", "y")))
    lines = squeezed(polytask("tasks", write(frame), "-t", "y", "--group", "person"))
    assert "No input tells a target almost perfectly alone." in lines
    assert any(line.startswith("person 20 10 to 10, middle 10 0 ") for line in lines)


def test_a_new_table_is_compared(polytask, write, table):
    new = make_frame(90, seed=1)
    new["area"] += 100
    new.loc[:20, "city"] = "Turin"
    lines = squeezed(polytask("tasks", table, "-t", "price", "--new", write(new.drop(columns="rooms"), "new.csv")))
    assert any(line.startswith("New table") and line.endswith("90 rows against 80") for line in lines)
    assert "The new table lacks 'rooms'." in lines
    assert any(line.startswith("area numeric 0.") for line in lines)
    assert any(line.startswith("city categorical 0.") and line.endswith(" 21 Turin") for line in lines)
    assert any(line.startswith("A model tells from which table a row is with AUC 0.") for line in lines)


def test_the_same_table_again_is_told(polytask, table):
    lines = squeezed(polytask("tasks", table, "-t", "price", "--ignore", "id", "--new", table))
    assert "80 new rows have the inputs of a row that is learned from: scores on them would be too good." in lines
    assert any(line.startswith("None of ") and line.endswith(" columns differs clearly.") for line in lines)


def test_json_holds_all_of_it(polytask, write, table, tmp_path):
    new = write(make_frame(60, seed=2), "new.csv")
    words = ("tasks", table, *target_words(), "--ignore", "id", "--new", new, "--json", tmp_path / "out.json")
    shown = polytask(*words)
    assert shown.code == 0
    content = json.loads((tmp_path / "out.json").read_text())
    assert (content["format"], content["version"]) == ("polytask.tasks", 1)
    assert [task["kind"] for task in content["tasks"]] == ["regression", "binary", "ordinal", "count", "multilabel"]
    assert {info["name"]: info["used"] for info in content["inputs"]}["id"] is False
    assert content["audit"]["labels"]["sold"]["n_missing"] == 9
    assert content["drift"]["n_new"] == 60
    assert {column["column"] for column in content["drift"]["targets"]} == {"price", "sold", "grade", "visits", "y_sun", "y_sea"}


def test_without_a_new_table_there_is_no_drift(polytask, table, tmp_path):
    polytask("tasks", table, "-t", "price", "--json", tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text())["drift"] is None


def test_bad_files_are_told_in_a_sentence(polytask, table, tmp_path):
    shown = polytask("tasks", table, "-t", "price", "--new", tmp_path / "nothing.csv")
    assert (shown.code, shown.err.count("\n")) == (2, 1)
    shown = polytask("tasks", table, "-t", "price", "--json", table)
    assert shown.code == 2
    assert "must not be the file that is read" in shown.err


def test_of_many_tasks_a_few_are_shown(polytask, write, rng):
    shop = np.arange(400) % 8
    frame = pd.DataFrame({"shop": [f"s{i}" for i in shop], "size": shop + 0.1 * rng.normal(size=400), "y": rng.normal(size=400)})
    lines = squeezed(polytask("tasks", write(frame), "-t", "y", "--task-by", "shop"))
    assert "0 of 400 rows are labelled for all tasks, 0 for none: each row is labelled for one task at most." in lines
    assert sum("are not missing at random: the input 'size' tells" in line for line in lines) == 4
    assert "The same is so of 4 more tasks." in lines
