"""What of a portfolio predicts new rows, where that was asked for, and what a distilled network loses."""

from collections.abc import Mapping
from typing import Any

from polytask.reporting._numbers import finite, points


def deployed_words(result: Mapping[str, Any]) -> list[str]:
    """Sentences about what predicts: first of all what it is, its size and time.

    >>> deployed_words({"deployed": {"mode": "folds", "told": ["Predicted by the 8 models of the folds: 2.0 MB."]}})
    ['Predicted by the 8 models of the folds: 2.0 MB.']
    """
    return [str(told) for told in (result.get("deployed") or {}).get("told") or []]


def is_distilled(result: Mapping[str, Any]) -> bool:
    """Whether one network predicts, which a portfolio has taught."""
    return (result.get("deployed") or {}).get("mode") == "distill"


def student_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Per task the skill of a distilled network beside that of its portfolio, on the same rows; no rows without one."""
    if not is_distilled(result):
        return []
    names = ("student", "teacher", "lost", "n_rows")
    tasks = (result["deployed"].get("tasks") or {}).items()
    return [{"name": name} | {key: finite(own.get(key)) for key in names} for name, own in tasks]


def student_means(result: Mapping[str, Any]) -> tuple[float, float] | None:
    """Mean skill of a distilled network and of its portfolio, over the tasks where both are defined.

    >>> own = {"price": {"student": 0.4, "teacher": 0.5}, "sold": {"student": 0.2, "teacher": 0.3}, "paid": {"student": None}}
    >>> print(*student_means({"deployed": {"mode": "distill", "tasks": own}}))
    0.3... 0.4
    """
    rows = [row for row in student_rows(result) if row["student"] is not None and row["teacher"] is not None]
    if not rows:
        return None
    student, teacher = (sum(row[key] for row in rows) / len(rows) for key in ("student", "teacher"))
    return student, teacher


def student_clause(result: Mapping[str, Any]) -> str:
    """What predicts in place of the portfolio, and what it is worth; "" unless that is a distilled network; no full stop."""
    if not is_distilled(result):
        return ""
    means = student_means(result)
    if means is None:
        return "one distilled network predicts, and its skill is undefined"
    student, teacher = map(points, means)
    return f"one distilled network predicts, with a mean skill of {student} points where its portfolio has {teacher}"
