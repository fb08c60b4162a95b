"""A small table with tasks of six kinds, and the networks and data to train on it, alone or as a stack."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from polytask.networks import MLP, HardSharing, MultiTaskModule, TableShape, build_module
from polytask.tasks import Binary, Count, FittedTask, Multiclass, Multilabel, Ordinal, Regression
from polytask.training import OneNetwork, StackedNetworks, TaskLosses, TrainingData, TrainingSettings, fit, mean_losses

N_ROWS = 90
N_FEATURES = 4
_ARGUMENTS = ("on_epoch", "checkpoint", "method", "balance_at", "own_settings")  # of `fit`; others are settings


@dataclass(frozen=True)
class Table:
    """Inputs of two preparations, targets, weights and tasks."""

    inputs: Tensor  # [F, n, d]
    codes: Tensor  # [F, n, 0]
    target: Tensor  # [n, C]
    weight: Tensor  # [n, C]
    tasks: list[FittedTask]


@dataclass(frozen=True)
class Job:
    """What one network may see."""

    train: Sequence[int] = range(60)
    valid: Sequence[int] = range(60, N_ROWS)
    hidden: Sequence[int] = ()  # numbers of the tasks whose labels are hidden
    seed: int = 0
    fold: int = 0

    def mask(self, tasks: list[FittedTask]) -> Tensor:
        own = [float(k not in self.hidden) for k, task in enumerate(tasks) for _ in range(task.n_targets)]
        return torch.tensor(own)


@dataclass
class Run:
    """The result of training: parameters by name [R, ...] or [...], and the history."""

    modules: list[MultiTaskModule]
    history: Any
    epochs: list[Any] = field(default_factory=list)

    @property
    def weights(self) -> list[dict[str, Tensor]]:
        return [{name: p.detach().clone() for name, p in module.named_parameters()} for module in self.modules]


def label_table(*, seed: int = 0, missing: float = 0.3) -> tuple[np.ndarray, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N_ROWS, N_FEATURES))
    score = X @ rng.normal(size=(N_FEATURES, 7)) / 2
    y = pd.DataFrame(
        {
            "price": 100 + 20 * score[:, 0],
            "sold": (score[:, 1] > 0).astype(float),
            "colour": np.digitize(score[:, 2], [-0.5, 0.5]).astype(float),
            "grade": np.digitize(score[:, 3], [-0.7, 0.0, 0.7]).astype(float),
            "visits": rng.poisson(np.exp(score[:, 4])).astype(float),
            "a": (score[:, 5] > 0).astype(float),
            "b": (score[:, 6] > 0).astype(float),
        }
    )
    return X, y.mask(rng.uniform(size=y.shape) < missing)


def make_table(*, seed: int = 0, missing: float = 0.3, only: int | None = None) -> Table:
    X, y = label_table(seed=seed, missing=missing)
    declared = [
        Regression("price"),
        Binary("sold"),
        Multiclass("colour"),
        Ordinal("grade"),
        Count("visits"),
        Multilabel("tags", ("a", "b")),
    ][slice(only)]
    tasks, columns = [], []
    for task in declared:
        fitted = task.fit(y)
        target = fitted.encode(y)
        tasks.append(fitted.with_statistics(target, (~np.isnan(target)).astype(float)))
        columns.append(tasks[-1].training_target(target))
    joined = np.concatenate(columns, axis=1)
    dense = torch.as_tensor(X, dtype=torch.float32)
    return Table(
        inputs=torch.stack([dense, 0.5 * dense + 0.1]),  # as if every fold had a scaling of its own
        codes=torch.zeros(2, N_ROWS, 0, dtype=torch.long),
        target=torch.as_tensor(np.nan_to_num(joined), dtype=torch.float32),
        weight=torch.as_tensor(~np.isnan(joined), dtype=torch.float32),
        tasks=tasks,
    )


def module_of(table: Table, *, seed: int = 0, dropout: float = 0.0, tower_width: int = 0) -> MultiTaskModule:
    encoder = MLP(n_layers=1, width=8, dropout=dropout)
    generator = torch.Generator().manual_seed(seed)
    shape = TableShape(N_FEATURES)
    return build_module(encoder, HardSharing(tower_width=tower_width), shape=shape, tasks=table.tasks, generator=generator)


def constant_losses(table: Table, rows: Sequence[int]) -> Tensor:
    own = torch.tensor(list(rows), dtype=torch.long)
    raw = torch.as_tensor(np.concatenate([task.constant_raw() for task in table.tasks]), dtype=torch.float32)
    return mean_losses(*TaskLosses(table.tasks)(raw.expand(len(own), -1), table.target[own], table.weight[own]))


def data_of(table: Table, job: Job) -> TrainingData:
    """Data of one network."""
    return TrainingData(
        (table.inputs[job.fold], table.codes[job.fold]),
        table.target,
        table.weight * job.mask(table.tasks),
        [torch.tensor(list(job.train), dtype=torch.long)],
        [torch.tensor(list(job.valid), dtype=torch.long)],
        _scale(constant_losses(table, job.train)),
        constant_losses(table, job.valid),
    )


def stacked_data_of(table: Table, jobs: Sequence[Job]) -> TrainingData:
    """Data of several networks at once."""
    return TrainingData(
        (table.inputs, table.codes),
        table.target.expand(2, -1, -1),
        table.weight,
        [torch.tensor(list(job.train), dtype=torch.long) for job in jobs],
        [torch.tensor(list(job.valid), dtype=torch.long) for job in jobs],
        torch.stack([_scale(constant_losses(table, job.train)) for job in jobs]),
        torch.stack([constant_losses(table, job.valid) for job in jobs]),
        fold=torch.tensor([job.fold for job in jobs]),
        mask=torch.stack([job.mask(table.tasks) for job in jobs]),
    )


def train_one(table: Table, job: Job | None = None, *, dropout: float = 0.0, **options: Any) -> Run:
    """Train one network; settings and arguments of ``fit`` may be mixed."""
    job = job or Job()
    module = module_of(table, seed=job.seed, dropout=dropout)
    return _train(OneNetwork(module), [module], data_of(table, job), table, [job.seed], options)


def train_stack(table: Table, jobs: Sequence[Job], *, dropout: float = 0.0, **options: Any) -> Run:
    """Train several networks as one stack."""
    modules = [module_of(table, seed=job.seed, dropout=dropout) for job in jobs]
    return _train(StackedNetworks(modules), modules, stacked_data_of(table, jobs), table, [job.seed for job in jobs], options)


def _train(network: Any, modules: list[MultiTaskModule], data: TrainingData, table: Table, seeds: list[int], options: Any) -> Run:
    arguments = {key: options.pop(key) for key in _ARGUMENTS if key in options}
    settings = TrainingSettings(**{"max_epochs": 6, "batch_size": 16, "learning_rate": 0.01, **options})
    return Run(modules, fit(network, data, table.tasks, settings=settings, seeds=seeds, **arguments))


def _scale(losses: Tensor) -> Tensor:
    return torch.where(losses > 0, losses, 1.0)


def assert_same_weights(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    """Bit for bit."""
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name


def assert_close_weights(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    """To the rounding of float32, which some dozen steps of Adam magnify."""
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-3, atol=1e-4, msg=lambda text, name=name: f"{name}: {text}")
