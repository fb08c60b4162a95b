"""Reading new tables as the one of the fit, and telling what was read as missing."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polytask.exceptions import PolytaskWarning

if TYPE_CHECKING:
    from polytask.data import ReadTable


def read_like(
    source: Mapping[str, Any],
    paths: Sequence[Path],
    *,
    sep: str | None,
    decimal: str | None,
    missing: Sequence[str] | None,
    default_missing: bool | None,
) -> "ReadTable":
    """Read a table as the one of the fit was read, but for the options that are given."""
    from polytask.data import read_table

    return read_table(
        paths,
        sep=sep,
        decimal=source.get("decimal", ".") if decimal is None else decimal,
        missing=tuple(source.get("missing", ()) if missing is None else missing),
        default_missing=source.get("default_missing", True) if default_missing is None else default_missing,
    )


def warn_of_missing_texts(table: "ReadTable", columns: Iterable[str]) -> None:
    """Warn of each target in which texts such as ``NA`` became missing labels: one of them may be a class."""
    for column in columns:
        if told := missing_texts(table, column):
            warnings.warn(
                f"In the target {column!r} these texts were read as missing labels: {told}. "
                "If one of them is a label, give --no-default-missing.",
                PolytaskWarning,
                stacklevel=2,
            )


def missing_texts(table: "ReadTable", column: str) -> str:
    """Give the texts of a column that were read as missing, each with its count; empty cells are not among them."""
    return ", ".join(f"{text!r} ({count})" for text, count in table.missing_texts.get(column, {}).items())
