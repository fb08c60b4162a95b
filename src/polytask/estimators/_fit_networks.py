"""Fit one network, or many of one recipe at once: folds, seeds, single-task twins."""

import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from polytask._reworded import reworded
from polytask.balancing import BalancingMethod
from polytask.data import TableArrays
from polytask.estimators._calibrated_scores import calibrated_tasks
from polytask.estimators._defined_labels import check_defined_labels
from polytask.estimators._part_of_tasks import PartOfTasks
from polytask.estimators._task_weights import TaskWeights, task_weights_of
from polytask.exceptions import OptionError
from polytask.networks import MultiTaskModule, Recipe, TableShape, TaskProduct, build_module, output_slices, target_slices
from polytask.networks.encoders import check_takes_words
from polytask.optim import optimizers_of
from polytask.tasks import FittedTask
from polytask.training import (
    BalanceAt,
    Checkpoint,
    EpochRecord,
    OneNetwork,
    Replica,
    StackedNetworks,
    TaskLosses,
    TrainingData,
    TrainingHistory,
    TrainingSettings,
    fit,
    labels_vary,
    mean_losses,
    n_batches,
    seed_of,
)

Array = np.ndarray[Any, np.dtype[Any]]
SettingsOf = Callable[[int], TrainingSettings]

PADDED_ROWS = 256  # every inference pass has this many rows, so a row's prediction does not depend on its neighbours
STACKED_ROWS = 20_000  # networks with more training rows are trained one after the other: no gain from stacking
STACKED_NETWORKS = 32  # at most so many at once; more leave the caches
STACKED_WEIGHTS = 200_000  # nor do networks gain with more numbers in one layer, which leaves the caches by itself
STACKED_WORK = 16_000_000  # or more parameters times rows of a step: then the products of one network keep a core busy
STACKED_GRADIENTS = 64_000_000  # numbers in the gradients of all tasks of a stack, where a method compares them: a quarter GB


@dataclass(frozen=True)
class CodedTable:
    """Inputs of the development table as arrays, and the shape that they give an encoder."""

    arrays: TableArrays
    cardinalities: tuple[int, ...]

    @property
    def shape(self) -> TableShape:
        """Columns with a missing value anywhere in the table get an indicator."""
        with_missing = np.flatnonzero(np.isnan(self.arrays.numeric).any(axis=0)).tolist()
        return TableShape(self.arrays.numeric.shape[1], tuple(with_missing), self.cardinalities, self.arrays.vocabularies)


@dataclass(frozen=True)
class NetworkJob:
    """One network to train: its rows, the tasks whose labels it may see, its seed.

    Attributes
    ----------
    train_rows, validation_rows : int array
        Rows for the gradient; rows for early stopping.
    tasks : bool array of shape (T,)
        False for a task whose labels are hidden: with one True this is a single-task twin of the joint network.
    seed : int
    own_settings : Replica, optional
        Learning rate, weight decay and dropout of this network instead of those of all, such as of a trial of a search.
    """

    train_rows: Array
    validation_rows: Array
    tasks: Array
    seed: int
    own_settings: Replica | None = None

    @property
    def fold(self) -> tuple[bytes, bytes]:
        """Equal for jobs that read the same rows, and so share their preparation."""
        return self.train_rows.tobytes(), self.validation_rows.tobytes()


@dataclass
class FittedNetwork:
    """A trained module with the tasks whose statistics it was trained with.

    Attributes
    ----------
    module : MultiTaskModule
    tasks : list of FittedTask
    curves : dict
        ``train`` and ``skill``, float arrays [epochs, T], NaN where a task has no labels; ``weights`` [epochs, T], what balancing
        multiplied each task by on the mean; where a method compares gradients ``conflict`` [epochs], the share of pairs of tasks
        whose gradients point apart. Folders of older versions lack the last two.
    best_epoch : int
    ended_by : str
    steps : int
    seconds : float
        Of training; a network trained in a stack counts its share.
    encoder, sharing, shape
        What the module was built from.
    scale : array of shape (T,), optional
        Loss of the constant prediction on the training rows, by which each task's loss is divided; NaN for a hidden task. None
        in a folder of an older version.
    moments : dict of parameter name to dict of tensors
        State of the optimizer, by which :meth:`MultiTaskNetwork.partial_fit` goes on; empty after ``fit``.
    method : BalancingMethod, optional
        What the tasks were balanced by, with its memory at the end where one network was trained; None for equal weights.
    cosines : array of shape (T, T), optional
        Mean cosine between the gradients of every two tasks over the run, where a method compares them.
    kept_columns : list of str, optional
        The input columns that some weight reads, after a regularization that makes exact zeros; None after none.
    task_weights : TaskWeights, optional
        How much each task uses each part of what is shared (gates, stitches), mean over the training rows; None for hard sharing,
        a single-task twin, and a folder of an older version.
    """

    module: MultiTaskModule
    tasks: list[FittedTask]
    curves: dict[str, Array]
    best_epoch: int
    ended_by: str
    steps: int
    seconds: float
    encoder: Recipe
    sharing: Recipe
    shape: TableShape
    scale: Array | None = None
    moments: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    method: BalancingMethod | None = None
    cosines: Array | None = None
    kept_columns: list[str] | None = None
    task_weights: TaskWeights | None = None

    @torch.no_grad()
    def outputs(self, arrays: TableArrays, *, only: str | None = None) -> dict[str, Array]:
        """Outputs in natural scale per task, or of one task only, such as that of a twin."""
        device = next(self.module.parameters()).device
        if self.module.training:  # never while other threads predict: `fit` leaves it in evaluation mode
            self.module.eval()
        numbers = [k for k, task in enumerate(self.tasks) if only in (None, task.name)]
        tasks = [self.tasks[k] for k in numbers]
        module = self.module if only is None else PartOfTasks(self.module, numbers)
        slices = output_slices(tasks)
        parts: list[list[Tensor]] = [[] for _ in tasks]
        for start in range(0, max(len(arrays.numeric), 1), PADDED_ROWS):
            inputs = table_tensors(arrays, slice(start, start + PADDED_ROWS), device)
            missing = PADDED_ROWS - len(inputs[0])
            numeric, categorical, *tokens = (torch.nn.functional.pad(own, (0, 0, 0, missing)) for own in inputs)
            raw = module(*self.module.prepare(numeric, categorical, *tokens)).cpu()
            for task, own, found in zip(tasks, slices, parts, strict=True):
                linked = task.link(raw[..., own])  # it too sees whole chunks only
                found.append((linked.mean(0) if raw.dim() == 3 else linked)[: PADDED_ROWS - missing])  # of members their mean
        return {task.name: torch.cat(found).numpy() for task, found in zip(tasks, parts, strict=True)}


def fit_networks(
    jobs: Sequence[NetworkJob],
    table: CodedTable,
    tasks: Sequence[FittedTask],
    target: Array,
    weight: Array,
    *,
    encoder: Recipe,
    sharing: Recipe,
    settings_of: SettingsOf,
    device: torch.device,
    method: BalancingMethod | None = None,
    balance_at: BalanceAt = "parameters",
    on_epoch: Callable[[EpochRecord], None] | None = None,
    checkpoint: Checkpoint | None = None,
    keep_interrupted: bool = False,
    initialization: Any = None,
    dropout: Mapping[str, float] | None = None,
) -> list[FittedNetwork]:
    """Train the network of every job; where that is faster, several at once in one stack.

    Parameters
    ----------
    jobs : sequence of NetworkJob
    table : CodedTable
        Inputs of all rows that jobs refer to.
    tasks : sequence of FittedTask
        With classes; statistics are taken from the training rows of each job.
    target, weight : array of shape (n, C)
        Targets of all tasks side by side, and label weights.
    settings_of : callable
        Number of training rows to the settings of a network that learns from so many.
    method : BalancingMethod, optional
        Balances the tasks of each network, by a fresh copy; equal weights by default. Networks of a single task are left alone.
    balance_at : {"parameters", "features"}, default="parameters"
        See :func:`polytask.training.fit`.
    checkpoint : Checkpoint, optional
        Of the first stack; the next ones are kept in files beside it.
    keep_interrupted : bool, default=False
        On Ctrl-C keep the best epochs until then; otherwise KeyboardInterrupt goes on to the caller.
    initialization, dropout
        See :func:`polytask.networks.build_module`; the dropout of a job goes before.
    """
    encoders = [_encoder_of(job, encoder) for job in jobs]
    shape, tensors = table.shape, table_tensors(table.arrays, slice(None), device)
    fitted: dict[int, FittedNetwork] = {}
    of_twins, product = _sharing_of_twins(sharing, tasks), sharing.product_of(tasks)
    check_defined_labels(tasks, np.where(weight > 0, target, np.nan), product)
    for numbers in planned_stacks(jobs, shape, tasks, encoder=encoder, sharing=sharing, settings_of=settings_of, method=method):
        start, stack = len(fitted), [jobs[k] for k in numbers]
        folds = {job.fold: job for job in stack}
        prepared = {key: prepare_fold(job, tensors, tasks, target, weight, encoder, shape, device) for key, job in folds.items()}
        own_sharing = of_twins if all(job.tasks.sum() == 1 for job in stack) else sharing
        built: dict[str, Any] = {"initialization": initialization, "dropout": dropout}
        modules = [module_of(jobs[k], prepared[jobs[k].fold], encoders[k], own_sharing, shape, device, **built) for k in numbers]
        used = np.flatnonzero(np.any([job.tasks for job in stack], axis=0))
        own_product = product_of_job(stack[0], product)
        data = training_data(stack, prepared, weight, tasks, used, device, product=own_product)
        parts = [trained_part(module, used, own_product) for module in modules]
        network = OneNetwork(parts[0]) if len(stack) == 1 else StackedNetworks(parts)
        with reworded(_without_backward):
            history = fit(
                network,
                data,
                [prepared[stack[0].fold].tasks[k] for k in used],
                settings=settings_of(len(stack[0].train_rows)),
                seeds=[job.seed for job in stack],
                method=None if method is None else method if len(stack) == len(jobs) == 1 else method.fresh(),
                balance_at=balance_at,
                on_epoch=on_epoch,
                checkpoint=checkpoint.part(start) if checkpoint is not None and start else checkpoint,
                own_settings=_own_settings(stack),
            )
        if history.ended_by == "interrupt" and not keep_interrupted:
            raise KeyboardInterrupt
        found = fitted_networks(stack, modules, prepared, history, used, (*deepcopy((encoder, own_sharing)), shape), data.scale)
        for k, own in zip(numbers, found, strict=True):
            own.encoder = own.encoder if encoders[k] is encoder else encoders[k]
            own.tasks = calibrated_tasks(own.module, jobs[k], prepared[jobs[k].fold], weight)
            own.method = None if method is None else method if len(jobs) == 1 else method.fresh()
            fitted[k] = own
    return [fitted[k] for k in range(len(jobs))]


def _own_settings(stack: Sequence[NetworkJob]) -> list[Replica] | None:
    """What differs between the networks of a stack besides how they are built; None if nothing."""
    found = [job.own_settings for job in stack]
    return None if all(own is None for own in found) else [replace(own or Replica(), dropout=None) for own in found]


def _encoder_of(job: NetworkJob, encoder: Recipe) -> Recipe:
    """The encoder of all, or a copy with the dropout of this job."""
    own = None if job.own_settings is None else job.own_settings.dropout
    if own is None:
        return encoder
    if "dropout" not in encoder.get_params(deep=False):
        raise OptionError(f"{type(encoder).__name__} has no `dropout`, so that of a Replica cannot be given to it. Leave it out.")
    return deepcopy(encoder).set_params(dropout=own)


def _without_backward(text: str) -> str:
    """An error of the loop without the way out that only a loop of one's own has."""
    return re.sub(r",? or pass `nonfinite='skip'` to `backward`[^.]*\.", ".", text).replace(", look for", " and look for")


def product_of_job(job: NetworkJob, product: TaskProduct | None) -> TaskProduct | None:
    """The product, if a network sees the labels of both its tasks; a twin of one of them learns it alone."""
    return product if product is not None and job.tasks[[product.parent, product.child]].all() else None


def trained_part(module: MultiTaskModule, used: Array, product: TaskProduct | None = None) -> nn.Module:
    """What is trained of a network: the tasks ``used``, and the product of two of them."""
    if product is None:
        return module if len(used) == len(module.heads) else PartOfTasks(module, used.tolist())
    return PartOfTasks(module, used.tolist(), product=product.among(used.tolist()))


def _sharing_of_twins(sharing: Recipe, tasks: Sequence[FittedTask]) -> Recipe:
    return sharing if len(tasks) == 1 else sharing.of_twin()


def planned_stacks(
    jobs: Sequence[NetworkJob],
    shape: TableShape,
    tasks: Sequence[FittedTask],
    *,
    encoder: Recipe,
    sharing: Recipe,
    settings_of: SettingsOf,
    method: BalancingMethod | None,
) -> list[list[int]]:
    """Numbers of the jobs that :func:`fit_networks` trains at once, in its order.

    Networks of one stack make their steps together, so those go apart that would alone make other numbers of steps, or of other
    sizes. A stack has one set of losses: folds go apart where these depend on training rows, and networks that learn a product of
    two tasks from those that do not. Twins go apart from joint networks where these need the heads of very many tasks, a pass for
    each, or more encoders.
    """
    compares, product = method is not None and method.compares_gradients, sharing.product_of(tasks)
    joint_apart = compares or len(tasks) >= STACKED_NETWORKS or _sharing_of_twins(sharing, tasks) is not sharing
    one_fold = product is not None or not all(task.has_fixed_losses for task in tasks)  # its label weights are of a fold's rows
    settings = {n: settings_of(n) for n in {len(job.train_rows) for job in jobs}}
    alike: dict[tuple[Any, ...], list[int]] = {}
    for k, job in enumerate(jobs):
        n_rows = len(job.train_rows)
        rows_per_step = settings[n_rows].rows_per_step
        steps = rows_per_step, n_batches(n_rows, rows_per_step)
        is_twin, fold = joint_apart and job.tasks.sum() == 1, job.fold if one_fold else None
        alike.setdefault((*steps, is_twin, fold, product_of_job(job, product) is None), []).append(k)
    found = []
    for numbers in alike.values():
        own = [jobs[k] for k in numbers]
        of_own = settings[len(own[0].train_rows)]
        size = _n_at_once(own, encoder, sharing, shape, of_own, n_tasks=len(tasks), compares=compares)
        found += [numbers[start : start + size] for start in range(0, len(numbers), size)]
    return found


def _n_at_once(
    jobs: Sequence[NetworkJob],
    encoder: Recipe,
    sharing: Recipe,
    shape: TableShape,
    settings: TrainingSettings,
    *,
    n_tasks: int,
    compares: bool,
) -> int:
    """How many networks to train at once: 1 where more are not faster (``benchmarks/speed/replicas.py``), else even parts.

    On one core 35 perceptrons of width 64, 128 and 256 are 6, 4 and 2 times as fast at a batch of 32 to 64 rows, two of them 1.1
    to 1.4 times, six networks of other architectures 1.4 to 2.7 times. At 512 rows a width of 128 gains 1.2 to 1.5 times, of 256
    nothing, and a width of 512 nothing at any batch.
    """
    n_rows = max(len(job.train_rows) for job in jobs)
    in_stacks = (
        encoder.in_stacks and sharing.in_stacks and all(own.elementwise for own in optimizers_of(settings.optimizer).values())
    )
    if len(jobs) == 1 or not in_stacks or n_rows > STACKED_ROWS:
        return 1
    sizes = _parameter_sizes(encoder, sharing, shape, n_tasks)
    if max(sizes) > STACKED_WEIGHTS or sum(sizes) * min(settings.rows_per_step, n_rows) > STACKED_WORK:
        return 1
    most = STACKED_NETWORKS
    if compares:
        most = int(np.clip(STACKED_GRADIENTS // (n_tasks * sum(sizes)), 1, most))
    return -(-len(jobs) // -(-len(jobs) // most))


def _parameter_sizes(encoder: Recipe, sharing: Recipe, shape: TableShape, n_tasks: int) -> list[int]:
    """Numbers in each parameter of a network but for its heads; [1] if there are none."""
    with torch.random.fork_rng(devices=[]):
        if sharing.reads == "features":
            built = encoder.build(shape)
            parts = [built, sharing.build(built.out_features, n_tasks)]
        else:
            parts = [sharing.build_on(lambda: encoder.build(shape), n_tasks)]
    return [p.numel() for part in parts for p in part.parameters()] or [1]


@dataclass(frozen=True)
class Fold:
    """What the jobs of one fold share."""

    tasks: list[FittedTask]
    scaling: dict[str, Tensor]
    inputs: tuple[Tensor, ...]
    target: Tensor


def prepare_fold(
    job: NetworkJob,
    tensors: tuple[Tensor, ...],
    tasks: Sequence[FittedTask],
    target: Array,
    weight: Array,
    encoder: Recipe,
    shape: TableShape,
    device: torch.device,
) -> Fold:
    """Statistics of the training rows; prepared inputs and training targets of all rows."""
    rows, fitted, start = job.train_rows, [], 0
    for task in tasks:
        part = slice(start, start + task.n_targets)
        start = part.stop
        fitted.append(task.with_statistics(target[rows, part], weight[rows, part]))
    with torch.random.fork_rng(devices=[]):
        module = encoder.build(shape).to(device)
    check_takes_words(module, shape)
    if hasattr(module, "fit_statistics"):
        numeric, _, *tokens = tensors
        train = torch.as_tensor(rows, device=device)
        with torch.no_grad():
            module.fit_statistics(numeric[train], *(own[train] for own in tokens))  # type: ignore[operator]
    return prepared_fold(fitted, module, tensors, target)


def prepared_fold(tasks: list[FittedTask], encoder: nn.Module, tensors: tuple[Tensor, ...], target: Array) -> Fold:
    """Inputs as a fitted encoder prepares them, and training targets of tasks that have their statistics."""
    parts, start = [], 0
    for task in tasks:
        parts.append(task.training_target(target[:, start : start + task.n_targets]))
        start += task.n_targets
    with torch.no_grad():
        inputs = encoder.prepare(*tensors)  # type: ignore[operator]
    joined = torch.as_tensor(np.nan_to_num(np.concatenate(parts, axis=1)), dtype=torch.float32, device=tensors[0].device)
    return Fold(tasks, dict(encoder.named_buffers()), inputs, joined)


def module_of(
    job: NetworkJob,
    fold: Fold,
    encoder: Recipe,
    sharing: Recipe,
    shape: TableShape,
    device: torch.device,
    *,
    initialization: Any = None,
    dropout: Mapping[str, float] | None = None,
) -> MultiTaskModule:
    """A fresh network for this job, with the fold's scaling in its buffers."""
    generator = torch.Generator().manual_seed(seed_of(job.seed, 2**21))
    if dropout and job.own_settings is not None and job.own_settings.dropout is not None:
        dropout = {**dropout, "encoder": job.own_settings.dropout}
    options: dict[str, Any] = {"generator": generator, "initialization": initialization, "dropout": dropout}
    module = build_module(encoder, sharing, shape=shape, tasks=fold.tasks, **options)
    module.load_statistics(fold.scaling)
    return module.to(device)


def training_data(
    stack: Sequence[NetworkJob],
    prepared: dict[Any, Fold],
    weight: Array,
    tasks: Sequence[FittedTask],
    used: Array,
    device: torch.device,
    *,
    product: TaskProduct | None = None,
) -> TrainingData:
    """What the stack reads; of the labels only those of the tasks ``used``, with those of the ``product`` of two in place."""
    folds = list(prepared)
    number_of = {key: k for k, key in enumerate(folds)}
    weights = torch.as_tensor(weight, dtype=torch.float32, device=device)
    if product is not None:
        assert len(folds) == 1, "label weights of a product are of the rows of one fold"
        only, rows = prepared[folds[0]], torch.as_tensor(stack[0].train_rows, device=device)
        joint, weights = product.labels(only.target, weights, target_slices(tasks), rows=rows)
        prepared = {folds[0]: replace(only, target=joint)}
    task_of_column = np.repeat(np.arange(len(tasks)), [task.n_targets for task in tasks])
    train = [torch.as_tensor(job.train_rows, device=device) for job in stack]
    valid = [torch.as_tensor(job.validation_rows, device=device) for job in stack]
    columns_of = torch.as_tensor(task_of_column, device=device)
    varies = [
        labels_vary(prepared[j.fold].target[v], weights[v], columns_of, n_tasks=len(tasks))
        for j, v in zip(stack, valid, strict=True)
    ]
    constant_losses = partial(_constant_losses, weights=weights, product=product)
    scale = torch.stack([constant_losses(prepared[job.fold], rows=rows) for job, rows in zip(stack, train, strict=True)])
    valid_scale = torch.stack(
        [constant_losses(prepared[job.fold], rows=rows, of_skill=True) for job, rows in zip(stack, valid, strict=True)]
    )
    valid_scale = torch.where(torch.stack(varies), valid_scale, 0.0)  # of labels all alike there is no skill
    scale, valid_scale = torch.where(scale > 0, scale, 1.0)[:, used], valid_scale[:, used]
    columns = np.flatnonzero(np.isin(task_of_column, used))
    weights = weights[:, columns]
    mask = torch.as_tensor(np.stack([job.tasks[task_of_column[columns]] for job in stack]), dtype=torch.float32, device=device)
    if len(stack) == 1:
        only = prepared[folds[0]]
        return TrainingData(only.inputs, only.target[:, columns], weights * mask[0], train, valid, scale[0], valid_scale[0])
    n_inputs = len(prepared[folds[0]].inputs)
    return TrainingData(
        inputs=tuple(torch.stack([prepared[key].inputs[k] for key in folds]) for k in range(n_inputs)),
        target=torch.stack([prepared[key].target[:, columns] for key in folds]),
        weight=weights,
        train_rows=train,
        validation_rows=valid,
        scale=scale,
        validation_scale=valid_scale,
        fold=torch.tensor([number_of[job.fold] for job in stack], device=device),
        mask=mask,
    )


def _constant_losses(fold: Fold, *, weights: Tensor, rows: Tensor, product: TaskProduct | None, of_skill: bool = False) -> Tensor:
    """Mean loss [T] of the constant prediction on some rows, or its mean error of which skill is made."""
    constants = [torch.as_tensor(task.constant_raw(), dtype=torch.float32, device=weights.device) for task in fold.tasks]
    outputs = torch.cat(constants if product is None else product.outputs(constants)).expand(len(rows), -1)
    sums, sums_of_weights = TaskLosses(fold.tasks, of_skill=of_skill)(outputs, fold.target[rows], weights[rows])
    return mean_losses(sums, sums_of_weights)


def fitted_networks(
    stack: Sequence[NetworkJob],
    modules: Sequence[MultiTaskModule],
    prepared: dict[Any, Fold],
    history: TrainingHistory,
    used: Array,
    built_from: tuple[Recipe, Recipe, TableShape],
    scale: Tensor,
) -> list[FittedNetwork]:
    """The networks of a stack after training, with what the run tells of each."""
    n_tasks = len(stack[0].tasks)
    scales = _of_all_tasks(scale.cpu().numpy().reshape(len(stack), -1), used, n_tasks)
    train = _of_all_tasks(np.stack([record.train_losses.numpy() for record in history.epochs]), used, n_tasks)
    skill = _of_all_tasks(np.stack([record.skills.numpy() for record in history.epochs]), used, n_tasks)
    weights = np.stack([record.weights.numpy() for record in history.epochs if record.weights is not None])
    weights = _of_all_tasks(weights, used, n_tasks)
    conflict = _stacked([record.conflict for record in history.epochs])
    cosines = _stacked([record.cosines for record in history.epochs])
    found = []
    for k, (job, module) in enumerate(zip(stack, modules, strict=True)):
        assert history.best_epoch is not None
        assert history.n_epochs is not None
        best, n_epochs = int(history.best_epoch.reshape(-1)[k]), int(history.n_epochs.reshape(-1)[k])
        own = slice(n_epochs) if len(stack) == 1 else (slice(n_epochs), k)
        curves = {"train": train[own], "skill": skill[own], "weights": weights[own]}
        if conflict is not None and cosines is not None:
            curves["conflict"] = conflict[own]
        found.append(
            FittedNetwork(
                module,
                prepared[job.fold].tasks,
                curves,
                best,
                "patience" if n_epochs < len(history.epochs) else history.ended_by,
                history.epochs[n_epochs - 1].steps,
                history.seconds / len(stack),
                *built_from,
                scale=scales[k],
                cosines=None if cosines is None else _of_all_pairs(cosines[own], used, n_tasks),
                task_weights=_task_weights(job, module, prepared[job.fold]),
            )
        )
    return found


def _task_weights(job: NetworkJob, module: MultiTaskModule, fold: Fold) -> TaskWeights | None:
    if job.tasks.sum() < 2:
        return None
    return task_weights_of(module, fold.inputs, job.train_rows, [task.name for task in fold.tasks])


def _of_all_tasks(values: Array, used: Array, n_tasks: int) -> Array:
    """Values [..., tasks used] on the axis of all tasks; NaN for the others."""
    full = np.full((*values.shape[:-1], n_tasks), np.nan, dtype=values.dtype)
    full[..., used] = values
    return full


def _stacked(values: Sequence[Tensor | None]) -> Array | None:
    """All epochs together [epochs, ...], NaN for one without, as where gradients are compared seldom; None where all are."""
    known = [value.numpy() for value in values if value is not None]
    if not known:
        return None
    return np.stack([np.full_like(known[0], np.nan) if value is None else value.numpy() for value in values])


def _of_all_pairs(cosines: Array, used: Array, n_tasks: int) -> Array:
    """Mean over epochs of [epochs, tasks used, tasks used] on the axes of all tasks; NaN for a pair that never had labels."""
    seen = ~np.isnan(cosines)
    mean = np.where(seen, cosines, 0.0).sum(axis=0) / np.where(seen.any(axis=0), seen.sum(axis=0), np.nan)
    full = np.full((n_tasks, n_tasks), np.nan)
    full[np.ix_(used, used)] = mean
    return full


def table_tensors(arrays: TableArrays, rows: slice, device: torch.device) -> tuple[Tensor, ...]:
    """Some rows of a table as tensors, in the order in which ``prepare`` takes them: numbers, codes, words and their counts."""
    numeric = torch.as_tensor(arrays.numeric[rows])
    if device.type == "mps":  # no float64 there
        numeric = numeric.float()
    return numeric.to(device), *(torch.as_tensor(own[rows]).to(device) for own in (arrays.categorical, *arrays.words))
