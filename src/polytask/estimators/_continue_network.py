"""Train a network further: on the rows of a refit, or of another batch of data."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from polytask.balancing import BalancingMethod, same_method
from polytask.estimators._calibrated_scores import calibrated_tasks
from polytask.estimators._fit_networks import (
    CodedTable,
    FittedNetwork,
    NetworkJob,
    fitted_networks,
    module_of,
    prepare_fold,
    prepared_fold,
    product_of_job,
    table_tensors,
    trained_part,
    training_data,
)
from polytask.exceptions import OptionError
from polytask.networks import MultiTaskModule, Recipe, build_module
from polytask.optim import PartOptimizers, part_optimizers
from polytask.tasks import FittedTask
from polytask.training import BalanceAt, Checkpoint, EpochRecord, OneNetwork, TrainingSettings, fit

Array = np.ndarray[Any, np.dtype[Any]]
Moments = dict[str, dict[str, Tensor]]


def start_network(
    job: NetworkJob,
    table: CodedTable,
    tasks: list[FittedTask],
    target: Array,
    weight: Array,
    *,
    encoder: Recipe,
    sharing: Recipe,
    device: torch.device,
    initialization: Any = None,
) -> FittedNetwork:
    """Make the network of a job with the scaling and statistics of its training rows, untrained; it predicts constants."""
    shape = table.shape
    tensors = table_tensors(table.arrays, slice(None), device)
    fold = prepare_fold(job, tensors, tasks, target, weight, encoder, shape, device)
    module = module_of(job, fold, encoder, sharing, shape, device, initialization=initialization).eval()
    product = product_of_job(job, sharing.product_of(tasks))
    scale = training_data([job], {job.fold: fold}, weight, tasks, np.arange(len(tasks)), device, product=product).scale
    empty = {name: np.empty((0, len(tasks)), dtype=np.float32) for name in ("train", "skill", "weights")}
    recipes = deepcopy((encoder, sharing))
    return FittedNetwork(module, fold.tasks, empty, 0, "epochs", 0, 0.0, *recipes, shape, scale=scale.cpu().numpy())


def continue_network(
    start: FittedNetwork,
    job: NetworkJob,
    table: CodedTable,
    target: Array,
    weight: Array,
    *,
    encoder: Recipe,
    sharing: Recipe,
    settings: TrainingSettings,
    device: torch.device,
    schedule: Callable[[int], float] | None = None,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    checkpoint: Checkpoint | None = None,
    keep_moments: bool = False,
    method: BalancingMethod | None = None,
    balance_at: BalanceAt = "parameters",
    dropout: Mapping[str, float] | None = None,
) -> FittedNetwork:
    """Train a copy of ``start`` further; its scaling, classes, statistics and loss scales stay.

    Parameters
    ----------
    start : FittedNetwork
        Left as it is, also if training fails.
    job : NetworkJob
        Rows and seed of this run.
    table, target, weight
        Coded and encoded in the way of ``start``.
    encoder, sharing : Recipe
        May differ from those of ``start`` in what has no shape, such as dropout.
    schedule : callable, optional
        See :func:`polytask.training.fit`.
    keep_moments : bool, default=False
        Begin with the optimizer's state of ``start`` and keep it for the next run; so too what the balancing method remembers, if
        that of ``start`` had the same settings.
    method, balance_at, dropout
        See :func:`fit_networks`.

    Raises
    ------
    OptionError
        If the parameters of the recipes have other shapes than those of ``start``.
    """
    module = _copy_of(start, encoder, sharing, dropout).to(device)
    fold = prepared_fold(start.tasks, module.encoder, table_tensors(table.arrays, slice(None), device), target)
    used, product = np.arange(len(start.tasks)), product_of_job(job, sharing.product_of(start.tasks))
    data = training_data([job], {job.fold: fold}, weight, start.tasks, used, device, product=product)
    if start.scale is not None:
        scale = torch.as_tensor(start.scale, dtype=torch.float32, device=device)
        data = replace(data, scale=torch.where(scale > 0, scale, data.scale))
    network = OneNetwork(trained_part(module, used, product))
    rates = {"learning_rate": settings.learning_rate, "weight_decay": settings.weight_decay}
    optimizer = part_optimizers(network.parameters, settings.optimizer, **rates)
    if keep_moments:
        _restore_moments(optimizer, network.parameters, start.moments)
        if method is not None and start.method is not None and same_method(method, start.method):
            method = deepcopy(start.method)
    history = fit(
        network,
        data,
        start.tasks,
        settings=settings,
        seeds=[job.seed],
        method=method,
        balance_at=balance_at,
        on_epoch=on_epoch,
        checkpoint=checkpoint,
        optimizer=optimizer,
        schedule=schedule,
    )
    built_from = (*deepcopy((encoder, sharing)), start.shape)
    found = fitted_networks([job], [module], {job.fold: fold}, history, used, built_from, data.scale)[0]
    found.tasks = calibrated_tasks(found.module, job, fold, weight)
    found.moments, found.method = _moments(optimizer, network.parameters) if keep_moments else {}, method
    return found


def joined(start: FittedNetwork, after: FittedNetwork) -> FittedNetwork:
    """``after`` with the curves, steps and seconds of both runs."""
    n_before = len(start.curves["train"])
    curves = {
        name: np.concatenate([start.curves.get(name, np.full((n_before, *values.shape[1:]), np.nan)), values])
        for name, values in after.curves.items()
    }
    return replace(after, curves=curves, best_epoch=len(curves["train"]), steps=start.steps + after.steps)


def constant_rate(steps: int) -> float:
    """Learning-rate factor of a run whose end is not known.

    >>> constant_rate(0), constant_rate(10_000)
    (1.0, 1.0)
    """
    return 1.0


def _copy_of(start: FittedNetwork, encoder: Recipe, sharing: Recipe, dropout: Mapping[str, float] | None) -> MultiTaskModule:
    """A module of these recipes with the parameters and buffers of ``start``."""
    generator = torch.Generator().manual_seed(0)  # every value drawn is replaced
    module = build_module(encoder, sharing, shape=start.shape, tasks=start.tasks, generator=generator, dropout=dropout)
    before, now = start.module.state_dict(), module.state_dict()
    differ = [
        name for name in {**before, **now} if name not in before or name not in now or before[name].shape != now[name].shape
    ]
    if differ:
        name = differ[0]
        shapes = [tuple(state[name].shape) if name in state else "absent" for state in (before, now)]
        raise OptionError(
            f"The network cannot go on from its fitted parameters: {name!r} is {shapes[0]} there and {shapes[1]} by `encoder` "
            "and `sharing` as they are now. Set these back, or begin anew: `warm_start=False` and `fit`."
        )
    module.load_state_dict(before)
    return module


def _moments(optimizer: PartOptimizers, parameters: dict[str, Tensor]) -> Moments:
    return {
        name: {key: value.detach().cpu().clone() for key, value in optimizer.state[p].items()}
        for name, p in parameters.items()
        if p in optimizer.state
    }


def _restore_moments(optimizer: PartOptimizers, parameters: dict[str, Tensor], moments: Moments) -> None:
    for name, p in parameters.items():
        if name in moments:
            optimizer.state[p] = {
                key: value.clone() if key == "step" and p.device.type == "cpu" else value.to(p.device, copy=True)
                for key, value in moments[name].items()
            }
