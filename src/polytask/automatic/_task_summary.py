"""Scores over several tasks."""

from collections.abc import Mapping, Sequence
from typing import Any

from polytask.metrics import summarize_tasks
from polytask.tasks import FittedTask


def task_summary(tasks: Sequence[FittedTask], scores: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float | int]]:
    """Mean, least and greatest over tasks of the skill and of every metric without a unit; see :func:`summarize_tasks`.

    Parameters
    ----------
    tasks : sequence of FittedTask
    scores : mapping of task name to scores
        As :func:`~polytask.automatic._task_scores.task_scores` gives them; tasks without an entry are left out.

    Returns
    -------
    summary : dict of "skill" or metric name to {"mean", "min", "max", "n_tasks"}
        Only of what has a value for at least two tasks.
    """
    own = {task.name: scores[task.name] for task in tasks if task.name in scores}
    metrics = {metric.name: metric for task in tasks for metric in task.scored_by}
    skills = [entry["skill"] for entry in own.values() if entry["skill"] is not None]
    summary: dict[str, dict[str, float | int]] = {}
    if len(skills) > 1:
        summary["skill"] = {"mean": sum(skills) / len(skills), "min": min(skills), "max": max(skills), "n_tasks": len(skills)}
    return summary | summarize_tasks({name: entry["metrics"] for name, entry in own.items()}, metrics=[*metrics.values()])
