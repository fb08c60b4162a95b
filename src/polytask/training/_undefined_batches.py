"""Labels that taught nothing, since their batch did not define a loss of whole batches."""

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from polytask.exceptions import PolytaskError, PolytaskWarning
from polytask.tasks import FittedTask
from polytask.training._data import TrainingData

MOST_UNTOLD = 0.25  # share of the labels

_LARGER = "Take larger batches (--batch-size, `batch_size`)"
_DEALT = ", or deal rare classes to all of them (--batches class_aware, `batches='class_aware'`)"


def check_defined(data: TrainingData, tasks: Sequence[FittedTask], label_weight: Tensor, *, dealt: bool) -> None:
    """Tell of losses that many batches of an epoch do not define, for want of a class.

    Parameters
    ----------
    data : TrainingData
    tasks : sequence of FittedTask
    label_weight : Tensor of shape (n_tasks,) or (R, n_tasks)
        Of the epoch, of labels in batches that define the loss.
    dealt : bool
        Whether batches are class-aware already.

    Raises
    ------
    PolytaskError
        If no batch defines the loss of a task whose labels differ.
    """
    first, way_out = 0, f"{_LARGER}{'' if dealt else _DEALT}."
    for k, task in enumerate(tasks):
        columns = slice(first, first + task.n_targets)
        first += task.n_targets
        if not task.has_batch_loss:
            continue
        shares = [
            float(own[k]) / whole
            for own, whole in zip(label_weight.reshape(-1, len(tasks)), _label_weights(data, columns), strict=True)
            if whole > 0
        ]
        told = f"The loss {task.loss.name!r} of task {task.name!r} is of batches that hold more than one class"
        if shares and min(shares) == 0:
            raise PolytaskError(f"{told}, and none does, so that nothing would be learned. {way_out}")
        if shares and min(shares) < 1 - MOST_UNTOLD:
            lost = f"{1 - min(shares):.0%} of its labels were in none in the first epoch, and taught nothing"
            warnings.warn(f"{told}: {lost}. {way_out}", PolytaskWarning, stacklevel=3)


def _label_weights(data: TrainingData, columns: slice) -> list[float]:
    """For each network the weight of the training labels in those of these columns that have labels that differ."""
    found = []
    for r, rows in enumerate(data.train_rows):
        target = (data.target[rows] if data.fold is None else data.target[data.fold[r], rows])[:, columns]
        weight = data.weight[rows][:, columns] * (1 if data.mask is None else data.mask[r, columns])
        seen = weight > 0
        low = target.masked_fill(~seen, torch.inf).amin(0)
        high = target.masked_fill(~seen, -torch.inf).amax(0)
        found.append(float((weight * (high > low)).sum()))
    return found
