"""What is compared in the benchmark of balancing, and one fit of it."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from _balancing_sets import NARROW, SIMULATION
from _tabular_sets import BenchmarkSet, score_task

from polytask import balancing
from polytask.estimators import MultiTaskNetwork
from polytask.networks import MLP

ON_LOSSES = ("Uncertainty", "DWA", "ScaleInvariant", "GeometricMean", "IMTLL", "FAMO", "STCH", "RLW")
ON_GRADIENTS = ("GradNorm", "PCGrad", "MGDA", "CAGrad", "IMTLG", "NashMTL", "AlignedMTL", "FairGrad", "UPGrad")
CHEAPER = ("PCGrad", "CAGrad", "NashMTL", "UPGrad")  # also at the features, and solved every ten steps only
EVERY = 10

Settings = dict[str, Any]


def _plain(name: str) -> Callable[[Settings], Settings]:
    return lambda settings: {"balancing": getattr(balancing, name)()}


def _at_features(name: str) -> Callable[[Settings], Settings]:
    return lambda settings: {"balancing": getattr(balancing, name)(), "balance_at": "features"}


def _every(name: str) -> Callable[[Settings], Settings]:
    return lambda settings: {"balancing": balancing.Every(getattr(balancing, name)(), k=EVERY)}


def _fixed(settings: Settings) -> Settings:
    return {"balancing": balancing.FixedWeights(settings["weights"])}


ARMS: dict[str, Callable[[Settings], Settings]] = {
    "Equal": lambda settings: {},
    "tuned weights": _fixed,
    **{name: _plain(name) for name in (*ON_LOSSES, *ON_GRADIENTS)},
    **{f"{name} at features": _at_features(name) for name in CHEAPER},
    **{f"{name} every {EVERY}": _every(name) for name in CHEAPER if getattr(balancing, name).weights_last},
}
SINGLE = "single-task"  # the same network once per task


def drawn_settings(one: BenchmarkSet, *, seed: int, trial: int) -> Settings:
    """One trial of the random search: the same for every arm; the weights are for tuned fixed weights only."""
    rng = np.random.default_rng([seed, trial, 3])
    weights = np.exp(rng.normal(size=len(one.tasks)))
    return {
        "learning_rate": float(10 ** rng.uniform(-3.5, -2)),
        "weight_decay": float(10 ** rng.uniform(-4, -0.5)),
        "dropout": float(rng.uniform(0, 0.5)),
        "weights": {task.name: float(w) for task, w in zip(one.tasks, weights / weights.sum(), strict=True)},
    }


def fit_and_score(one: BenchmarkSet, held: np.ndarray, arm: str, settings: Settings, *, seed: int) -> dict[str, Any]:
    """Train on the rows that are not held, stop by those that are, and score on the test rows."""
    started = time.process_time()
    if arm == SINGLE:
        parts = [_fit(one, [task], held, {}, settings, seed=seed) for task in one.tasks]
        networks = dict(zip((task.name for task in one.tasks), parts, strict=True))
    else:
        whole = _fit(one, one.tasks, held, ARMS[arm](settings), settings, seed=seed)
        networks = dict.fromkeys((task.name for task in one.tasks), whole)
    cpu = time.process_time() - started
    distinct = {id(network): network for network in networks.values()}
    outputs = {key: network.outputs(one.X_test) for key, network in distinct.items()}
    scores = {
        task.name: score_task(task, outputs[key][task.name], one.y, one.y_test)
        for key, network in distinct.items()
        for task in network.tasks_
    }
    validation = _validation_skill(networks)
    return {
        "validation": validation,
        "scores": {name: None if score is None else round(score, 5) for name, score in scores.items()},
        "epochs": [len(network.network_.curves["skill"]) for network in distinct.values()],
        "cpu_seconds": round(cpu, 2),
    }


def _validation_skill(networks: dict[str, Any]) -> dict[str, float]:
    """Mean skill of the validation rows that chose the epoch: of a joint network one number for all its tasks."""
    return {name: round(float(np.nan_to_num(network.optimistic_skill_, nan=-1.0)), 5) for name, network in networks.items()}


def _fit(one: BenchmarkSet, tasks: list[Any], held: np.ndarray, more: Settings, settings: Settings, *, seed: int) -> Any:
    narrow = one.name == SIMULATION
    network = MultiTaskNetwork(
        tasks,
        encoder=MLP(n_layers=1, width=NARROW, dropout=0.0, activation="tanh") if narrow else MLP(dropout=settings["dropout"]),
        learning_rate=settings["learning_rate"],
        weight_decay=settings["weight_decay"],
        random_state=seed,
        **more,
    )
    return network.fit(one.X, one.y[[column for task in tasks for column in task.columns]], reserved=held)
