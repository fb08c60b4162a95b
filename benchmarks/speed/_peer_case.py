"""The problem that polytask and its peer learn: numbers in, regression and binary tasks out, a fifth of the labels missing."""

import math
import time
from typing import Any

import numpy as np

LEARNING_RATE, WEIGHT_DECAY, CLIP, WIDTH, DROPOUT = 2e-3, 1e-2, 1.0, 128, 0.1
WARMUP = 0.05


def schedule(step: int, *, total_steps: int) -> float:
    """Factor of the learning rate: a linear rise, then a half cosine down to 0, as in ``polytask.optim``."""
    n_warm = int(WARMUP * total_steps)
    if step < n_warm:
        return (step + 1) / n_warm
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - n_warm) / max(1, total_steps - n_warm))))


def make_problem(rows: int, columns: int, tasks: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Inputs [rows, columns] and labels [rows, tasks], NaN where missing; even tasks are 0 and 1, odd ones numbers."""
    weights = np.random.default_rng(0).normal(size=(columns, tasks)) / np.sqrt(columns)
    rng = np.random.default_rng([1, seed])
    X = rng.normal(size=(rows, columns))
    score = X @ weights + 0.3 * np.sin(3 * X[:, :1]) + 0.3 * rng.normal(size=(rows, tasks))
    y = np.where(np.arange(tasks) % 2, score, score > 0).astype(np.float64)
    return X, np.where(rng.random((rows, tasks)) < 0.2, np.nan, y)


def mean_skill(predicted: np.ndarray, y: np.ndarray) -> float:
    """Mean over tasks of 1 - squared error / that of the mean; ``predicted`` are numbers and probabilities."""
    constant = np.nanmean(y, axis=0)
    return float(np.mean(1 - np.nanmean((predicted - y) ** 2, axis=0) / np.nanmean((constant - y) ** 2, axis=0)))


def measure(fit: Any, predict: Any, case: dict[str, Any]) -> dict[str, float]:
    """Time ``fit(X, y)``, ``predict(X)`` of one row (median) and of many; after a fit on a few rows that warms up."""
    columns, tasks = case["columns"], case["tasks"]
    fit(*make_problem(200, columns, tasks))
    X, y = make_problem(case["rows"], columns, tasks)
    started = time.perf_counter()
    model = fit(X, y)
    fit_seconds = time.perf_counter() - started
    X_test, y_test = make_problem(5_000, columns, tasks, seed=1)
    skill = mean_skill(predict(model, X_test), y_test)
    calls = []
    for i in range(case["repeats"]):
        started = time.perf_counter()
        predict(model, X_test[i : i + 1])
        calls.append(time.perf_counter() - started)
    many = make_problem(case["predicted_rows"], columns, tasks, seed=2)[0]
    started = time.perf_counter()
    predict(model, many)
    seconds = time.perf_counter() - started
    return {
        "fit_seconds": fit_seconds,
        "skill": skill,
        "one_row_ms": 1e3 * float(np.median(calls)),
        "rows_per_second": case["predicted_rows"] / seconds,
    }
