"""Writing and reading a model folder."""

import json
import os
import shutil

import numpy as np
import pytest
import torch

from polytask.exceptions import ModelFolderError
from polytask.storage import JSONPart, TensorsPart, TextPart, read_folder, write_folder
from polytask.storage import _manifest as manifest_module
from tests.storage._models import TENSORS, save


@pytest.fixture
def model(tmp_path):
    save(tmp_path / "model")
    return tmp_path / "model"


def bits(tensor):
    return tensor.dtype, tensor.shape, tensor.contiguous().reshape(-1).view(torch.uint8).tolist() if tensor.numel() else []


def test_everything_comes_back_bit_for_bit(model):
    folder = read_folder(model)
    assert folder.json("task.json") == {"name": "price", "levels": [1, 2.5, None, True], "ü": "ß"}
    assert folder.text("notes.txt") == "a\r\nb"
    assert folder.raw("model.bin") == b"\x00\xff"
    tensors = folder.tensors("members/0/weights.safetensors")
    assert {name: bits(tensor) for name, tensor in tensors.items()} == {name: bits(tensor) for name, tensor in TENSORS.items()}
    assert (folder.manifest.kind, folder.manifest.meta, folder.unlisted) == ("predictor", {"n_rows": 3}, ())
    assert {"python", "torch", "numpy"} <= folder.manifest.versions.keys()


def test_numpy_arrays_come_back_as_they_were(tmp_path):
    arrays = {
        "reversed": np.arange(6)[::-2],
        "big endian": np.arange(3, dtype=">i4"),
        "scalar": np.array(2.5),
        "u8": np.uint8([255]),
    }
    arrays["reversed"].setflags(write=False)
    write_folder(tmp_path / "m", {"a.safetensors": TensorsPart(arrays)}, kind="k")
    for name, array in read_folder(tmp_path / "m").arrays("a.safetensors").items():
        assert array.shape == arrays[name].shape
        assert array.tolist() == arrays[name].tolist()


def test_tensors_that_share_memory_or_need_gradients_are_saved(tmp_path):
    weight = torch.ones(2, requires_grad=True)
    write_folder(tmp_path / "m", {"w.safetensors": TensorsPart({"a": weight, "b": weight[:1]})}, kind="k")
    assert read_folder(tmp_path / "m").tensors("w.safetensors")["b"].tolist() == [1.0]


def test_a_moved_folder_still_loads(model, tmp_path):
    shutil.move(model, tmp_path / "elsewhere")
    assert read_folder(tmp_path / "elsewhere").json("task.json")["name"] == "price"


def test_the_folder_may_vanish_after_it_was_read(model):
    folder = read_folder(model)
    shutil.rmtree(model)
    assert folder.json("task.json")["name"] == "price"


def every_file(model):
    return sorted(path for path in model.rglob("*") if path.is_file())


def test_one_flipped_byte_anywhere_is_refused(model):
    for file in every_file(model):
        content = file.read_bytes()
        for position in range(0, len(content), max(1, len(content) // 40)):
            file.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
            with pytest.raises(ModelFolderError):
                read_folder(model)
        file.write_bytes(content)
    read_folder(model)


def test_a_file_cut_short_or_grown_or_missing_is_refused(model):
    for file in every_file(model):
        content = file.read_bytes()
        for damaged in (b"", content[:-1], content[: len(content) // 2], content + b"\n"):
            if damaged != content:
                file.write_bytes(damaged)
                with pytest.raises(ModelFolderError, match="damaged"):
                    read_folder(model)
        file.unlink()
        with pytest.raises(ModelFolderError, match=r"is missing|no manifest\.json"):
            read_folder(model)
        file.write_bytes(content)


def test_no_parser_is_reached_before_the_hashes_are_checked(model, monkeypatch):
    monkeypatch.setattr("polytask.storage._read.decode_tensors", lambda *_, **__: pytest.fail("parsed"))
    (model / "members/0/weights.safetensors").write_bytes(b"x" * (model / "members/0/weights.safetensors").stat().st_size)
    with pytest.raises(ModelFolderError, match="was changed after it was saved"):
        read_folder(model)


def test_a_newer_format_is_refused_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(manifest_module, "FORMAT_VERSION", 2)
    monkeypatch.setattr(manifest_module, "__version__", "3.0.0")
    save(tmp_path / "model")
    monkeypatch.undo()
    with pytest.raises(ModelFolderError, match=r"written by polytask 3\.0\.0 in model format 2; .* reads format 1\. Upgrade"):
        read_folder(tmp_path / "model")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff", b'{"format": "other"}', b"[" * 100_000, b'{"format": 1e999}']
)
def test_a_foreign_or_broken_manifest_is_refused(tmp_path, content):
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(ModelFolderError, match=r"is damaged|not a polytask model folder"):
        read_folder(tmp_path)


def test_what_is_not_a_model_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    for name, words in {"file": "is a file", "nowhere": "does not exist", ".": r"no manifest\.json"}.items():
        with pytest.raises(ModelFolderError, match=words):
            read_folder(tmp_path / name)


def test_files_of_others_are_told_and_not_opened(model):
    (model / "readme.md").write_text("mine")
    assert read_folder(model).unlisted == ("readme.md",)


def test_links_pipes_and_folders_in_place_of_files_are_refused(model, tmp_path):
    file = model / "notes.txt"
    content = file.read_bytes()
    (tmp_path / "outside").write_bytes(content)
    for make in (lambda: file.symlink_to(tmp_path / "outside"), lambda: os.mkfifo(file), file.mkdir):
        file.unlink()
        make()
        with pytest.raises(ModelFolderError, match=r"is a link or a device|is a folder"):
            read_folder(model)
        if file.is_dir():
            file.rmdir()
            file.write_bytes(content)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "",
        "a//b",
        "a\\b",
        "C:x",
        "manifest.json",
        "Manifest.JSON",
        ".hidden",
        "a\n",
        "é",
        "x" * 200,
    ],
)
def test_names_that_could_leave_the_folder_are_refused(tmp_path, name):
    with pytest.raises(ModelFolderError, match="Part names"):
        write_folder(tmp_path / "m", {name: TextPart("x")}, kind="k")
    assert not any(tmp_path.iterdir())


def test_a_manifest_with_a_name_that_leaves_the_folder_is_refused(model, tmp_path):
    (tmp_path / "secret").write_text("secret")
    raw = json.loads((model / "manifest.json").read_text())
    raw.pop("sha256")
    raw["files"]["../secret"] = raw["files"].pop("notes.txt")
    raw["sha256"] = manifest_module._digest(raw)
    (model / "manifest.json").write_text(json.dumps(raw, indent=1) + "\n")
    with pytest.raises(ModelFolderError, match="Part names"):
        read_folder(model)


def test_names_that_differ_only_in_case_are_refused(tmp_path):
    with pytest.raises(ModelFolderError, match="more than case"):
        write_folder(tmp_path / "m", {"a.json": JSONPart(1), "A.json": JSONPart(2)}, kind="k")


@pytest.mark.parametrize("value", [{1: 2}, float("nan"), [{"a": float("inf")}], object(), {"a": {1, 2}}, torch.ones(1)])
def test_what_json_cannot_give_back_is_refused_and_nothing_stays(tmp_path, value):
    with pytest.raises(ModelFolderError, match=r"task\.json"):
        write_folder(tmp_path / "m", {"task.json": JSONPart(value)}, kind="k")
    assert not any(tmp_path.iterdir())


def test_numpy_numbers_become_json_numbers(tmp_path):
    write_folder(tmp_path / "m", {"a.json": JSONPart([np.int64(3), np.float32(0.5), np.bool_(True)])}, kind="k")
    assert read_folder(tmp_path / "m").json("a.json") == [3, 0.5, True]


@pytest.mark.parametrize("tensor", [np.array(["a"]), torch.eye(2).to_sparse(), [1.0], torch.empty(1, device="meta")])
def test_what_is_not_a_dense_tensor_is_refused(tmp_path, tensor):
    with pytest.raises(ModelFolderError, match="'x' of"):
        write_folder(tmp_path / "m", {"w.safetensors": TensorsPart({"x": tensor})}, kind="k")


def test_a_part_read_as_another_kind_is_refused(model):
    folder = read_folder(model)
    with pytest.raises(ModelFolderError, match="must be a part of kind 'tensors'; got 'json'"):
        folder.tensors("task.json")
    with pytest.raises(ModelFolderError, match="has no part 'other'"):
        folder.json("other")
    assert "task.json" in folder
    assert "other" not in folder
