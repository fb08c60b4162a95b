"""What is compared in the benchmark of balancing, and one fit of it."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from _balancing_sets import NARROW, SIMULATION
from _search import Settings, drawn_training, fit_in_stacks
from _tabular_sets import BenchmarkSet

from polytask import balancing
from polytask.estimators import MultiTaskNetwork
from polytask.networks import MLP

ON_LOSSES = ("Uncertainty", "DWA", "ScaleInvariant", "GeometricMean", "IMTLL", "FAMO", "STCH", "RLW")
ON_GRADIENTS = ("GradNorm", "PCGrad", "MGDA", "CAGrad", "IMTLG", "NashMTL", "AlignedMTL", "FairGrad", "UPGrad")
CHEAPER = ("PCGrad", "CAGrad", "NashMTL", "UPGrad")  # also at the features, and solved every ten steps only
EVERY = 10


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
ONE_BY_ONE = ("tuned weights",)  # not in a stack, which has one method: its weights are another draw in every trial


def drawn_settings(one: BenchmarkSet, *, seed: int, trial: int) -> Settings:
    """One trial of the random search: the same for every arm; the weights are for tuned fixed weights only."""
    rng = np.random.default_rng([seed, trial, 3])
    weights = np.exp(rng.normal(size=len(one.tasks)))
    return {
        **drawn_training(rng),
        "weights": {task.name: float(w) for task, w in zip(one.tasks, weights / weights.sum(), strict=True)},
    }


def fit_and_score(
    one: BenchmarkSet, held: np.ndarray, arm: str, trials: Sequence[Settings], *, seed: int, at_once: bool = True
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Train on the rows that are not held, stop by those that are, and score on the test rows: the number and line of each trial.

    With ``at_once`` trials are trained in one stack, where that is not slower.
    """
    narrow = one.name == SIMULATION

    def make(tasks: list[Any], settings: Settings) -> MultiTaskNetwork:
        return MultiTaskNetwork(
            tasks,
            encoder=MLP(n_layers=1, width=NARROW, dropout=0.0, activation="tanh") if narrow else MLP(dropout=settings["dropout"]),
            learning_rate=settings["learning_rate"],
            weight_decay=settings["weight_decay"],
            random_state=seed,
            **({} if arm == SINGLE else ARMS[arm](settings)),
        )

    makes = [partial(make, settings=settings) for settings in trials]
    kinds = [0 if at_once and arm not in ONE_BY_ONE else k for k in range(len(trials))]
    return fit_in_stacks(one, held, makes, kinds=kinds, alone=arm == SINGLE)
