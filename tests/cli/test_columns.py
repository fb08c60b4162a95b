"""``--column NAME=KIND``: what an input column is, where it looks like something else."""

import json

import pandas as pd
import pytest


@pytest.fixture
def zipped(table, frame):
    """The table with a zip code of digits, of which each has a level of its own."""
    frame.assign(zip=[(1000, 20, 300, 4)[k % 4] for k in range(len(frame))]).to_csv(table, index=False)
    return table


QUICK = ["-t", "price", "-t", "visits", "--ignore", "id", "--column", "zip=categorical", "-q"]


def kinds(columns):
    return {column["name"]: (column["kind"], column["reason"]) for column in columns}


def test_a_column_is_what_is_said_in_the_fit_in_the_model_and_in_its_study(polytask, zipped, tmp_path):
    out = tmp_path / "model"
    assert polytask("fit", zipped, *QUICK, "--max-steps", 3, "--out", out) == (0, "", "")
    report = json.loads((out / "predictor.json").read_text())["report"]
    assert kinds(report["inputs"])["zip"] == ("categorical", "as given")
    assert report["study"]["column"] == {"zip": "categorical"}
    told = polytask("predict", out, zipped, "--out", tmp_path / "p.csv", "-q")
    assert told == (0, "", "")  # digits in new rows are the same categories
    pd.read_csv(zipped).assign(zip=777).to_csv(tmp_path / "new.csv", index=False)
    told = polytask("predict", out, tmp_path / "new.csv", "--out", tmp_path / "p.csv", "-q").err
    assert "'zip': 80 of 80 values are not among the 4 categories" in told
    assert polytask("fit", out / "study.yaml", "--out", tmp_path / "again", "-q").code == 0
    again = json.loads((tmp_path / "again" / "predictor.json").read_text())["report"]
    assert again["mean_skill"] == report["mean_skill"]


def test_a_portfolio_reads_it_too(polytask, zipped, tmp_path):
    words = ["--preset", "fast", "--time-limit", 20, "--out", tmp_path / "model"]
    assert polytask("fit", zipped, "-t", "price", "--ignore", "id", "--column", "zip=categorical", "-q", *words).code == 0
    report = json.loads((tmp_path / "model" / "predictor.json").read_text())["report"]
    assert kinds(report["inputs"])["zip"][0] == "categorical"


def test_compare_and_tasks_read_it(polytask, zipped, tmp_path):
    compared = ["--folds", 2, "--repeats", 1, "--max-steps", 2, "--json", tmp_path / "c.json"]
    assert polytask("compare", zipped, *QUICK, *compared).code == 0
    assert json.loads((tmp_path / "c.json").read_text())["study"]["column"] == {"zip": "categorical"}
    assert polytask("tasks", zipped, *QUICK[:-1], "--json", tmp_path / "t.json").code == 0
    assert kinds(json.loads((tmp_path / "t.json").read_text())["inputs"])["zip"] == ("categorical", "as given")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["zap=categorical"], "Column 'zap' of --column is not in the table. Did you mean 'zip'?"),
        (["zip=category"], "'numeric', 'categorical', 'boolean', 'datetime', 'text' or 'list'"),
        (["zip"], "must be NAME=KIND, such as zip=categorical; got 'zip'"),
        (["price=numeric"], "Column 'price' of --column is a target, no input."),
        (["id=categorical"], "Column 'id' is given to --column and to --ignore"),
        (["city=numeric"], "city"),
    ],
)
def test_a_wrong_column_or_kind_is_told(polytask, zipped, tmp_path, words, told):
    named = [word for one in words for word in ("--column", one)]
    shown = polytask("fit", zipped, "-t", "price", "--ignore", "id", *named, "--out", tmp_path / "model", "-q")
    assert shown.code == 2
    assert told in shown.err
    assert not (tmp_path / "model").exists()


def test_date_is_another_word_for_datetime(polytask, zipped, tmp_path):
    frame = pd.read_csv(zipped)
    frame.assign(sold_on=[f"2024-02-{1 + k % 28:02d}" for k in range(len(frame))]).to_csv(zipped, index=False)
    words = ["-t", "price", "--ignore", "id", "--column", "sold_on=date", "--json", tmp_path / "t.json"]
    assert polytask("tasks", zipped, *words).code == 0
    assert kinds(json.loads((tmp_path / "t.json").read_text())["inputs"])["sold_on"] == ("datetime", "as given")
