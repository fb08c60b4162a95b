"""The table of a study: files of one schema, or a table for each target."""

from typing import TYPE_CHECKING, Any

from polytask.automatic._study import Study
from polytask.exceptions import OptionError

if TYPE_CHECKING:
    from polytask.data import ReadTable


def read_study_table(study: Study) -> "ReadTable":
    """Read the table of a study as it says.

    With ``data`` the tables stand under each other (:func:`~polytask.data.stack`): inputs and labels that one lacks are missing
    in its rows, and rows of one ``group`` are one entity in all of them. A sample is of each file.

    Raises
    ------
    OptionError
        If the study names no table, or both ``table`` and ``data``.
    DataError
        If a file cannot be read, or the tables of ``data`` do not fit together.
    """
    if study.data:
        if study.table or study.target:
            other = "--target (target)" if study.target else "TABLE (table)"
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
    for target, file in study.data.items():
        tables[target] = table = _read(study, [file])
        specs = parse_targets([target], list(table.frame.columns))
        labels = list(dict.fromkeys(column for spec in specs for column in spec.sources))
        pairs[target] = (table.frame.drop(columns=labels), table.frame[labels])
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
