"""Rows and columns that are there more than once."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polytask.data._audit_columns import Codes, Floats, column_key, row_keys
from polytask.data._columns import ColumnInfo

MAX_EXAMPLES = 5


def duplicate_rows(frame: pd.DataFrame, columns: list[ColumnInfo], targets: Mapping[str, Floats]) -> dict[str, Any]:
    """Count rows that repeat the inputs of an earlier row, with the same labels or with others.

    Parameters
    ----------
    frame : DataFrame of shape (n, d)
    columns : list of ColumnInfo
        Identifiers and constants among them are not compared: an identifier makes every row different.
    targets : mapping of task to float64 array of shape (n, n_targets)

    Returns
    -------
    duplicates : dict
        ``n_compared`` columns; ``inputs``: rows whose inputs an earlier row has; ``with_labels``: those whose labels are the
        same too, missing ones as well; ``largest``: rows of the largest set of equal inputs; ``conflicting``: per task the
        rows whose inputs have different labels; ``examples``: pairs of row numbers, counted from 0.
    """
    compared = [info for info in columns if info.kind not in ("identifier", "constant") and info.name in frame.columns]
    found: dict[str, Any] = {"n_compared": len(compared), "inputs": 0, "with_labels": 0, "largest": 1}
    found |= {"conflicting": {}, "examples": []}
    if not compared or not len(frame):
        return found
    keys = row_keys(frame, compared)
    group, counts = np.unique(keys, return_inverse=True, return_counts=True)[1:]
    repeated = np.flatnonzero(counts[group] > 1)
    if not len(repeated):
        return found
    whole = keys.copy()
    for target in targets.values():
        for k in range(target.shape[1]):
            whole = whole * np.uint64(6364136223846793005) + column_key(pd.Series(target[:, k]), "numeric")
    found["inputs"] = int(len(keys) - len(counts))
    found["with_labels"] = int(len(keys) - len(np.unique(whole)))
    found["largest"] = int(counts.max())
    conflicts = {task: _conflicting(group[repeated], target[repeated]) for task, target in targets.items()}
    found["conflicting"] = {task: n_rows for task, n_rows in conflicts.items() if n_rows}
    found["examples"] = _examples(keys)
    return found


def duplicate_columns(frame: pd.DataFrame, columns: list[ColumnInfo]) -> list[list[str]]:
    """Sets of input columns that hold the same values in every row; constant ones are not among them."""
    names: dict[int, list[str]] = {}
    for info in columns:
        if info.used and info.name in frame.columns:
            weights = np.arange(1, 2 * len(frame), 2, dtype=np.uint64)  # odd, so that the order of rows counts
            names.setdefault(int((column_key(frame[info.name], info.kind) * weights).sum()), []).append(info.name)
    return [same for same in names.values() if len(same) > 1]


def _conflicting(group: Codes, target: Floats) -> int:
    """Rows of sets of equal inputs in which some label column has two different values."""
    ids, local = np.unique(group, return_inverse=True)
    bad = np.zeros(len(ids), dtype=bool)
    for k in range(target.shape[1]):
        seen = ~np.isnan(target[:, k])
        low, high = np.full(len(ids), np.inf), np.full(len(ids), -np.inf)
        np.minimum.at(low, local[seen], target[seen, k])
        np.maximum.at(high, local[seen], target[seen, k])
        bad |= low < high
    return int((bad[local] & ~np.isnan(target).all(axis=1)).sum())


def _examples(keys: NDArray[np.uint64]) -> list[list[int]]:
    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    pairs = sorted([int(order[i]), int(order[i + 1])] for i in same)
    return pairs[:MAX_EXAMPLES]
