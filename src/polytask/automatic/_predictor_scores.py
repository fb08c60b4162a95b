"""How well a fitted predictor does on labelled rows, and how it is wrong."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from polytask.automatic._predictor_outputs import check_fitted, outputs_of
from polytask.automatic._task_scores import task_scores
from polytask.automatic._task_summary import task_summary
from polytask.evaluation import Slices, diagnose_tasks
from polytask.exceptions import DataError, PolytaskWarning, TargetError

if TYPE_CHECKING:
    from polytask.automatic._predictor import MultiTaskPredictor

Array = np.ndarray[Any, np.dtype[Any]]

EVALUATION_FORMAT, EVALUATION_VERSION = "polytask.evaluation", 1


def evaluated(predictor: MultiTaskPredictor, frame: pd.DataFrame, *, missing_columns: str = "error") -> dict[str, Any]:
    """Score all tasks on labelled rows; see :meth:`MultiTaskPredictor.evaluate`."""
    check_fitted(predictor)
    labelled = predictor.makers_.of_tasks(frame)
    present = [task for task in predictor.tasks_ if all(column in labelled.columns for column in task.columns)]
    if predictor.weight is not None and predictor.weight not in frame.columns:
        warnings.warn(
            f"The table has no column {predictor.weight!r}, which held the weights of the rows: all rows count the same.",
            PolytaskWarning,
            stacklevel=3,
        )
    if not present:
        raise TargetError(f"None of the target columns {predictor.target_columns_} is in the table; evaluation needs labels.")
    for task in predictor.tasks_:
        if task not in present:
            warnings.warn(f"Task {task.name!r} is not scored: its labels are not in the table.", PolytaskWarning, stacklevel=3)
    _warn_of_learned_rows(predictor, frame)
    outputs = outputs_of(predictor, frame, None, missing_columns)
    weight = _row_weights(predictor, frame)
    tasks = {task.name: task_scores(task, labelled, outputs[task.name], weight) for task in present}
    found: dict[str, Any] = {
        "format": EVALUATION_FORMAT,
        "version": EVALUATION_VERSION,
        "n_rows": len(frame),
        "tasks": tasks,
        "summary": task_summary(present, tasks),
    }
    if predictor.makers_.groups is not None:
        found["pooled"] = _pooled_scores(predictor, frame, outputs, weight, missing_columns)
    if not any(entry["n_observed"] for entry in (*tasks.values(), *found.get("pooled", {}).values())):
        raise TargetError("No row has a label of any target, so there is nothing to score.")
    return found


def score_validation(predictor: MultiTaskPredictor, rows: pd.DataFrame, outputs: dict[str, Array] | None = None) -> None:
    """Put counts and metrics of validation rows into the report: optimistic for a network, whose epoch these rows chose."""
    if not len(rows):
        return
    outputs = outputs_of(predictor, rows, None, "error") if outputs is None else outputs
    weight, labelled = _row_weights(predictor, rows), predictor.makers_.of_tasks(rows)
    for task in predictor.tasks_:
        scores, told = task_scores(task, labelled, outputs[task.name], weight), predictor.report_["tasks"][task.name]
        told["validation"] |= {"n_observed": scores["n_observed"], "metrics": scores["metrics"]}
        told["undefined"] = [f"{metric}: {why}" for metric, why in scores["undefined"].items()]


def diagnose(predictor: MultiTaskPredictor, rows: pd.DataFrame, which: str, outputs: dict[str, Array] | None = None) -> None:
    """Put into the report how and where each task is wrong: on test rows, or else on validation rows, and named so."""
    if not len(rows):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolytaskWarning)  # told when these rows were scored
        outputs = outputs_of(predictor, rows, None, "error") if outputs is None else outputs
        labelled, codec = predictor.makers_.of_tasks(rows), predictor.model_.codec_
        slices = Slices.of_arrays(codec, codec.transform(rows[[info.name for info in codec.columns if info.name in rows]]))
    weight = _row_weights(predictor, rows)
    found = diagnose_tasks(
        predictor.tasks_,
        outputs,
        {task.name: task.encode(task.without_unseen(labelled)[0]) for task in predictor.tasks_},
        weights=None if weight is None else {task.name: weight for task in predictor.tasks_},
        inputs=slices,
        groups=None if predictor.group is None else rows[predictor.group].to_numpy(),
        rows=which,
    )
    for name, diagnostics in found.items():
        predictor.report_["tasks"][name]["diagnostics"] = diagnostics


def _pooled_scores(
    predictor: MultiTaskPredictor, frame: pd.DataFrame, outputs: dict[str, Array], weight: Array | None, missing_columns: str
) -> dict[str, Any]:
    """Scores of the targets that ``task_by`` divides, over all groups."""
    labels = predictor.makers_.of_targets(frame)
    return {
        target.name: task_scores(target, labels, own, weight)
        for target, own in predictor.makers_.predicted(outputs, frame, [], missing_columns=missing_columns)
        if all(column in labels.columns for column in target.columns)
    }


def _warn_of_learned_rows(predictor: MultiTaskPredictor, frame: pd.DataFrame) -> None:
    """Warn where the split column says that rows were learned from."""
    if predictor.split is None or predictor.split not in frame.columns:
        return
    words = frame[predictor.split].astype(str).str.strip().str.lower()
    learned = int(words.isin(["train", "training", "val", "valid", "validation", "dev"]).sum())
    if learned:
        warnings.warn(
            f"{learned} of {len(frame)} rows are for training or validation by column {predictor.split!r}: if the model "
            "learned from them, these scores are too good. Give the test rows only.",
            PolytaskWarning,
            stacklevel=4,
        )


def _row_weights(predictor: MultiTaskPredictor, frame: pd.DataFrame) -> Array | None:
    if predictor.weight is None or predictor.weight not in frame.columns:
        return None
    weight = pd.to_numeric(frame[predictor.weight], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise DataError(f"The weight column {predictor.weight!r} must hold finite numbers >= 0 in every row.")
    return weight
