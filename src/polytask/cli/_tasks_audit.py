"""What ``polytask tasks`` prints of the data audit and of a new table."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polytask.data import Audit, Drift

_PATTERNS, _NAMES, _COLUMNS, _GROUPS, _TASKS = 8, 4, 12, 12, 8
_HARDLY = 0.55  # AUC


def print_audit(audit: "Audit") -> None:
    """Print what was found; what is in order takes one line."""
    from polytask.cli._console import print_table, say

    say("\nData audit")
    for line in [*_label_lines(audit), *_duplicate_lines(audit)]:
        say(line)
    if audit.missing["shape"] != "complete":
        print_table(
            ["labelled for", "rows", "share"], _pattern_rows(audit), numbers=(1, 2), title="\nLabels of the tasks together"
        )
    if audit.suspects:
        rows = [
            [suspect.column, _of(suspect), f"{suspect.skill:.3f}", f"{suspect.low:.3f}", _why(suspect.grounds)]
            for suspect in audit.suspects
        ]
        headers = ["input", "tells", "skill alone", "at least", "why"]
        print_table(
            headers, rows, numbers=(2, 3), title="\nLeakage suspects: is each known when a prediction is wanted? If not: --ignore"
        )
    if audit.splits:
        print_table(
            ["column", "groups", "rows per group", "under 10", "largest shift (omega squared, of classes tau)"],
            [_split_row(split) for split in audit.splits],
            numbers=(1, 3),
            title="\nColumns by which tasks could be split, one task per group",
        )
        _print_groups(audit)
    if audit.derived:
        rows = [[one["target"], f"{one['n_labels']}", one["why"]] for one in audit.derived[:_COLUMNS]]
        print_table(["target", "labels", "why"], rows, numbers=(1,), title="\nTargets that could be made of these")


def print_drift(drift: "Drift", *, file: str) -> None:
    """Print how a new table differs."""
    from polytask.cli._console import print_table, say
    from polytask.data import is_clear_drift

    say(f"\nNew table '{file}': {drift.n_new} rows against {drift.n_reference}")
    for line in _drift_lines(drift):
        say(line)
    columns = [*drift.targets, *drift.inputs]
    clear = sorted((column for column in columns if is_clear_drift(column)), key=lambda column: -(column.distance or 0.0))
    n_some = len(clear)
    if not clear:
        say(f"None of {len(columns)} columns differs clearly.")
        return
    targets = {column.column for column in drift.targets}
    rows = [
        [
            column.column + (" (target)" if column.column in targets else ""),
            column.kind,
            "" if column.distance is None else f"{column.distance:.3f}",
            f"{column.missing[0]:.1%} -> {column.missing[1]:.1%}",
            f"{column.n_unseen}",
            ", ".join(column.examples[:3]),
        ]
        for column in clear[:_COLUMNS]
    ]
    print_table(
        ["column", "kind", "distance", "missing", "never seen", "such as"],
        rows,
        numbers=(2, 3, 4),
        title=f"\n{n_some} of {len(columns)} columns differ clearly" + (f"; the first {_COLUMNS}" if n_some > _COLUMNS else ""),
    )


def _print_groups(audit: "Audit") -> None:
    """Labels of every task per group, for the columns with few groups."""
    from polytask.cli._console import print_table

    tasks = [task for task in audit.labels if all(task in group["labels"] for split in audit.splits for group in split["groups"])]
    for split in audit.splits:
        if split["n_groups"] <= _GROUPS and 0 < len(tasks) <= _TASKS:
            rows = [
                [group["group"], f"{group['n_rows']}", *(f"{group['labels'][task]}" for task in tasks)]
                for group in split["groups"]
            ]
            numbers = range(1, 2 + len(tasks))
            print_table([split["column"], "rows", *tasks], rows, numbers=numbers, title=f"\nLabels by {split['column']}")


def _label_lines(audit: "Audit") -> Iterator[str]:
    from polytask.data import rare_classes

    missing = audit.missing
    if missing["shape"] == "complete":
        yield "Every row is labelled for every task."
    else:
        n_all, n_none = missing["complete_rows"], missing["unlabelled_rows"]
        yield f"{n_all} of {audit.n_rows} rows are labelled for all tasks, {n_none} for none: {_SHAPES[missing['shape']]}"
    n_apart = missing["n_never_together"]
    if n_apart and missing["shape"] != "disjoint":
        shown = "; ".join(f"{a} and {b}" for a, b in missing["never_together"][:_NAMES])
        yield f"{n_apart} pairs of tasks are never labelled in one row: {shown}{_more(n_apart)}."
    strongest = sorted(audit.missing_told, key=lambda told: -told.skill)
    yield from _first(
        f"The labels of {told.task!r} are not missing at random: the input {told.column!r} tells where they are "
        f"(skill {told.skill:.2f}), so scores hold for rows like the labelled ones."
        for told in strongest
    )
    yield from _first(
        f"Task {task!r} has classes of fewer than ten rows: {', '.join(classes[:_NAMES])}{_more(len(classes))}."
        for task, classes in rare_classes(audit.labels).items()
    )


_SHAPES = {
    "disjoint": "each row is labelled for one task at most.",
    "nested": "who has a rarer label has the commoner ones too.",
    "mixed": "labels are missing in many ways.",
}


def _duplicate_lines(audit: "Audit") -> Iterator[str]:
    found = audit.duplicates
    if not found["inputs"]:
        yield "No row repeats the inputs of another."
    else:
        yield (
            f"{found['inputs']} rows repeat the inputs of another, {found['with_labels']} of them the labels too (sets of up to "
            f"{found['largest']} rows; the first are rows {found['examples'][0][0] + 1} and {found['examples'][0][1] + 1}). "
            "Where that is not chance, give --group, so that no copy is on both sides of a split."
        )
    yield from _first(
        f"{n_rows} rows have inputs that are the same with another label of {task!r}: no model can learn all of them."
        for task, n_rows in found["conflicting"].items()
    )
    for same in found["columns"][:_NAMES]:
        yield f"The inputs {', '.join(map(repr, same[:_NAMES]))}{_more(len(same))} are the same in every row."
    if len(found["columns"]) > _NAMES:
        yield f"{len(found['columns']) - _NAMES} more sets of inputs are the same in every row."
    if not audit.suspects:
        yield f"No input tells a target almost perfectly alone{_rows_of(audit)}."
    elif audit.n_tested_rows < audit.n_rows:
        yield f"Leakage was looked for in {audit.n_tested_rows} rows, drawn at random."


def _rows_of(audit: "Audit") -> str:
    return "" if audit.n_tested_rows == audit.n_rows else f" (looked for in {audit.n_tested_rows} rows, drawn at random)"


def _pattern_rows(audit: "Audit") -> list[list[str]]:
    tasks, patterns = list(audit.labels), audit.missing["patterns"]
    rows = [[_tasks_in_words(one["tasks"], tasks), f"{one['n_rows']}", f"{one['share']:.1%}"] for one in patterns[:_PATTERNS]]
    n_more = audit.missing["n_patterns"] - len(rows)
    rest = audit.n_rows - sum(one["n_rows"] for one in patterns[:_PATTERNS])
    return rows + ([[f"{n_more} other combinations", f"{rest}", f"{rest / audit.n_rows:.1%}"]] if n_more else [])


def _tasks_in_words(some: list[str], tasks: list[str]) -> str:
    others = [task for task in tasks if task not in some]
    if not others:
        return "all tasks"
    if not some:
        return "no task"
    if len(others) <= min(len(some), 3):
        return f"all but {', '.join(others)}"
    return ", ".join(some[:_NAMES]) + _more(len(some))


def _of(suspect: Any) -> str:
    target = suspect.task if suspect.target == suspect.task else f"{suspect.task} ({suspect.target})"
    return target if suspect.label is None else f"{target}, class {suspect.label!r}"


_GROUNDS = {
    "copy": "a perfect copy",
    "score": "almost perfect alone",
    "missing": "that it is missing tells it",
    "name": "named after the target",
}


def _why(grounds: tuple[str, ...]) -> str:
    return ", ".join(text for ground, text in _GROUNDS.items() if ground in grounds)


def _split_row(split: dict[str, Any]) -> list[str]:
    sizes = f"{split['smallest']} to {split['largest']}, middle {split['median']:g}"
    task, shift = max(split["tasks"].items(), key=lambda item: item[1]["corrected"], default=("", None))
    text = "no labels to compare" if shift is None else (
        f"{shift['corrected']:.3f} [{shift['low']:.3f}, {shift['high']:.3f}] of {task}"
    )  # fmt: skip
    return [split["column"], f"{split['n_groups']}", sizes, f"{split['n_small']}", text]


def _drift_lines(drift: "Drift") -> Iterator[str]:
    if drift.lacking:
        yield f"The new table lacks {', '.join(map(repr, drift.lacking[:_NAMES]))}{_more(len(drift.lacking))}."
    if drift.unknown:
        yield f"Only the new table has {', '.join(map(repr, drift.unknown[:_NAMES]))}{_more(len(drift.unknown))}."
    if drift.n_repeated:
        yield f"{drift.n_repeated} new rows have the inputs of a row that is learned from: scores on them would be too good."
    apart = drift.told_apart
    if apart.auc is None:
        yield f"Whether a model can tell the tables apart was not tried: {apart.reason}."
        return
    assert apart.low is not None
    assert apart.high is not None
    yield (
        f"A model tells from which table a row is with AUC {apart.auc:.3f} [{apart.low:.3f}, {apart.high:.3f}], "
        + (
            "hardly better than chance."
            if apart.low <= 0.5 or apart.auc < _HARDLY
            else f"mostly by {', '.join(name for name, _ in apart.columns[:3])}."
        )
    )


def _more(n: int) -> str:
    return f" and {n - _NAMES} more" if n > _NAMES else ""


def _first(lines: Iterable[str]) -> Iterator[str]:
    """The first few of some lines, each of another task, and how many more there are."""
    lines = list(lines)
    yield from lines[:_NAMES]
    if (n_more := len(lines) - _NAMES) > 0:
        yield f"The same is so of {n_more} more task{'s' if n_more > 1 else ''}."
