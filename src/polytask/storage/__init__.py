"""The model folder: named parts with a manifest, written whole or not at all, checked before anything is read.

This room knows parts (JSON, tensors, text, LightGBM, skops), not estimators or tasks. Loading runs no code from the folder.

>>> import tempfile, torch
>>> from polytask.storage import JSONPart, TensorsPart, read_folder, write_folder
>>> path = tempfile.mkdtemp() + "/model"
>>> write_folder(path, {"task.json": JSONPart(["price"]), "w.safetensors": TensorsPart({"w": torch.ones(2)})}, kind="example")
>>> folder = read_folder(path)
>>> folder.manifest.kind, folder.json("task.json"), folder.tensors("w.safetensors")["w"]
('example', ['price'], tensor([1., 1.]))
"""

from ._checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from ._files import write_file
from ._fingerprint import fingerprint
from ._json import JSONPart
from ._lightgbm import LightGBMPart
from ._manifest import FileEntry, Manifest
from ._read import Folder, read_folder
from ._skops import SkopsPart
from ._tensors import TensorsPart
from ._text import BytesPart, TextPart
from ._trees import check_trees
from ._write import Part, check_place, write_folder

__all__ = [
    "BytesPart",
    "Checkpoint",
    "FileEntry",
    "Folder",
    "JSONPart",
    "LightGBMPart",
    "Manifest",
    "Part",
    "SkopsPart",
    "TensorsPart",
    "TextPart",
    "check_place",
    "check_trees",
    "fingerprint",
    "read_checkpoint",
    "read_folder",
    "write_checkpoint",
    "write_file",
    "write_folder",
]
