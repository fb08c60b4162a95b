"""Column descriptions out of JSON, checked."""

from dataclasses import fields
from typing import Any

from polytask.data._columns import KINDS, MAX_BUCKETS, MAX_CATEGORIES, ColumnInfo
from polytask.data._dates import PARTS, old_parts
from polytask.data._words import MAX_LENGTH, MAX_WORDS
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
_LATER: dict[str, type] = {"parts": list, "buckets": int, "length": int, "known_share": float, "separator": str}
"""Fields that the first version did not write: they have defaults."""


def column_from_dict(content: Any) -> ColumnInfo:
    """One column from JSON.

    Raises
    ------
    ModelFolderError
        If a field is missing, unknown or of the wrong type, or categories repeat or are out of order.
    """
    names = [field.name for field in fields(ColumnInfo)]
    if not isinstance(content, dict) or not set(_TYPES) <= set(content) <= set(names):
        got = sorted(content) if isinstance(content, dict) else type(content).__name__
        raise ModelFolderError(f"A column of the table schema must have the fields {', '.join(names)}; got {got}.")
    for field, kind in (_TYPES | {field: kind for field, kind in _LATER.items() if field in content}).items():
        if type(content[field]) is not kind:
            raise ModelFolderError(
                f"Field {field!r} of a column of the table schema must be {kind.__name__}; got {content[field]!r:.60}."
            )
    name, categories = content["name"], content["categories"]
    if content["kind"] not in KINDS:
        raise ModelFolderError(f"Column {name!r} of the table schema has the unknown kind {content['kind']!r}.")
    if not all(isinstance(category, str) for category in categories):
        raise ModelFolderError(f"Column {name!r} of the table schema has categories that are not text.")
    most = MAX_CATEGORIES if content["kind"] == "categorical" else MAX_WORDS
    if categories != sorted(set(categories)) or len(categories) > most:
        raise ModelFolderError(f"Column {name!r} of the table schema has categories that repeat, are not sorted or are too many.")
    counts = ("n_rows", "n_missing", "n_unique", "buckets", "length")
    if min(content.get(field, 0) for field in counts) < 0 or not 0 <= content.get("known_share", 1.0) <= 1:
        raise ModelFolderError(f"Column {name!r} of the table schema has a negative count.")
    if content.get("buckets", 0) > MAX_BUCKETS or content.get("length", 0) > MAX_LENGTH:
        raise ModelFolderError(f"Column {name!r} of the table schema has too many buckets or words per row.")
    parts = tuple(content.get("parts", ()))
    if not set(parts) <= set(PARTS) or len(set(parts)) < len(parts):
        raise ModelFolderError(f"Column {name!r} of the table schema has the unknown parts of dates {parts!r:.60}.")
    if content["kind"] == "datetime" and "parts" not in content:
        parts = old_parts(has_time=content["has_time"])
    # the first version left text out
    own_kind = "ignored" if content["kind"] == "text" and not categories else content["kind"]
    return ColumnInfo(**{**content, "kind": own_kind, "categories": tuple(categories), "parts": parts})
