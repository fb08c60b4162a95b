"""Column descriptions out of JSON, checked."""

from dataclasses import fields
from typing import Any

from polytask.data._columns import KINDS, MAX_CATEGORIES, ColumnInfo
from polytask.exceptions import ModelFolderError

_TYPES: dict[str, type] = {
    "name": str,
    "kind": str,
    "reason": str,
    "dtype": str,
    "n_rows": int,
    "n_missing": int,
    "n_unique": int,
    "categories": list,
    "has_time": bool,
}


def column_from_dict(content: Any) -> ColumnInfo:
    """One column from JSON.

    Raises
    ------
    ModelFolderError
        If a field is missing, unknown or of the wrong type, or categories repeat or are out of order.
    """
    names = [field.name for field in fields(ColumnInfo)]
    if not isinstance(content, dict) or set(content) != set(names):
        got = sorted(content) if isinstance(content, dict) else type(content).__name__
        raise ModelFolderError(f"A column of the table schema must have the fields {', '.join(names)}; got {got}.")
    for field, kind in _TYPES.items():
        if type(content[field]) is not kind:
            raise ModelFolderError(
                f"Field {field!r} of a column of the table schema must be {kind.__name__}; got {content[field]!r:.60}."
            )
    name, categories = content["name"], content["categories"]
    if content["kind"] not in KINDS:
        raise ModelFolderError(f"Column {name!r} of the table schema has the unknown kind {content['kind']!r}.")
    if not all(isinstance(category, str) for category in categories):
        raise ModelFolderError(f"Column {name!r} of the table schema has categories that are not text.")
    if categories != sorted(set(categories)) or len(categories) > MAX_CATEGORIES:
        raise ModelFolderError(f"Column {name!r} of the table schema has categories that repeat, are not sorted or are too many.")
    if min(content["n_rows"], content["n_missing"], content["n_unique"]) < 0:
        raise ModelFolderError(f"Column {name!r} of the table schema has a negative count.")
    return ColumnInfo(**{**content, "categories": tuple(categories)})
