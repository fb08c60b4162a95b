"""Checkpoints survive a kill at any moment."""

import errno
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from polytask.exceptions import ModelFolderError
from polytask.storage import read_checkpoint, write_checkpoint, write_file


def test_tensors_and_state_come_back(tmp_path):
    tensors = {
        "w": torch.randn(3, generator=torch.Generator().manual_seed(0)),
        "rng": torch.get_rng_state(),
        "n": np.int64([2**62]),
    }
    write_checkpoint(tmp_path / "run/c.polytask", tensors, {"epoch": 3, "big": 2**200})
    found = read_checkpoint(tmp_path / "run/c.polytask")
    assert found.state == {"epoch": 3, "big": 2**200}
    assert torch.equal(found.tensors["w"], tensors["w"])
    assert torch.equal(found.tensors["rng"], tensors["rng"])
    assert found.tensors["n"].tolist() == [2**62]


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "c.polytask"
    write_checkpoint(path, {"w": torch.ones(3)}, {"epoch": 3})
    content = path.read_bytes()
    for position in range(len(content)):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        with pytest.raises(ModelFolderError):
            read_checkpoint(path)
        path.write_bytes(content[:position])
        with pytest.raises(ModelFolderError):
            read_checkpoint(path)


def test_a_missing_foreign_or_newer_checkpoint_is_refused(tmp_path):
    path = tmp_path / "c.polytask"
    with pytest.raises(ModelFolderError, match="There is no checkpoint"):
        read_checkpoint(path)
    for content in (b"", b"hello\n", b"null\n", b'{"format": "polytask.checkpoint", "version": 2}\n', b"\xff" * 5000):
        path.write_bytes(content)
        with pytest.raises(ModelFolderError, match=r"is not a polytask checkpoint|Upgrade polytask"):
            read_checkpoint(path)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_full_disk_or_an_interrupt_keeps_the_earlier_checkpoint(tmp_path, monkeypatch, error):
    path = tmp_path / "c.polytask"
    write_checkpoint(path, {}, {"epoch": 1})

    def fail(_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises((ModelFolderError, KeyboardInterrupt)):
            write_checkpoint(path, {}, {"epoch": 2})
    assert read_checkpoint(path).state == {"epoch": 1}
    assert os.listdir(tmp_path) == ["c.polytask"]


def test_a_device_that_is_full_is_explained():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    from polytask.storage._files import explain_write_error, write_and_flush

    with pytest.raises(OSError, match="No space") as caught:
        write_and_flush("/dev/full", b"x")
    assert "the disk is full" in explain_write_error("c", caught.value, kept="Kept.")


def test_write_file_replaces_the_whole_file(tmp_path):
    write_file(tmp_path / "a.txt", b"long text")
    write_file(tmp_path / "a.txt", b"short")
    assert (tmp_path / "a.txt").read_bytes() == b"short"
    with pytest.raises(ModelFolderError, match="could not be saved"):
        write_file(tmp_path / "a.txt/b.txt", b"x")


WRITE_FOREVER = """
import sys, torch
from polytask.storage import write_checkpoint
for step in range(10**9):
    write_checkpoint(sys.argv[1], {"w": torch.full((20_000,), float(step))}, {"step": step})
    print(step, flush=True)
"""


def test_a_run_killed_at_random_moments_always_leaves_a_whole_checkpoint(tmp_path):
    path, waits = tmp_path / "c.polytask", random.Random(0)
    for _ in range(4):
        with subprocess.Popen([sys.executable, "-c", WRITE_FOREVER, str(path)], stdout=subprocess.PIPE) as writer:
            told = int(writer.stdout.readline())
            time.sleep(waits.uniform(0, 0.03))
            writer.send_signal(signal.SIGKILL)
            told = max([told, *(int(line) for line in writer.stdout.read().split())])
        found = read_checkpoint(path)
        assert found.state["step"] >= told
        assert torch.equal(found.tensors["w"], torch.full((20_000,), float(found.state["step"])))
    assert len(os.listdir(tmp_path)) <= 2  # one temporary file at most, and it is used again
