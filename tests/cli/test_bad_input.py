"""Every line of bad input gives one clear sentence and code 2, and leaves no trace."""

import errno
import os
import shutil

import numpy as np
import pytest

from tests.cli.conftest import make_frame


def told(shown):
    """The one line on stderr of a command that could not be done."""
    assert shown.code == 2
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    return lines[0]


@pytest.fixture(params=["fit", "compare", "tasks"])
def learn(request, polytask, table):
    """A command that reads a table to learn from."""

    def call(*words):
        own = {
            "fit": ["--out", table.with_name("model"), "-q", "--max-steps", 5],
            "compare": ["-q", "--max-steps", 5, "--repeats", 1],
            "tasks": [],
        }[request.param]
        return polytask(request.param, table, *words, *own)

    yield call
    assert not table.with_name("model").exists()
    assert not table.with_name("model.run").exists()


def test_a_target_that_is_not_there(learn):
    assert told(learn("-t", "prise")) == "error: Target 'prise' is not in the table. Did you mean 'price'?"


def test_no_target_at_all(learn):
    assert "No target is given" in told(learn())


def test_an_unknown_kind(learn):
    assert "unknown kind 'ordnal'" in told(learn("-t", "grade:ordnal"))


def test_the_same_target_twice(learn):
    assert "Column 'price' is in two targets" in told(learn("-t", "price", "-t", "p*"))


def test_a_kind_that_does_not_fit_the_column(learn):
    assert "'city'" in told(learn("-t", "city:regression"))
    assert "'price'" in told(learn("-t", "price:binary"))


def test_a_file_that_is_not_there(learn, table):
    table.rename(table.with_name("trains.csv"))
    assert "Did you mean 'trains.csv'?" in told(learn("-t", "price"))


def test_an_empty_file(learn, table):
    table.write_text("")
    assert "is empty" in told(learn("-t", "price"))


def test_a_header_only(learn, table):
    table.write_text("area,price\n")
    assert "has a header but no rows" in told(learn("-t", "price"))


def test_one_value_only(learn, table, frame):
    frame.assign(sold="yes").to_csv(table, index=False)
    message = told(learn("-t", "price", "-t", "sold"))
    assert "'sold' cannot be learned: it has one value only" in message
    assert "--unlearnable skip" in message


def test_all_labels_missing(learn, table, frame):
    frame.assign(price=np.nan).to_csv(table, index=False)
    message = told(learn("-t", "price", "-t", "sold"))
    assert "all its labels are missing" in message
    assert "--unlearnable skip" in message


def test_nothing_left_to_learn(learn, table, frame):
    frame.assign(price=np.nan, sold="yes").to_csv(table, index=False)
    assert "No target is left to learn" in told(learn("-t", "price", "-t", "sold", "--unlearnable", "skip"))


def test_infinite_labels(learn, table, frame):
    frame.loc[3, "price"] = np.inf
    frame.to_csv(table, index=False)
    assert "infinite" in told(learn("-t", "price", "-t", "visits"))


def test_infinite_inputs(learn, table, frame):
    frame.loc[3, "area"] = -np.inf
    frame.to_csv(table, index=False)
    assert "'area' must hold finite numbers" in told(learn("-t", "price", "-t", "visits"))


def test_a_column_name_twice(learn, table):
    table.write_text("area,price,area\n1,2,3\n")
    assert "more than one 'area'" in told(learn("-t", "price"))


def test_bytes_that_are_not_utf8(learn, table):
    table.write_bytes("area,price,ort\n1,2,Köln\n".encode("latin-1"))
    assert "is not UTF-8 text: byte 0xf6" in told(learn("-t", "price"))


def test_a_target_that_is_ignored_too(learn):
    assert "Column 'price' is a target and is given to --ignore too" in told(learn("-t", "price", "--ignore", "price"))


def test_no_input_left(learn, table):
    table.write_text("a,b\n" + "\n".join(f"{i * i % 7 + i / 2},{i % 5 + i / 3}" for i in range(30)))
    assert "input" in told(learn("-t", "a", "-t", "b"))


def test_fewer_rows_than_folds(polytask, table, frame):
    frame.head(4).assign(price=[1.5, 2.5, 3.5, 4.5], sold=["a", "b", "a", "b"]).to_csv(table, index=False)
    message = told(polytask("compare", table, "-t", "price", "-t", "sold", "--folds", 5))
    assert "5" in message
    assert "4" in message


def test_one_fold(polytask, table):
    assert "--folds must be a whole number >= 2, or leave-one-group-out; got '1'." in told(
        polytask("compare", table, "-t", "price", "-t", "sold", "--folds", 1)
    )


@pytest.mark.parametrize("seconds", [-1, 0])
def test_a_time_limit_that_is_not_positive(polytask, table, seconds):
    message = told(polytask("fit", table, "-t", "price", "--out", table.with_name("model"), f"--time-limit={seconds}"))
    assert f"--time-limit must be a number > 0; got {seconds:g}" in message


@pytest.mark.parametrize("option", ["--max-steps", "--epochs", "--threads"])
def test_numbers_below_one(polytask, table, option):
    message = told(polytask("fit", table, "-t", "price", "--out", table.with_name("model"), option, 0))
    assert "1" in message  # the least value is named
    assert not table.with_name("model").exists()


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_folder_that_is_no_model(polytask, table, tmp_path, fitted, command):
    words = ["--out", tmp_path / "p.csv"] if command == "predict" else []
    assert "nowhere" in told(polytask(command, tmp_path / "nowhere", table, *words))
    told(polytask(command, table, table, *words))
    (tmp_path / "empty").mkdir()
    assert "empty" in told(polytask(command, tmp_path / "empty", table, *words))
    for name in ("network.safetensors", "predictor.json", "manifest.json"):
        copy = shutil.copytree(fitted, tmp_path / f"cut-{name}")
        (copy / name).write_bytes((copy / name).read_bytes()[:-10])
        assert "damaged" in told(polytask(command, copy, table, *words))
        (copy / name).unlink()
        told(polytask(command, copy, table, *words))
    assert not (tmp_path / "p.csv").exists()


def test_new_data_that_lack_a_needed_column(polytask, table, tmp_path, fitted, frame):
    frame.drop(columns=["area"]).rename(columns={"rooms": "room"}).to_csv(table, index=False)
    message = told(polytask("predict", fitted, table, "--out", tmp_path / "p.csv", "-q"))
    assert "'area', 'rooms'" in message


@pytest.fixture
def full_disk(monkeypatch):
    """Every flush to the disk fails from now on."""

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    return lambda: monkeypatch.setattr(os, "fsync", full)


def test_a_full_disk_leaves_the_old_model_whole(polytask, table, full_disk):
    model = table.with_name("model")
    words = ["fit", table, "-t", "price", "-t", "visits", "--out", model, "-q", "--max-steps", 5, "--overwrite"]
    assert polytask(*words).code == 0
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    full_disk()
    assert "the disk is full" in told(polytask(*words, "--seed", 1))
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before


@pytest.mark.parametrize("command", ["predict", "evaluate", "compare"])
def test_a_full_disk_leaves_the_old_result_whole(polytask, table, fitted, full_disk, tmp_path, command):
    result = tmp_path / "result.csv"
    result.write_text("old")
    words = {
        "predict": ["predict", fitted, table, "--out", result],
        "evaluate": ["evaluate", fitted, table, "--json", result],
        "compare": [
            "compare",
            table,
            "-t",
            "price",
            "-t",
            "visits",
            "--max-steps",
            5,
            "--folds",
            2,
            "--repeats",
            1,
            "--report",
            result,
            "--format",
            "md",
        ],
    }[command]
    full_disk()
    assert "the disk is full" in told(polytask(*words, "-q"))
    assert result.read_text() == "old"


def test_every_option_of_every_command_is_used():
    """No option may be accepted and ignored: each parameter of its own is read in the body of its command."""
    import dis
    import inspect

    from polytask.cli._app import app

    for command in app.registered_commands:
        function = inspect.unwrap(command.callback)
        read = {i.argval for i in dis.get_instructions(function) if i.opname.startswith("LOAD_FAST")}
        read |= {name for i in dis.get_instructions(function) if isinstance(i.argval, tuple) for name in i.argval}
        parameters = function.__code__.co_varnames[: function.__code__.co_argcount]
        assert set(parameters) - {"schema"} <= read, command  # it prints and leaves before the command


def test_the_frame_has_rows():
    assert len(make_frame(3)) == 3


@pytest.mark.parametrize("out", ["", ".", "..", "/"])
def test_a_model_needs_a_folder_of_its_own(polytask, table, out):
    assert told(polytask("fit", table, "-t", "price", "--out", out)) == (
        f"error: --out must be a folder to make; got '{out or chr(46)}'."
    )


@pytest.mark.parametrize("name", ["x.parquet", "x.xlsx", "x.arrow", "x.feather"])
def test_a_file_that_is_not_what_its_name_says(polytask, tmp_path, name):
    (tmp_path / name).write_text("zip")
    assert f"{name} is no " in told(polytask("tasks", tmp_path / name, "-t", "price"))


def test_a_mapping_as_a_label(polytask, tmp_path):
    (tmp_path / "x.jsonl").write_text('{"a": 1, "y": {"k": 2}}\n{"a": 2, "y": {"k": 3}}\n')
    assert "Task 'y' has a dict as a label" in told(polytask("tasks", tmp_path / "x.jsonl", "-t", "y"))


def test_a_folder_that_cannot_be_written_to_is_told_before_the_work(polytask, table, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    shown = polytask("compare", table, "-t", "price", "--json", tmp_path / "c.json")
    assert "The folder of --json cannot be written to" in told(shown)


def test_a_gap_below_zero_is_one_whole_sentence(polytask, table):
    said = told(polytask("tasks", table, "-t", "price", "--time", "area", "--gap", "-1"))
    assert said.endswith("and not negative; got '-1'.")
    said = told(polytask("tasks", table, "-t", "price", "--time", "area", "--gap", "1 month"))
    assert said.endswith("got '1 month'. Months and years differ in length; write days or weeks.")


def test_a_table_of_data_without_its_target_is_named(polytask, table):
    other = table.with_name("other.csv")
    other.write_text("a,b\n1,2\n")
    said = told(polytask("tasks", "--data", f"price={table}", "--data", f"sold={other}"))
    assert said == f"error: The table '{other}' of --data: Target 'sold' is not in the table. Columns are 'a', 'b'."


def test_a_setting_of_a_wrong_kind_is_told(learn, request):
    if "tasks" not in request.node.name:
        said = told(learn("-t", "price", "--balancing", "cagrad:c=foo"))
        assert said.endswith("'c' of CAGrad must be a number; got 'foo'.")


def test_one_group_to_train_on_is_said_in_the_singular(polytask, table, frame):
    frame.assign(site=["a", "b"] * (len(frame) // 2)).to_csv(table, index=False)
    said = told(polytask("compare", table, "-t", "price", "-t", "sold", "--group", "site", "--folds", 2, "--repeats", 1, "-q"))
    assert "trains on rows of 1 group, which do not allow" in said
