"""Latency of one row, and rows per second of a large table, for every kind of model.

    python benchmarks/speed/prediction.py [--rows 1000000] [--columns 40] [--tasks 4] [--repeats 200]

Latency is that of ``predict`` on a frame of one row: reading columns, coding, the model, decoding. The median and the 95th
percentile of all calls are shown. Each model runs in a process of its own on one thread.
"""

import argparse
import json
import time
from typing import Any

import numpy as np
from _memory import peak_memory
from _worker import in_a_process
from scaling import make_table

TRAINING_ROWS = 4_000


def make_model(name: str, X: Any, y: Any) -> Any:
    """Fit one kind of model on a small table."""
    import pandas as pd

    from polytask.automatic import MultiTaskPredictor
    from polytask.estimators import MultiTaskNetwork, PerTaskEstimator, boosted_trees, linear_models

    network = MultiTaskNetwork(max_epochs=2, random_state=0)
    if name == "network":
        return network.fit(X, y)
    if name == "predictor":
        return MultiTaskPredictor(list(y.columns), network=network).fit(pd.concat([X, y], axis=1))
    if name == "single-task networks":
        return PerTaskEstimator(network).fit(X, y)
    return PerTaskEstimator({"linear": linear_models, "LightGBM": boosted_trees}[name]()).fit(X, y)


MODELS = ("network", "predictor", "single-task networks", "LightGBM", "linear")


def run_case(model: str, rows: int, columns: int, tasks: int, repeats: int) -> dict[str, float]:
    """Measure one kind of model."""
    fitted = make_model(model, *make_table(TRAINING_ROWS, columns, tasks))
    X = make_table(rows, columns, tasks)[0]
    calls = []
    for i in range(repeats + 10):
        row = X.iloc[i : i + 1]
        started = time.perf_counter()
        fitted.predict(row)
        calls.append(time.perf_counter() - started)
    with peak_memory() as peak:
        started = time.perf_counter()
        fitted.predict(X)
        seconds = time.perf_counter() - started
    low, high = np.quantile(calls[10:], [0.5, 0.95])  # the first ten warm up
    return {"median_ms": 1e3 * low, "slow_ms": 1e3 * high, "rows_per_second": rows / seconds, "mb": peak.mb}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=40)
    parser.add_argument("--tasks", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--models", type=lambda text: text.split(","), default=list(MODELS))
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(run_case(**json.loads(options.case))))
        return
    sizes = {"rows": options.rows, "columns": options.columns, "tasks": options.tasks, "repeats": options.repeats}
    print(f"{options.rows:,} rows x {options.columns} columns, {options.tasks} tasks, one thread")
    print(f"{'model':<22} {'one row, ms':>12} {'95 %':>7} {'rows per second':>16} {'peak MB':>8}")
    for model in options.models:
        one = in_a_process(__file__, {"model": model, **sizes})
        print(
            f"{model:<22} {one['median_ms']:12.2f} {one['slow_ms']:7.2f} {one['rows_per_second']:16,.0f} {one['mb']:8.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
