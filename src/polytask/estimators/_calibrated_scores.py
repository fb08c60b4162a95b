"""What a trained network is calibrated by: probabilities of scores such as an AUC loss gives, and standard deviations."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from polytask.networks import MultiTaskModule, output_slices
from polytask.tasks import FittedTask

if TYPE_CHECKING:
    from polytask.estimators._fit_networks import Fold, NetworkJob

Array = np.ndarray[Any, np.dtype[Any]]

_ROWS = 2048  # of one pass


@torch.no_grad()
def calibrated_tasks(module: MultiTaskModule, job: "NetworkJob", fold: "Fold", weight: Array) -> list[FittedTask]:
    """Tasks of a trained network with the link from scores to probabilities, or the scale of deviations, if their loss needs one.

    Found on the validation rows of the job, whose labels also said when to stop; with too few labels among them (five of a class,
    twenty numbers) on all rows of the job, where networks are surer of themselves than on new rows.

    Parameters
    ----------
    module : MultiTaskModule
        In evaluation mode.
    job : NetworkJob
    fold : Fold
        Prepared inputs and targets of all rows, and the tasks.
    weight : array of shape (n, C)
        Label weights of all tasks side by side; 0 = missing.
    """
    if not any(task.needs_calibration for task in fold.tasks):
        return fold.tasks
    target, tasks, start = fold.target.cpu().double().numpy(), list(fold.tasks), 0
    everything = np.concatenate([job.train_rows, job.validation_rows])
    raw: dict[bool, Tensor] = {}
    for k, (task, own) in enumerate(zip(fold.tasks, output_slices(fold.tasks), strict=True)):
        columns = slice(start, start + task.n_targets)
        start = columns.stop
        if not (task.needs_calibration and job.tasks[k]):
            continue
        held = job.validation_rows
        alone = task.can_calibrate(target[held, columns], weight[held, columns])
        rows = held if alone else everything
        enough = alone or task.can_calibrate(target[rows, columns], weight[rows, columns])
        if "calibration" in task.statistics and not enough:
            continue  # a further batch of too few labels: what was found on more of them stays
        if alone not in raw:
            raw[alone] = _raw_outputs(module, fold, rows)
        outputs = raw[alone][..., own]
        outputs = task.of_members(outputs) if outputs.dim() == 3 else outputs
        tasks[k] = task.calibrated(outputs.numpy(), target[rows, columns], weight[rows, columns])
    return tasks


def _raw_outputs(module: MultiTaskModule, fold: "Fold", rows: Array) -> Tensor:
    index = torch.as_tensor(rows, device=fold.target.device)
    parts = [module(*(own[part] for own in fold.inputs)) for part in index.split(_ROWS)]
    return torch.cat(parts, dim=-2).cpu().double()
