"""What a fitted predictor says of new rows."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from polytask.exceptions import DataError, OptionError, PolytaskWarning
from polytask.tasks import FittedTask

if TYPE_CHECKING:
    from polytask.automatic._predictor import MultiTaskPredictor

Array = np.ndarray[Any, np.dtype[Any]]


def predicted_by(
    predictor: MultiTaskPredictor, frame: pd.DataFrame, known: Any, missing_columns: str
) -> list[tuple[FittedTask, Array]]:
    """What is predicted, with its outputs: the tasks, or the targets that ``task_by`` divides."""
    outputs = outputs_of(predictor, frame, known, missing_columns)
    return predictor.makers_.predicted(outputs, frame, predictor.tasks_, missing_columns=missing_columns)


def outputs_of(predictor: MultiTaskPredictor, frame: pd.DataFrame, known: Any, missing_columns: str) -> dict[str, Array]:
    """Outputs of all tasks in natural scale, each of shape (len(frame), ...).

    Raises
    ------
    DataError, OptionError
        If there are no rows, an input column is missing, or something is known that cannot be used.
    """
    check_fitted(predictor)
    if known is not None:
        raise OptionError("This predictor cannot condition on known tasks; leave `known` out.")
    if not len(frame):
        raise DataError("The table has no rows to predict.")
    no_inputs = {
        *predictor.target_columns_,
        *predictor.ignore,
        predictor.group,
        predictor.split,
        predictor.weight,
        predictor.task_by,
        predictor.time,
    }
    inputs = frame[[column for column in frame.columns if column not in no_inputs]]
    arrays = predictor.model_.codec_.transform(inputs, missing_columns=missing_columns)
    for note in arrays.notes:
        warnings.warn(note, PolytaskWarning, stacklevel=4)
    return dict(predictor.model_._outputs(arrays))


def columns_of(predictor: MultiTaskPredictor, learned: dict[str, dict[str, Array]], n: int) -> dict[str, Array]:
    """Predicted columns of all tasks in the order of the targets, with the constants of those left out."""
    by_task = learned | {task.name: task.decode(n) for task in predictor.skipped_}
    return {name: values for task in predictor.order_ for name, values in by_task[task].items()}


def check_fitted(predictor: MultiTaskPredictor) -> None:
    """Raise ``NotFittedError`` before ``fit``."""
    if not hasattr(predictor, "model_"):
        from sklearn.exceptions import NotFittedError

        raise NotFittedError("This MultiTaskPredictor is not fitted yet; call `fit` or `load` first.")
