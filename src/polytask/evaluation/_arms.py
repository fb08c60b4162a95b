"""The arms of a comparison: together, alone, best separate; trained on the same folds."""

import pickle
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polytask.data import TableArrays
from polytask.data.splits import TimeOrder
from polytask.estimators import (
    CodedTable,
    LabelTable,
    MultiTaskNetwork,
    NetworkJob,
    TwinModel,
    choose_per_task,
    n_used_parameters,
    selection_split,
    twin_mask,
)
from polytask.evaluation._folds import FoldPlan
from polytask.exceptions import DataError
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]

STACKED_NETWORKS = 28  # about so many networks are trained at once; folds are not divided

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
        ``parameters``, ``latency_ms`` (one row) and ``memory_mb`` of the models of the first fold; None where not known.
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
    plan: FoldPlan,
    *,
    separate: tuple[str, ...],
    candidates: Mapping[str, Any],
    groups: Any = None,
    times: TimeOrder | None = None,
    reserved: Array | None = None,
    seed: int = 0,
    first_repeat: int = 0,
    on_fold: Callable[[int, int], None] | None = None,
) -> dict[str, Arm]:
    """Train every arm on every fold of ``plan`` and keep held-out outputs.

    The joint network of a fold and its single-task twins have the same settings, rows, preparation and plan of training, and
    each its own fresh seed; they are trained as one stack. A candidate named "network" stands for the twins. Ctrl-C ends the
    training; the repeats that are whole are kept, so ``len(arm.outputs)`` may be less than planned. The seeds of a repeat are
    those of its number, counted from ``first_repeat``.

    Where folds learn from different numbers of rows (an expanding window), each fold is a stack of its own, so that a fold of few
    rows makes its own number of steps and not that of the largest.
    """
    arms = {TOGETHER: Arm(type(joint).__name__), ALONE: Arm("single-task twins")}
    if BEST in separate:
        arms[BEST] = Arm("best separate model")
    folds = plan.folds()
    with_selection = BEST in arms and "network" in candidates
    n_at_once = max(1, STACKED_NETWORKS // (1 + len(labels.tasks) * (1 + with_selection))) if _is_even(plan) else 1
    n_done = 0
    try:
        for start in range(0, len(folds), n_at_once):
            planned = [
                _plan_fold(
                    joint,
                    labels,
                    weight,
                    (plan.train_rows(r, f), plan.held_rows(r, f)),
                    f"Fold {f} of repeat {r}",
                    {"groups": groups, "times": times},
                    reserved,
                    seed_of(seed, 2**24, first_repeat + r, f),
                    BEST in arms,
                    with_selection,
                )
                for r, f in folds[start : start + n_at_once]
            ]
            networks = joint.fit_jobs([job for own in planned for job in own.jobs], table, labels, weight)
            for (repeat, _), own in zip(folds[start : start + n_at_once], planned, strict=True):
                fitted, networks = networks[: len(own.jobs)], networks[len(own.jobs) :]
                _keep_networks(arms, fitted, table, labels, own.held, repeat, len(weight))
                if BEST in arms:
                    inner = {"groups": groups, "times": times, "reserved": reserved}
                    _train_best(arms[BEST], candidates, joint, fitted[1:], table, labels, weight, own, inner, repeat)
                n_done += 1
                if on_fold is not None:
                    on_fold(n_done, len(folds))
    except KeyboardInterrupt:
        n_whole = folds[n_done][0] if n_done < len(folds) else len(plan.held)
        if not n_whole:
            raise
        for arm in arms.values():
            arm.outputs = arm.outputs[:n_whole]
    return arms


@dataclass(frozen=True)
class _Fold:
    """Rows of a fold, and the networks to train on it: joint, a twin per task, and perhaps a twin per task for the selection."""

    rows: Array
    held: Array
    jobs: list[NetworkJob]
    selection: tuple[Array, Array]
    seed: int


def _is_even(plan: FoldPlan) -> bool:
    """Whether all folds learn from about as many rows: always where they learn from all that they do not hold out."""
    sizes = [len(plan.train_rows(r, f)) for r, f in plan.folds()] if plan.trained is not None else [1]
    return max(sizes) <= 1.1 * min(sizes)


def _plan_fold(
    joint: MultiTaskNetwork,
    labels: LabelTable,
    weight: Array,
    parts: tuple[Array, Array],
    whose: str,
    rule: dict[str, Any],
    reserved: Array | None,
    seed: int,
    with_best: bool,
    with_selection: bool,
) -> _Fold:
    """Plan the networks of a fold; its inner splits follow the ``rule``, groups and times."""
    rows, held = parts
    twins = [twin_mask(labels, task) for task in labels.tasks]
    masks = [np.ones(len(labels.tasks), dtype=bool), *twins]
    rest, chosen_by = rows, rows[:0]
    try:
        train, valid = joint.inner_split(labels, weight, **rule, seed=seed_of(seed, 0), rows=rows, reserved=reserved)
        jobs = [NetworkJob(train, valid, mask, seed_of(seed, 1 + k) % 2**31) for k, mask in enumerate(masks)]
        if with_best:
            own = seed_of(seed, 2**25) % 2**31
            rest, chosen_by = selection_split(labels, weight, rows=rows, **rule, selection=0.2, seed=own)
        if with_selection:
            own = seed_of(seed, 2**26)
            train, valid = joint.inner_split(labels, weight, **rule, seed=own, rows=rest, reserved=reserved)
            jobs += [NetworkJob(train, valid, mask, seed_of(seed, 2**27 + k) % 2**31) for k, mask in enumerate(twins)]
    except DataError as error:
        if rule["groups"] is not None:
            n_groups = len(np.unique(np.asarray(rule["groups"])[rows]))
            raise DataError(
                f"{whose} trains on rows of {n_groups} {'group' if n_groups == 1 else 'groups'}, "
                f"which do not allow its inner splits: {error} "
                "Use more folds, more groups or `validation=None`; choosing separate networks takes 3 groups per fold, the "
                "rest 2."
            ) from error
        if rule["times"] is not None:
            raise DataError(
                f"{whose} trains on {len(rows)} rows, which do not allow its inner splits in order of time: {error} "
                "Use fewer test windows, a smaller gap or `validation=None`."
            ) from error
        raise
    return _Fold(rows, held, jobs, (rest, chosen_by), seed_of(seed, 2**28) % 2**31)


def _keep_networks(
    arms: dict[str, Arm], networks: list[Any], table: CodedTable, labels: LabelTable, held: Array, repeat: int, n: int
) -> None:
    part = table.arrays.take(held)
    joint, twins = networks[0], networks[1 : 1 + len(labels.tasks)]
    for name, values in joint.outputs(part).items():
        arms[TOGETHER].put(repeat, name, held, values, n)
    for task, twin in zip(labels.tasks, twins, strict=True):
        arms[ALONE].put(repeat, task.name, held, twin.outputs(part, only=task.name)[task.name], n)
    arms[TOGETHER].seconds.append(joint.seconds)
    arms[ALONE].seconds.append(sum(twin.seconds for twin in twins))
    if not arms[TOGETHER].cost:
        _describe_networks(arms, [joint, *twins], labels, part)


def _train_best(
    arm: Arm,
    candidates: Mapping[str, Any],
    joint: MultiTaskNetwork,
    twins: list[Any],
    table: CodedTable,
    labels: LabelTable,
    weight: Array,
    fold: _Fold,
    inner: dict[str, Any],
    repeat: int,
) -> None:
    """Choose and fit the best separate model; ``twins`` are those of the fold, then those for the selection."""
    started, n_tasks = time.monotonic(), len(labels.tasks)
    own = {name: joint if name == "network" else candidate for name, candidate in candidates.items()}
    models = [TwinModel(twin, labels.tasks[k % n_tasks]) for k, twin in enumerate(twins)]
    names = [task.name for task in labels.tasks]
    best = choose_per_task(
        own,
        table,
        labels,
        weight,
        rows=fold.rows,
        **inner,
        split=fold.selection,
        seed=fold.seed,
        trained={"network": dict(zip(names, models[:n_tasks], strict=True))},
        trained_for_selection={"network": dict(zip(names, models[n_tasks:], strict=True))} if models[n_tasks:] else {},
    )
    for name, model in best.models.items():
        arm.put(repeat, name, fold.held, model.outputs(table.arrays, fold.held), len(weight))
        counts = arm.chosen.setdefault(name, {})
        counts[best.chosen[name]] = counts.get(best.chosen[name], 0) + 1
    arm.seconds.append(time.monotonic() - started + sum(twin.seconds for twin in twins))
    if not arm.cost:
        chosen = list(best.models.values())
        one = table.arrays.take(fold.held[:1])
        latency = _milliseconds(lambda: [model.outputs(one) for model in chosen])
        sizes = [_megabytes(model) for model in chosen]
        known = [size for size in sizes if size is not None]
        arm.cost = {"parameters": None, "latency_ms": latency, "memory_mb": sum(known) if len(known) == len(sizes) else None}


def _describe_networks(arms: dict[str, Arm], networks: list[Any], labels: LabelTable, part: TableArrays) -> None:
    """Parameters, latency, memory and learning curves of the first fold's networks."""
    joint, twins = networks[0], networks[1:]
    one = part.take(slice(1))
    sizes = [n_used_parameters(twin, k, one) for k, twin in enumerate(twins)]
    n_joint = sum(p.numel() for p in joint.module.parameters())
    for arm, own, n in ((TOGETHER, [joint], n_joint), (ALONE, twins, sum(sizes))):
        latency = _milliseconds(lambda own=own: [network.outputs(one) for network in own])  # type: ignore[misc]
        arms[arm].cost = {"parameters": n, "latency_ms": latency, "memory_mb": 4 * n / 1e6}
    for k, task in enumerate(labels.tasks):
        arms[TOGETHER].curves[task.name] = _curve(joint.curves, k)
        arms[ALONE].curves[task.name] = _curve(twins[k].curves, k)


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


def _megabytes(model: Any) -> float | None:
    """Size of a model; None for a candidate that cannot be pickled, say for a lambda in it."""
    network = getattr(model, "network", None)
    if network is not None:
        return 4 * sum(p.numel() for p in network.module.parameters()) / 1e6
    try:
        return len(pickle.dumps(model)) / 1e6
    except (pickle.PicklingError, AttributeError, TypeError):
        return None
