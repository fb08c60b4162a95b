"""The public tables of the quality benchmark, divided into training and test rows, and how a task is scored."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from polytask.data import read_table
from polytask.tasks import FittedTask, fixed_task, task_of_kind

TEST_SHARE = 0.3


@dataclass(frozen=True)
class BenchmarkSet:
    """Inputs and labels of the training and test rows of one table.

    Attributes
    ----------
    X, y, X_test, y_test : DataFrame
    tasks : list of Task
        Their classes are those of the whole table.
    kinds : dict of target to kind
    groups : array of shape (n_train,) or None
    """

    name: str
    X: pd.DataFrame
    y: pd.DataFrame
    X_test: pd.DataFrame
    y_test: pd.DataFrame
    tasks: list[Any]
    groups: Any
    kinds: dict[str, str]


def data_folder(given: str | None) -> Path | None:
    """The folder that holds ``tabular.json``: as given, or in the environment variable ``POLYTASK_DATA``."""
    folder = given or os.environ.get("POLYTASK_DATA")
    return None if folder is None else Path(folder)


def set_names(folder: Path) -> list[str]:
    """Names of the sets, in the order of ``tabular.json``."""
    return list(json.loads((folder / "tabular.json").read_text(encoding="utf-8")))


def load_set(folder: Path, name: str, *, seed: int) -> BenchmarkSet:
    """Read a set and divide it: by its ``split`` column, else 30 % of its groups, else 30 % of the rows are for the test."""
    about = json.loads((folder / "tabular.json").read_text(encoding="utf-8"))[name]
    frame = read_table(folder / about["file"]).frame
    targets, split, group = about["targets"], about.get("split"), about.get("group")
    is_test = test_rows(frame, split=split, group=group, seed=seed)
    no_inputs = {*targets, *about["drop"], split, group} & {*frame.columns}
    X, y = frame.drop(columns=list(no_inputs)), frame[list(targets)]
    groups = None if group is None else frame.loc[~is_test, group].to_numpy()
    tasks = [fixed_task(task_of_kind(target, (target,), kind).fit(y)) for target, kind in targets.items()]
    return BenchmarkSet(name, X[~is_test], y[~is_test], X[is_test], y[is_test], tasks, groups, dict(targets))


def test_rows(frame: pd.DataFrame, *, split: str | None, group: str | None, seed: int) -> np.ndarray:
    """Whether each row is for the test, bool [n]."""
    if split is not None:
        return frame[split].eq("test").to_numpy()
    unit = np.arange(len(frame)) if group is None else pd.factorize(frame[group])[0]
    n_units = int(unit.max()) + 1
    drawn = np.random.default_rng(seed).permutation(n_units)[: round(TEST_SHARE * n_units)]
    return np.isin(unit, drawn)


def score_task(task: FittedTask, outputs: np.ndarray, y: pd.DataFrame, y_test: pd.DataFrame) -> float | None:
    """Score a task on test rows: a number 1 - RMSE / RMSE of the training mean, classes 2 AUC - 1 (macro, one against rest).

    Ordinal tasks and counts are scored as numbers, an ordinal one by the mean of its predicted distribution. None where no test
    row tells one class from the others.
    """
    target, train = task.encode(y_test)[:, 0], task.encode(y)[:, 0]
    seen = ~np.isnan(target)
    if task.kind in ("regression", "count", "ordinal"):
        if task.kind == "ordinal":
            values = np.asarray(task.labels, dtype=np.float64)
            outputs = outputs @ values if outputs.ndim == 2 else outputs
            target, train = _as_numbers(values, target), _as_numbers(values, train)
        error, constant = outputs[seen] - target[seen], target[seen] - np.nanmean(train)
        return float(1 - np.sqrt(np.mean(error**2) / np.mean(constant**2)))
    codes = range(1, 2) if len(task.labels) == 2 else range(len(task.labels))
    areas = [
        roc_auc_score(target[seen] == code, outputs[seen, code])
        for code in codes
        if 0 < (target[seen] == code).sum() < seen.sum()
    ]
    return float(2 * np.mean(areas) - 1) if areas else None


def log_loss_of(task: FittedTask, outputs: np.ndarray, y_test: pd.DataFrame) -> float | None:
    """Mean log loss of a task with classes; probabilities below 1e-6 count as 1e-6. None for other tasks."""
    if task.kind in ("regression", "count", "ordinal"):
        return None
    target = task.encode(y_test)[:, 0]
    seen = np.flatnonzero(~np.isnan(target))
    return float(-np.log(np.clip(outputs[seen, target[seen].astype(int)], 1e-6, 1.0)).mean()) if len(seen) else None


def _as_numbers(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return np.append(values, np.nan)[np.where(np.isnan(codes), len(values), codes).astype(np.int64)]
