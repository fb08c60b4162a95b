"""Read the balance of a split into what the page shows."""

from collections.abc import Mapping
from typing import Any

from polytask.reporting._balance import balance_scale, balance_strip, describe_labels, fold_deviations
from polytask.reporting._forest_plot import forest_axis
from polytask.reporting._numbers import finite


def split_rows(split: Mapping[str, Any]) -> dict[str, Any] | None:
    """Per task the label counts of the folds, drawn as deviations and written out."""
    tasks = split.get("tasks") or {}
    if not tasks:
        return None
    counts = {name: _of_folds(task, "n_observed") for name, task in tasks.items()}
    deviations = {name: fold_deviations(counts[name], rows=_of_folds(task, "n_rows")) for name, task in tasks.items()}
    scale = balance_scale(value for values in deviations.values() for value in values)
    rows = [
        {
            "name": name,
            "strip": balance_strip(name, deviations[name], scale),
            "counts": counts[name],
            "whole": describe_labels(task.get("whole") or {}),
            "folds": [describe_labels(fold) for fold in task.get("folds") or []],
            "largest_deviation": task.get("largest_deviation"),
        }
        for name, task in tasks.items()
    ]
    return {
        "method": split.get("method"),
        "rows": rows,
        "n_folds": max(len(row["counts"]) for row in rows),
        "limit": scale.high,
        "axis": forest_axis(scale),
        "largest_deviation": split.get("largest_deviation"),
    }


def _of_folds(task: Mapping[str, Any], key: str) -> list[float | None]:
    return [finite(fold.get(key)) for fold in task.get("folds") or []]
