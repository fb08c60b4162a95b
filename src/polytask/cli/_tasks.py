"""``polytask tasks``: what would be learned from a table, and why."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polytask.cli import _options as option
from polytask.cli._study import files_read, takes_study

if TYPE_CHECKING:
    import pandas as pd

    from polytask.automatic import Roles, Study
    from polytask.data import Audit, ColumnInfo, Drift, ReadTable, TableCodec
    from polytask.tasks import FittedTask, Task

_SHOWN_CLASSES = 8
FORMAT, VERSION = "polytask.tasks", 1

New = Annotated[
    Path | None,
    typer.Option("--new", metavar="FILE", show_default=False, help="A new table: show how it differs from this one."),
]


@takes_study(option.TABLE, option.COLUMNS, option.READING)
def tasks(study: "Study", context: typer.Context, new: New = None, json: option.Json = None) -> None:
    """Show what would be learned: every task, every input column, and why; and audit the data."""
    from polytask.automatic import check_gap, read_study_table, study_order, study_roles, warn_of_copies
    from polytask.cli._console import print_table
    from polytask.cli._output import check_output, write_json
    from polytask.cli._tasks_audit import print_audit, print_drift
    from polytask.data import TableCodec, audit

    check_output(json, option="--json", inputs=(*files_read(context, study), *([] if new is None else [new])))
    check_gap(study)
    read_table = read_study_table(study)
    roles = study_roles(study, read_table.frame)
    study_order(study, roles)
    inputs = read_table.frame[[*roles.inputs.columns, *roles.not_inputs]]
    codec = TableCodec.fit(inputs, ignore=list(roles.not_inputs), kinds=study.column)
    headers = ["task", "kind", "labels", "missing", "classes or range", "why", "read as missing"]
    rows = [*(_task_row(task, roles, read_table) for task in roles.tasks), *_skipped_rows(roles.skipped)]
    told = len(headers) if any(row[-1] for row in rows) else len(headers) - 1  # no column for what did not happen
    print_table(headers[:told], [row[:told] for row in rows], numbers=(2, 3), title="Tasks")
    print_table(
        ["input", "kind", "values", "missing", "different", "why"],
        [_input_row(info, roles.not_inputs) for info in codec.columns],
        numbers=(2, 3, 4),
        title="\nInput columns",
    )
    found = audit(
        roles.inputs,
        roles.labels,
        roles.tasks,
        columns=[info for info in codec.columns if info.name not in roles.not_inputs],
        groups=roles.groups,
        group_columns=None if study.group is None else read_table.frame[[study.group]],
    )
    print_audit(found)
    drift = None if new is None else _drift(new, read_table, roles, codec)
    if drift is not None:
        print_drift(drift, file=str(new))
    warn_of_copies(roles)
    if json is not None:
        write_json(json, _content(roles, codec, found, drift))


def _drift(new: Path, table: "ReadTable", roles: "Roles", codec: "TableCodec") -> "Drift":
    from polytask.cli._read import read_like
    from polytask.data import drift

    new_table = read_like(table.source, [new], sep=None, decimal=None, missing=None, default_missing=None)
    return drift(
        table.frame,
        new_table.frame,
        targets=roles.label_columns,
        ignore=list(roles.not_inputs),
        columns=codec.columns,
    )


def _content(roles: "Roles", codec: "TableCodec", audit: "Audit", drift: "Drift | None") -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "tasks": [
            {"name": task.name, "kind": task.kind, "columns": list(task.columns), "reason": roles.reasons[task.name]}
            for task in roles.tasks
        ],
        "skipped": roles.skipped,
        "inputs": [
            {
                "name": info.name,
                "kind": info.kind,
                "used": info.used and info.name not in roles.not_inputs,
                "reason": info.reason if info.name not in roles.not_inputs else f"not an input: {roles.not_inputs[info.name]}",
                "n_missing": info.n_missing,
                "n_unique": info.n_unique,
            }
            for info in codec.columns
        ],
        "audit": audit.to_dict(),
        "drift": None if drift is None else drift.to_dict(),
    }


def _task_row(task: "Task", roles: "Roles", table: "ReadTable") -> list[str]:
    from polytask.cli._read import missing_texts

    labels, reason = roles.labels[list(task.columns)], roles.reasons[task.name]
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
