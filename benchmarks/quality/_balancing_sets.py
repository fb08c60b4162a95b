"""The sets of the benchmark of balancing: ten tables with four or more tasks, and one simulation with known conflict."""

from pathlib import Path

import numpy as np
import pandas as pd
from _search import cut_and_held
from _tabular_sets import BenchmarkSet, load_set

from polytask.tasks import fixed_task, task_of_kind

# chosen for size: minutes, not hours, per method; the first six, of which crime and support2 lack 3 and 11 % of their labels,
# are run by default, the others (tox21 lacks 17 %) if they are named
REAL = ("atp1d", "atp7d", "emotions", "student", "crime", "support2")
MORE = ("oes97", "birds", "myocardial", "tox21")
SIMULATION = "conflict"
NARROW = 3  # units of the shared layer in the simulation


def load(folder: Path | None, name: str, *, seed: int) -> tuple[BenchmarkSet, np.ndarray]:
    """A set and which of its training rows are for validation, bool [n_train]."""
    if name == SIMULATION:
        one = simulation(seed)
    else:
        assert folder is not None
        one = load_set(folder, name, seed=seed)
    return cut_and_held(one, seed=seed)


def simulation(seed: int, *, n_train: int = 800, n_test: int = 2000) -> BenchmarkSet:
    """Eight numbers of twelve inputs that compete for a shared layer of three units.

    Five tasks are one function of one direction with little noise; three are functions of a direction each, with more noise, and
    half of their labels are missing. Three units do not hold four directions: whoever wins them takes them from another.
    """
    rng = np.random.default_rng([seed, 11])
    directions = np.linalg.qr(np.random.default_rng(0).normal(size=(12, 4)))[0]
    X = rng.normal(size=(n_train + n_test, 12))
    along = X @ directions
    many = [np.sin(1.5 * along[:, 0]) + 0.2 * rng.normal(size=len(X)) for _ in range(5)]
    few = [np.tanh(2 * along[:, k]) + 0.6 * rng.normal(size=len(X)) for k in (1, 2, 3)]
    y = pd.DataFrame(
        {f"many_{k}": values for k, values in enumerate(many)} | {f"few_{k}": values for k, values in enumerate(few)}
    )
    frame = pd.DataFrame(X, columns=[f"x{k}" for k in range(12)])
    tasks = [fixed_task(task_of_kind(name, (name,), "regression").fit(y)) for name in y]
    train = y.iloc[:n_train].copy()
    for name in ("few_0", "few_1", "few_2"):
        train.loc[rng.random(n_train) < 0.5, name] = np.nan
    kinds = dict.fromkeys(y, "regression")
    return BenchmarkSet(SIMULATION, frame.iloc[:n_train], train, frame.iloc[n_train:], y.iloc[n_train:], tasks, None, kinds)
