"""``polytask init``: a study that says what would be learned and runs as it is."""

import json
import os

import pytest

from polytask.automatic import Study, read_study
from tests.cli.conftest import target_words


@pytest.fixture
def study(tmp_path):
    return tmp_path / "study.yaml"


def test_the_study_of_named_targets_runs_as_it_is(polytask, table, study, tmp_path):
    shown = polytask("init", table, *target_words(), "--ignore", "id", "--out", study)
    assert shown == (0, f"Study: {study}\nRead it, then run: polytask compare {study}\n", "")
    text = study.read_text()
    assert "- price  # regression: " in text
    assert "- grade:ordinal  # ordinal: as you said\n" in text
    assert "- tags=y_*:multilabel  # multilabel: as you said\n" in text
    assert "# - rooms  # multiclass: " in text
    assert "No target was named" not in text
    assert polytask("fit", study, "-q", "--max-steps", 5) == (0, "", "")
    assert (tmp_path / "model" / "manifest.json").exists()
    assert polytask("compare", study, "-q", "--max-steps", 5, "--repeats", 1, "--folds", 2).code == 0
    assert (tmp_path / "comparison.html").exists()


def test_without_targets_the_last_column_or_those_named_so_are_taken(polytask, table, study, frame):
    frame.drop(columns=["y_sun", "y_sea"]).to_csv(table, index=False)
    assert polytask("init", table, "--out", study, "-q").code == 0
    assert read_study(study).target == ["visits"]
    assert "the last column is guessed" in study.read_text()
    frame.to_csv(table, index=False)
    assert polytask("init", table, "--out", study, "-q", "--overwrite").code == 0
    assert read_study(study).target == ["y_sun", "y_sea"]
    assert "columns named like targets are guessed below" in study.read_text()
    assert "# - price  # regression" in study.read_text()
    assert "- id" not in study.read_text()
    assert polytask("fit", study, "-q", "--max-steps", 5).code == 0


def test_a_guessed_study_compares_as_it_is(polytask, table, study, frame):
    frame.drop(columns=["y_sun", "y_sea"]).to_csv(table, index=False)
    polytask("init", table, "--out", study, "-q")
    assert polytask("compare", study, "-q", "--max-steps", 5, "--repeats", 1, "--folds", 2).code == 0


def test_derived_targets_patterns_groups_and_times_have_their_reasons(polytask, table, study, frame):
    frame.assign(day=range(80), school=[k % 2 for k in range(80)]).to_csv(table, index=False)
    words = ["-t", "visits>2 as busy", "-t", "y_*", "-t", "price", "--task-by", "school", "--time", "day", "--gap", "3"]
    assert polytask("init", table, *words, "--out", study, "-q").code == 0
    text = study.read_text()
    assert "- visits>2 as busy  # binary: made by" in text
    assert "- y_*  # binary: " in text
    assert "(the first of 4 tasks)" in text
    assert "- price  # regression: " in text
    assert "# - visits" not in text  # a source of labels is no further target
    found = read_study(study)
    assert (found.task_by, found.time, found.gap) == ("school", "day", "3")
    assert polytask("fit", study, "-q", "--max-steps", 5).code == 0


def test_tables_of_targets_are_kept(polytask, table, study):
    assert polytask("init", "--data", f"price={table}", "--out", study, "-q").code == 0
    assert read_study(study).data.keys() == {"price"}
    assert "No target was named" not in study.read_text()
    assert polytask("fit", study, "-q", "--max-steps", 5).code == 0


def test_a_copy_of_a_target_is_ignored_and_said_why(polytask, table, study, frame):
    frame.assign(cost=2 * frame["price"] + 1).to_csv(table, index=False)
    assert polytask("init", table, "-t", "price", "--out", study, "-q") == (0, "", "")
    assert "- cost  # a perfect copy of the target 'price'" in study.read_text()
    assert read_study(study).ignore == ["cost"]


def test_paths_are_written_as_seen_from_the_study(polytask, table, tmp_path, monkeypatch):
    (tmp_path / "studies").mkdir()
    monkeypatch.chdir(tmp_path)
    assert polytask("init", "train.csv", "-t", "price", "--out", "studies/a.yaml", "-q").code == 0
    text = (tmp_path / "studies" / "a.yaml").read_text()
    assert "- ../train.csv" in text
    assert "out: model" in text
    monkeypatch.chdir("/" if os.name != "nt" else tmp_path.anchor)
    assert polytask("fit", tmp_path / "studies" / "a.yaml", "-q", "--max-steps", 5).code == 0
    assert (tmp_path / "studies" / "model" / "study.yaml").exists()


def test_options_are_kept(polytask, table, study, frame):
    frame.assign(w=1.5, who="x").to_csv(table, index=False, sep=";", decimal=",")
    words = ["--group", "who", "--weight", "w", "--sep", ";", "--decimal", ",", "--missing", "-", "--no-default-missing"]
    assert polytask("init", table, "-t", "price", *words, "--unlearnable", "skip", "--out", study, "-q").code == 0
    found = read_study(study)
    assert (found.group, found.weight, found.sep, found.decimal, found.missing) == ("who", "w", ";", ",", ["-"])
    assert (found.no_default_missing, found.unlearnable) == (True, "skip")


def test_names_with_signs_come_through(polytask, table, study, frame):
    odd = {"price": "p: #1", "sold": "- no", "visits": "null"}
    frame.rename(columns=odd).to_csv(table, index=False)
    words = [word for name in odd.values() for word in ("-t", name)]
    assert polytask("init", table, *words, "--out", study, "-q", "--overwrite").code == 0
    assert read_study(study).target == list(odd.values())


def test_the_schema_is_printed_without_a_table(polytask):
    shown = polytask("init", "--schema")
    assert (shown.code, shown.err) == (0, "")
    assert json.loads(shown.out) == Study.model_json_schema()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "No table is given: name the file to learn from, or a study that names it (`table`). See 'polytask init --help'."),
        (["no.csv"], "no.csv"),
        (["TABLE", "-t", "prise"], "Did you mean 'price'?"),
        (["TABLE", "--out", "study.json"], "--out must end in .yaml or .yml; got 'study.json'."),
        (["TABLE", "--out", "nowhere/study.yaml"], "The folder of --out is not there"),
        (["TABLE", "--ignore", "x"], "Column 'x' of --ignore is not in the table."),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(polytask, table, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    shown = polytask("init", *[table if word == "TABLE" else word for word in words])
    assert shown.code == 2
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert not list(tmp_path.glob("*.yaml"))


def test_a_study_that_is_there_is_not_replaced(polytask, table, study):
    study.write_text("mine")
    shown = polytask("init", table, "-t", "price", "--out", study)
    assert shown.code == 2
    assert "is there already" in shown.err
    assert study.read_text() == "mine"


def test_a_table_in_which_nothing_can_be_learned(polytask, table, study):
    table.write_text("a,b\n1,x\n1,x\n1,x\n")
    shown = polytask("init", table, "--out", study)
    assert shown.code == 2
    assert "No column can be learned" in shown.err
