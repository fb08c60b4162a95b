"""Labels that taught nothing, since their batch did not define a loss of whole batches."""

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from polytask.exceptions import PolytaskError, PolytaskWarning
from polytask.tasks import FittedTask
from polytask.training._data import TrainingData

MOST_UNTOLD = 0.25  # share of the labels

_LARGER = "Take larger batches (--batch-size 512, batch_size=512)"
_DEALT = ", or deal rare classes to all of them (--batches class_aware, batches='class_aware')"


def check_defined(
    data: TrainingData, tasks: Sequence[FittedTask], label_weight: Tensor, *, dealt: bool, is_whole: bool = True
) -> None:
    """Tell of losses that many batches of the first epoch do not define, for want of a class.

    Parameters
    ----------
    data : TrainingData
    tasks : sequence of FittedTask
    label_weight : Tensor of shape (n_tasks,) or (R, n_tasks)
        Of the epoch, of labels in batches that define the loss.
    dealt : bool
        Whether batches are class-aware already.
    is_whole : bool
        Whether the run did not end within the epoch.

    Raises
    ------
    PolytaskError
        If no batch of a whole epoch defines the loss of a task whose labels differ.
    """
    first, way_out = 0, f"{_LARGER}{'' if dealt else _DEALT}."
    for k, task in enumerate(tasks):
        columns = slice(first, first + task.n_targets)
        first += task.n_targets
        if not task.has_batch_loss:
            continue
        taught = label_weight.reshape(-1, len(tasks))[:, k].tolist()  # of each network
        every, differ = _label_weights(data, columns)
        n_alike = sum(labels > 0 and not of_two and not own for own, labels, of_two in zip(taught, every, differ, strict=True))
        shares = [own / of_two for own, of_two in zip(taught, differ, strict=True) if of_two > 0]
        told = f"The loss {task.loss.name!r} of task {task.name!r} is of batches that hold more than one class"
        said = []
        if n_alike:
            of = f"of {n_alike} of {len(taught)} networks " if len(taught) > 1 else ""
            said.append(f"the training rows {of}hold one, and teach nothing. Divide rows by class, or add some of the others.")
        if shares and min(shares) == 0:
            if is_whole:
                raise PolytaskError(f"{told}, and none does, so that nothing would be learned. {way_out}")
            said.append(f"none of the steps of this short run had one, so that nothing was learned. {way_out}")
        elif is_whole and shares and min(shares) < 1 - MOST_UNTOLD:
            said.append(f"{1 - min(shares):.0%} of its labels were in none in the first epoch, and taught nothing. {way_out}")
        for sentence in said:
            warnings.warn(f"{told}: {sentence}", PolytaskWarning, stacklevel=3)


def _label_weights(data: TrainingData, columns: slice) -> tuple[list[float], list[float]]:
    """For each network the weight of the training labels in these columns, and of those in columns where labels differ."""
    every, differ = [], []
    for r, rows in enumerate(data.train_rows):
        target = (data.target[rows] if data.fold is None else data.target[data.fold[r], rows])[:, columns]
        weight = data.weight[rows][:, columns] * (1 if data.mask is None else data.mask[r, columns])
        low = target.masked_fill(weight == 0, torch.inf).amin(0)
        high = target.masked_fill(weight == 0, -torch.inf).amax(0)
        every.append(float(weight.sum()))
        differ.append(float((weight * (high > low)).sum()))
    return every, differ
