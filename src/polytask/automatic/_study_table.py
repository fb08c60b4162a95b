"""The table of a study: files of one schema, or a table for each target."""

import os
import warnings
from typing import TYPE_CHECKING, Any

from polytask.automatic._study import Study
from polytask.exceptions import OptionError, PolytaskWarning, TargetError

if TYPE_CHECKING:
    from polytask.data import ReadTable


def read_study_table(study: Study) -> "ReadTable":
    """Read the table of a study as it says.

    With ``data`` the tables stand under each other (:func:`~polytask.data.stack`): inputs and labels that one lacks are missing
    in its rows, and rows of one ``group`` are one entity in all of them. A target is learned from its own table alone: where
    another holds its column too, that is neither input nor label, and a warning says so. A sample is of each file.

    Raises
    ------
    OptionError
        If the study names no table, or both ``table`` and ``data``.
    DataError
        If a file cannot be read, or the tables of ``data`` do not fit together.
    """
    if study.data:
        if study.table or study.target:
            other = "--target" if study.target else "TABLE (`table` in a study)"
            raise OptionError(f"--data says which tables and targets there are; leave {other} out.")
        return _stacked(study)
    if not study.table:
        raise OptionError("No table is given: name the file to learn from (`table` in a study).")
    return _read(study, study.table)


def _read(study: Study, files: list[str]) -> "ReadTable":
    from polytask.data import read_table

    return read_table(
        files,
        sep=study.sep,
        decimal=study.decimal,
        missing=tuple(study.missing),
        default_missing=not study.no_default_missing,
        sample=study.sample,
        random_state=study.seed,
    )


def _stacked(study: Study) -> "ReadTable":
    from polytask.data import ReadTable, stack
    from polytask.tasks import parse_targets

    pairs: dict[str, Any] = {}
    tables: dict[str, ReadTable] = {}
    labels: dict[str, list[str]] = {}
    _check_own_files(study)
    for target, file in study.data.items():
        tables[target] = table = _read(study, [file])
        try:
            specs = parse_targets([target], list(table.frame.columns))
        except TargetError as error:
            raise TargetError(f"The table '{file}' of --data: {error}") from error
        labels[target] = list(dict.fromkeys(column for spec in specs for column in spec.sources))
    for target, table in tables.items():
        others = {column: other for other, own in labels.items() for column in own if column not in labels[target]}
        there = [column for column in others if column in table.frame]
        _warn_of_others(study, target, {column: others[column] for column in there})
        pairs[target] = (table.frame.drop(columns=[*labels[target], *there]), table.frame[labels[target]])
    frame = stack(pairs, entity=study.group).to_frame(entity=study.group)
    first = next(iter(tables.values())).source
    source: dict[str, Any] = {key: first[key] for key in ("decimal", "missing", "default_missing") if key in first}
    source |= {"file": ", ".join(study.data.values()), "files": [file for own in tables.values() for file in own.source["files"]]}
    source |= {"format": "stacked", "n_rows": len(frame), "n_columns": frame.shape[1]}
    source["data"] = {target: own.source for target, own in tables.items()}
    texts: dict[str, dict[str, int]] = {}
    for own in tables.values():
        for column, counts in own.missing_texts.items():
            told = texts.setdefault(column, {})
            for text, count in counts.items():
                told[text] = told.get(text, 0) + count
    return ReadTable(frame, texts, source)


def _check_own_files(study: Study) -> None:
    """Refuse one file for two targets: every row would be there twice, and a split could learn from what it predicts."""
    seen: dict[str, str] = {}
    for target, file in study.data.items():
        first = seen.setdefault(os.path.realpath(file), target)
        if first != target:
            targets = " ".join(f"-t {other!r}" for other in (first, target))
            raise OptionError(
                f"--data gives '{file}' to {first!r} and {target!r}, so its rows would be there twice. "
                f"Give it once, as the table of both: {file} {targets}."
            )


def _warn_of_others(study: Study, target: str, others: dict[str, str]) -> None:
    """Tell which columns of a target's table are left out, since they are targets with tables of their own."""
    from polytask.data._names import quoted

    if not others:
        return
    files = " ".join(dict.fromkeys(study.data.values()))
    targets = " ".join(f"-t {other!r}" for other in study.data)
    warnings.warn(
        f"The table of {target!r} ('{study.data[target]}') holds {quoted(others)} too, learned from another table of --data: "
        f"left out here. To learn all targets from all rows, give the files as one table: {files} {targets}.",
        PolytaskWarning,
        stacklevel=2,
    )
