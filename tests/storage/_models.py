"""A small model folder with a part of every plain kind."""

import torch

from polytask.storage import BytesPart, JSONPart, TensorsPart, TextPart, write_folder

TENSORS = {
    "float32": torch.tensor([1.5, -0.0, float("nan"), float("inf")]),
    "float64": torch.tensor([[1 / 3]], dtype=torch.float64),
    "int64": torch.tensor([2**62, -1]),
    "bool": torch.tensor([True, False]),
    "bfloat16": torch.tensor([1.0, 3e38], dtype=torch.bfloat16),
    "scalar": torch.tensor(7.0),
    "empty": torch.zeros(0, 3),
    "transposed": torch.arange(6.0).reshape(2, 3).T,
}


def save(path, *, value="price", overwrite=False):
    parts = {
        "task.json": JSONPart({"name": value, "levels": (1, 2.5, None, True), "ü": "ß"}),
        "members/0/weights.safetensors": TensorsPart(TENSORS),
        "notes.txt": TextPart("a\r\nb"),
        "model.bin": BytesPart(b"\x00\xff"),
    }
    write_folder(path, parts, kind="predictor", meta={"n_rows": 3}, overwrite=overwrite)
