"""Read the diagnostics of every task into what a report shows: figures, words, tables, and where the model fails."""

from collections.abc import Callable, Mapping
from typing import Any

from polytask.reporting._class_figures import (
    calibration_figure,
    confusion_figure,
    curve_figure,
    level_figure,
    tag_calibration_figure,
    tag_figure,
)
from polytask.reporting._figures import Figure
from polytask.reporting._number_figures import quantile_figure, residual_figure, rootogram_figure, scatter_figure
from polytask.reporting._numbers import finite, plural
from polytask.reporting._slice_figures import column_view, group_view
from polytask.reporting._words_of_slices import fails_sentence

OPEN_TASKS = 1  # more are folded
_FEW_GROUPS = 10
_FEW_TASKS = 20  # of more, fewer columns are drawn part by part
_ROWS = {
    "held-out": "held-out rows of the first repeat, predicted by the joint model of the fold that did not learn from them",
    "validation": "validation rows (optimistic: they chose the epoch)",
    "held_out": "held-out rows, each predicted by models and weights that have not seen it",
    "test": "test rows, neither learned from nor used to choose anything",
}
_FIGURES: dict[str, Callable[[str, Mapping[str, Any]], Figure]] = {
    "scatter": scatter_figure,
    "residuals": residual_figure,
    "poisson_residuals": residual_figure,
    "normal_quantiles": quantile_figure,
    "rootogram": rootogram_figure,
    "confusion": confusion_figure,
    "curves": curve_figure,
    "calibration": calibration_figure,
    "levels": level_figure,
    "tags": tag_figure,
    "tag_calibration": tag_calibration_figure,
}


def diagnostic_views(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One entry per task that has diagnostics, in the order of the tasks."""
    found = {name: task for name, task in result["tasks"].items() if task.get("diagnostics")}
    most = 6 if len(found) <= _FEW_TASKS else 2
    return [task_view(name, task.get("kind", ""), task["diagnostics"], most_columns=most) for name, task in found.items()]


def task_view(name: str, kind: str, found: Mapping[str, Any], *, most_columns: int = 6) -> dict[str, Any]:
    """Figures of one task, in the order its kind declares; parts this version does not know are left out."""
    parts = found.get("parts") or {}
    figures = [_FIGURES[key](name, part) for key, part in parts.items() if key in _FIGURES and part]
    columns, groups = column_view(found.get("by_column"), most=most_columns), group_view(found.get("by_group"))
    return {
        "name": name,
        "kind": kind,
        "rows": rows_words(found),
        "headline": figures[0].words[0] if figures and figures[0].words else "",
        "fails": fails_sentence(found.get("by_column"), found.get("by_group")),
        "figures": figures,
        "columns": columns,
        "groups": groups,
    }


def rows_words(found: Mapping[str, Any]) -> str:
    """Which rows are drawn, what intervals count."""
    n, n_groups = int(finite(found.get("n_rows")) or 0), finite(found.get("n_groups"))
    which = found.get("rows") or ""
    told = [f"{n:,} labelled {_ROWS.get(which, f'{which} rows'.strip())}" if n != 1 else "1 labelled row"]
    shown = int(finite(found.get("points")) or n)
    if shown < n and any("points" in (part or {}) for part in (found.get("parts") or {}).values()):
        told.append(f"points are {shown:,} of them at random, all numbers come from all")
    if n_groups == 1:
        told.append("all of one group, so there are no intervals: how much another group would differ cannot be told from it")
    elif n_groups is not None:
        few = ": so few that they are wide and rough" if n_groups < _FEW_GROUPS else ""
        told.append(f"intervals count rows of one group as belonging together ({plural(int(n_groups), 'group')}{few})")
    if found.get("is_weighted"):
        told.append("numbers are weighted, points are not")
    if found.get("is_class_weighted"):
        told.append(
            "class weights count in calibration, in cuts between levels and in the error by column and group; all else is on the "
            "rows as they are"
        )
    return "; ".join(told)
