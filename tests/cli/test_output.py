"""Files that commands write."""

import errno
import json
import os

import pandas as pd
import pytest

from polytask.cli._output import check_output, check_table_suffix, write_bytes, write_json, write_table
from polytask.exceptions import ModelFolderError, OptionError


@pytest.fixture
def frame():
    return pd.DataFrame({"a": ["x", "y"], "b:p(1)": [0.25, None]}, index=[5, 6])


@pytest.mark.parametrize(("suffix", "sep"), [(".csv", ","), (".tsv", "\t"), (".csv.gz", ","), (".tsv.gz", "\t")])
def test_text_tables_are_written_by_suffix(tmp_path, frame, suffix, sep):
    write_table(tmp_path / f"out{suffix}", frame)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / f"out{suffix}", sep=sep), frame.reset_index(drop=True))


def test_parquet_is_written_by_suffix(tmp_path, frame):
    write_table(tmp_path / "out.parquet", frame)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out.parquet"), frame.reset_index(drop=True))


def test_the_same_table_gives_the_same_gzipped_bytes(tmp_path, frame):
    for name in ("a.csv.gz", "b.csv.gz"):
        write_table(tmp_path / name, frame)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


def test_a_full_disk_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "out.csv"
    path.write_text("old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelFolderError, match=r"out.csv' could not be saved: the disk is full"):
        write_bytes(path, b"new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.csv"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_device_is_written_to_as_it_is():
    with pytest.raises(OSError, match="No space left"):
        write_bytes(__import__("pathlib").Path("/dev/full"), b"new")


def test_json_is_strict_and_readable(tmp_path):
    write_json(tmp_path / "a.json", {"é": None})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"é": None}
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"a": float("nan")})


def test_no_place_to_write_is_told_before_the_work(tmp_path):
    with pytest.raises(OptionError, match="The folder of --json is not there"):
        check_output(tmp_path / "no" / "out.json", option="--json")
    with pytest.raises(OptionError, match="--json must be a file; got the folder"):
        check_output(tmp_path, option="--json")


def test_the_input_is_never_overwritten(tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("a\n1\n")
    with pytest.raises(OptionError, match="must not be the file that is read"):
        check_output(tmp_path / "." / "a.csv", option="--out", inputs=(table,))


def test_an_unknown_kind_of_table_is_told(tmp_path):
    with pytest.raises(OptionError, match=r"--out must end in \.csv, \.tsv"):
        check_table_suffix(tmp_path / "out.xlsx", option="--out")


def test_a_command_without_formats_does_not_speak_of_them(polytask, tmp_path):
    shown = polytask("demo", "--report", tmp_path / "x.docx")
    assert shown.code == 2
    assert shown.err.strip() == (
        f"error: A report must end in .html, .htm, .pdf, .md, .markdown, .json; got '{tmp_path / 'x.docx'}'."
    )
