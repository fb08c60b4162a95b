"""The arms of a comparison: together, alone, best separate; trained on the same folds."""

import pickle
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polytask.data import TableArrays
from polytask.estimators import CodedTable, LabelTable, MultiTaskNetwork, NetworkJob, TwinModel, choose_per_task, twin_mask
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]

TOGETHER, ALONE, BEST = "together", "alone", "best_separate"


@dataclass
class Arm:
    """What one arm gave on all folds.

    Attributes
    ----------
    label : str
    outputs : list of dict of task name to array of shape (n_rows, ...)
        One entry per repeat; NaN for rows never held out.
    seconds : list of float
        Of training, per fold.
    chosen : dict of task name to dict of candidate to count
    cost : dict
        ``parameters``, ``latency_ms`` (one row) and ``memory_mb`` of the models of the first fold.
    curves : dict of task name to list of [epoch, training loss, validation skill]
        Of the first fold.
    """

    label: str
    outputs: list[dict[str, Array]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    chosen: dict[str, dict[str, int]] = field(default_factory=dict)
    cost: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, list[list[float | None]]] = field(default_factory=dict)

    def put(self, repeat: int, name: str, rows: Array, values: Array, n: int) -> None:
        """Keep held-out outputs of one task."""
        while len(self.outputs) <= repeat:
            self.outputs.append({})
        if name not in self.outputs[repeat]:
            self.outputs[repeat][name] = np.full((n, *values.shape[1:]), np.nan)
        self.outputs[repeat][name][rows] = values


def train_arms(
    joint: MultiTaskNetwork,
    table: CodedTable,
    labels: LabelTable,
    weight: Array,
    plan: Array,
    *,
    separate: tuple[str, ...],
    candidates: Mapping[str, Any],
    groups: Any = None,
    reserved: Array | None = None,
    seed: int = 0,
    on_fold: Callable[[int, int], None] | None = None,
) -> dict[str, Arm]:
    """Train every arm on every fold of ``plan`` (int [n_repeats, n_rows]) and keep held-out outputs.

    The joint network of a fold and its single-task twins have the same settings, rows, preparation and plan of training, and
    each its own fresh seed; they are trained as one stack. A candidate named "network" stands for the twins.
    """
    arms = {TOGETHER: Arm(type(joint).__name__), ALONE: Arm("single-task twins")}
    if BEST in separate:
        arms[BEST] = Arm("best separate model")
    done, total = 0, sum(len(np.unique(own[own >= 0])) for own in plan)
    for repeat, fold_of in enumerate(plan):
        for fold in np.unique(fold_of[fold_of >= 0]):
            rows, held = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
            fold_seed = seed_of(seed, 2**24, repeat, int(fold))
            networks = _train_networks(joint, table, labels, weight, rows, groups=groups, reserved=reserved, seed=fold_seed)
            part = TableArrays(table.arrays.numeric[held], table.arrays.categorical[held], [])
            for name, values in networks[0].outputs(part).items():
                arms[TOGETHER].put(repeat, name, held, values, len(fold_of))
            for task, twin in zip(labels.tasks, networks[1:], strict=True):
                arms[ALONE].put(repeat, task.name, held, twin.outputs(part)[task.name], len(fold_of))
            arms[TOGETHER].seconds.append(networks[0].seconds)
            arms[ALONE].seconds.append(sum(twin.seconds for twin in networks[1:]))
            if not done:
                _describe_networks(arms, networks, labels, part)
            if BEST in arms:
                _train_best(
                    arms[BEST],
                    candidates,
                    joint,
                    networks[1:],
                    table,
                    labels,
                    weight,
                    rows,
                    held,
                    groups,
                    reserved,
                    fold_seed,
                    repeat,
                )
            done += 1
            if on_fold is not None:
                on_fold(done, total)
    return arms


def _train_networks(
    joint: MultiTaskNetwork,
    table: CodedTable,
    labels: LabelTable,
    weight: Array,
    rows: Array,
    *,
    groups: Any,
    reserved: Array | None,
    seed: int,
) -> list[Any]:
    """The joint network, then the twin of every task."""
    train, held = joint.inner_split(labels, weight, groups=groups, seed=seed_of(seed, 0), rows=rows, reserved=reserved)
    everyone = np.ones(len(labels.tasks), dtype=bool)
    masks = [everyone] + [twin_mask(labels, task) for task in labels.tasks]
    jobs = [NetworkJob(train, held, mask, seed_of(seed, 1 + k) % 2**31) for k, mask in enumerate(masks)]
    return joint.fit_jobs(jobs, table, labels, weight)


def _train_best(
    arm: Arm,
    candidates: Mapping[str, Any],
    joint: MultiTaskNetwork,
    twins: list[Any],
    table: CodedTable,
    labels: LabelTable,
    weight: Array,
    rows: Array,
    held: Array,
    groups: Any,
    reserved: Array | None,
    seed: int,
    repeat: int,
) -> None:
    started = time.monotonic()
    own = {name: joint if name == "network" else candidate for name, candidate in candidates.items()}
    trained = {"network": {task.name: TwinModel(twin, task) for task, twin in zip(labels.tasks, twins, strict=True)}}
    best = choose_per_task(
        own,
        table,
        labels,
        weight,
        rows=rows,
        groups=groups,
        reserved=reserved,
        seed=seed_of(seed, 2**25) % 2**31,
        trained=trained,
    )
    for name, model in best.models.items():
        arm.put(repeat, name, held, model.outputs(table.arrays, held), len(weight))
        counts = arm.chosen.setdefault(name, {})
        counts[best.chosen[name]] = counts.get(best.chosen[name], 0) + 1
    arm.seconds.append(time.monotonic() - started)
    if not arm.cost:
        models = list(best.models.values())
        one = TableArrays(table.arrays.numeric[held[:1]], table.arrays.categorical[held[:1]], [])
        latency = _milliseconds(lambda: [model.outputs(one) for model in models])
        arm.cost = {"parameters": None, "latency_ms": latency, "memory_mb": sum(_megabytes(model) for model in models)}


def _describe_networks(arms: dict[str, Arm], networks: list[Any], labels: LabelTable, part: TableArrays) -> None:
    """Parameters, latency, memory and learning curves of the first fold's networks."""
    joint, twins = networks[0], networks[1:]
    one = TableArrays(part.numeric[:1], part.categorical[:1], [])
    sizes = [_used_parameters(twin, k) for k, twin in enumerate(twins)]
    n_joint = sum(p.numel() for p in joint.module.parameters())
    for arm, own, n in ((TOGETHER, [joint], n_joint), (ALONE, twins, sum(sizes))):
        latency = _milliseconds(lambda own=own: [network.outputs(one) for network in own])  # type: ignore[misc]
        arms[arm].cost = {"parameters": n, "latency_ms": latency, "memory_mb": 4 * n / 1e6}
    for k, task in enumerate(labels.tasks):
        arms[TOGETHER].curves[task.name] = _curve(joint.curves, k)
        arms[ALONE].curves[task.name] = _curve(twins[k].curves, k)


def _used_parameters(twin: Any, task: int) -> int:
    """Parameters of a twin without the heads (and towers) of the other tasks, which it never uses."""
    unused = [p for k, head in enumerate(twin.module.heads) if k != task for p in head.parameters()]
    unused += [p for k, tower in enumerate(getattr(twin.module.sharing, "towers", [])) if k != task for p in tower.parameters()]
    return sum(p.numel() for p in twin.module.parameters()) - sum(p.numel() for p in unused)


def _curve(curves: dict[str, Array], task: int) -> list[list[float | None]]:
    pairs = zip(curves["train"][:, task].tolist(), curves["skill"][:, task].tolist(), strict=True)
    return [[epoch, *(None if np.isnan(value) else value for value in pair)] for epoch, pair in enumerate(pairs, 1)]


def _milliseconds(run: Callable[[], Any], *, times: int = 7) -> float:
    run()
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        spent.append(time.perf_counter() - started)
    return float(np.median(spent) * 1000)


def _megabytes(model: Any) -> float:
    network = getattr(model, "network", None)
    if network is not None:
        return 4 * sum(p.numel() for p in network.module.parameters()) / 1e6
    return len(pickle.dumps(model)) / 1e6
