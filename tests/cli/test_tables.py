"""Tables of several files and formats, and a sample of their rows."""

import json

import pandas as pd
import pytest

SAME = ["-t", "price", "-t", "visits", "--ignore", "id", "--max-steps", 5, "-q"]


@pytest.fixture
def parts(tmp_path, frame):
    """The table in two files."""
    frame.head(50).to_csv(tmp_path / "part-1.csv", index=False)
    frame.tail(30).to_csv(tmp_path / "part-2.csv", index=False)
    return [tmp_path / "part-1.csv", tmp_path / "part-2.csv"]


def predictions(polytask, model, *tables):
    place = model.with_suffix(".csv")
    assert polytask("predict", model, *tables, "--out", place, "--keep", "id", "-q") == (0, "", "")
    return place.read_bytes()


def test_several_files_are_one_table(polytask, table, parts, tmp_path):
    assert polytask("fit", table, *SAME, "--out", tmp_path / "a").code == 0
    assert polytask("fit", *parts, *SAME, "--out", tmp_path / "b").code == 0
    assert polytask("fit", tmp_path / "part-*.csv", *SAME, "--out", tmp_path / "c").code == 0
    found = predictions(polytask, tmp_path / "a", table)
    assert (
        found == predictions(polytask, tmp_path / "b", *parts) == predictions(polytask, tmp_path / "c", tmp_path / "part-*.csv")
    )
    assert found.splitlines()[1].startswith(b"0000,")  # --keep gives what is written
    for name in "bc":
        assert polytask("fit", tmp_path / name / "study.yaml", "--out", tmp_path / f"{name}2", "-q").code == 0
        assert predictions(polytask, tmp_path / f"{name}2", *parts) == found


@pytest.mark.parametrize("name", ["t.parquet", "t.feather", "t.jsonl", "t.tsv", "t.csv.gz"])
def test_formats_give_the_same_numbers(polytask, table, frame, tmp_path, name):
    place = tmp_path / name
    frame = pd.read_csv(table, dtype={"id": str})
    write = {
        "parquet": frame.to_parquet,
        "feather": frame.to_feather,
        "jsonl": lambda path: frame.to_json(path, orient="records", lines=True, double_precision=15),
        "tsv": lambda path: frame.to_csv(path, index=False, sep="\t"),
        "gz": lambda path: frame.to_csv(path, index=False),
    }
    write[name.rpartition(".")[2]](place)
    assert polytask("fit", table, *SAME, "--out", tmp_path / "a").code == 0
    assert polytask("fit", place, *SAME, "--out", tmp_path / "b").code == 0
    assert predictions(polytask, tmp_path / "a", table) == predictions(polytask, tmp_path / "b", table)


def test_a_sample_is_told_and_drawn_by_the_seed(polytask, table, tmp_path):
    reports = []
    for k, words in enumerate((["--sample", 60], ["--sample", 60], ["--sample", 60, "--seed", 1])):
        assert polytask("fit", table, *SAME, *words, "--out", tmp_path / f"m{k}").code == 0
        reports.append(json.loads((tmp_path / f"m{k}" / "predictor.json").read_text())["report"])
    assert [report["n_rows"] for report in reports] == [60] * 3
    assert reports[0]["data"]["sample"] == {"n_rows": 60, "of_rows": 80, "random_state": 0}
    assert reports[0]["study"]["sample"] == 60
    assert reports[0]["tasks"] == reports[1]["tasks"] != reports[2]["tasks"]
    shown = polytask("tasks", table, "-t", "price", "--sample", 30)
    assert shown.code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["part-1.csv", "other.csv"], "other.csv"),
        (["part-1.csv", "part-*.csv"], "is named twice"),
        (["part-9*.csv"], "matches no file"),
        (["part-1.csv", "more.parquet"], "All files of a table must be of one format"),
        (["part-1.csv", "--sample", 0], "--sample must be a whole number >= 1; got 0"),
        (["part-1.csv", "--sample", "some"], "Invalid value for '--sample'"),
        (["part-1.csv", "narrow.csv"], "narrow.csv"),
    ],
)
def test_tables_that_cannot_be_one_are_told_in_one_line(polytask, parts, frame, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    frame.to_parquet("more.parquet")
    frame.drop(columns="area").to_csv("narrow.csv", index=False)
    for command, own in (("fit", ["--out", "m"]), ("compare", [])):
        shown = polytask(command, *words, *SAME, *own)
        assert shown.code == 2
        assert message in shown.err
        assert shown.err.count("\n") == 1
    assert not (tmp_path / "m").exists()


def test_files_of_a_pattern_are_not_written_over(polytask, parts, tmp_path):
    before = parts[0].read_bytes()
    shown = polytask("compare", tmp_path / "part-*.csv", *SAME, "--json", parts[0])
    assert shown.code == 2
    assert "--json must not be the file that is read" in shown.err
    assert parts[0].read_bytes() == before
