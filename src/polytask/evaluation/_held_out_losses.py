"""Losses of held-out rows: of an arm of a comparison, and of the constant of the same training rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from polytask.estimators import LabelTable
from polytask.evaluation._arms import Arm
from polytask.evaluation._delong import auc_row_losses
from polytask.evaluation._folds import FoldPlan
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]


def held_out_losses(
    arm: Arm, labels: LabelTable, weight: Array, plan: FoldPlan, skill_metrics: Mapping[str, str]
) -> dict[str, Array]:
    """Loss of every held-out row per task, [n_repeats, n_rows]; NaN where missing."""
    found = {}
    for task in labels.tasks:
        target = labels.target[:, labels.slices[task.name]]
        outputs = [own[task.name] for own in arm.outputs]
        if task.name in skill_metrics:
            found[task.name] = _auc_losses(target, weight[:, labels.slices[task.name]][:, 0], outputs, plan.held)
        else:
            own_weight = weight[:, labels.slices[task.name]]
            found[task.name] = np.stack([_row_losses(task, own, target, own_weight, plan, r) for r, own in enumerate(outputs)])
    return found


def _row_losses(task: FittedTask, outputs: Array, target: Array, weight: Array, plan: FoldPlan, repeat: int) -> Array:
    """Losses of one repeat, [n]; where what a loss is depends on training rows, on those of the row's fold."""
    losses, fold_of = np.full(len(target), np.nan), plan.held[repeat]
    if task.has_fixed_losses:
        held = fold_of >= 0
        losses[held] = task.row_losses(outputs[held], target[held])
        return losses
    for fold in np.unique(fold_of[fold_of >= 0]).tolist():
        train, held = plan.train_rows(repeat, fold), plan.held_rows(repeat, fold)
        losses[held] = task.with_statistics(target[train], weight[train]).row_losses(outputs[held], target[held])
    return losses


def _auc_losses(target: Array, weight: Array, outputs: list[Array], held: Array) -> Array:
    return auc_row_losses(target[:, 0], np.stack([own[:, 1] for own in outputs]), fold=held, sample_weight=weight)


def auc_reason(losses: Array, labels: LabelTable, task: FittedTask, plan: FoldPlan) -> str:
    """Why folds have no AUC, "" if all that hold labels have one."""
    observed = ~np.isnan(labels.target[:, labels.slices[task.name]]).any(axis=1)
    folds = [(r, (plan.held[r] == f) & observed) for r, f in plan.folds()]
    missing = [np.isnan(losses[r, rows]).all() for r, rows in folds if rows.any()]
    return f"{sum(missing)} of {len(missing)} folds hold one class only, where AUC is undefined" if any(missing) else ""


def constant_losses(
    labels: LabelTable, weight: Array, plan: FoldPlan, skill_metrics: Mapping[str, str], like: dict[str, Array]
) -> dict[str, Array]:
    """Held-out losses of the constant of each fold's training rows, [n_repeats, n_rows]."""
    found = {}
    for task in labels.tasks:
        part = labels.slices[task.name]
        target, own = labels.target[:, part], np.full(plan.held.shape, np.nan)
        for repeat, fold in plan.folds():
            rows, held = plan.train_rows(repeat, fold), plan.held_rows(repeat, fold)
            fitted = task.with_statistics(target[rows], weight[rows][:, part])
            own[repeat, held] = fitted.row_losses(fitted.constant_outputs(len(held)), target[held])
        found[task.name] = np.where(np.isnan(like[task.name]), np.nan, 0.5 if task.name in skill_metrics else own)
    return found
