"""Worlds whose true gain is known.

A world fixes the functions to be learned; a data set drawn from it has fresh rows and noise. The noise of tasks is correlated, so
that the errors of tasks move together row by row, as they do in real tables.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Splits = list[tuple[NDArray[np.int64], NDArray[np.int64]]]  # (rows to train on, rows held out)
Arm = Callable[["World", "Data", Splits, np.random.Generator], list[FloatArray]]  # outputs [n_held_out, T] of each split


@dataclass(frozen=True)
class World:
    """``relatedness`` in [0, 1] (one, or one for each task) is the share of a task's function that all tasks have in common."""

    n_rows: int = 1000
    n_tasks: int = 6
    relatedness: float | tuple[float, ...] = 0.5
    noise: float = 1.5  # standard deviation; that of the functions is about 0.7
    n_features: int = 64
    n_inputs: int = 5
    alpha: float = 1.0  # ridge penalty alone, and of what tasks share
    alpha_own: float = 50.0  # ridge penalty of what a task has by itself when learned together
    missing: float = 0.0  # share of labels
    group_size: int = 1
    kind: str = "squared"  # or "auc"
    own_seeds: bool = True  # whether every task learned alone draws its own features


@dataclass(frozen=True)
class Data:
    """Rows drawn from a world; ``y`` has NaN where a label is missing."""

    X: FloatArray
    y: FloatArray
    groups: NDArray[np.int64]


def draw(world: World, n_rows: int, rng: np.random.Generator) -> Data:
    """Draw fresh rows; rows of one group have most of their inputs and noise in common."""
    groups = np.arange(n_rows) // world.group_size
    X, shared = rng.normal(size=(n_rows, world.n_inputs)), rng.normal(size=(n_rows, 1))
    own = rng.normal(size=(n_rows, world.n_tasks))
    if world.group_size > 1:
        X, shared, own = (np.sqrt(0.7) * a[groups] + np.sqrt(0.3) * a for a in (X, shared, own))
    noise = np.sqrt(0.5) * shared + np.sqrt(0.5) * own
    y = functions(world)(X) + world.noise * noise
    if world.kind == "auc":
        y = (y > 0).astype(float)
    y[rng.random(y.shape) < world.missing] = np.nan
    return Data(X, y, groups)


def functions(world: World) -> Callable[[FloatArray], FloatArray]:
    """The functions of a world: always the same, smooth, of variance about 0.5."""
    rng = np.random.default_rng(20)
    directions = rng.normal(size=(world.n_tasks + 1, 6, world.n_inputs)) / np.sqrt(world.n_inputs)
    phases = rng.uniform(0, 2 * np.pi, size=(world.n_tasks + 1, 6))
    shares = np.broadcast_to(world.relatedness, world.n_tasks)

    def values(X: FloatArray) -> FloatArray:
        waves = np.sin(0.9 * np.einsum("tkd,nd->ntk", directions, X) + phases).sum(axis=2) * 0.6  # [n, T + 1]
        return np.asarray(np.sqrt(shares) * waves[:, :1] + np.sqrt(1 - shares) * waves[:, 1:])

    return values


def true_gain(world: World, joint: Arm, separate: Arm, *, n_sets: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Find the gain expected over training sets of the size a fold trains on, and over fresh rows, by Monte Carlo.

    Returns the gain [T] and its Monte Carlo standard error [T].
    """
    n_train, n_test, at_once = world.n_rows * 4 // 5, 1000, 25
    differences, constants = np.empty((2, n_sets, world.n_tasks))
    splits = [
        (np.arange(n_train) + s * (n_train + n_test), np.arange(n_train, n_train + n_test) + s * (n_train + n_test))
        for s in range(at_once)
    ]
    for first in range(0, n_sets, at_once):
        rng = np.random.default_rng([seed, first])
        data = draw(world, at_once * (n_train + n_test), rng)
        predicted = [arm(world, data, splits, rng) for arm in (joint, separate)]
        for s, (train, test) in enumerate(splits):
            if world.kind == "auc":
                errors = [[1 - _auc(data.y[test, t], arm[s][:, t]) for t in range(world.n_tasks)] for arm in predicted]
                differences[first + s], constants[first + s] = np.subtract(errors[1], errors[0]), 0.5
            else:  # the noise of held-out rows cancels: leave it out
                truth, mean = functions(world)(data.X[test]), np.nanmean(data.y[train], axis=0)
                error_joint, error_separate, error_constant = (
                    ((truth - o) ** 2).mean(axis=0) for o in (predicted[0][s], predicted[1][s], mean)
                )
                differences[first + s] = error_separate - error_joint
                constants[first + s] = error_constant + world.noise**2
    gain = differences.mean(axis=0) / constants.mean(axis=0)
    residual = (differences - gain * constants) / constants.mean(axis=0)
    return gain, residual.std(axis=0, ddof=1) / np.sqrt(n_sets)


def _auc(target: FloatArray, score: FloatArray) -> float:
    order = np.argsort(score)
    ranks = np.empty(len(score))
    ranks[order] = np.arange(1, len(score) + 1)
    n_positive = target.sum()
    return float((ranks[target == 1].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * (len(target) - n_positive)))
