"""Replacing a model folder: the old one stays whole whatever happens."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from polytask.exceptions import ModelFolderError
from polytask.storage import JSONPart, read_folder, write_folder
from tests.storage._models import save


def name_in(path):
    return read_folder(path).json("task.json")["name"]


def test_an_existing_model_is_refused_unless_it_may_be_replaced(tmp_path):
    save(tmp_path / "model", value="old")
    with pytest.raises(ModelFolderError, match="already holds a model"):
        save(tmp_path / "model", value="new")
    assert name_in(tmp_path / "model") == "old"
    save(tmp_path / "model", value="new", overwrite=True)
    assert name_in(tmp_path / "model") == "new"
    assert os.listdir(tmp_path) == ["model"]


def test_folders_above_are_made_and_an_empty_folder_is_used(tmp_path):
    save(tmp_path / "a/b/model")
    (tmp_path / "empty").mkdir()
    save(tmp_path / "empty")
    assert name_in(tmp_path / "a/b/model") == name_in(tmp_path / "empty") == "price"


def test_the_disk_is_waited_for_unless_that_is_not_asked(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    write_folder(tmp_path / "quick", {"task.json": JSONPart({"name": "price"})}, kind="example", flush=False)
    assert not flushed
    assert name_in(tmp_path / "quick") == "price"
    write_folder(tmp_path / "sure", {"task.json": JSONPart({"name": "price"})}, kind="example")
    assert len(flushed) == 4  # two files and two folders


def test_what_is_not_ours_is_never_touched(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/cat.jpg").write_text("cat")
    (tmp_path / "file").write_text("text")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/manifest.json").write_text("{}")
    save(tmp_path / "mixed")
    (tmp_path / "mixed/diary.txt").write_text("mine")
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    for name, words in {
        "photos": "not a polytask model",
        "file": "is a file",
        "other": "is not replaced",
        "mixed": r"diary\.txt",
    }.items():
        with pytest.raises(ModelFolderError, match=words):
            save(tmp_path / name, overwrite=True)
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before


def test_a_link_to_a_model_folder_stays_a_link(tmp_path):
    save(tmp_path / "real", value="old")
    (tmp_path / "link").symlink_to("real")
    save(tmp_path / "link", value="new", overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert name_in(tmp_path / "real") == "new"


def fail_at(monkeypatch, function, call, error):
    """Make the call-th use of os.<function> by the storage room raise."""
    original, count = getattr(os, function), [0]

    def failing(*args, **kwargs):
        count[0] += 1
        if count[0] == call:
            raise error
        return original(*args, **kwargs)

    monkeypatch.setattr(os, function, failing)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize(("function", "calls"), [("fsync", 7), ("rename", 2)])
def test_any_failure_leaves_the_old_model_whole(tmp_path, monkeypatch, function, calls, error):
    save(tmp_path / "model", value="old")
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else ModelFolderError
    for call in range(1, calls + 1):
        with monkeypatch.context() as patch:
            fail_at(patch, function, call, error)
            with pytest.raises(expected):
                save(tmp_path / "model", value="new", overwrite=True)
        assert name_in(tmp_path / "model") == "old"
        assert os.listdir(tmp_path) == ["model"]


def test_a_part_that_fails_leaves_the_old_model_whole(tmp_path):
    save(tmp_path / "model", value="old")
    with pytest.raises(ModelFolderError):
        write_folder(tmp_path / "model", {"a.json": JSONPart(1), "b.json": JSONPart(object())}, kind="k", overwrite=True)
    assert name_in(tmp_path / "model") == "old"
    assert os.listdir(tmp_path) == ["model"]


def test_a_full_disk_is_explained(tmp_path, monkeypatch):
    fail_at(monkeypatch, "fsync", 1, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(
        ModelFolderError, match=r"could not be saved: the disk is full\. Nothing was left behind\. Free some space"
    ):
        save(tmp_path / "model")
    assert not any(tmp_path.iterdir())


@pytest.fixture
def small_disk(tmp_path):
    """A real disk of 1 MB, where this process may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.name == "nt" or shutil.which("mount") is None:
        pytest.skip("no mount command")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting needs more rights")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_is_really_full_leaves_the_old_model_whole(small_disk):
    write_folder(small_disk / "model", {"task.json": JSONPart({"name": "old"})}, kind="k")
    with pytest.raises(ModelFolderError, match=r"the disk is full\. The earlier model there is unchanged"):
        write_folder(small_disk / "model", {"task.json": JSONPart("x" * 2_000_000)}, kind="k", overwrite=True)
    assert name_in(small_disk / "model") == "old"
    assert os.listdir(small_disk) == ["model"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_without_permission_is_explained(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ModelFolderError, match="no permission"):
            save(tmp_path / "model")
    finally:
        tmp_path.chmod(0o700)


WRITE_FOREVER = """
import sys
from polytask.storage import JSONPart, write_folder
for i in range(10**9):
    write_folder(sys.argv[1], {f"{k}.json": JSONPart(i) for k in range(5)}, kind="k", overwrite=True)
    print(i, flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_model(tmp_path):
    path = tmp_path / "model"
    for delay in (0.0, 0.002, 0.005, 0.011, 0.02):
        with subprocess.Popen([sys.executable, "-c", WRITE_FOREVER, str(path)], stdout=subprocess.PIPE) as writer:
            writer.stdout.readline()
            time.sleep(delay)
            writer.send_signal(signal.SIGKILL)
        if not path.exists():  # killed between the two renames: the error says where the earlier one is
            with pytest.raises(ModelFolderError, match="rename it back"):
                read_folder(path)
            os.rename(next(tmp_path.glob(".model.old-*")), path)
        assert len({read_folder(path).json(f"{k}.json") for k in range(5)}) == 1
