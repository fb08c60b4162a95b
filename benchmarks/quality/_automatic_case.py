"""What passes between the benchmark and a system that runs in an environment of its own: numpy, pandas and files only."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def write_case(folder: Path, train: pd.DataFrame, test: pd.DataFrame, **about: Any) -> None:
    """Training rows with labels, test rows without, and what is asked for."""
    folder.mkdir(parents=True, exist_ok=True)
    train.reset_index(drop=True).to_parquet(folder / "train.parquet")
    test.reset_index(drop=True).to_parquet(folder / "test.parquet")
    (folder / "case.json").write_text(json.dumps(about), encoding="utf-8")


def write_predictions(
    folder: Path, predicted: dict[str, np.ndarray], classes: dict[str, list[Any]], *, seconds: float, **about: Any
) -> None:
    """Per task numbers (n,), or probabilities (n, classes) with the class of each column; seconds until the model was there."""
    np.savez(folder / "predicted.npz", **{f"task{k}": values for k, values in enumerate(predicted.values())})
    told = {"tasks": list(predicted), "classes": {task: [class_key(c) for c in own] for task, own in classes.items()}}
    (folder / "told.json").write_text(json.dumps({**told, "seconds": seconds, **about}), encoding="utf-8")


def read_predictions(folder: Path, labels: dict[str, list[Any]]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What :func:`write_predictions` wrote, with the columns of each task in the order of its ``labels``; 0 for a class that
    the system did not know."""
    told = json.loads((folder / "told.json").read_text(encoding="utf-8"))
    found = {}
    with np.load(folder / "predicted.npz") as arrays:
        for k, task in enumerate(told["tasks"]):
            values = arrays[f"task{k}"]
            if task in told["classes"]:
                known = {key: column for column, key in enumerate(told["classes"][task])}
                full = np.zeros((len(values), len(labels[task])))
                for column, label in enumerate(labels[task]):
                    if class_key(label) in known:
                        full[:, column] = values[:, known[class_key(label)]]
                values = full
            found[task] = values
    return found, told


def class_key(label: Any) -> str:
    """One spelling for 1, 1.0, "1" and True."""
    if isinstance(label, bool | np.bool_):
        return repr(float(label))
    try:
        return repr(float(label))
    except (TypeError, ValueError):
        return {"True": "1.0", "False": "0.0"}.get(str(label), str(label))
