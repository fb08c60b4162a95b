"""Whatever happens becomes one sentence and an exit code."""

import os
import subprocess
import sys
import warnings

import pytest

from polytask.cli import run
from polytask.cli._errors import guarded, telling_interrupts
from polytask.exceptions import DataError, ModelFolderError, OptionError, PolytaskWarning, TargetError


def raising(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize("kind", [OptionError, DataError, TargetError, ModelFolderError])
def test_what_polytask_explains_is_one_sentence_and_code_2(kind, capsys):
    assert guarded(raising(kind("Rows must be\n  more."))) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", "error: Rows must be more.\n")


def test_the_unexpected_is_one_sentence_code_1_and_says_how_to_see_more(capsys):
    assert guarded(raising(KeyError("x"))) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: something unexpected happened (KeyError: 'x').")
    assert "POLYTASK_TRACEBACK=1" in err
    assert err.count("\n") == 1


def test_the_traceback_is_shown_when_asked_for(capsys, monkeypatch):
    monkeypatch.setenv("POLYTASK_TRACEBACK", "1")
    assert guarded(raising(TargetError("No."))) == 2
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_ctrl_c_gives_130_and_tells_what_is_kept(capsys):
    error = KeyboardInterrupt()
    error.add_note("What was learned is kept.")
    assert guarded(telling_interrupts(raising(error))) == 130
    assert capsys.readouterr().err == "interrupted.\nWhat was learned is kept.\n"


def test_files_that_cannot_be_used_are_named(capsys):
    assert guarded(raising(FileNotFoundError(2, "No such file or directory", "a.csv"))) == 2
    assert capsys.readouterr().err == "error: 'a.csv': No such file or directory.\n"


def test_too_little_memory_is_told(capsys):
    assert guarded(raising(MemoryError())) == 1
    assert "not enough memory" in capsys.readouterr().err


def test_our_warnings_become_lines_each_once(capsys):
    def command():
        for _ in range(2):
            warnings.warn("Column 'a' is\nconstant.", PolytaskWarning, stacklevel=1)
        warnings.warn("of a library", UserWarning, stacklevel=1)
        return 0

    assert guarded(command) == 0
    assert capsys.readouterr().err == "warning: Column 'a' is constant.\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "No such command 'train'"),
        (["fit", "--targett", "y"], "No such option: --targett"),
        (["fit"], "No table is given"),
        (["compare", "a.csv", "--repeats", "many"], "Invalid value for '--repeats'"),
        (["fit", "a.csv", "--unlearnable", "maybe"], "Invalid value for '--unlearnable'"),
    ],
)
def test_wrong_usage_is_one_line_with_code_2(words, message, capsys):
    assert run(words) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.startswith("error: ")
    assert err.rstrip().endswith("--help'.")
    assert err.count("\n") == 1


def test_no_command_shows_the_help(capsys):
    assert run([]) == 2
    captured = capsys.readouterr()
    assert "Usage: polytask" in captured.out + captured.err
    assert "error" not in captured.err


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from polytask.cli import run; assert run(['fit', '--help']) == 0; "
        "print([name for name in ('torch', 'pandas', 'sklearn', 'numpy', 'lightgbm', 'pyarrow') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.rstrip().endswith("[]")


def test_a_reader_that_goes_away_is_not_complained_about():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        done = subprocess.run([sys.executable, "-m", "polytask", "--help"], stdout=closed, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == ""


def test_a_broken_pipe_in_a_command_is_not_complained_about():
    code = "from polytask.cli._errors import guarded; import sys; sys.exit(guarded(lambda: print('x' * 100_000) or 0))"
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        done = subprocess.run([sys.executable, "-c", code], stdout=closed, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "")


def test_ways_out_are_told_as_they_are_typed(capsys):
    def command():
        warnings.warn("Take it (--yes sure, yes='sure').", PolytaskWarning, stacklevel=2)
        raise ModelFolderError("Choose another path, or allow it to be replaced (--overwrite, overwrite=True).")

    assert guarded(command) == 2
    told = capsys.readouterr().err.splitlines()
    assert told == ["warning: Take it (--yes sure).", "error: Choose another path, or allow it to be replaced (--overwrite)."]
