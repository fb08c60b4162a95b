"""``polytask tasks``: what would be learned from a table, and why."""

from typing import TYPE_CHECKING

from polytask.cli import _options as option

if TYPE_CHECKING:
    import pandas as pd

    from polytask.data import ColumnInfo, ReadTable
    from polytask.tasks import FittedTask, Task

_SHOWN_CLASSES = 8


def tasks(
    table: option.TrainingTable,
    target: option.Target = None,
    ignore: option.Ignore = None,
    group: option.Group = None,
    split: option.Split = None,
    weight: option.Weight = None,
    unlearnable: option.Unlearnable = "error",
    sep: option.Separator = None,
    decimal: option.Decimal = ".",
    missing: option.Missing = None,
    no_default_missing: option.NoDefaultMissing = False,
) -> None:
    """Show what would be learned: every task, every input column, and why."""
    from polytask.automatic import divide_table, warn_of_copies
    from polytask.cli._console import print_table
    from polytask.cli._read import read
    from polytask.data import TableCodec

    read_table = read(table, sep=sep, decimal=decimal, missing=missing, default_missing=not no_default_missing)
    roles = divide_table(
        read_table.frame,
        targets=target or [],
        ignore=ignore or [],
        group=group,
        split=split,
        weight=weight,
        unlearnable=unlearnable,
    )
    inputs = read_table.frame[[*roles.inputs.columns, *roles.not_inputs]]
    codec = TableCodec.fit(inputs, ignore=list(roles.not_inputs))
    headers = ["task", "kind", "labels", "missing", "classes or range", "why", "read as missing"]
    rows = [*(_task_row(task, read_table, roles.reasons[task.name]) for task in roles.tasks), *_skipped_rows(roles.skipped)]
    told = len(headers) if any(row[-1] for row in rows) else len(headers) - 1  # no column for what did not happen
    print_table(headers[:told], [row[:told] for row in rows], numbers=(2, 3), title="Tasks")
    print_table(
        ["input", "kind", "values", "missing", "different", "why"],
        [_input_row(info, roles.not_inputs) for info in codec.columns],
        numbers=(2, 3, 4),
        title="\nInput columns",
    )
    warn_of_copies(roles)


def _task_row(task: "Task", table: "ReadTable", reason: str) -> list[str]:
    from polytask.cli._read import missing_texts

    labels = table.frame[list(task.columns)]
    n_labels = int(labels.notna().any(axis=1).sum())
    texts = "; ".join(filter(None, (missing_texts(table, column) for column in task.columns)))
    return [task.name, task.kind, f"{n_labels}", f"{len(labels) - n_labels}", _values(task.fit(labels), labels), reason, texts]


def _skipped_rows(skipped: dict[str, str]) -> list[list[str]]:
    return [[name, "left out", "", "", "", why, ""] for name, why in skipped.items()]


def _input_row(info: "ColumnInfo", not_inputs: dict[str, str]) -> list[str]:
    option_name = not_inputs.get(info.name)
    why = info.reason if option_name is None else f"not an input: {option_name}"
    return [info.name, info.kind, f"{info.n_rows - info.n_missing}", f"{info.n_missing}", f"{info.n_unique}", why]


def _values(task: "FittedTask", labels: "pd.DataFrame") -> str:
    """Classes or tags with their counts, or the range of a number."""
    import numpy as np

    target = task.encode(labels)
    if not len(task.labels):
        return f"{np.nanmin(target):.6g} to {np.nanmax(target):.6g}, mean {np.nanmean(target):.4g}"
    if len(task.labels) == task.n_targets:  # a column per tag
        counts = (target == 1).sum(axis=0)
    else:
        counts = np.bincount(target[~np.isnan(target)].astype(int), minlength=len(task.labels))
    shown = [f"{label} ({count})" for label, count in zip(task.labels, counts)][:_SHOWN_CLASSES]
    more = len(task.labels) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
