"""Fast stochastic learners for honesty.py, each alone and together: random-feature ridge, and a small network.

An arm trains one model for each split, with fresh seeds, and gives its outputs for the rows held out.
"""

from collections.abc import Callable

import numpy as np
from _honesty_worlds import Data, FloatArray, Splits, World


def ridge_alone(world: World, data: Data, splits: Splits, rng: np.random.Generator) -> list[FloatArray]:
    """Ridge on random features, every task by itself."""
    return [_alone(world, data.X[train], data.y[train], data.X[test], rng) for train, test in splits]


def ridge_together(world: World, data: Data, splits: Splits, rng: np.random.Generator) -> list[FloatArray]:
    """Ridge on shared random features: one coefficient for all tasks, and a smaller one of each task (Evgeniou & Pontil 2004)."""
    return [_together(world, data.X[train], data.y[train], data.X[test], rng) for train, test in splits]


def _alone(world: World, X: FloatArray, y: FloatArray, X_test: FloatArray, rng: np.random.Generator) -> FloatArray:
    outputs = np.empty((len(X_test), world.n_tasks))
    features = _features(world, rng)
    if not world.own_seeds and not np.isnan(y).any():
        means = y.mean(axis=0)
        return np.asarray(means + features(X_test) @ _ridge(features(X), y - means, world.alpha))
    for t in range(world.n_tasks):
        if world.own_seeds and t:
            features = _features(world, rng)
        seen = ~np.isnan(y[:, t])
        mean = y[seen, t].mean()
        outputs[:, t] = mean + features(X_test) @ _ridge(features(X[seen]), y[seen, t] - mean, world.alpha)
    return outputs


def _together(world: World, X: FloatArray, y: FloatArray, X_test: FloatArray, rng: np.random.Generator) -> FloatArray:
    features = _features(world, rng)
    Z, Z_test = features(X), features(X_test)
    seen, means = ~np.isnan(y), np.nanmean(y, axis=0)
    target = np.where(seen, y - means, 0.0)
    gram = (Z * seen.sum(axis=1, keepdims=True)).T @ Z + world.alpha * world.n_tasks * np.eye(Z.shape[1])
    pooled = np.linalg.solve(gram, Z.T @ target.sum(axis=1))
    outputs = means + (Z_test @ pooled)[:, None]
    rest = np.where(seen, target - (Z @ pooled)[:, None], 0.0)
    if seen.all():
        return np.asarray(outputs + Z_test @ _ridge(Z, rest, world.alpha_own))
    for t in range(world.n_tasks):
        outputs[:, t] += Z_test @ _ridge(Z[seen[:, t]], rest[seen[:, t], t], world.alpha_own)
    return np.asarray(outputs)


def _features(world: World, rng: np.random.Generator) -> Callable[[FloatArray], FloatArray]:
    weights = rng.normal(size=(world.n_inputs, world.n_features)) / np.sqrt(world.n_inputs)
    bias = rng.uniform(-1.5, 1.5, size=world.n_features)
    return lambda X: np.maximum(X @ weights + bias, 0.0)


def _ridge(Z: FloatArray, target: FloatArray, alpha: float) -> FloatArray:
    gram = Z.T @ Z
    gram.flat[:: len(gram) + 1] += alpha
    return np.asarray(np.linalg.solve(gram, Z.T @ target))


def network_alone(world: World, data: Data, splits: Splits, rng: np.random.Generator) -> list[FloatArray]:
    """A small network for each task, stopped early on inner validation rows; all splits and tasks trained at once."""
    return _networks(world, data, splits, rng, owners=[[t] for t in range(world.n_tasks)])


def network_together(world: World, data: Data, splits: Splits, rng: np.random.Generator) -> list[FloatArray]:
    """One small network for all tasks, its hidden layer shared; stopped early on the mean over tasks."""
    return _networks(world, data, splits, rng, owners=[list(range(world.n_tasks))])


def _networks(world: World, data: Data, splits: Splits, rng: np.random.Generator, *, owners: list[list[int]]) -> list[FloatArray]:
    """Train a network for each split and owner of tasks, stacked in the first axis M; labels must be complete."""
    hidden, steps, rate = world.n_features, 120, np.float32(0.03)
    n_train, n_test = min(len(a) for a, _ in splits), max(len(b) for _, b in splits)
    inner = n_train * 4 // 5
    order = np.stack([rng.permuted(a)[:n_train] for a, _ in splits for _ in owners])  # [M, n_train]
    held = np.stack([np.resize(b, n_test) for _, b in splits for _ in owners])
    X = data.X.astype(np.float32)
    labels = np.stack([data.y[rows][:, tasks] for rows, tasks in zip(order, owners * len(splits), strict=True)]).astype(
        np.float32
    )
    mean = labels.mean(axis=1, keepdims=True)
    labels -= mean
    X_fit, X_stop, X_test, y_fit, y_stop = X[order[:, :inner]], X[order[:, inner:]], X[held], labels[:, :inner], labels[:, inner:]

    def start(*shape: int) -> np.ndarray:
        return (rng.normal(size=(len(order), *shape)) / np.sqrt(shape[0])).astype(np.float32)

    params = [start(world.n_inputs, hidden), start(1, hidden) * 0, start(hidden, len(owners[0])) * np.float32(0.5)]
    first, second = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
    best, outputs = np.full(len(order), np.inf), np.zeros((len(order), n_test, len(owners[0])), dtype=np.float32)
    for step in range(1, steps + 1):
        W, b, V = params
        H = np.tanh(X_fit @ W + b)
        E = (H @ V - y_fit) / inner
        G = (E @ V.swapaxes(1, 2)) * (1 - H**2)
        gradients = [X_fit.swapaxes(1, 2) @ G, G.sum(axis=1, keepdims=True), H.swapaxes(1, 2) @ E]
        for i, g in enumerate(gradients):  # Adam
            first[i] = 0.9 * first[i] + 0.1 * g
            second[i] = 0.99 * second[i] + 0.01 * g**2
            params[i] = params[i] - rate * (first[i] / (1 - 0.9**step)) / (np.sqrt(second[i] / (1 - 0.99**step)) + 1e-8)
        if step % 6 == 0:
            W, b, V = params
            error = ((np.tanh(X_stop @ W + b) @ V - y_stop) ** 2).mean(axis=(1, 2))
            better = error < best
            best[better] = error[better]
            outputs[better] = np.tanh(X_test[better] @ W[better] + b[better]) @ V[better]
    outputs = outputs + mean
    joined = np.concatenate([outputs[o :: len(owners)] for o in range(len(owners))], axis=2)  # [splits, n_test, T]
    return [joined[s, : len(test)].astype(float) for s, (_, test) in enumerate(splits)]
