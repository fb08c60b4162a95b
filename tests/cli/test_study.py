"""A study file in place of options: the same run, and what is given besides goes before it."""

import ast
import inspect
import json
import typing
from pathlib import Path

import pytest
import yaml

from polytask import automatic, cli
from polytask.automatic import CompareOptions, FitOptions, Study
from polytask.cli import _options
from tests.cli.conftest import target_words

GROUPED = {
    name: annotation
    for group in (_options.TABLE, _options.COLUMNS, _options.READING, _options.TRAINING, _options.FIT, _options.COMPARE)
    for name, (annotation, _) in group.items()
}
SECTIONS = {"fit": FitOptions, "compare": CompareOptions}


def commands():
    from typer.main import get_command

    from polytask.cli._app import app

    return get_command(app).commands  # type: ignore[attr-defined]


def fields_of(command):
    """Name to field of all that the command has in a study."""
    shared = {name: field for name, field in Study.model_fields.items() if name not in SECTIONS}
    return shared | {field.alias or name: field for name, field in SECTIONS[command].model_fields.items()}


@pytest.mark.parametrize("command", ["fit", "compare"])
def test_the_options_of_a_command_are_the_fields_of_its_study(command):
    options = {parameter.name: parameter for parameter in commands()[command].params}
    not_in_a_study = {"quiet", "overwrite", "resume", "help"}
    fields = fields_of(command)
    assert set(options) - not_in_a_study == set(fields)
    for name, field in fields.items():
        option = options[name]
        if name != "table":
            assert f"--{name.replace('_', '-')}" in option.opts
        default = field.get_default(call_default_factory=True)
        assert option.default == (None if default in ([], {}) else default), name
        if name not in ("folds", "class_weight", "column"):  # a number or one text; pairs of texts
            assert choices(GROUPED[name]) == choices(field.annotation), name


def choices(annotation):
    """The texts of the Literals in an annotation, however deep."""
    if typing.get_origin(annotation) is typing.Literal:
        return set(typing.get_args(annotation))
    return {text for inner in typing.get_args(annotation) if not isinstance(inner, str) for text in choices(inner)}


@pytest.mark.parametrize("command", ["fit", "compare"])
def test_every_field_of_a_study_is_read(command):
    """No field may be accepted and ignored."""
    room = Path(inspect.getfile(automatic)).parent
    files = [*Path(inspect.getfile(cli)).parent.glob("*.py"), room / "_study_run.py", room / "_study_table.py"]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    read = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert {*Study.model_fields, *SECTIONS[command].model_fields} <= read


@pytest.fixture
def study(tmp_path, table):
    """A study of the table, in its folder."""
    path = tmp_path / "study.yaml"

    def write(**fields):
        content = {"table": "train.csv", "target": ["price", "sold"], "ignore": "id", "max_steps": 5, **fields}
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return path

    return write


SAME = ["-t", "price", "-t", "sold", "--ignore", "id", "--max-steps", 5]


def skills(folder):
    report = json.loads((folder / "predictor.json").read_text())["report"]
    return {name: task["validation"] for name, task in report["tasks"].items()}


def test_a_fit_of_a_study_is_that_of_its_options(polytask, table, study, tmp_path):
    file = study(seed=3, fit={"out": "a"})
    assert polytask("fit", file, "-q") == (0, "", "")
    assert polytask("fit", table, *SAME, "--seed", 3, "--out", tmp_path / "b", "-q") == (0, "", "")
    assert skills(tmp_path / "a") == skills(tmp_path / "b")
    for name in "ab":
        polytask("predict", tmp_path / name, table, "--out", tmp_path / f"{name}.csv", "-q")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_the_study_of_a_model_folder_gives_the_same_numbers(polytask, table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [*target_words(), "--ignore", "id", "--max-steps", 5, "--seed", 2]
    assert polytask("fit", "train.csv", *words, "--out", "a", "-q").code == 0
    assert yaml.safe_load((tmp_path / "a" / "study.yaml").read_text())["table"] == ["../train.csv"]
    assert yaml.safe_load((tmp_path / "a" / "study.yaml").read_text())["fit"] == {"out": ".", "preset": "network"}
    shown = polytask("fit", "a/study.yaml", "-q")
    assert shown.code == 2
    assert "a" in shown.err  # the model is there already
    assert polytask("fit", "a/study.yaml", "--out", "b", "-q") == (0, "", "")
    assert skills(tmp_path / "a") == skills(tmp_path / "b")
    assert "Study" not in (tmp_path / "b" / "study.yaml").read_text()


def test_the_study_of_a_fit_report_is_seen_from_its_page(polytask, table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pages").mkdir()
    assert polytask("fit", "train.csv", *SAME, "--out", "a", "--report", "pages/a.html", "-q").code == 0
    told = json.loads((tmp_path / "a" / "predictor.json").read_text())["report"]["study"]
    assert told["table"] == ["../train.csv"]
    assert told["fit"] == {"out": "../a", "report": "a.html", "preset": "network"}


def test_the_study_of_a_comparison_gives_the_same_numbers(polytask, table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [*SAME, "--folds", 2, "--repeats", 2, "--metric", "sold=roc_auc", "--seed", 4]
    assert polytask("compare", "train.csv", *words, "-q", "--json", "a.json").code == 0
    told = json.loads((tmp_path / "a.json").read_text())
    assert told["study"]["compare"] == {"folds": 2, "repeats": 2, "metric": {"sold": "roc_auc"}, "json": "a.json"}
    (tmp_path / "again.yaml").write_text(yaml.safe_dump(told["study"]))
    assert polytask("compare", "again.yaml", "-q", "--json", "b.json").code == 0
    again = json.loads((tmp_path / "b.json").read_text())
    assert (again["tasks"], again["mean"]) == (told["tasks"], told["mean"])


def test_what_is_given_besides_goes_before_the_study(polytask, study, tmp_path, frame):
    file = study(fit={"out": "a", "time_limit": 1000}, seed=3)
    frame.head(70).to_csv(tmp_path / "other.csv", index=False)
    words = [tmp_path / "other.csv", "-t", "visits:count", "--seed", 0, "--out", tmp_path / "b", "-q"]
    assert polytask("fit", file, *words) == (0, "", "")
    told = yaml.safe_load((tmp_path / "b" / "study.yaml").read_text())
    assert told["target"] == ["visits:count"]
    assert told["seed"] == 0
    assert told["max_steps"] == 5
    assert told["fit"]["time_limit"] == 1000
    assert Path(told["table"][0]).name == "other.csv"


def test_tasks_reads_a_study_too(polytask, study):
    shown = polytask("tasks", study(target=["grade:ordinal"]), "-t", "visits:count")
    assert shown.code == 0
    assert "visits   count" in shown.out
    assert "grade:ordinal" not in shown.out


@pytest.mark.parametrize("command", ["fit", "compare", "init", "tasks"])
@pytest.mark.parametrize(
    ("fields", "words", "message"),
    [
        ({"targets": "price"}, [], "study.yaml, line 7: `targets` is not a field. Did you mean 'target'?"),
        ({"seed": "one"}, [], "study.yaml, line 7: `seed` must be a whole number; got 'one'."),
        ({"table": None}, [], "No table is given"),
        ({"table": "trian.csv"}, [], "trian.csv"),
        ({}, ["other.yaml"], "'other.yaml' is a study, which must be the first file and the only study."),
    ],
)
def test_a_study_that_cannot_be_used_is_told_in_one_line(polytask, study, tmp_path, command, fields, words, message):
    own = ["--out", tmp_path / "new.yaml"] if command == "init" else ["--out", tmp_path / "m"] if command == "fit" else []
    shown = polytask(command, study(**fields), *words, *own)
    assert shown.code == 2
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert not (tmp_path / "m").exists()


def test_a_study_that_is_not_there_is_told(polytask, tmp_path):
    shown = polytask("fit", tmp_path / "no.yaml", "--out", tmp_path / "m")
    assert shown == (2, "", f"error: The study '{tmp_path / 'no.yaml'}' cannot be read: No such file or directory.\n")


def test_a_fit_needs_a_place_for_its_model(polytask, study):
    shown = polytask("fit", study())
    assert shown.code == 2
    assert "--out must name the model folder to write (`out` of `fit` in a study); got none." in shown.err


def test_the_study_is_not_written_over(polytask, study, tmp_path):
    file = study(fit={"out": "m"})
    before = file.read_text()
    shown = polytask("fit", file, "--report", file)
    assert shown.code == 2
    assert "--report must not be the file that is read" in shown.err
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"decimal": ";"}, "`decimal` must be '.' or ','; got ';'."),
        ({"target": ["price:regresion"]}, "Target 'price:regresion' has the unknown kind 'regresion'"),
        ({"loss": {"prise": "mae"}}, "`loss` names 'prise', which is no target. Did you mean 'price'?"),
        ({"ignore": ["citty"]}, "Column 'citty' of `ignore` is not in the table. Did you mean 'city'?"),
        ({"gap": 3}, "`gap` 3 is between rows in order of --time, the column of times; got none."),
    ],
)
def test_what_only_the_table_shows_to_be_wrong_is_told_with_its_line(polytask, study, fields, message):
    file = study(**fields)
    shown = polytask("tasks", file)
    assert shown.code == 2
    assert shown.err.startswith(f"error: {file}, line ")
    assert message in shown.err


def test_an_option_overrules_what_is_wrong_in_the_study(polytask, study):
    assert polytask("tasks", study(decimal=";"), "--decimal", ".").code == 0
