"""The training loop: one readable page; everything it calls is public."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from polytask._parts import part_of
from polytask.balancing import BalancingMethod, Equal
from polytask.exceptions import OptionError, PolytaskError
from polytask.networks import input_columns
from polytask.optim import PartOptimizers, Plateau, part_optimizers, regularizers_of, schedule_of
from polytask.tasks import FittedTask
from polytask.training._balanced_step import BalanceAt, BalancedStep, Batch, EpochBalance
from polytask.training._checkpoint import Checkpoint
from polytask.training._data import TrainingData, class_strata, epoch_batches, n_batches, padded_chunks, seed_of
from polytask.training._history import TENSORS_OF_RECORD, EpochRecord, TrainingHistory
from polytask.training._losses import TaskLosses, mean_losses
from polytask.training._network import OneNetwork, StackedNetworks, all_finite
from polytask.training._own_parts import learned_shares, own_tasks
from polytask.training._replica import OwnRates, Replica
from polytask.training._settings import TrainingSettings
from polytask.training._stopping import EarlyStopping, TaskStopping, infinite_if_nan, mean_skill
from polytask.training._undefined_batches import check_defined
from polytask.training._update import Update

EVALUATION_ROWS = 2048  # rows per network and pass without gradients


def fit(
    network: OneNetwork | StackedNetworks,
    data: TrainingData,
    tasks: Sequence[FittedTask],
    *,
    settings: TrainingSettings,
    seeds: Sequence[int],
    method: BalancingMethod | None = None,
    balance_at: BalanceAt = "parameters",
    on_epoch: Callable[[EpochRecord], None] | None = None,
    checkpoint: Checkpoint | None = None,
    optimizer: torch.optim.Optimizer | PartOptimizers | None = None,
    schedule: Callable[[int], float] | None = None,
    own_settings: Sequence[Replica] | None = None,
) -> TrainingHistory:
    """Train a network, or several of one shape at once, and leave the parameters of the best epoch in it.

    Parameters
    ----------
    network : OneNetwork or StackedNetworks
    data : TrainingData
    tasks : sequence of FittedTask
        Only their losses are used here.
    settings : TrainingSettings
    seeds : sequence of int
        One per network, for the order of rows; the first one also starts dropout.
    method : BalancingMethod, default=Equal()
        Sees losses divided by those of the constant predictor. Of several networks each has a copy of its own with an empty
        memory; a network that learns a single task is left alone.
    balance_at : {"parameters", "features"}, default="parameters"
        For methods that compare gradients: at the parameters that several tasks share, or, cheaper, at the encoder's output.
    on_epoch : callable, optional
        Called with an :class:`EpochRecord` after every epoch. KeyboardInterrupt in it, or anywhere, ends the run: what was best
        is kept.
    checkpoint : Checkpoint, optional
        Where the state of the run is kept, so that a killed run can go on with the same numbers.
    optimizer : torch.optim.Optimizer or PartOptimizers, optional
        Over ``network.parameters``, such as one that goes on with the state of an earlier run; that of ``settings`` by default.
    schedule : callable, optional
        Number of steps done to a factor on the learning rate; that of ``settings`` over the plan by default.
    own_settings : sequence of Replica, optional
        One per network: the settings that it has instead of those of all, such as trials of a search.

    Raises
    ------
    OptionError
        If networks have rates of their own besides an ``optimizer`` that is given, or that names its own; or a dropout, which
        is of the networks as they are built.
    PolytaskError
        If the loss of a task is not finite.
    """
    own_rates = None
    if own_settings is not None and any(own.dropout is not None for own in own_settings):
        raise OptionError("`own_settings` cannot change the dropout of networks that are built. Build each with its own rate.")
    if own_settings is not None and network.n_replicas is None:
        settings = own_settings[0].of(settings)
    elif own_settings is not None:
        own_rates = OwnRates(own_settings, settings)
        settings = own_rates.settings
    if own_settings is not None and optimizer is not None:
        raise OptionError("`own_settings` cannot be with an `optimizer`, which has rates already. Leave one of them out.")
    step = BalancedStep(
        network, data, tasks, method=method or Equal(), at=balance_at, parts=settings.accumulate, precision=settings.precision
    )
    errors_of = TaskLosses(tasks, of_skill=True, has_members=network.has_members)
    goes_on = optimizer is not None
    if optimizer is None:
        rates = {"learning_rate": settings.learning_rate, "weight_decay": settings.weight_decay}
        optimizer = part_optimizers(network.parameters, settings.optimizer, **rates)
    if settings.batches == "class_aware":
        data = replace(data, strata=class_strata(data, [task.n_codes for task in tasks for _ in range(task.n_targets)]))
    stopping = _stopping(settings, network.n_replicas, len(tasks))
    replicas = None if network.n_replicas is None else torch.arange(network.n_replicas)
    total_steps = settings.max_epochs * n_batches(data.n_train, settings.rows_per_step)
    own_of = _own_tasks(network, data, settings)
    _check_reached(network, settings)
    shares = _learned_shares(network, data, task_of_column=step.losses_of.task_of_column)
    holds = [name for name in shares if goes_on or part_of(name) != "heads"]  # no other task reads what a head decays to
    update = Update(
        network,
        optimizer,
        settings,
        n_tasks=len(tasks),
        total_steps=total_steps,
        schedule=schedule,
        own_tasks=own_of,
        penalty_shares=shares,
        drops_rounding=any(task.has_batch_loss for task in tasks),
        columns=_columns(network, data, settings),
        own_rates=own_rates,
        holds=holds,
    )
    history, epoch, own_seeds, started = TrainingHistory(), 0, list(seeds), time.monotonic()

    with torch.random.fork_rng(devices=_cuda_devices(network)):
        torch.manual_seed(seed_of(seeds[0], 2**20))
        if checkpoint is not None and checkpoint.exists():
            epoch, kept = checkpoint.restore(network, optimizer, stopping, history, step=step, update=update)
            started -= history.seconds
            if replicas is not None and kept is not None and len(kept) < len(replicas):
                replicas, data, own_seeds = kept, data.keep(kept), [own_seeds[k] for k in kept.tolist()]
        epochs_left = range(0) if bool(stopping.has_ended(epoch).all()) else range(epoch + 1, settings.max_epochs + 1)
        try:
            for epoch in epochs_left:
                network.set_training(True)
                update.stopped = _stopped(stopping, epoch, replicas)
                sums, weights, balances = [], [], EpochBalance()
                drawn: dict[str, Any] = {"seeds": own_seeds, "epoch": epoch, "strata": data.strata}
                for rows in epoch_batches(data.train_rows, batch_size=settings.rows_per_step, **drawn):
                    batch = _taught(data.batch(data.labelled(rows)), update.stopped, step.losses_of)
                    loss_sums, label_weight, balance = step.backward(batch, data.scale, penalty=update.penalty())
                    update.step(history.steps)
                    step.after_step(batch, data.scale)
                    sums.append(loss_sums)
                    weights.append(label_weight)
                    balances.add(balance, label_weight)
                    history.steps += 1
                    history.ended_by = _spent(settings, steps=history.steps, started=started)
                    if history.ended_by:
                        break
                done = epoch, settings.max_epochs, history.steps
                with update.judged():
                    record = _end_of_epoch(network, data, errors_of, torch.stack(sums), torch.stack(weights), balances, plan=done)
                step.end_epoch(record.train_losses)
                update.end_epoch(record.skills, record.mean_skill)
                if replicas is not None:
                    record = _spread(record, replicas, ended=stopping.has_ended(epoch - 1))
                _check_finite(record, torch.stack(sums), network, tasks)
                if not history.epochs:
                    whole = len(sums) == n_batches(data.n_train, settings.rows_per_step)
                    own_weight, is_dealt = torch.stack(weights).sum(0), settings.batches == "class_aware"
                    check_defined(data, tasks, own_weight, dealt=is_dealt, is_whole=whole)
                history.epochs.append(record)
                history.seconds = time.monotonic() - started
                score = _score(record, update.sparse_penalty(), replicas)
                stopping.update(score, update.parameters, epoch=epoch, replicas=replicas)
                if isinstance(stopping, TaskStopping):
                    stopping.update_tasks(record.skills, epoch=epoch)
                if on_epoch is not None:
                    on_epoch(record)
                ended = stopping.has_ended(epoch)
                is_last = bool(history.ended_by) or bool(ended.all())
                if replicas is not None and not is_last and int((~ended[replicas]).sum()) <= len(replicas) // 2:
                    kept = torch.nonzero(~ended[replicas]).ravel()  # half the stack costs half the time
                    replicas, data, own_seeds = replicas[kept], data.keep(kept), [own_seeds[k] for k in kept.tolist()]
                    update.keep(kept)
                    step.keep(kept)
                if checkpoint is not None and not history.ended_by:
                    checkpoint.save(
                        network, optimizer, stopping, history, epoch=epoch, replicas=replicas, step=step, update=update
                    )
                if is_last:
                    break
            history.ended_by = history.ended_by or ("patience" if bool(stopping.has_ended(epoch).all()) else "epochs")
        except KeyboardInterrupt:
            history.ended_by = "interrupt"
            if not stopping.parameters:
                raise
    network.load(stopping.parameters)
    network.set_training(False)
    history.best_epoch, history.n_epochs = stopping.best_epoch, stopping.n_epochs(len(history.epochs))
    skills = torch.stack([record.mean_skill for record in history.epochs]).double()
    history.best_skill = skills.gather(0, (history.best_epoch - 1).clamp(min=0)[None])[0]
    return history


def _stopping(settings: TrainingSettings, n_replicas: int | None, n_tasks: int) -> EarlyStopping:
    if settings.stopping == "mean" or settings.patience is None:
        return EarlyStopping(patience=settings.patience, n_replicas=n_replicas)
    return TaskStopping(patience=settings.patience, n_replicas=n_replicas, n_tasks=n_tasks)


def _stopped(stopping: EarlyStopping, epoch: int, replicas: Tensor | None) -> Tensor | None:
    """Which tasks of the networks in training give no gradient any more, bool [..., n_tasks]."""
    if not isinstance(stopping, TaskStopping):
        return None
    ended = stopping.tasks_ended(epoch - 1)
    return ended if replicas is None else ended[replicas]


def _taught(batch: Batch, stopped: Tensor | None, losses_of: TaskLosses) -> Batch:
    """A batch without the labels of tasks that have stopped."""
    inputs, target, weight = batch
    if stopped is None or not bool(stopped.any()):
        return batch
    goes_on = ~stopped[..., losses_of.task_of_column].to(weight.device)
    return inputs, target, weight * goes_on[..., None, :]


def _own_tasks(network: OneNetwork | StackedNetworks, data: TrainingData, settings: TrainingSettings) -> dict[str, int]:
    """Which parameters serve one task alone, where they are treated apart."""
    schedule = schedule_of(settings.schedule)
    if settings.stopping != "per_task" and not (isinstance(schedule, Plateau) and schedule.per_task):
        return {}
    return own_tasks(network, _first_row(network, data))


def _learned_shares(network: OneNetwork | StackedNetworks, data: TrainingData, *, task_of_column: Tensor) -> dict[str, Tensor]:
    """Which parameters serve only tasks that a network does not learn; penalties, and what goes on, are not of these."""
    if not hasattr(network.module, "outputs_of"):
        return {}
    seen = torch.stack([(data.weight[rows] > 0).any(0) for rows in data.train_rows])  # columns [R, C]
    seen = seen if data.mask is None else seen & (data.mask > 0)
    seen = seen[0] if network.n_replicas is None else seen
    learned = torch.zeros(*seen.shape[:-1], int(task_of_column.max()) + 1).index_add(-1, task_of_column.cpu(), seen.float().cpu())
    return learned_shares(network, _first_row(network, data), learned > 0)


def _first_row(network: OneNetwork | StackedNetworks, data: TrainingData) -> tuple[Tensor, ...]:
    rows = torch.zeros(() if network.n_replicas is None else (network.n_replicas,), dtype=torch.long)
    return data.batch(rows[..., None].to(data.weight.device))[0]


def _check_reached(network: OneNetwork | StackedNetworks, settings: TrainingSettings) -> None:
    """Raise an :class:`OptionError` if a regularization is of no weight of this network."""
    for own in regularizers_of(settings.regularization):
        if own.of_modules:
            raise OptionError(
                f"{type(own).__name__} is of networks as they are built: pass `dropout` to `build_module`, and leave it out of "
                "the settings."
            )
        if not own.needs_columns and not own.reaches(network.parameters):
            raise OptionError(
                f"`on={own.on!r}` of {type(own).__name__} reaches no weight: this network has none there. Take another, such "
                "as 'all', or leave it out."
            )


def _score(record: EpochRecord, penalty: Tensor | None, replicas: Tensor | None) -> Tensor:
    """By what epochs are compared: the mean skill less a penalty that makes zeros, which is the objective on validation rows.

    Skill alone would take an epoch before there are zeros as gladly as one after. Without validation labels there is nothing to
    stop by, and the last epoch is the best.
    """
    score = record.mean_skill
    if penalty is not None:
        own = penalty.to(score)
        score = score - (own if replicas is None else torch.zeros_like(score).index_copy(0, replicas, own))
    return torch.where(record.mean_skill.isnan(), float(record.epoch), score)


def _columns(network: OneNetwork | StackedNetworks, data: TrainingData, settings: TrainingSettings) -> dict[str, Tensor]:
    """Which parameters read which input column, where a regularization is of columns."""
    if not any(own.needs_columns for own in regularizers_of(settings.regularization)):
        return {}
    return input_columns(network.module, tuple((x if network.n_replicas is None else x[0])[:1] for x in data.inputs))


@torch.no_grad()
def _end_of_epoch(
    network: OneNetwork | StackedNetworks,
    data: TrainingData,
    errors_of: TaskLosses,
    sums: Tensor,
    weights: Tensor,
    balances: EpochBalance,
    *,
    plan: tuple[int, int, int],
) -> EpochRecord:
    """Training loss of the epoch and validation skill after it."""
    network.set_training(False)
    valid_sums = valid_weights = torch.zeros_like(data.validation_scale)
    for rows in padded_chunks(data.validation_rows, size=EVALUATION_ROWS):
        if rows.shape[-1]:
            inputs, target, weight = data.batch(data.labelled(rows))
            more_sums, more_weights = errors_of(network.forward(inputs), target, weight)
            valid_sums, valid_weights = valid_sums + more_sums, valid_weights + more_weights
    skills, mean = mean_skill(mean_losses(valid_sums, valid_weights), data.validation_scale, valid_weights)
    sums, weights = sums.sum(0), weights.sum(0)
    train = torch.where(weights > 0, infinite_if_nan(mean_losses(sums, weights) / data.scale), torch.nan)
    balance = balances.weights(), balances.conflict(), balances.cosines()
    return EpochRecord(*plan, train.cpu(), skills.cpu(), mean.cpu(), *balance)


def _spent(settings: TrainingSettings, *, steps: int, started: float) -> str:
    if settings.max_steps is not None and steps >= settings.max_steps:
        return "steps"
    if settings.time_limit is not None and time.monotonic() - started >= settings.time_limit:
        return "time"
    return ""


def _check_finite(record: EpochRecord, sums: Tensor, network: OneNetwork | StackedNetworks, tasks: Sequence[FittedTask]) -> None:
    bad = (torch.isinf(record.train_losses) | torch.isinf(record.skills)).reshape(-1, len(tasks)).any(0)
    if bool(bad.any()) or not all_finite(list(network.parameters.values())):
        steps = ~torch.isfinite(sums).reshape(len(sums), -1, len(tasks)).all(1)  # [steps, T]
        if bool(steps.any()):  # the first bad step names the task; from then on the shared parameters are lost for all
            bad = steps[int(steps.any(1).int().argmax())].cpu()
        names = [task.name for task, is_bad in zip(tasks, bad.tolist(), strict=True) if is_bad]
        raise PolytaskError(
            f"The loss of {', '.join(map(repr, names)) or 'a task'} is not finite after epoch {record.epoch}. "
            "Lower `learning_rate`, or look for extreme values in that target."
        )


def _spread(record: EpochRecord, replicas: Tensor, *, ended: Tensor) -> EpochRecord:
    """The record of the networks still in training, on the axis of all networks; NaN for those that have stopped."""

    def spread(values: Tensor | None) -> Any:
        if values is None:
            return None
        full = torch.full((len(ended), *values.shape[1:]), torch.nan, dtype=values.dtype)
        full[replicas] = values
        full[ended] = torch.nan
        return full

    return replace(record, **{name: spread(getattr(record, name)) for name in TENSORS_OF_RECORD})


def _cuda_devices(network: OneNetwork | StackedNetworks) -> list[torch.device]:
    devices = {p.device for p in network.parameters.values()}
    return [device for device in devices if device.type == "cuda"]
